"""Windows of agents in SQL: read whole, or what has changed since.

A window only grows, except where messages are deleted, which a trigger counts in ``agents.edition``. So a mark of the
edition, the last summary and the last ``seq`` tells what is new, whichever process wrote it.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, replace

from ...errors import StoreError
from ...ids import new_id
from ...messages import Message
from ..records import Summary, WindowChanges
from .database import Database
from .message_rows import message_of, row_of, summary_of

LAST_SUMMARY = "SELECT * FROM summaries WHERE agent_id = ? ORDER BY last_seq DESC, id DESC LIMIT 1"
_STATE = """SELECT edition, (SELECT max(seq) FROM messages WHERE agent_id = agents.id) AS newest, summaries.*
    FROM agents LEFT JOIN summaries ON summaries.id =
        (SELECT id FROM summaries WHERE agent_id = agents.id ORDER BY last_seq DESC, id DESC LIMIT 1)
    WHERE agents.id = ?"""
_UNANSWERED = "SELECT id FROM messages WHERE agent_id = ? AND answered = 0"
_BETWEEN = "SELECT * FROM messages WHERE agent_id = ? AND seq > ? AND seq <= ? ORDER BY seq"
#: Replacements by this process that are remembered.
_REMEMBERED = 64


@dataclass(frozen=True)
class _Mark:
    """A state of a window. ``written``: the summary's id and text, which forgetting may change."""

    edition: int
    written: tuple[str, str] | None
    newest: int
    summary: Summary | None = field(compare=False)


class Windows:
    """The windows of all agents in a database."""

    def __init__(self, database: Database) -> None:
        self._db = database
        #: By the agent and the edition that it made: the old id, and the new one.
        self._replaced: dict[tuple[str, int], tuple[str, str]] = {}

    def changes(self, agent_id: str, since: Hashable = None) -> WindowChanges:
        """See :meth:`memgpt_autogen.storage.base.Log.window_changes`."""
        with self._db.held():
            row = self._db.one(_STATE, agent_id)
            if row is None:
                raise StoreError("This agent is gone: it was deleted meanwhile.")
            written = (row["id"], row["text"]) if row["id"] else None
            replaced: dict[str, Message] | None = None
            after = row["last_seq"] or 0
            if isinstance(since, _Mark) and since.written == written:
                summary = since.summary
                replaced = self._replacements(agent_id, since.edition, row["edition"])
                after = after if replaced is None else since.newest
            else:
                summary = summary_of(row) if written else None
            newest = row["newest"] or 0
            rows = self._db.all(_BETWEEN, agent_id, after, newest) if newest > after else []
            unanswered = self._db.all(_UNANSWERED, agent_id)
        return WindowChanges(
            mark=_Mark(row["edition"], written, max(newest, after), summary),
            whole=replaced is None,
            summary=summary,
            messages=[message_of(row) for row in rows],
            unanswered=frozenset(row["id"] for row in unanswered),
            replaced=replaced or {},
        )

    def _replacements(self, agent_id: str, before: int, now: int) -> dict[str, Message] | None:
        """What stands in the place of which messages, if nothing else was deleted between two editions; else None."""
        found: dict[str, str] = {}
        for edition in range(before + 1, now + 1):
            if (agent_id, edition) not in self._replaced:
                return None
            old, new = self._replaced[agent_id, edition]
            earlier = next((key for key, value in found.items() if value == old), old)
            found[earlier] = new
        placed: dict[str, Message] = {}
        for old, new in found.items():
            row = self._db.one("SELECT * FROM messages WHERE id = ?", new)
            if row is None:  # it was rolled back, and another deletion made that edition
                return None
            placed[old] = message_of(row)
        return placed

    def replace(self, message: Message, other: Message) -> Message:
        """See :meth:`memgpt_autogen.storage.base.Log.replace`."""
        with self._db.transaction():
            row = self._db.one(
                "SELECT seq, agent_id, step_id FROM messages WHERE id = ? AND user_id = ?",
                *(message.id, self._db.user_id),
            )
            if row is None:
                raise StoreError("The message that was to be changed is gone. Nothing was changed.")
            placed = replace(other, id=new_id(), step_id=row["step_id"])
            self._db.execute("DELETE FROM messages WHERE seq = ?", row["seq"])
            self._db.insert("messages", [{"seq": row["seq"], **row_of(row["agent_id"], placed)}])
            edition = self._db.number("SELECT edition FROM agents WHERE id = ?", row["agent_id"])
        while len(self._replaced) >= _REMEMBERED:
            self._replaced.pop(next(iter(self._replaced)))
        self._replaced[row["agent_id"], edition] = message.id, placed.id
        return placed
