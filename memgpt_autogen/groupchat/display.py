"""What a person sees of the memory agent beside its replies, drawn through AutoGen's own stream."""

from __future__ import annotations

import json
from typing import Any

from autogen.io import IOStream

from ..events import render
from ..messages import SEND_MESSAGE
from ..observers import (
    Discarded,
    EventReceived,
    Evicted,
    FunctionCalled,
    FunctionReturned,
    Saying,
    Sight,
    ThoughtInside,
)

try:
    from autogen.events.client_events import StreamEvent
except ImportError:  # older ones print what streams
    StreamEvent = None


class Display:
    """Draws what was asked for, and nothing else.

    Args:
        owner: the AutoGen agent; nothing is drawn while it, or its chat, is ``silent``.
        show_inner_thoughts, show_function_outputs, show_user_message: what to draw.
        debug: draw all of it.
        fancy: with signs; plain text otherwise.
        streaming: words while they are written.
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
        streaming: bool = False,
    ) -> None:
        self._owner = owner
        self._thoughts = debug or show_inner_thoughts
        self._functions = debug or show_function_outputs
        self._events = debug or show_user_message
        self._fancy = fancy
        self.streaming = streaming
        self.hushed = False  # the chat that is going on is silent

    def watch(self, sight: Sight) -> None:
        """An observer of the core."""
        silent = self._owner.silent  # None leaves it to the chat
        if self.hushed if silent is None else silent:
            return
        stream = IOStream.get_default()
        if isinstance(sight, Saying):
            if StreamEvent is None:
                stream.print(sight.text, end="", flush=True)
            else:
                stream.send(StreamEvent(content=sight.text))
        elif line := self._line(sight):
            stream.print(f"{self._owner.name} {line}", flush=True)

    def _line(self, sight: Sight) -> str:
        if isinstance(sight, ThoughtInside) and self._thoughts:
            return f"{self._sign('💭', 'thinks')}: {sight.text}"
        if isinstance(sight, FunctionCalled) and self._functions and sight.call.name != SEND_MESSAGE:
            arguments = json.dumps(dict(sight.call.arguments), ensure_ascii=False)
            return f"{self._sign('⚡', 'calls')}: {sight.call.name} {arguments}"
        if isinstance(sight, FunctionReturned) and self._functions and sight.result.name != SEND_MESSAGE:
            told = "failed" if sight.result.failed else "got"
            return f"{self._sign('❗' if sight.result.failed else '📎', told)}: {sight.result.content}"
        if isinstance(sight, Discarded):
            return f"{self._sign('↩', 'takes back')}: {sight.why}"
        if isinstance(sight, EventReceived) and self._events:
            return f"{self._sign('📨', 'hears')}: {render(sight.message)}"
        if isinstance(sight, Evicted) and self._functions:
            return f"{self._sign('📦', 'moves')}: {sight.messages} messages left the window for recall memory"
        return ""

    def _sign(self, fancy: str, plain: str) -> str:
        return fancy if self._fancy else f"({plain})"
