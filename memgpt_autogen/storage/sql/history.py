"""Turns, steps, notes and records of prompts."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from ...messages import Message, Usage
from ..base.history import NoteRow, PromptRow, PromptText, StepRow, TurnRow
from ..records import stamp
from .database import Database, Row
from .message_rows import message_of
from .rows import reading_rows
from .tenancy import scoped

#: Each transaction that wrote messages, in order; ``wants`` where an event came in that wants something done.
_WRITTEN = """SELECT messages.step_id, min(messages.seq) AS first, max(messages.seq) AS last,
              max(CASE WHEN role = 'user' AND kind NOT IN ('login', 'document_attached') AND steps.id IS NULL
                  THEN 1 ELSE 0 END) AS wants
              FROM messages LEFT JOIN steps ON steps.id = messages.step_id
              WHERE messages.agent_id = ? AND messages.step_id IS NOT NULL
              GROUP BY messages.step_id ORDER BY first"""
_OWN_NOTES = "FROM passages WHERE source_id IN (SELECT id FROM sources WHERE agent_id = ?)"


@scoped
class SQLHistory:
    """See :class:`memgpt_autogen.storage.base.History`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def turns(self, agent_id: str) -> Sequence[TurnRow]:
        with self._db.held():
            written = self._db.all(_WRITTEN, agent_id)
            rows = self._db.all("SELECT seq, id, created_at FROM messages WHERE agent_id = ?", agent_id)
        messages = {row["seq"]: row for row in rows}
        turns: list[list[Row]] = []
        for row in written:
            if row["wants"]:
                turns.append([])
            if turns:  # what came before the first turn belongs to none
                turns[-1].append(row)
        found = []
        for number, steps in enumerate(turns, start=1):
            first, last = messages[steps[0]["first"]], messages[max(step["last"] for step in steps)]
            ids = tuple(step["step_id"] for step in steps)
            started = datetime.fromisoformat(first["created_at"])
            found.append(TurnRow(number, ids, first["id"], last["id"], started))
        return found

    def messages(self, agent_id: str, turn: TurnRow) -> Sequence[Message]:
        at = "(SELECT seq FROM messages WHERE id = ?)"
        rows = self._db.all(
            f"SELECT * FROM messages WHERE agent_id = ? AND seq >= {at} AND seq <= {at} ORDER BY seq",
            *(agent_id, turn.first_message_id, turn.last_message_id),
        )
        return [message_of(row) for row in rows]

    def messages_by_id(self, agent_id: str, ids: Collection[str]) -> Mapping[str, Message]:
        with self._db.held():
            rows = [self._db.one("SELECT * FROM messages WHERE agent_id = ? AND id = ?", agent_id, one) for one in ids]
        return {row["id"]: message_of(row) for row in rows if row}

    def steps(self, agent_id: str) -> Sequence[StepRow]:
        rows = self._db.all("SELECT * FROM steps WHERE agent_id = ? ORDER BY id", agent_id)
        return [_step(row) for row in rows]

    def notes(self, agent_id: str) -> Sequence[NoteRow]:
        rows = self._db.all(f"SELECT id, text, step_id, created_at {_OWN_NOTES} ORDER BY seq", agent_id)
        return [_note(row) for row in rows]

    def delete_notes(self, agent_id: str, ids: Collection[str]) -> int:
        with self._db.transaction():
            return sum(self._db.execute(f"DELETE {_OWN_NOTES} AND id = ?", agent_id, one) for one in ids)

    def add_prompt(self, agent_id: str, prompt: PromptRow, texts: Sequence[PromptText]) -> None:
        there = self.prompt_texts(agent_id, [one.digest for one in texts])
        new = {one.digest: one for one in texts if one.digest not in there}
        kept = [
            {"agent_id": agent_id, "digest": one.digest, "text": one.text, "words": int(one.words)}
            for one in new.values()
        ]
        row = {
            "id": prompt.id,
            "agent_id": agent_id,
            "step_id": prompt.step_id or self._db.step_id,
            "model": prompt.model,
            "base": prompt.base,
            "parts": json.dumps(prompt.parts, ensure_ascii=False),
            "tools": prompt.tools,
            "options": json.dumps(prompt.options),
            "digest": prompt.digest,
            "created_at": stamp(prompt.created_at),
        }
        with self._db.transaction():
            if kept:
                self._db.insert("prompt_texts", kept)
            self._db.insert("prompts", [row])

    def last_prompt(self, agent_id: str) -> str:
        row = self._db.one("SELECT id FROM prompts WHERE agent_id = ? ORDER BY step_id DESC, id DESC LIMIT 1", agent_id)
        return row["id"] if row else ""

    def prompt(self, agent_id: str, prompt_id: str) -> PromptRow | None:
        row = self._db.one("SELECT * FROM prompts WHERE agent_id = ? AND id = ?", agent_id, prompt_id)
        return _prompt(row) if row else None

    def prompts(self, agent_id: str, steps: Collection[str] | None = None) -> Sequence[PromptRow]:
        every = "SELECT * FROM prompts WHERE agent_id = ?"
        with self._db.held():
            if steps is None:
                rows = self._db.all(f"{every} ORDER BY id", agent_id)
            else:
                rows = [row for step in steps for row in self._db.all(f"{every} AND step_id = ?", agent_id, step)]
        return sorted((_prompt(row) for row in rows), key=lambda prompt: prompt.id)

    def prompt_texts(self, agent_id: str, digests: Collection[str]) -> Mapping[str, str]:
        one = "SELECT digest, text FROM prompt_texts WHERE agent_id = ? AND digest = ?"
        with self._db.held():
            rows = [self._db.one(one, agent_id, digest) for digest in digests]
        return {row["digest"]: row["text"] for row in rows if row}


@reading_rows
def _step(row: Row) -> StepRow:
    usage = Usage(row["prompt_tokens"], row["completion_tokens"], row["cached_tokens"], row["cost"])
    return StepRow(row["id"], row["outcome"], row["model"], usage, datetime.fromisoformat(row["created_at"]))


@reading_rows
def _note(row: Row) -> NoteRow:
    return NoteRow(row["id"], row["text"], row["step_id"] or "", datetime.fromisoformat(row["created_at"]))


@reading_rows
def _prompt(row: Row) -> PromptRow:
    return PromptRow(
        id=row["id"],
        step_id=row["step_id"] or "",
        model=row["model"],
        base=row["base"],
        parts=json.loads(row["parts"]),
        tools=row["tools"],
        options=json.loads(row["options"]),
        digest=row["digest"],
        created_at=datetime.fromisoformat(row["created_at"]),
    )
