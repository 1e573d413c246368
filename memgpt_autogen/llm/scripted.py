"""A model that replies from a script, for tests of this package and of programs that use it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import ModelReplyError
from ..messages import SEND_MESSAGE, Message, Reply, ToolCall, ToolSchema, Usage
from ..observers import SpeechDelta, ThoughtDelta
from .base import OnDelta, ReplyDelta


@dataclass(frozen=True)
class Call:
    """One prompt that the model received."""

    messages: tuple[Message, ...]
    tools: tuple[ToolSchema, ...]
    only: frozenset[str] | None
    max_tokens: int | None


@dataclass(frozen=True)
class BreaksOff:
    """A line of which half is streamed before the call fails with an error."""

    line: Reply | str | ToolCall
    error: BaseException


Answer = BreaksOff | Reply | str | ToolCall | Sequence[ToolCall] | BaseException
Line = Answer | Callable[[Sequence[Message], Sequence[ToolSchema], Collection[str] | None], Answer]


class ScriptError(AssertionError):
    """The script has run out, or calls a function that the agent did not allow."""


class ScriptedModel:
    """A :class:`~memgpt_autogen.llm.base.ChatModel` that replies with the next line of a script at each call.

    Args:
        script: each a Reply; a str (``send_message`` with that text, or plain text where no functions are
            offered); a ToolCall or a list of them; an exception to raise; :class:`BreaksOff`; or ``(messages, tools,
            only) -> any of these``.
        context_window: tokens, counted as a quarter of the characters, and 4 for each message.

    Attributes:
        calls: the prompts that it received, in order.
    """

    def __init__(self, script: Sequence[Line] = (), *, context_window: int = 8192, name: str = "scripted") -> None:
        self.script: list[Line] = list(script)
        self.context_window = context_window
        self.reply_tokens: int | None = None
        self.name = name
        self.calls: list[Call] = []

    def count_tokens(self, text: str) -> int:
        return len(text) // 4

    def count(self, messages: Sequence[Message], tools: Sequence[ToolSchema] = ()) -> int:
        tokens = 0
        for message in messages:
            calls = "".join(f"{call.name}{dict(call.arguments)}" for call in message.tool_calls)
            tokens += self.count_tokens(message.content + calls) + 4
        return tokens + sum(
            self.count_tokens(f"{tool.name}{tool.description}{dict(tool.parameters)}") for tool in tools
        )

    def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSchema],
        *,
        only: Collection[str] | None = None,
        cache: Any = None,
        max_tokens: int | None = None,
        on_delta: OnDelta | None = None,
    ) -> Reply:
        """The script's next line; streamed word by word if ``on_delta`` is given.

        Raises:
            ScriptError: no line is left, or the line calls a function that is not in ``only``.
        """
        held = None if only is None else frozenset(only)
        self.calls.append(Call(tuple(messages), tuple(tools), held, max_tokens))
        if not self.script:
            last = messages[-1].content[:200] if messages else ""
            raise ScriptError(f"The script has run out at call {len(self.calls)}. Last message: {last!r}")
        line = self.script.pop(0)
        answer = line(messages, tools, only) if callable(line) else line
        if isinstance(answer, str) and tools and held is not None and held.isdisjoint({SEND_MESSAGE}):
            raise ModelReplyError("These words call none of the functions that are allowed now.", text=answer)
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, BreaksOff):
            _stream(self._reply(answer.line, bool(tools)), on_delta, half=True)
            raise answer.error
        reply = self._reply(answer, bool(tools))
        names = [call.name for call in reply.tool_calls]
        if held is not None and not (names and set(names) <= held):
            said = names or reply.text
            raise ScriptError(f"Call {len(self.calls)} allows only {sorted(held)}; the script says {said!r}.")
        _stream(reply, on_delta)
        if reply.usage == Usage():
            reply = replace(reply, usage=Usage(self.count(messages, tools), 10))
        return reply

    @staticmethod
    def _reply(answer: Answer, offered: bool) -> Reply:
        if isinstance(answer, Reply):
            return answer
        if isinstance(answer, str):
            return Reply((ToolCall(SEND_MESSAGE, {"message": answer}),)) if offered else Reply(text=answer)
        if isinstance(answer, ToolCall):
            return Reply((answer,))
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, BreaksOff):
            raise answer.error
        return Reply(tuple(answer))


def _stream(reply: Reply, on_delta: OnDelta | None, half: bool = False) -> None:
    parts: list[ReplyDelta] = [ThoughtDelta(piece) for piece in _pieces(reply.inner_thoughts)]
    for index, call in enumerate(reply.tool_calls):
        if call.name == SEND_MESSAGE:
            parts += [SpeechDelta(piece, index) for piece in _pieces(str(call.arguments.get("message", "")))]
    for part in parts[: (len(parts) + 1) // 2] if half else parts:
        if on_delta:
            on_delta(part)


def _pieces(text: str) -> list[str]:
    return re.findall(r"\s*\S+\s*$|\s*\S+|^\s+$", text)
