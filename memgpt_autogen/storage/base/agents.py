"""Agents and their core memory, in the contract of a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from ..records import AgentRow, Block, BlockVersion


class Agents(Protocol):
    """Agents and their core memory."""

    def create(self, name: str, config: Mapping[str, Any]) -> AgentRow:
        """Raises: NameTaken."""
        ...

    def get(self, name: str) -> AgentRow:
        """Raises: AgentNotFound, naming those there are."""
        ...

    def list(self) -> Sequence[AgentRow]: ...
    def update(self, agent_id: str, config: Mapping[str, Any]) -> None: ...
    def delete(self, agent_id: str) -> None: ...
    def pause(self, agent_id: str, until: datetime) -> None: ...

    def paused_until(self, agent_id: str) -> datetime | None:
        """Until when timed events are ignored."""
        ...

    def blocks(self, agent_id: str) -> Sequence[Block]: ...
    def add_block(self, agent_id: str, label: str, value: str, limit: int) -> Block: ...

    def share_block(self, agent_id: str, block_id: str) -> None:
        """Put another agent's block into this one's core memory: the same block, not a copy."""
        ...

    def write_block(self, block_id: str, value: str, *, agent_id: str) -> Block:
        """A new version of a block. The old ones are kept."""
        ...

    def versions(self, block_id: str) -> Sequence[BlockVersion]:
        """All versions of a block, oldest first."""
        ...
