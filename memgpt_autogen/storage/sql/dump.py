"""An agent out of the database as one plain value, and back in under ids of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...ids import new_id
from ..records import AgentRow, now
from ..search.names import heading_of
from .database import Database
from .rows import reading_rows

#: A row as JSON types.
Record = dict[str, Any]


_BLOCKS = """SELECT blocks.id, label, char_limit, value, version FROM blocks JOIN agent_blocks ON block_id = blocks.id
             WHERE agent_id = ? ORDER BY position"""
_VERSIONS = "SELECT version, value, step_id, created_at FROM block_versions WHERE block_id = ? ORDER BY version"
_NOTES = """SELECT text, uri, metadata, step_id, created_at FROM passages
            WHERE source_id IN (SELECT id FROM sources WHERE agent_id = ?) ORDER BY seq"""
_SOURCES = """SELECT name FROM sources JOIN attachments ON source_id = sources.id
              WHERE attachments.agent_id = ? AND sources.agent_id IS NULL ORDER BY name"""
_MESSAGES = (
    *("id", "role", "kind", "author", "content", "text", "tool_calls", "call_id", "answered", "conversation_id"),
    *("session_id", "step_id", "answered_step", "images", "created_at"),
)
_SUMMARIES = """SELECT text, messages, first_message_id, step_id, created_at,
                (SELECT id FROM messages WHERE agent_id = summaries.agent_id AND seq <= last_seq
                 ORDER BY seq DESC LIMIT 1) AS last_message_id,
                (SELECT id FROM messages WHERE seq = at_seq) AS at_message_id FROM summaries
                WHERE agent_id = ? ORDER BY last_seq"""
_STEPS = ("id", "outcome", "model", "prompt_tokens", "completion_tokens", "cached_tokens", "cost", "created_at")


@reading_rows
def dump(database: Database, agent_id: str) -> Record:
    """Everything of an agent but vectors, as JSON types. Attached sources are named, not held."""
    with database.held():

        def rows(sql: str, *values: Any) -> list[Record]:
            return [dict(row) for row in database.all(sql, *values)]

        blocks = rows(_BLOCKS, agent_id)
        chats = rows("SELECT id, peer, created_at FROM conversations WHERE agent_id = ? ORDER BY id", agent_id)
        entries = "SELECT digest FROM conversation_entries WHERE conversation_id = ? ORDER BY position"
        return {
            "core_memory": [
                {
                    "label": block["label"],
                    "limit": block["char_limit"],
                    "value": block["value"],
                    "versions": rows(_VERSIONS, block["id"]),
                }
                for block in blocks
            ],
            "messages": [
                _unpacked(row)
                for row in rows(
                    f"SELECT {', '.join(_MESSAGES)} FROM messages WHERE agent_id = ? ORDER BY seq", agent_id
                )
            ],
            "summaries": rows(_SUMMARIES, agent_id),
            "notes": [{**row, "metadata": json.loads(row["metadata"])} for row in rows(_NOTES, agent_id)],
            "sources": [row["name"] for row in rows(_SOURCES, agent_id)],
            "conversations": [
                {**chat, "entries": [row["digest"] for row in rows(entries, chat["id"])]} for chat in chats
            ],
            "steps": rows(f"SELECT {', '.join(_STEPS)} FROM steps WHERE agent_id = ? ORDER BY id", agent_id),
        }


def _unpacked(row: Record) -> Record:
    return {
        **row,
        "tool_calls": json.loads(row["tool_calls"] or "[]"),
        "images": json.loads(row["images"] or "[]"),
        "answered": bool(row["answered"]),
    }


class _Ids:
    """A new id for each old one, the same each time."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def __call__(self, old: str | None) -> str | None:
        return self._known.setdefault(old, new_id()) if old else None


