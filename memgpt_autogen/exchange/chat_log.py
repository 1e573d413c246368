"""Reads a chat log of the original MemGPT, a JSON list of OpenAI messages, in the form of an exported agent.

Its events are JSON in the messages' content, its calls are ``function_call`` (old) or ``tool_calls``, and its core
memory is in the system message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from ..errors import ConfigError
from ..ids import new_id
from ..llm.reply_schema import THOUGHTS
from ..messages import SEND_MESSAGE, utc_now

_BLOCK = re.compile(r"<(persona|human)\b[^>]*>\n?(.*?)\n?</\1>", re.DOTALL)
_LIMIT = 2000
#: The name of a zone, which cannot be parsed; the offset after it is enough.
_ZONE = re.compile(r" [A-Za-z]+(?=[+-]\d{4}$)")
_TIMES = ("%Y-%m-%d %I:%M:%S %p %z", "%Y-%m-%d %I:%M:%S %p")
_ROLES = ("system", "user", "assistant", "function", "tool")


def is_chat_log(data: Any) -> bool:
    """Whether a JSON value is a chat log: a list of messages, or an object of another program with such a list as
    ``messages``.
    """
    if isinstance(data, dict) and "format" not in data:
        data = data.get("messages")
    return isinstance(data, list) and bool(data) and all(isinstance(row, dict) and "role" in row for row in data)


def agent_from_log(data: Any, name: str, where: str) -> dict[str, Any]:
    """The log in the form of an exported agent.

    Raises:
        ConfigError: a message has an unknown role, or its calls cannot be read; the message has its number.
    """
    rows = data["messages"] if isinstance(data, dict) else data
    log = _Log()
    for index, row in enumerate(rows):
        try:
            log.take(row)
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(f"{where} is damaged. messages[{index}]: {error}. Nothing was imported.") from error
    return {
        "name": name,
        "config": {"name": name},
        "core_memory": [_block(label, text) for label, text in log.blocks.items()],
        "messages": log.messages,
        "notes": log.notes,
    }


class _Log:
    """The messages so far. A message without a time is a microsecond later than the one before."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.notes: list[dict[str, Any]] = []
        self.blocks = {"persona": "", "human": ""}
        self._moment: datetime = utc_now()
        self._open: list[tuple[str, str]] = []  # (id, name) of calls without a result yet

    def take(self, row: Mapping[str, Any]) -> None:
        role = row["role"]
        if role not in _ROLES:
            raise ValueError(f"the role {role!r} is none of {', '.join(_ROLES)}")
        content = row.get("content") or ""
        if not isinstance(content, str):
            content = "".join(str(part.get("text", "")) for part in content)
        if role == "system":
            self.blocks |= dict(_BLOCK.findall(content))
        elif role == "user":
            self._event(content, row.get("name"))
        elif role == "assistant":
            self._reply(content, row)
        else:
            self._result(content, row)

    def _event(self, content: str, name: Any) -> None:
        event = _object(content)
        words = event.get("message", "") if event else content
        self._advance(event)
        kind = str(event.get("type", "user_message"))
        author = event.get("name") or name
        text = str(words) if kind == "user_message" else ""
        self._add(role="user", kind=kind, content=content, text=text, author=author)

    def _reply(self, content: str, row: Mapping[str, Any]) -> None:
        raw = [call["function"] | {"id": call.get("id")} for call in row.get("tool_calls") or ()]
        raw += [row["function_call"]] if row.get("function_call") else []
        calls: list[dict[str, Any]] = []
        for call in raw:
            arguments = call.get("arguments") or {}
            arguments = json.loads(arguments, strict=False) if isinstance(arguments, str) else dict(arguments)
            content = arguments.pop(THOUGHTS, None) or content
            call_id = str(call.get("id") or "call_" + new_id()[-12:])
            calls.append({"name": str(call["name"]), "arguments": arguments, "id": call_id, "error": None})
        self._open += [(call["id"], call["name"]) for call in calls]
        said = [str(call["arguments"].get("message", "")) for call in calls if call["name"] == SEND_MESSAGE]
        self._add(
            role="assistant",
            kind="reply",
            content=content,
            text="\n".join(said) if calls else content,
            tool_calls=calls,
        )
        for call in calls:
            if call["name"] == "archival_memory_insert" and call["arguments"].get("content"):
                note = {"text": str(call["arguments"]["content"]), "created_at": self._moment.isoformat()}
                self.notes.append(note)

    def _result(self, content: str, row: Mapping[str, Any]) -> None:
        self._advance(_object(content))
        wanted = row.get("tool_call_id")
        found = next((one for one in self._open if wanted in (None, one[0])), None)
        if found is None:
            return  # the result of a call that the log does not hold
        self._open.remove(found)
        self._add(role="tool", kind="result", content=content, author=found[1], call_id=found[0])

    def _advance(self, event: Mapping[str, Any]) -> None:
        """Set the clock to the time of an event."""
        told = _ZONE.sub(" ", str(event.get("time")))
        for form in _TIMES:
            try:
                moment = datetime.strptime(told, form)
            except ValueError:
                continue
            self._moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
            return
        self._moment += timedelta(microseconds=1)

    def _add(self, **fields: Any) -> None:
        self.messages.append({"id": new_id(), "created_at": self._moment.isoformat(), **fields})


def _object(content: str) -> dict[str, Any]:
    try:
        found = json.loads(content, strict=False)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _block(label: str, text: str) -> dict[str, Any]:
    version = {"version": 1, "value": text, "created_at": utc_now().isoformat()}
    return {"label": label, "limit": max(_LIMIT, len(text)), "value": text, "versions": [version]}
