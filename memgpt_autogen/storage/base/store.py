"""The contract of a store as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from ..records import AgentRow, Forgotten, Remembered, Undone
from .agents import Agents
from .conversations import Conversations
from .history import History
from .log import Log
from .passages import Passages
from .sources import Sources


class Store(Protocol):
    """Everything an agent keeps. Safe to use from several threads and several processes."""

    @property
    def folder(self) -> Path | None:
        """Where the store notes files that are being written on this machine; None: nowhere."""
        ...

    @property
    def agents(self) -> Agents: ...
    @property
    def log(self) -> Log: ...
    @property
    def sources(self) -> Sources: ...
    @property
    def passages(self) -> Passages: ...
    @property
    def conversations(self) -> Conversations: ...
    @property
    def history(self) -> History: ...

    def transaction(self, step_id: str | None = None) -> AbstractContextManager[None]:
        """All or nothing. Inside another transaction it joins that one."""
        ...

    def undo(self, agent_id: str, turns: int, *, keep_incoming: bool = False) -> Undone:
        """Take the last turns back: messages, edits of core memory, archival notes, summaries; all or nothing.

        What they answered without its being a part of them waits again.

        Args:
            agent_id: whose turns.
            turns: how many; where there are fewer, all there are.
            keep_incoming: leave what came in at the start of the first of them, unanswered.

        Raises:
            UndoRefused: there is no turn, or someone else has edited a shared block since.
        """
        ...

    def turns(self, agent_id: str) -> int:
        """How many turns :meth:`undo` could take back."""
        ...

    def wipe(self, agent_id: str) -> Sequence[str]:
        """Forget every message and note, and give each block its first text; sources stay attached.

        Returns:
            Labels of blocks that other agents share: those are left as they are.
        """
        ...

    def dump(self, agent_id: str) -> Mapping[str, Any]:
        """Everything of an agent but vectors, as JSON types; attached sources by name."""
        ...

    def load(self, name: str, config: Mapping[str, Any], data: Mapping[str, Any]) -> tuple[AgentRow, Sequence[str]]:
        """Put an agent in that ``dump`` gave, under ids of its own; all of it or nothing.

        Returns:
            The agent, and the names of sources that are not there and so not attached.

        Raises:
            NameTaken: there is an agent of that name.
        """
        ...

    def remembered(self, agent_id: str, about: str) -> Sequence[Remembered]:
        """Everything of an agent that holds all the words of ``about`` that matter."""
        ...

    def forget(self, agent_id: str, about: str) -> Forgotten:
        """Delete that, so that nothing of it is left in the store's files either, nor of what was deleted before.

        Returns:
            What was deleted, with the receipt.

        Raises:
            TracesLeft: it is deleted, and the files could not be cleaned; asked once more, it goes on with that.
        """
        ...

    def lock(self, agent_id: str, wait: float = 0.0) -> AbstractContextManager[None]:
        """Hold an agent for oneself. Another thread of this process waits.

        Args:
            agent_id: the agent.
            wait: seconds to wait for another process.

        Raises:
            AgentBusy: another process still holds it, or this thread does already.
        """
        ...

    def close(self) -> None: ...
