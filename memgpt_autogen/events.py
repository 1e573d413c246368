"""What can wake an agent, and what it is told along the way, as messages.

Every event is JSON text in ``Message.content`` (so that the model can tell a person from the system), with the plain
words beside it in ``Message.text`` for searches. Times are local, with their zone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from .messages import Message, ToolCall, ToolResult, utc_now

TIME_FORMAT = "%Y-%m-%d %I:%M:%S %p %Z%z"


def format_time(moment: datetime) -> str:
    """A moment as the model reads it: local time with its zone."""
    return moment.astimezone().strftime(TIME_FORMAT)


def user_message(
    message: str,
    *,
    name: str | None = None,
    location: str | None = None,
    conversation_id: str | None = None,
    images: Sequence[str] = (),
    at: datetime | None = None,
) -> Message:
    """Someone said something. ``name`` tells several speakers apart; ``images`` are addresses of pictures."""
    extra = {"location": location, "name": name}
    said = _event("user_message", {"message": message}, extra, text=message, author=name, at=at, chat=conversation_id)
    return replace(said, images=tuple(images)) if images else said


def heartbeat(reason: str, *, at: datetime | None = None) -> Message:
    """The agent runs again, because it asked to or because a function failed."""
    return _event("heartbeat", {"reason": reason}, at=at)


def login(last_login: datetime | None, *, at: datetime | None = None) -> Message:
    """The user is back."""
    last = format_time(last_login) if last_login else "never"
    return _event("login", {"last_login": last}, at=at)


def system_alert(message: str, *, at: datetime | None = None) -> Message:
    """The system has something to say: memory pressure, a summary of what left the window."""
    return _event("system_alert", {"message": message}, at=at)


def document_attached(source: str, passages: int, *, at: datetime | None = None) -> Message:
    """A source can be searched from now on."""
    return _event("document_attached", {"source": source, "passages": passages}, at=at)


def timer(name: str, *, at: datetime | None = None) -> Message:
    """Runs an agent with no user input."""
    return _event("timer", {"name": name}, at=at)


def tool_result(result: ToolResult, *, at: datetime | None = None) -> Message:
    """What a function answered, as the message that pairs with its call."""
    moment = at or utc_now()
    status = "Failed" if result.failed else "OK"
    body = clean({"status": status, "message": result.content, "time": format_time(moment)})
    return Message(
        role="tool", content=_json(body), kind="result", author=result.name, call_id=result.call_id, created_at=moment
    )


def reply(inner_thoughts: str, calls: tuple[ToolCall, ...], said: str) -> Message:
    """The model's own message: its monologue, its calls, and what it said aloud (which searches find)."""
    return Message(role="assistant", content=inner_thoughts, text=said, kind="reply", tool_calls=calls)


def reworded(event: Message, message: str) -> Message:
    """The same event with other words in front of the model; ``text`` keeps the original ones."""
    return replace(event, content=_json({**json.loads(event.content), "message": message}))


def clean(value: Any) -> Any:
    """JSON data without what no database or request can hold: halves of surrogate pairs, and NUL."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8").replace("\x00", "")
    if isinstance(value, Mapping):
        return {str(clean(key)): clean(item) for key, item in value.items()}
    return [clean(item) for item in value] if isinstance(value, list) else value


def _event(
    kind: str,
    body: Mapping[str, Any],
    extra: Mapping[str, Any] | None = None,
    *,
    text: str = "",
    author: str | None = None,
    at: datetime | None = None,
    chat: str | None = None,
) -> Message:
    moment = at or utc_now()
    optional = {key: value for key, value in (extra or {}).items() if value}
    content = _json(clean({"type": kind, **body, "time": format_time(moment), **optional}))
    return Message(
        role="user",
        content=content,
        text=clean(text),
        kind=kind,
        author=clean(author),
        conversation_id=chat,
        answered=False,
        created_at=moment,
    )


def _json(body: Mapping[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False)
