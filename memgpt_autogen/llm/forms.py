"""What a reply is held to, as a grammar or a JSON Schema, and a prompt as chat messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..messages import Message, ToolSchema
from .grammar import STRING_LIMIT, THOUGHTS_LIMIT, Dialect, call_schema, to_gbnf
from .wrappers import Wrapper

_NO_MARKERS = ("", "")
#: Formats of strings that are ours alone.
_OWN_FORMATS = ("sentence",)


@dataclass(frozen=True)
class Form:
    """The limits of a reply.

    Attributes:
        dialect: of the server's grammars.
        inner_thoughts: whether a call starts with the monologue.
        string_limit, message_limit, thoughts_limit: characters of strings, of those named ``message``, of the
            monologue.
    """

    dialect: Dialect = "full"
    inner_thoughts: bool = True
    string_limit: int = STRING_LIMIT
    message_limit: int = STRING_LIMIT
    thoughts_limit: int = THOUGHTS_LIMIT

    def within(self, limit: int, least: int, tools: Sequence[ToolSchema], tight: bool) -> Form:
        """The same for a reply of so many tokens.

        Words take more than two characters a token; ``tight`` counts on one, as digits and rare signs take, and on
        every string of the longest call.
        """
        most = 2 * limit
        if tight:
            strings = 1 + max(len(tool.parameters.get("properties") or {}) for tool in tools)
            most = max(16, (limit - least) // strings)
        return replace(
            self,
            string_limit=min(self.string_limit, most),
            message_limit=min(self.message_limit, most),
            thoughts_limit=min(self.thoughts_limit, most),
        )

    def gbnf(self, tools: Sequence[ToolSchema], prefix: str, outside: bool) -> str:
        """A grammar of what follows ``prefix``."""
        return to_gbnf(
            tools,
            None,
            self.inner_thoughts,
            self.string_limit,
            message_limit=self.message_limit,
            thoughts_limit=self.thoughts_limit,
            prefix=prefix,
            outside=outside,
            dialect=self.dialect,
        )

    def schema(self, tools: Sequence[ToolSchema]) -> dict[str, Any]:
        """A JSON Schema of the whole reply, in words that every server knows."""
        schema = call_schema(
            tools,
            None,
            self.inner_thoughts,
            self.string_limit,
            message_limit=self.message_limit,
            thoughts_limit=self.thoughts_limit,
        )
        cleaned: dict[str, Any] = _without_own_formats(schema)
        branches = cleaned["anyOf"]
        return branches[0] if len(branches) == 1 else cleaned


def _without_own_formats(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_own_formats(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    own = schema.get("type") == "string" and schema.get("format") in _OWN_FORMATS
    return {key: _without_own_formats(value) for key, value in schema.items() if not (own and key == "format")}


def bare(wrapper: Wrapper) -> Wrapper:
    """The format without its markers, for servers that put the model's own around each message."""
    return replace(
        wrapper,
        system=_NO_MARKERS,
        user=_NO_MARKERS,
        assistant=_NO_MARKERS,
        tool=("FUNCTION RETURN:\n", ""),
        stop=(),
    )


def chat_turns(wrapper: Wrapper, messages: Sequence[Message], tools: Sequence[ToolSchema]) -> list[dict[str, str]]:
    """A prompt as chat messages: results are a user's words, and nobody speaks twice in a row.

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
