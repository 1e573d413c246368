"""Deletes what an agent remembers about a subject, from its memory and from the database file."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .errors import ConfigError
from .events import clean
from .storage.base import Store
from .storage.shapes import Remembered


def find_about(store: Store, name: str, about: str) -> Sequence[Remembered]:
    """What :func:`forget` would delete: everything that contains every key term of ``about``, in any inflected form.

    Documents in sources do not belong to the agent, and stay.

    Raises:
        AgentNotFound: there is no agent of that name.
        ConfigError: ``about`` has no word.
    """
    return store.remembered(store.agents.get(name).id, _checked(about))


def forget(store: Store, name: str, about: str) -> Sequence[Remembered]:
    """Delete it: messages with their calls and results, archival notes, lines of core memory in all versions, sentences
    of summaries. This cannot be undone.

    Returns:
        What was deleted.

    Raises:
        AgentNotFound, ConfigError: see :func:`find_about`.
        AgentBusy: the agent is in the middle of a turn elsewhere.
        StoreError: the rows are deleted, but the file could not be cleaned because another process has it open.
            Forgetting once more cleans it.
    """
    agent_id = store.agents.get(name).id
    with store.lock(agent_id):
        return store.forget(agent_id, _checked(about))


def _checked(about: str) -> str:
    if not re.search(r"\w", about):
        raise ConfigError('About what? Give a word or more, such as: --about "my old address"')
    return str(clean(about))
