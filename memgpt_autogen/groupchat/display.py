"""What a person sees of the memory agent beside its replies, drawn through AutoGen's own stream."""

from __future__ import annotations

import json
from typing import Any

from autogen.io import IOStream

from ..observers import EventReceived, Evicted, FunctionCalled, FunctionReturned, Sight, ThoughtInside


class Display:
    """Draws what was asked for, and nothing else.

    Args:
        owner: the AutoGen agent; nothing is drawn while it, or its chat, is ``silent``.
        show_inner_thoughts, show_function_outputs, show_user_message: what to draw.
        debug: draw all of it.
        fancy: with signs; plain text otherwise.
    """

    def __init__(
        self,
        owner: Any,
        *,
        debug: bool = False,
        show_inner_thoughts: bool = False,
        show_function_outputs: bool = False,
        show_user_message: bool = False,
        fancy: bool = False,
    ) -> None:
        self._owner = owner
        self._thoughts = debug or show_inner_thoughts
        self._functions = debug or show_function_outputs
        self._events = debug or show_user_message
        self._fancy = fancy
        self.hushed = False  # the chat that is going on is silent

    def watch(self, sight: Sight) -> None:
        """An observer of the core."""
        line = self._line(sight)
        silent = self._owner.silent  # None leaves it to the chat
        if line and not (self.hushed if silent is None else silent):
            IOStream.get_default().print(f"{self._owner.name} {line}", flush=True)

    def _line(self, sight: Sight) -> str:
        if isinstance(sight, ThoughtInside) and self._thoughts:
            return f"{self._sign('💭', 'thinks')}: {sight.text}"
        if isinstance(sight, FunctionCalled) and self._functions and sight.call.name != "send_message":
            arguments = json.dumps(dict(sight.call.arguments), ensure_ascii=False)
            return f"{self._sign('⚡', 'calls')}: {sight.call.name} {arguments}"
        if isinstance(sight, FunctionReturned) and self._functions and sight.result.name != "send_message":
            told = "failed" if sight.result.failed else "got"
            return f"{self._sign('❗' if sight.result.failed else '📎', told)}: {sight.result.content}"
        if isinstance(sight, EventReceived) and self._events:
            return f"{self._sign('📨', 'hears')}: {sight.message.content}"
        if isinstance(sight, Evicted) and self._functions:
            return f"{self._sign('📦', 'moves')}: {sight.messages} messages left the window for recall memory"
        return ""

    def _sign(self, fancy: str, plain: str) -> str:
        return fancy if self._fancy else f"({plain})"
