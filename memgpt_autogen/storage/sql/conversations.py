"""What of each chat an agent has taken in."""

from __future__ import annotations

from collections.abc import Sequence

from ...ids import new_id
from ..records import now
from .database import Database
from .tenancy import scoped


@scoped
class SQLConversations:
    """See :class:`memgpt_autogen.storage.base.Conversations`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def open(self, agent_id: str, peer: str, *, taken: Sequence[str]) -> str:
        with self._db.transaction():
            known = self._db.all(
                "SELECT id FROM conversations WHERE agent_id = ? AND peer = ? ORDER BY id DESC", agent_id, peer
            )
            for row in known:
                if row["id"] not in taken:
                    return str(row["id"])
            conversation_id = new_id()
            made = {"id": conversation_id, "agent_id": agent_id, "peer": peer, "created_at": now()}
            self._db.insert("conversations", [made])
        return conversation_id

    def entries(self, conversation_id: str) -> Sequence[str]:
        sql = "SELECT digest FROM conversation_entries WHERE conversation_id = ? ORDER BY position"
        return [row["digest"] for row in self._db.all(sql, conversation_id)]

    def end(self, conversation_id: str) -> tuple[int, str]:
        sql = (
            "SELECT position, digest FROM conversation_entries WHERE conversation_id = ? ORDER BY position DESC LIMIT 1"
        )
        row = self._db.one(sql, conversation_id)
        return (row["position"] + 1, row["digest"]) if row else (0, "")

    def append(self, conversation_id: str, digests: Sequence[str]) -> None:
        with self._db.transaction():
            start = self._db.number(
                "SELECT max(position) + 1 FROM conversation_entries WHERE conversation_id = ?", conversation_id
            )
            self._db.insert(
                "conversation_entries",
                (
                    {"conversation_id": conversation_id, "position": start + offset, "digest": digest}
                    for offset, digest in enumerate(digests)
                ),
            )