def load(
    database: Database,
    create: Callable[[], AgentRow],
    own_source: Callable[[str], str],
    data: Mapping[str, Any],
) -> tuple[AgentRow, Sequence[str]]:
    """Put an agent in, all of it or nothing.

    Args:
        database: where.
        create: makes the agent's record.
        own_source: the id of the source of its notes, given its id.
        data: as of :func:`dump`.

    Returns:
        The agent, and the names of sources that are not there and so not attached.

    Raises:
        NameTaken: by ``create``.
    """
    ids = _Ids()
    with database.transaction():
        agent = create()
        mine = {"agent_id": agent.id}
        for chat in data["conversations"]:
            chat_id = ids(chat["id"])
            row = {"id": chat_id, "peer": chat["peer"], "created_at": chat["created_at"]}
            database.insert("conversations", [row | mine])
            entries = enumerate(chat["entries"])
            database.insert(
                "conversation_entries",
                [{"conversation_id": chat_id, "position": at, "digest": digest} for at, digest in entries],
            )
        database.insert("steps", [{**step, "id": ids(step["id"]), **mine} for step in data["steps"]])
        _load_blocks(database, agent.id, data["core_memory"], ids)
        database.insert("messages", [_packed(message, ids) | mine for message in data["messages"]])
        database.insert("summaries", [_summary(database, one, ids) | mine for one in data["summaries"]])
        if data["notes"]:
            source = own_source(agent.id)
            database.insert(
                "passages",
                [
                    {
                        **note,
                        "id": new_id(),
                        "source_id": source,
                        "metadata": json.dumps(note["metadata"]),
                        "heading": heading_of(note["text"], note["uri"]),
                        "step_id": ids(note["step_id"]),
                    }
                    for note in data["notes"]
                ],
            )
        return agent, _attach(database, agent.id, data["sources"])


def _load_blocks(database: Database, agent_id: str, blocks: Sequence[Record], ids: _Ids) -> None:
    for position, block in enumerate(blocks):
        block_id, versions = new_id(), block["versions"]
        row = {"id": block_id, "label": block["label"], "value": block["value"], "char_limit": block["limit"]}
        database.insert("blocks", [{**row, "version": versions[-1]["version"], "created_at": now()}])
        database.insert(
            "block_versions",
            [{**one, "block_id": block_id, "agent_id": agent_id, "step_id": ids(one["step_id"])} for one in versions],
        )
        database.insert("agent_blocks", [{"agent_id": agent_id, "block_id": block_id, "position": position}])


def _packed(message: Record, ids: _Ids) -> Record:
    return {
        **message,
        "id": ids(message["id"]),
        "tool_calls": json.dumps(message["tool_calls"]) if message["tool_calls"] else None,
        "images": json.dumps(message["images"]) if message["images"] else None,
        "answered": int(message["answered"]),
        "conversation_id": ids(message["conversation_id"]),
        "session_id": ids(message["session_id"]),
        "step_id": ids(message["step_id"]),
        "answered_step": ids(message["answered_step"]),
    }


def _summary(database: Database, summary: Record, ids: _Ids) -> Record:
    def seq(message_id: str | None) -> int | None:
        row = database.one("SELECT seq FROM messages WHERE id = ?", ids(message_id))
        return int(row["seq"]) if row else None

    at = summary["at_message_id"]
    return {
        "id": new_id(),
        "text": summary["text"],
        "messages": summary["messages"],
        "first_message_id": ids(summary["first_message_id"]),
        "last_message_id": ids(summary["last_message_id"]) or "",
        "last_seq": seq(summary["last_message_id"]) or 0,
        "at_seq": seq(at) if at else None,
        "step_id": ids(summary["step_id"]),
        "created_at": summary["created_at"],
    }


def _attach(database: Database, agent_id: str, names: Sequence[str]) -> list[str]:
    missing = []
    for name in names:
        source = database.one(
            "SELECT id FROM sources WHERE name = ? AND user_id = ? AND agent_id IS NULL", name, database.user_id
        )
        if source is None:
            missing.append(name)
        else:
            row = {"agent_id": agent_id, "source_id": source["id"], "created_at": now()}
            database.insert("attachments", [row])
    return missing
