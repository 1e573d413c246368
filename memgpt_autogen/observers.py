"""What an agent tells those who watch it. The core prints nothing; displays draw from these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from .messages import Message, ToolCall, ToolResult


@dataclass(frozen=True)
class EventReceived:
    """An event came in."""

    message: Message


@dataclass(frozen=True)
class ThoughtInside:
    """The model's private monologue."""

    text: str


@dataclass(frozen=True)
class FunctionCalled:
    """A function is about to run. ``by_program``: the preset's rule made the call, not the model."""

    call: ToolCall
    by_program: bool = False


@dataclass(frozen=True)
class FunctionReturned:
    """A function answered."""

    result: ToolResult


@dataclass(frozen=True)
class Said:
    """The agent said something aloud. The step that said it is committed."""

    text: str


@dataclass(frozen=True)
class Evicted:
    """Messages left the window; they are in recall memory. ``summary`` stands in for them."""

    messages: int
    summary: str


Sight: TypeAlias = EventReceived | ThoughtInside | FunctionCalled | FunctionReturned | Said | Evicted
Observer: TypeAlias = Callable[[Sight], None]
