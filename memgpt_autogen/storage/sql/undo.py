"""Taking back what the last turns of an agent did, and starting it anew.

A turn begins where an event that wants something done came in, and reaches to the next one. Every row that a turn
wrote carries the ``step_id`` of the transaction that wrote it, and so is found again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import UndoRefused
from ...messages import Message
from ..records import Undone
from .database import Database, Row
from .message_rows import message_of

_STARTS = """SELECT min(seq) AS seq, step_id FROM messages
             WHERE agent_id = ? AND role = 'user' AND kind NOT IN ('login', 'document_attached')
             AND step_id IS NOT NULL AND step_id NOT IN (SELECT id FROM steps)
             GROUP BY step_id ORDER BY seq DESC LIMIT ?"""
#: More turns than there are.
_ALL = 2**31
#: Events that only tell the agent something are no part of the turn that they follow.
_NEWS_ONLY = """SELECT step_id FROM messages WHERE agent_id = ? AND seq >= ? AND step_id IS NOT NULL
                GROUP BY step_id HAVING max(CASE WHEN kind IN ('login', 'document_attached') THEN 0 ELSE 1 END) = 0"""


def count_turns(database: Database, agent_id: str) -> int:
    """How many turns :func:`undo` could take back."""
    return len(database.all(_STARTS, agent_id, _ALL))


def undo(database: Database, agent_id: str, turns: int, *, keep_incoming: bool = False) -> Undone:
    """See :meth:`memgpt_autogen.storage.base.Store.undo`."""
    with database.transaction():
        starts = database.all(_STARTS, agent_id, turns)
        if not starts:
            raise UndoRefused("There is no turn to take back: nothing has been said yet.")
        first = starts[-1]
        news = {row["step_id"] for row in database.all(_NEWS_ONLY, agent_id, first["seq"])}
        rows = database.all(
            "SELECT * FROM messages WHERE agent_id = ? AND seq >= ? ORDER BY seq", agent_id, first["seq"]
        )
        kept = {first["step_id"]} if keep_incoming else set()
        gone = [row for row in rows if row["step_id"] and row["step_id"] not in news | kept]
        these = database.dialect.these
        steps = database.listed(sorted({row["step_id"] for row in gone}))
        blocks = _restore_blocks(database, agent_id, steps)
        notes = database.execute(
            f"DELETE FROM passages WHERE source_id IN (SELECT id FROM sources WHERE agent_id = ?) AND step_id {these}",
            *(agent_id, steps),
        )
        summaries = database.execute(
            "DELETE FROM summaries WHERE agent_id = ? AND coalesce(at_seq, last_seq) >= ?", agent_id, first["seq"]
        )
        database.execute(
            "DELETE FROM conversation_entries WHERE conversation_id IN "
            f"(SELECT id FROM conversations WHERE agent_id = ?) AND step_id {these}",
            *(agent_id, steps),
        )
        database.execute(f"DELETE FROM messages WHERE agent_id = ? AND step_id {these}", agent_id, steps)
        waiting = database.execute(
            "UPDATE messages SET answered = 0, answered_step = NULL WHERE agent_id = ? AND role = 'user' "
            f"AND answered = 1 AND (answered_step {these} OR step_id {these})",
            *(agent_id, steps, database.listed(sorted(kept))),
        )
        for table in ("pauses", "prompts", "prompt_texts"):
            database.execute(f"DELETE FROM {table} WHERE agent_id = ? AND step_id {these}", agent_id, steps)
        database.execute(f"UPDATE steps SET outcome = 'undone' WHERE id {these}", steps)  # their cost was real
    return Undone(len(starts), _messages(gone), tuple(blocks), notes, summaries, waiting)


def _messages(rows: Sequence[Row]) -> tuple[Message, ...]:
    return tuple(message_of(row) for row in rows)


def _restore_blocks(database: Database, agent_id: str, steps: Any) -> list[str]:
    """Give each block that these steps edited the value it had before; their labels.

    Raises:
        UndoRefused: someone else has edited one of them since.
    """
    these = database.dialect.these
    edited = database.all(
        "SELECT block_id, min(block_versions.version) AS version, label "
        "FROM block_versions JOIN blocks ON blocks.id = block_id "
        f"WHERE block_versions.step_id {these} GROUP BY block_id, label ORDER BY block_id",
        steps,
    )
    for row in edited:
        since = database.one(
            "SELECT agents.name FROM block_versions LEFT JOIN agents ON agents.id = block_versions.agent_id "
            "AND agents.id <> ? WHERE block_id = ? AND version > ? "
            f"AND (block_versions.step_id IS NULL OR NOT block_versions.step_id {these})",
            *(agent_id, row["block_id"], row["version"], steps),
        )
        if since:
            raise UndoRefused(
                f"The block {row['label']} of core memory has been edited by {since['name'] or 'hand'} since then, so "
                "that its earlier text cannot come back without losing that. Nothing was taken back."
            )
        before = row["version"] - 1
        database.execute(
            "UPDATE blocks SET version = ?, value = (SELECT value FROM block_versions WHERE block_id = blocks.id "
            "AND block_versions.version = ?) WHERE id = ?",
            *(before, before, row["block_id"]),
        )
        database.execute("DELETE FROM block_versions WHERE block_id = ? AND version > ?", row["block_id"], before)
    return [row["label"] for row in edited]


def wipe(database: Database, agent_id: str) -> list[str]:
    """See :meth:`memgpt_autogen.storage.base.Store.wipe`."""
    with database.transaction():
        for table in ("summaries", "conversations", "messages", "pauses", "prompts", "prompt_texts"):
            database.execute(f"DELETE FROM {table} WHERE agent_id = ?", agent_id)
        database.execute(
            "DELETE FROM passages WHERE source_id IN (SELECT id FROM sources WHERE agent_id = ?)", agent_id
        )
        shared = "SELECT block_id FROM agent_blocks GROUP BY block_id HAVING count(*) > 1"
        mine = f"SELECT block_id FROM agent_blocks WHERE agent_id = ? AND block_id NOT IN ({shared})"
        database.execute(
            "UPDATE blocks SET version = 1, value = (SELECT value FROM block_versions WHERE block_id = blocks.id "
            f"AND block_versions.version = 1) WHERE id IN ({mine})",
            agent_id,
        )
        database.execute(f"DELETE FROM block_versions WHERE version > 1 AND block_id IN ({mine})", agent_id)
        left = database.all(
            f"SELECT label FROM blocks JOIN agent_blocks ON block_id = blocks.id WHERE agent_id = ? "
            f"AND block_id IN ({shared})",
            agent_id,
        )
    return [row["label"] for row in left]
