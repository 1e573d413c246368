"""Events as messages: what wakes an agent and what it is told, and the one form in which a model reads them.

``Message.content`` holds the words alone. :func:`render` adds the header when a prompt is built, from the message's own
fields: ``[Ann 2026-11-25 07:52]: text``. The date appears only where it changes. Times are local. Databases written
before this form hold JSON in ``content``; :func:`body` reads both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from .messages import Message, ToolCall, ToolResult, ToolSchema, utc_now
from .printable import label

TIME_FORMAT = "%Y-%m-%d %I:%M:%S %p %Z%z"
#: What the header of each event calls its source. No speaker can take one of these names: see :func:`speaker_name`.
SOURCES: Mapping[str, str] = {
    "system_alert": "system",
    "heartbeat": "heartbeat",
    "login": "login",
    "document_attached": "document",
    "timer": "timer",
}
#: Starts the result of a function that failed.
FAILED = "Failed: "
UNNAMED = "user"
_NAME_LENGTH = 80
#: A line that could pass for the header of another event.
_HEADER_LIKE = re.compile(r"(?:^|(?<=[\r\v\f\x85\u2028\u2029]))(?=\[[^\[\]\n]{1,120}\]:)", re.MULTILINE)
_HEADER = re.compile(r"\[(?P<source>[^\[\]\n]+?)(?: (?:\d{4}-\d\d-\d\d )?\d\d:\d\d)?\]: ")
#: Where the JSON of earlier databases keeps the words.
_EARLIER_WORDS = {"user_message": "message", "system_alert": "message", "heartbeat": "reason", "timer": "name"}


def format_time(moment: datetime) -> str:
    """A moment with its zone, as a function or a display shows it: local time."""
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
    shown = f"(location: {label(location)}) {message}" if location else message
    said = _event("user_message", shown, text=message, author=name, at=at, chat=conversation_id)
    return replace(said, images=tuple(images)) if images else said


def heartbeat(reason: str, *, at: datetime | None = None) -> Message:
    """The agent runs again, because it asked to or because a function failed."""
    return _event("heartbeat", reason, at=at)


def login(last_login: datetime | None, *, at: datetime | None = None) -> Message:
    """The user is back."""
    last = format_time(last_login) if last_login else "never"
    return _event("login", f"The user is back. Last login: {last}.", at=at)


def system_alert(message: str, *, at: datetime | None = None) -> Message:
    """A message from the system: memory pressure, a summary of evicted messages."""
    return _event("system_alert", message, at=at)


def document_attached(source: str, passages: int, *, at: datetime | None = None) -> Message:
    """A source can be searched from now on."""
    return _event("document_attached", f"{label(source)} ({passages} passages) is attached.", at=at)


def timer(name: str, *, at: datetime | None = None) -> Message:
    """Runs an agent with no user input."""
    return _event("timer", name, at=at)


def tool_result(result: ToolResult, *, at: datetime | None = None) -> Message:
    """The result of a function, as the message that pairs with its call."""
    return Message(
        role="tool",
        content=clean(f"{FAILED}{result.content}" if result.failed else result.content),
        kind="result",
        author=result.name,
        call_id=result.call_id,
        created_at=at or utc_now(),
    )


def reply(inner_thoughts: str, calls: tuple[ToolCall, ...], said: str) -> Message:
    """The model's own message: its inner monologue, its calls, and what it said (which searches find)."""
    return Message(role="assistant", content=inner_thoughts, text=said, kind="reply", tool_calls=calls)


def reworded(event: Message, message: str) -> Message:
    """The same event with other words for the model; ``text`` keeps the original ones for searches."""
    return replace(event, content=clean(message))


# -- the form that a model reads --------------------------------------------------------------------------------------


def rendered(messages: Sequence[Message], *, clock: bool = True) -> list[Message]:
    """Messages with the header of each event in front of its words.

    A message's header depends on the events before it only by the day, so that a prompt that grows keeps its start to
    the byte.

    Args:
        messages: as they stand in the log, in order.
        clock: whether headers tell the time.
    """
    day: date | None = None
    shown = []
    for message in messages:
        found, day = render_next(message, day, clock=clock)
        shown.append(found)
    return shown


