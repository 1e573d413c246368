"""The store in SQL: six parts over one database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from ...errors import TracesLeft
from ..records import FREE_PAGES, AgentRow, Forgotten, Remembered, Undone
from .agents import SQLAgents
from .conversations import SQLConversations
from .database import Database
from .dump import dump, load
from .erase import forget, remembered
from .history import SQLHistory
from .log import SQLLog
from .passage_shelves import PassageShelves
from .passages import SQLPassages
from .sources import SQLSources
from .tenancy import check_owner
from .undo import count_turns, undo, wipe
from .vector_sync import Outside, VectorIndex


class SQLStore:
    """A :class:`memgpt_autogen.storage.base.Store` in a database.

    Args:
        database: where the rows are; closed with the store.
        vectors: where the vectors of passages are kept: the address of a Chroma (see
            :class:`memgpt_autogen.storage.vectors.chroma.ChromaVectors`), or another index; None: in the database.

    Raises:
        ConfigError: an address that is none.
    """

    def __init__(self, database: Database, vectors: VectorIndex | str | None = None) -> None:
        self._database = database
        self._index = _index(vectors)
        self.agents = SQLAgents(database)
        self.log = SQLLog(database)
        shelves, outside = PassageShelves(database), Outside(database, self._index) if self._index else None
        self.sources = SQLSources(database, shelves, outside)
        self.passages = SQLPassages(database, shelves, outside)
        self.conversations = SQLConversations(database)
        self.history = SQLHistory(database)

    @property
    def folder(self) -> Path | None:
        """Where files that belong to the store stand on this machine, such as locks; None: nowhere."""
        return self._database.folder

    def transaction(self, step_id: str | None = None) -> AbstractContextManager[None]:
        """All or nothing; rows written inside carry ``step_id``."""
        return self._database.transaction(step_id)

    def undo(self, agent_id: str, turns: int, *, keep_incoming: bool = False) -> Undone:
        """Take the last turns back, all or nothing.

        Raises:
            UndoRefused: there is no turn, or someone else has edited a shared block since.
        """
        return undo(self._database, self._of(agent_id), turns, keep_incoming=keep_incoming)

    def turns(self, agent_id: str) -> int:
        """How many turns could be taken back."""
        return count_turns(self._database, self._of(agent_id))

    def wipe(self, agent_id: str) -> Sequence[str]:
        """Start anew; labels of the blocks that other agents share, which are left as they are."""
        return wipe(self._database, self._of(agent_id))

    def dump(self, agent_id: str) -> Mapping[str, Any]:
        """Everything of an agent but vectors, as JSON types."""
        return dump(self._database, self._of(agent_id))

    def load(self, name: str, config: Mapping[str, Any], data: Mapping[str, Any]) -> tuple[AgentRow, Sequence[str]]:
        """Put an agent in, all of it or nothing.

        Raises:
            NameTaken: there is one of that name.
        """
        return load(self._database, lambda: self.agents.create(name, config), self.sources.own_source, data)

    def remembered(self, agent_id: str, about: str) -> Sequence[Remembered]:
        """Everything of an agent that holds all the words of ``about`` that matter."""
        return remembered(self._database, self._of(agent_id), about)

    def forget(self, agent_id: str, about: str) -> Forgotten:
        """Delete that, and clean the file of it.

        Raises:
            TracesLeft: it is deleted, and the file could not be cleaned.
        """
        found = forget(self._database, self._of(agent_id), about)
        hindered = self._database.clean_if_needed()
        removed = {**found.removed, **({} if hindered else {FREE_PAGES: 1})}
        left = [f"the file still holds its traces: {hindered}"] if hindered else []
        left += self.passages.clean_index(agent_id)
        receipt = Forgotten(found, removed, left)
        if left:
            raise TracesLeft(
                f"What was found is deleted, but {'; and '.join(left)}. Close the other program that has it open, or "
                "mend what is said, and forget it once more.",
                receipt,
            )
        return receipt

    def lock(self, agent_id: str, wait: float = 0.0) -> AbstractContextManager[None]:
        """Hold an agent for oneself; another process is waited for that many seconds.

        Raises:
            AgentBusy: another process still holds it, or this thread does already.
        """
        return self._database.lock(agent_id, wait)

    def _of(self, agent_id: str) -> str:
        """The id, if it is of an agent of this user.

        Raises:
            AgentNotFound: it is not.
        """
        check_owner(self._database, "agents", agent_id)
        return agent_id

    def close(self) -> None:
        """Close the database, and the index of vectors if there is one."""
        self._database.close()
        if self._index:
            self._index.close()


def _index(vectors: VectorIndex | str | None) -> VectorIndex | None:
    if not isinstance(vectors, str):
        return vectors
    from ..vectors.chroma import ChromaVectors

    return ChromaVectors(vectors) if vectors else None
