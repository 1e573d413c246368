"""Messages and summaries as rows, and back."""

from __future__ import annotations

import json
from datetime import datetime

from ...messages import Message, ToolCall
from ..records import Summary, stamp
from .database import Row
from .rows import reading_rows


def row_of(agent_id: str, message: Message) -> dict[str, object]:
    """A message as a row of the table ``messages``."""
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
    if message.images:
        row["images"] = json.dumps(message.images)
    return row if message.step_id is None else {**row, "step_id": message.step_id}


@reading_rows
def message_of(row: Row) -> Message:
    """A row of the table ``messages``."""
    calls = json.loads(row["tool_calls"]) if row["tool_calls"] else ()
    return Message(
        role=row["role"],
        content=row["content"],
        text=row["text"],
        kind=row["kind"],
        author=row["author"],
        tool_calls=tuple(ToolCall(**{**call, "id": str(call["id"])}) for call in calls),  # once numbers came in
        call_id=row["call_id"],
        id=row["id"],
        answered=bool(row["answered"]),
        conversation_id=row["conversation_id"],
        session_id=row["session_id"],
        step_id=row["step_id"],
        images=tuple(json.loads(row["images"] or "[]")),
        created_at=datetime.fromisoformat(row["created_at"]),
    )


@reading_rows
def summary_of(row: Row) -> Summary:
    """A row of the table ``summaries``."""
    return Summary(
        text=row["text"],
        first_message_id=row["first_message_id"],
        last_message_id=row["last_message_id"],
        messages=row["messages"],
        id=row["id"],
        created_at=datetime.fromisoformat(row["created_at"]),
    )
