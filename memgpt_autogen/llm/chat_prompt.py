"""Prompts as chat messages, and replies as a JSON Schema, for servers that apply the chat template themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..messages import Message, ToolSchema
from .reply_schema import SENTENCE, ReplyFormat, call_schema
from .wrappers import Wrapper

_NO_MARKERS = ("", "")
#: String formats that other servers do not know.
_OWN_FORMATS = (SENTENCE,)


def reply_json_schema(tools: Sequence[ToolSchema], form: ReplyFormat) -> dict[str, Any]:
    """A JSON Schema of the whole reply, in keywords that every server knows."""
    cleaned: dict[str, Any] = _without_own_formats(call_schema(tools, form))
    branches = cleaned["anyOf"]
    return branches[0] if len(branches) == 1 else cleaned


def _without_own_formats(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_own_formats(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    own = schema.get("type") == "string" and schema.get("format") in _OWN_FORMATS
    return {key: _without_own_formats(value) for key, value in schema.items() if not (own and key == "format")}


def without_markers(wrapper: Wrapper) -> Wrapper:
    """The wrapper without its markers, for servers that apply the chat template themselves."""
    return replace(
        wrapper,
        system=_NO_MARKERS,
        user=_NO_MARKERS,
        assistant=_NO_MARKERS,
        tool=("FUNCTION RETURN:\n", ""),
        stop=(),
    )


def alternating_messages(
    wrapper: Wrapper, messages: Sequence[Message], tools: Sequence[ToolSchema]
) -> list[dict[str, str]]:
    """A prompt as chat messages with alternating roles; function results become user messages.

    Many chat templates refuse anything else.
    """
    turns: list[dict[str, str]] = []

    def say(role: str, text: str) -> None:
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += "\n\n" + text
        elif text:
            turns.append({"role": role, "content": text})

    if tools and (not messages or messages[0].role != "system"):
        say("system", wrapper.functions(tools).strip())
    for index, message in enumerate(messages):
        first = index == 0 and message.role == "system"
        role = message.role if first or message.role == "assistant" else "user"
        say(role, wrapper.message(message, tools if first else ()))
    reminder = wrapper.reminder(tools)
    if reminder:
        say("user", reminder)
    return turns
