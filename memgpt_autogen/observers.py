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


@dataclass(frozen=True)
class Thinking:
    """The next piece of a monologue that is being written. Told only in turns that are streamed.

    The whole of it comes as :class:`ThoughtInside`, once the model has written its reply.

    Attributes:
        text: to be put behind the pieces before it.
        call: which call of the reply the piece belongs to, from 0.
    """

    text: str
    call: int = 0


@dataclass(frozen=True)
class Saying:
    """The next piece of words that are being written; ahead of what is committed. Told only in streamed turns.

    The whole comes as :class:`Said`, once the step is committed. ``call``: as in :class:`Thinking`.
    """

    text: str
    call: int = 0


@dataclass(frozen=True)
class Discarded:
    """What was told by :class:`Thinking` and :class:`Saying` since the last whole step is void: it came to nothing.

    ``why`` says it to a person. What the model writes next is told anew.
    """

    why: str


Sight: TypeAlias = (
    EventReceived | ThoughtInside | FunctionCalled | FunctionReturned | Said | Evicted | Thinking | Saying | Discarded
)
Observer: TypeAlias = Callable[[Sight], None]
