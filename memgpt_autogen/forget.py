"""Forgetting: what an agent remembers about something is deleted, so that neither it nor the file holds it any more."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .errors import ConfigError
from .storage.base import Store
from .storage.shapes import Remembered


def find_about(store: Store, name: str, about: str) -> Sequence[Remembered]:
    """What would be forgotten: all that holds every word of ``about`` that matters, in whatever form it stands.

    Documents in sources are not the agent's, and stay.

    Raises:
        AgentNotFound: there is none of that name.
        ConfigError: there is no word in ``about``.
    """
    return store.remembered(store.agents.get(name).id, _checked(about))


def forget(store: Store, name: str, about: str) -> Sequence[Remembered]:
    """Delete it: messages with the calls and results that belong to them, archival notes, lines of core memory in all
    its versions, sentences of summaries. This cannot be undone.

    Returns:
        What was deleted.

    Raises:
        AgentNotFound, ConfigError: see :func:`find_about`.
        AgentBusy: the agent is in the middle of a turn elsewhere.
        StoreError: the file could not be cleaned, since another process has it open; what was found is deleted all
            the same, and forgetting once more cleans it.
    """
    agent_id = store.agents.get(name).id
    with store.lock(agent_id):
        return store.forget(agent_id, _checked(about))


def _checked(about: str) -> str:
    if not re.search(r"\w", about):
        raise ConfigError('About what? Give a word or more, such as: --about "my old address"')
    return about
