"""Agents and their core memory blocks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ...errors import AgentNotFound, NameTaken, StoreError, not_known
from ...events import clean
from ...ids import new_id
from ..records import AgentRow, Block, BlockVersion, now, stamp
from .database import Database, Row
from .rows import Duplicate, reading_rows
from .tenancy import scoped

_BLOCKS = """SELECT blocks.* FROM blocks JOIN agent_blocks ON agent_blocks.block_id = blocks.id
             WHERE agent_blocks.agent_id = ? ORDER BY agent_blocks.position"""


@scoped
class SQLAgents:
    """See :class:`memgpt_autogen.storage.base.Agents`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def create(self, name: str, config: Mapping[str, Any]) -> AgentRow:
        row = {"id": new_id(), "name": name, "config": json.dumps(clean(config)), "created_at": now()}
        try:
            self._db.insert("agents", [row])
        except Duplicate as error:
            raise NameTaken(f"There is an agent named {name!r} already. Load it, or choose another name.") from error
        return self.get(name)

    def get(self, name: str) -> AgentRow:
        row = self._db.one("SELECT * FROM agents WHERE user_id = ? AND name = ?", self._db.user_id, name)
        if row is None:
            known = [agent.name for agent in self.list()]
            raise AgentNotFound(not_known(f"There is no agent named {name!r}.", name, "Agents", known))
        return _agent(row)

    def list(self) -> Sequence[AgentRow]:
        rows = self._db.all("SELECT * FROM agents WHERE user_id = ? ORDER BY id", self._db.user_id)
        return [_agent(row) for row in rows]

    def update(self, agent_id: str, config: Mapping[str, Any]) -> None:
        self._db.execute("UPDATE agents SET config = ? WHERE id = ?", json.dumps(clean(config)), agent_id)

    def delete(self, agent_id: str) -> None:
        with self._db.transaction():
            own = [block.id for block in self.blocks(agent_id)]
            self._db.execute("DELETE FROM agents WHERE id = ?", agent_id)
            for block_id in own:  # a block that another agent shares stays
                self._db.execute(
                    "DELETE FROM blocks WHERE id = ? AND id NOT IN (SELECT block_id FROM agent_blocks)", block_id
                )

    def pause(self, agent_id: str, until: datetime) -> None:
        self._db.insert("pauses", [{"agent_id": agent_id, "until": stamp(until)}])

    def paused_until(self, agent_id: str) -> datetime | None:
        row = self._db.one("SELECT until FROM pauses WHERE agent_id = ? ORDER BY number DESC LIMIT 1", agent_id)
        return datetime.fromisoformat(row["until"]) if row else None

    def blocks(self, agent_id: str) -> Sequence[Block]:
        return [_block(row) for row in self._db.all(_BLOCKS, agent_id)]

    def add_block(self, agent_id: str, label: str, value: str, limit: int) -> Block:
        if any(block.label == label for block in self.blocks(agent_id)):
            raise NameTaken(f"This agent has a block named {label!r} already.")
        moment, block_id = now(), new_id()
        block = {"id": block_id, "label": label, "value": value, "char_limit": limit, "version": 1}
        first = {"block_id": block_id, "version": 1, "agent_id": agent_id, "value": value}
        with self._db.transaction():
            self._db.insert("blocks", [{**block, "created_at": moment}])
            self._db.insert("block_versions", [{**first, "created_at": moment}])
            self.share_block(agent_id, block_id)
        return Block(block_id, label, value, limit, 1)

    def share_block(self, agent_id: str, block_id: str) -> None:
        position = self._db.number("SELECT count(*) FROM agent_blocks WHERE agent_id = ?", agent_id)
        self._db.insert("agent_blocks", [{"agent_id": agent_id, "block_id": block_id, "position": position}])

    def write_block(self, block_id: str, value: str, *, agent_id: str) -> Block:
        with self._db.transaction():
            self._db.execute("UPDATE blocks SET value = ?, version = version + 1 WHERE id = ?", value, block_id)
            row = self._db.one("SELECT * FROM blocks WHERE id = ?", block_id)
            if row is None:
                raise StoreError("This block of core memory is gone: another agent that shared it was deleted.")
            block = _block(row)
            version = {"block_id": block_id, "version": block.version, "agent_id": agent_id, "value": value}
            self._db.insert("block_versions", [{**version, "created_at": now()}])
        return block

    def versions(self, block_id: str) -> Sequence[BlockVersion]:
        rows = self._db.all("SELECT * FROM block_versions WHERE block_id = ? ORDER BY version", block_id)
        return [_version(row) for row in rows]


@reading_rows
def _version(row: Row) -> BlockVersion:
    return BlockVersion(row["version"], row["value"], row["step_id"] or "", datetime.fromisoformat(row["created_at"]))


@reading_rows
def _agent(row: Row) -> AgentRow:
    return AgentRow(row["id"], row["name"], json.loads(row["config"]), datetime.fromisoformat(row["created_at"]))


def _block(row: Row) -> Block:
    return Block(row["id"], row["label"], row["value"], row["char_limit"], row["version"])
