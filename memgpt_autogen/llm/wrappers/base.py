"""The class of prompt formats: renders messages, functions and the start of the reply with its markers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ...events import FAILED, split_header
from ...messages import SEND_MESSAGE, Message, ToolSchema
from ..reply_schema import THOUGHTS

#: Special tokens of the common families. Servers parse them anywhere in a prompt, so that a message that quotes one
#: could end its own turn and speak as another role.
_SPECIAL = r"<(?=[|｜][^<>\s]{1,40}[|｜]>|/?s>|(?:start|end)_of_turn>)"
#: Parts of a format's markers that a message could forge: tokens in brackets, and words such as ``USER:``.
_MARKS = re.compile(r"<[^<>\s]+>|\[[^\[\]\s]+\]|[A-Z][A-Z ]+:|#+ ?[A-Z]\w+:")
INTRO = 'Reply only with one function call, as JSON: {"function": NAME, "params": {...}}. Functions:'
INTRO_OUTSIDE = (
    "First write your private inner thoughts, in a sentence or two. Then, on a line of its own, write one function "
    'call, as JSON: {"function": NAME, "params": {...}}. Functions:'
)
_TYPES = {"string": "string", "integer": "integer", "number": "number", "boolean": "true/false"}

Markers = tuple[str, str]


@dataclass(frozen=True)
class Wrapper:
    """One prompt format.

    Attributes:
        name: the ``model_wrapper``.
        system, user, assistant, tool: the text before and after a message of each role.
        stop: strings that end a reply.
        intro: the line above the functions; empty: the default.
        hint: a reminder of the reply's format, as a system message just before the reply; empty: none.
        inner_thoughts: whether calls have inner thoughts.
        outside: whether the inner thoughts come as plain text before the call, instead of inside it.
        simplify: show events as ``Name: text`` without the time, and no result of ``send_message``.
    """

    name: str
    system: Markers
    user: Markers
    assistant: Markers
    tool: Markers
    stop: tuple[str, ...]
    intro: str = ""
    hint: str = ""
    inner_thoughts: bool = True
    outside: bool = False
    simplify: bool = False

    @property
    def thinks_aloud(self) -> bool:
        """Whether a reply is inner thoughts as plain text and then the call."""
        return self.outside and self.inner_thoughts

    def prompt(self, messages: Sequence[Message], tools: Sequence[ToolSchema] = (), prefix: str = "") -> str:
        """The whole prompt, which ends with the assistant's header and the start of its reply.

        Args:
            messages: the system message first.
            tools: described at the end of the system message.
            prefix: the start of the reply, such as ``{"function":``.
        """
        rendered = []
        if tools and (not messages or messages[0].role != "system"):
            rendered.append(self._around(self.system, self.functions(tools).strip()))
        for index, message in enumerate(messages):
            rendered.append(self.message(message, tools if index == 0 and message.role == "system" else ()))
        return "".join(rendered) + self.reminder(tools) + self.assistant[0] + prefix

    def message(self, message: Message, tools: Sequence[ToolSchema] = ()) -> str:
        """One message as rendered in a prompt; its tokens are those of this text."""
        if message.role == "system":
            return self._around(self.system, self.safe(message.content) + self.functions(tools))
        if message.role == "assistant":
            return self._around(self.assistant, self.safe(self._calls(message)))
        markers = self.tool if message.role == "tool" else self.user
        words = self._words(message) if self.simplify else message.content
        return self._around(markers, self.safe(words)) if words else ""

    def functions(self, tools: Sequence[ToolSchema]) -> str:
        """The functions, one per line, for the end of the system message; empty if there are none."""
        if not tools:
            return ""
        intro = self.intro or (INTRO_OUTSIDE if self.thinks_aloud else INTRO)
        within = self.inner_thoughts and not self.outside
        return self.safe("\n\n" + "\n".join([intro, *(describe(tool, within) for tool in tools)]))

    def reminder(self, tools: Sequence[ToolSchema]) -> str:
        """The text between the last message and the reply: the hint, if functions are offered."""
        return self._around(self.system, self.hint) if self.hint and tools else ""

    def safe(self, text: str) -> str:
        """The text with a space inserted into anything that reads as a control token or a marker of this format."""
        return _guard((*self.system, *self.user, *self.assistant, *self.tool, *self.stop)).sub(_spaced, text)

    def _around(self, markers: Markers, text: str) -> str:
        return markers[0] + text + markers[1]

    def _calls(self, message: Message) -> str:
        if not message.tool_calls:
            return message.content
        lines = [message.content] if self.thinks_aloud and message.content else []
        for index, call in enumerate(message.tool_calls):
            within = self.inner_thoughts and not self.outside and message.content and not index
            thoughts = {THOUGHTS: message.content} if within else {}
            reply = {"function": call.name, "params": thoughts | dict(call.arguments)}
            lines.append(json.dumps(reply, ensure_ascii=False, default=str))
        return "\n".join(lines)

    def _words(self, message: Message) -> str:
        """An event as ``Name: text``. The result of ``send_message`` is useless to a small model."""
        if message.role == "tool":
            return "" if message.author == SEND_MESSAGE and not message.content.startswith(FAILED) else message.content
        source, words = split_header(message.content)
        return f"{source}: {words}" if message.author and message.kind == "user_message" else words


@lru_cache(maxsize=64)
def _guard(markers: tuple[str, ...]) -> re.Pattern[str]:
    own = sorted({mark for marker in markers for mark in _MARKS.findall(marker)})
    return re.compile("|".join([_SPECIAL, *map(re.escape, own)]))


def _spaced(match: re.Match[str]) -> str:
    """``< |im_end|>``, ``[ INST]``, ``USER :``: text that neither a tokenizer nor a model takes for the marker."""
    found = match[0]
    return f"{found[:-1]} :" if found.endswith(":") else f"{found[0]} {found[1:]}"


def describe(tool: ToolSchema, inner_thoughts: bool = False) -> str:
    """One line: ``- name(first: string, second: integer = optional): What it does.``"""
    properties: Mapping[str, Any] = tool.parameters.get("properties") or {}
    required = tool.parameters.get("required") or ()
    shown = [f"{THOUGHTS}: string"] if inner_thoughts and THOUGHTS not in properties else []
    notes = []
    for key, schema in properties.items():
        schema = schema if isinstance(schema, Mapping) else {}
        shown.append(f"{key}{'' if key in required else '?'}: {_type(schema)}")
        if schema.get("description"):
            notes.append(f"{key}: {schema['description']}")
    text = " ".join([tool.description.strip(), *notes])
    return f"- {tool.name}({', '.join(shown)}): {' '.join(text.split())}"


def _type(schema: Mapping[str, Any]) -> str:
    if schema.get("enum"):
        return " | ".join(json.dumps(value, ensure_ascii=False) for value in schema["enum"])
    branches = schema.get("anyOf") or schema.get("oneOf")
    if branches:
        return " | ".join(dict.fromkeys(_type(branch) for branch in branches))
    kind = schema.get("type")
    if kind == "array":
        return f"list of {_type(schema.get('items') or {})}"
    return _TYPES.get(str(kind), str(kind or "any"))
