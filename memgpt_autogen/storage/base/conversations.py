"""What of a chat an agent has taken in, in the contract of a store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Conversations(Protocol):
    """What of each chat an agent has taken in: ordered digests of messages."""

    def open(self, agent_id: str, peer: str, *, taken: Sequence[str]) -> str:
        """The id of the latest conversation with ``peer`` that is not in ``taken``, or of a new one."""
        ...

    def entries(self, conversation_id: str) -> Sequence[str]: ...
    def end(self, conversation_id: str) -> tuple[int, str]:
        """How many entries there are, and the last one; 0 and empty: none."""
        ...

    def append(self, conversation_id: str, digests: Sequence[str]) -> None: ...
