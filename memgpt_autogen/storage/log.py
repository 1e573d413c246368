"""Messages, summaries and steps, in SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from ..ids import new_id
from ..messages import Message, ToolCall, Usage
from .base import Hit, Page, Summary
from .database import Database, now, stamp
from .words import fts_query

#: Messages kept as they were read: some windows' worth.
READ = 10_000

_MATCHES = """FROM messages_fts JOIN messages ON messages.seq = messages_fts.rowid
              WHERE messages_fts MATCH ? AND agent_id = ? AND answered = 1"""
_BEST = "ORDER BY score DESC, seq DESC LIMIT ? OFFSET ?"
_DAYS = "FROM messages WHERE agent_id = ? AND created_at >= ? AND created_at < ? AND text <> ''"


class SQLiteLog:
    """See :class:`memgpt_autogen.storage.base.Log`."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._read: dict[tuple[str, int], Message] = {}  # by id and ``answered``: nothing else of a message changes

    def append(self, agent_id: str, messages: Sequence[Message]) -> None:
        self._db.insert("messages", [_values(agent_id, message) for message in messages])

    def mark_answered(self, agent_id: str) -> None:
        self._db.execute("UPDATE messages SET answered = 1 WHERE agent_id = ? AND answered = 0", agent_id)

    def window(self, agent_id: str) -> Sequence[Message]:
        after = self._db.number("SELECT max(last_seq) FROM summaries WHERE agent_id = ?", agent_id)
        inside = "FROM messages WHERE agent_id = ? AND seq > ?"
        rows = self._db.all(f"SELECT id, answered, seq {inside} ORDER BY seq", agent_id, after)
        read = self._read if len(self._read) < READ else {}
        missing = next((row["seq"] for row in rows if (row["id"], row["answered"]) not in read), None)
        if missing is not None:
            for row in self._db.all(f"SELECT * {inside} AND seq >= ?", agent_id, after, missing):
                read[row["id"], row["answered"]] = _message(row)
        self._read = read
        return [read[row["id"], row["answered"]] for row in rows]

    def tail(self, agent_id: str, count: int) -> Sequence[Message]:
        rows = self._db.all("SELECT * FROM messages WHERE agent_id = ? ORDER BY seq DESC LIMIT ?", agent_id, count)
        return [_message(row) for row in reversed(rows)]

    def count(self, agent_id: str) -> int:
        return self._db.number("SELECT count(*) FROM messages WHERE agent_id = ?", agent_id)

    def search(self, agent_id: str, query: str, *, page: int, page_size: int) -> Page[Message]:
        words = fts_query(query)
        if not words:
            return Page([], 0, page, page_size)
        total = self._db.number(f"SELECT count(*) {_MATCHES}", words, agent_id)
        rows = self._db.all(
            f"SELECT messages.*, -bm25(messages_fts) AS score {_MATCHES} {_BEST}",
            words,
            agent_id,
            page_size,
            page * page_size,
        )
        return Page([Hit(_message(row), row["score"]) for row in rows], total, page, page_size)

    def search_dates(self, agent_id: str, start: date, end: date, *, page: int, page_size: int) -> Page[Message]:
        first = stamp(datetime.combine(start, time.min).astimezone())
        after = stamp(datetime.combine(end + timedelta(days=1), time.min).astimezone())
        total = self._db.number(f"SELECT count(*) {_DAYS}", agent_id, first, after)
        rows = self._db.all(
            f"SELECT * {_DAYS} ORDER BY seq LIMIT ? OFFSET ?", agent_id, first, after, page_size, page * page_size
        )
        return Page([Hit(_message(row), 0.0) for row in rows], total, page, page_size)

    def add_summary(self, agent_id: str, summary: Summary) -> None:
        row = {
            "id": summary.id or new_id(),
            "agent_id": agent_id,
            "first_message_id": summary.first_message_id,
            "last_message_id": summary.last_message_id,
            "last_seq": self._db.number("SELECT seq FROM messages WHERE id = ?", summary.last_message_id),
            "messages": summary.messages,
            "text": summary.text,
            "created_at": stamp(summary.created_at),
        }
        self._db.insert("summaries", [row])

    def last_summary(self, agent_id: str) -> Summary | None:
        row = self._db.one("SELECT * FROM summaries WHERE agent_id = ? ORDER BY last_seq DESC LIMIT 1", agent_id)
        if row is None:
            return None
        return Summary(
            text=row["text"],
            first_message_id=row["first_message_id"],
            last_message_id=row["last_message_id"],
            messages=row["messages"],
            id=row["id"],
            created_at=datetime.fromisoformat(row["created_at"]),
        )

    def add_step(self, agent_id: str, outcome: str, model: str, usage: Usage) -> None:
        row = {
            "id": self._db.step_id or new_id(),
            "agent_id": agent_id,
            "outcome": outcome,
            "model": model,
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "cached_tokens": usage.cached_tokens,
            "cost": usage.cost,
            "created_at": now(),
        }
        self._db.insert("steps", [row])


def _values(agent_id: str, message: Message) -> dict[str, object]:
    calls = [
        {"name": call.name, "arguments": dict(call.arguments), "id": call.id, "error": call.error}
        for call in message.tool_calls
    ]
    row: dict[str, object] = {
        "id": message.id,
        "agent_id": agent_id,
        "conversation_id": message.conversation_id,
        "session_id": message.session_id,
        "role": message.role,
        "kind": message.kind,
        "author": message.author,
        "content": message.content,
        "text": message.text,
        "tool_calls": json.dumps(calls) if calls else None,
        "call_id": message.call_id,
        "answered": int(message.answered),
        "created_at": stamp(message.created_at),
    }
    return row if message.step_id is None else {**row, "step_id": message.step_id}


def _message(row: sqlite3.Row) -> Message:
    calls = json.loads(row["tool_calls"]) if row["tool_calls"] else ()
    return Message(
        role=row["role"],
        content=row["content"],
        text=row["text"],
        kind=row["kind"],
        author=row["author"],
        tool_calls=tuple(ToolCall(**call) for call in calls),
        call_id=row["call_id"],
        id=row["id"],
        answered=bool(row["answered"]),
        conversation_id=row["conversation_id"],
        session_id=row["session_id"],
        step_id=row["step_id"],
        created_at=datetime.fromisoformat(row["created_at"]),
    )
