"""The events that an agent emits. Displays draw from them; the core itself prints nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from .messages import Message, ToolCall, ToolResult


@dataclass(frozen=True)
class EventReceived:
    """An event was stored in the agent's memory."""

    message: Message


@dataclass(frozen=True)
class InnerThoughts:
    """The model's inner monologue for one reply."""

    text: str


@dataclass(frozen=True)
class FunctionCalled:
    """A function is about to run. ``by_program``: a rule of the preset made the call, not the model."""

    call: ToolCall
    by_program: bool = False


@dataclass(frozen=True)
class FunctionReturned:
    """A function returned."""

    result: ToolResult


@dataclass(frozen=True)
class Said:
    """The agent sent a message. The step that sent it is committed."""

    text: str


@dataclass(frozen=True)
class Evicted:
    """Messages were evicted from the window to recall memory; ``summary`` stands in the window for them."""

    messages: int
    summary: str


@dataclass(frozen=True)
class ThoughtDelta:
    """The next piece of an inner monologue while the model writes it. Only in streamed turns.

    :class:`InnerThoughts` brings the whole text once the reply is complete.

    Attributes:
        text: to be appended to the pieces before it.
        call: the index of the function call in the reply that the piece belongs to.
    """

    text: str
    call: int = 0


@dataclass(frozen=True)
class SpeechDelta:
    """The next piece of a message while the model writes it, before the step is committed. Only in streamed turns.

    :class:`Said` brings the whole text once the step is committed. Attributes as in :class:`ThoughtDelta`.
    """

    text: str
    call: int = 0


@dataclass(frozen=True)
class Discarded:
    """All deltas since the last complete step are void, for the reason in ``why``. The next reply streams anew."""

    why: str


AgentEvent: TypeAlias = (
    EventReceived
    | InnerThoughts
    | FunctionCalled
    | FunctionReturned
    | Said
    | Evicted
    | ThoughtDelta
    | SpeechDelta
    | Discarded
)
Observer: TypeAlias = Callable[[AgentEvent], None]