def render_next(message: Message, day: date | None, *, clock: bool = True) -> tuple[Message, date | None]:
    """The message with its header, given the day of the event before it; and the day of the newest event up to it."""
    if message.role not in ("user", "tool"):
        return message, day
    shown = replace(message, content=render(message, since=day, clock=clock))
    return shown, message.created_at.astimezone().date() if message.role == "user" else day


def render(message: Message, *, since: date | None = None, clock: bool = True) -> str:
    """One event or result as the model reads it.

    A line within the words that looks like the header of an event gets a space in front, so that nobody speaks for
    another or for the system.

    Args:
        message: an event, or a function's result.
        since: the day of the event before it; the same day is not told again.
        clock: whether the header tells the time.
    """
    words = _HEADER_LIKE.sub(" ", body(message))
    if message.role != "user" or not message.kind:
        return words
    moment = message.created_at.astimezone()
    when = moment.strftime("%H:%M" if moment.date() == since else "%Y-%m-%d %H:%M") if clock else ""
    source = speaker_name(message.author) if message.kind == "user_message" else SOURCES.get(message.kind, message.kind)
    return f"[{' '.join(part for part in (source, when) if part)}]: {words}"


def split_header(content: str) -> tuple[str, str]:
    """The source (a speaker's name, or the system's own) and the words of a rendered event; no source: no header."""
    found = _HEADER.match(content)
    return (found["source"], content[found.end() :]) if found else ("", content)


def speaker_name(author: str | None) -> str:
    """A speaker's name as it stands in a header: one line, no brackets, none of the system's own names."""
    name = " ".join(re.sub(r"[\[\]\x00-\x1f\x7f\u2028\u2029]", " ", author or "").split())[:_NAME_LENGTH]
    return f'"{name}"' if name.lower() in SOURCES.values() else name or UNNAMED


def body(message: Message) -> str:
    """The words of an event or result, without its header; those of earlier databases are taken out of their JSON."""
    if message.role not in ("user", "tool") or message.content[:1] != "{":
        return message.content
    try:
        found = json.loads(message.content, strict=False)
    except ValueError:
        return message.content
    if message.role == "tool":
        return _earlier_result(found) or message.content
    return (_earlier_event(found) if isinstance(found, dict) and found.get("type") == message.kind else "") or (
        message.content
    )


def _earlier_result(found: Any) -> str:
    if not isinstance(found, dict) or found.keys() != {"status", "message", "time"}:
        return ""
    return f"{FAILED if found['status'] == 'Failed' else ''}{found['message']}"


def _earlier_event(found: Mapping[str, Any]) -> str:
    if found["type"] == "login":
        return f"The user is back. Last login: {found.get('last_login')}."
    if found["type"] == "document_attached":
        return f"{found.get('source')} ({found.get('passages')} passages) is attached."
    return str(found.get(_EARLIER_WORDS.get(found["type"], ""), ""))


# -- cleaning ---------------------------------------------------------------------------------------------------------


def clean(value: Any) -> Any:
    """JSON data without characters that databases and requests reject: lone surrogates and NUL."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8").replace("\x00", "")
    if isinstance(value, Mapping):
        return {str(clean(key)): clean(item) for key, item in value.items()}
    return [clean(item) for item in value] if isinstance(value, list) else value


def clean_schema(tool: ToolSchema) -> ToolSchema:
    """A caller's schema, cleaned likewise."""
    name, description, parameters = clean([tool.name, tool.description, tool.parameters])
    return replace(tool, name=name, description=description, parameters=parameters)


def _event(
    kind: str,
    words: str,
    *,
    text: str = "",
    author: str | None = None,
    at: datetime | None = None,
    chat: str | None = None,
) -> Message:
    return Message(
        role="user",
        content=clean(words),
        text=clean(text),
        kind=kind,
        author=clean(author),
        conversation_id=chat,
        answered=False,
        created_at=at or utc_now(),
    )
