"""The default store: one SQLite file that holds everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from ...errors import TracesLeft
from ..locks import hold
from ..records import FREE_PAGES, AgentRow, Forgotten, Remembered, Undone
from .agents import SQLiteAgents
from .conversations import SQLiteConversations
from .database import Database
from .dump import dump, load
from .erase import forget, remembered
from .log import SQLiteLog
from .passages import SQLitePassages
from .undo import count_turns, undo, wipe
from .upkeep import clean_if_needed, open_database
from .vector_sync import VectorIndex


class SQLiteStore:
    """A :class:`memgpt_autogen.storage.base.Store` in one file, or in memory.

    Args:
        path: the file; None keeps everything in memory, for this process only.
        user_id: whose agents these are; two users of one file do not see each other's.
        durable: also safe against power loss, at the price of waiting for the disk.
        read_only: only read; nothing is written, and a file that cannot be written is read all the same.
        vectors: where the vectors of passages are kept: the address of a Chroma (see
            :class:`memgpt_autogen.storage.vectors.chroma.ChromaVectors`), or another index; None: in the file.

    Attributes:
        folder: where files that belong to the database stand, such as locks; None: nowhere.

    Raises:
        StoreError: the file cannot be opened.
        ConfigError: an address that is none.
    """

    def __init__(
        self,
        path: str | Path | None,
        *,
        user_id: str = "local",
        durable: bool = False,
        read_only: bool = False,
        vectors: VectorIndex | str | None = None,
    ) -> None:
        path = Path(path).resolve() if path else None  # locks go by the path: one file must have one name
        self.folder: Path | None = None
        if path:
            self._database, self.folder = open_database(path, user_id=user_id, durable=durable, read_only=read_only)
        else:
            self._database = Database(":memory:", user_id=user_id)
        self.agents = SQLiteAgents(self._database)
        self.log = SQLiteLog(self._database)
        self._index = _index(vectors)
        self.passages = SQLitePassages(self._database, self._index)
        self.conversations = SQLiteConversations(self._database)

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
        return load(self._database, lambda: self.agents.create(name, config), self.passages.own_source, data)

    def remembered(self, agent_id: str, about: str) -> Sequence[Remembered]:
        """Everything of an agent that holds all the words of ``about`` that matter."""
        return remembered(self._database, self._of(agent_id), about)

    def forget(self, agent_id: str, about: str) -> Forgotten:
        """Delete that, and clean the file of it.

        Raises:
            TracesLeft: it is deleted, and the file could not be cleaned.
        """
        found = forget(self._database, self._of(agent_id), about)
        hindered = clean_if_needed(self._database)
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
        scope = self._database.path if self.folder else f"memory {id(self._database)}"
        return hold(scope, agent_id, self.folder, wait)

    def _of(self, agent_id: str) -> str:
        """The id, if it is of an agent of this user.

        Raises:
            AgentNotFound: it is not.
        """
        self._database.check_owner("agents", agent_id)
        return agent_id

    def close(self) -> None:
        """Close the file, and the index of vectors if there is one."""
        self._database.close()
        if self._index:
            self._index.close()


def _index(vectors: VectorIndex | str | None) -> VectorIndex | None:
    if not isinstance(vectors, str):
        return vectors
    from ..vectors.chroma import ChromaVectors

    return ChromaVectors(vectors) if vectors else None
