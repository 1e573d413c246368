"""Displays the memory agent's events through AutoGen's own ``IOStream``."""

from __future__ import annotations

import json
from typing import Any

from autogen.io import IOStream

from ..events import render
from ..messages import SEND_MESSAGE
from ..observers import (
    AgentEvent,
    Discarded,
    EventReceived,
    Evicted,
    FunctionCalled,
    FunctionReturned,
    InnerThoughts,
    SpeechDelta,
)
from ..printable import printable

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
        self.chat_silent = False  # the chat that is going on is silent

    def watch(self, event: AgentEvent) -> None:
        """An observer of the core."""
        silent = self._owner.silent  # None leaves it to the chat
        if self.chat_silent if silent is None else silent:
            return
        stream = IOStream.get_default()
        if isinstance(event, SpeechDelta):
            if StreamEvent is None:
                stream.print(printable(event.text), end="", flush=True)
            else:
                stream.send(StreamEvent(content=printable(event.text)))
        elif line := self._line(event):
            stream.print(printable(f"{self._owner.name} {line}"), flush=True)

    def _line(self, event: AgentEvent) -> str:
        match event:
            case InnerThoughts(text) if self._thoughts:
                return f"{self._sign('💭', 'thinks')}: {text}"
            case FunctionCalled(call) if self._functions and call.name != SEND_MESSAGE:
                arguments = json.dumps(dict(call.arguments), ensure_ascii=False)
                return f"{self._sign('⚡', 'calls')}: {call.name} {arguments}"
            case FunctionReturned(result) if self._functions and result.name != SEND_MESSAGE:
                sign = self._sign("❗", "failed") if result.failed else self._sign("📎", "got")
                return f"{sign}: {result.content}"
            case Discarded(why):
                return f"{self._sign('↩', 'takes back')}: {why}"
            case EventReceived(message) if self._events:
                return f"{self._sign('📨', 'hears')}: {render(message)}"
            case Evicted(messages) if self._functions:
                return f"{self._sign('📦', 'moves')}: {messages} messages left the window for recall memory"
            case _:
                return ""

    def _sign(self, fancy: str, plain: str) -> str:
        return fancy if self._fancy else f"({plain})"
