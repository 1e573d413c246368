"""Deletes what an agent remembers about a subject, from its memory and from the database file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from .config.home import HISTORY, write_private
from .errors import ConfigError
from .events import clean
from .storage.base import Store
from .storage.records import Forgotten, Remembered
from .storage.search.words import holders


def find_about(store: Store, name: str, about: str) -> Sequence[Remembered]:
    """What :func:`forget` would delete: everything that contains every key term of ``about``, in any inflected form.

    Documents in sources do not belong to the agent, and stay.

    Raises:
        AgentNotFound: there is no agent of that name.
        ConfigError: ``about`` has no word.
    """
    return store.remembered(store.agents.get(name).id, _checked(about))


def forget(store: Store, name: str, about: str, *, home: Path | None = None) -> Forgotten:
    """Delete it: messages with the calls and results that belong to them, archival notes, lines of core memory in all
    its versions, sentences of summaries, their vectors, and what of it stands in free pages of the store's files. This
    cannot be undone. What it does not reach: see :func:`out_of_reach`.

    Args:
        store, name, about: of which agent's memory, and what.
        home: the home folder, whose history of lines typed in the terminal is cleaned too.

    Returns:
        What was deleted, with the receipt.

    Raises:
        AgentNotFound, ConfigError: see :func:`find_about`.
        AgentBusy: the agent is in the middle of a turn elsewhere.
        TracesLeft: the files could not be cleaned, such as where another process is reading them; what was found is
            deleted all the same, and forgetting once more goes on with the cleaning.
    """
    agent_id = store.agents.get(name).id
    typed = _forget_typed(home / HISTORY, _checked(about)) if home else 0
    with store.lock(agent_id):
        done = store.forget(agent_id, _checked(about))
    return Forgotten(done, {**done.removed, **({"lines typed in the terminal": typed} if typed else {})}, done.left)


def out_of_reach(store: Store, name: str, about: str, *, home: Path | None = None) -> list[str]:
    """What :func:`forget` leaves: what others remember about it, your own files, and what is outside of the store."""
    agent_id = store.agents.get(name).id
    told = []
    for other in store.agents.list():
        if other.id != agent_id and (found := store.remembered(other.id, about)):
            told.append(f"{len(found)} things that {other.name} remembers (memgpt forget {other.name} --about ...)")
    if sources := store.sources.attached(agent_id):
        told.append(f"documents in {', '.join(source.name for source in sources)}")
    for kind in ("personas", "humans"):
        for file in sorted((home / kind).glob("*.txt")) if home else ():
            if holders([file.read_text(encoding="utf-8-sig", errors="replace")], about):
                told.append(str(file))
    return [*told, "exports and backups made earlier", "what models' servers and AutoGen's cache keep"]


def _forget_typed(history: Path, about: str) -> int:
    """Delete lines typed in the terminal; how many entries. They stand as prompt_toolkit's FileHistory writes them."""
    if not history.is_file():
        return 0
    entries = re.split(r"(?m)^(?=# )", history.read_text(encoding="utf-8", errors="replace"))
    gone = holders([re.sub(r"(?m)^[+]", "", entry) for entry in entries], about)
    if gone:
        write_private(history, "".join(entry for place, entry in enumerate(entries) if place not in gone))
    return len(gone)


def _checked(about: str) -> str:
    if not re.search(r"\w", about):
        raise ConfigError('About what? Give a word or more, such as: --about "my old address"')
    return str(clean(about))
