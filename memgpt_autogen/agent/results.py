"""The results of a step and of a turn, and the event that follows a step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property

from .. import events
from ..messages import Message, ToolCall, ToolResult, Usage

#: The author of a warning that the window is full, which tells it from other alerts.
PRESSURE_AUTHOR = "window"

_WINDOW_FULL = (
    "Your context window is {share:.0%} full. Older messages will soon leave it{leaving}. Save now what you must not "
    "lose: core memory for what matters always, archival memory for the rest."
)


class Outcome(Enum):
    """How a step ended, which decides what comes next."""

    YIELDED = "yielded"  #: the agent is done
    HEARTBEAT = "heartbeat"  #: it asked to run again, or its answer is still owed
    FAILED = "failed"  #: a function failed, or the reply could not be read: it runs again with the error
    PRESSURE = "pressure"  #: the window is nearly full: it runs again to save what matters
    AWAITING_TOOLS = "awaiting tools"  #: the caller must run functions and come back with the results


@dataclass(frozen=True)
class CallResults:
    """What the calls of one reply led to.

    Attributes:
        results: of the calls that the agent ran.
        pending: calls that the caller must run.
        searched: a function was called whose result must be read in a further step.
        heartbeat: the model asked to run again.
        speech_owed: someone waits for words, and none were said yet.
        pressure: the share of the window in use if the agent must be warned of it, else 0.
        leaving: quotes what is about to leave the window.
    """

    results: tuple[ToolResult, ...]
    pending: tuple[ToolCall, ...]
    searched: bool
    heartbeat: bool
    speech_owed: bool
    pressure: float = 0.0
    leaving: Callable[[], Sequence[str]] = tuple

    @cached_property
    def outcome(self) -> Outcome:
        """What comes next."""
        if self.pending:
            return Outcome.AWAITING_TOOLS
        if any(result.failed for result in self.results):
            return Outcome.FAILED
        if self.searched or self.heartbeat or self.speech_owed:
            return Outcome.HEARTBEAT
        return Outcome.PRESSURE if self.pressure else Outcome.YIELDED

    @property
    def answered(self) -> bool:
        """Whether the incoming events are answered. A pressure warning concerns only the agent itself."""
        return self.outcome in (Outcome.YIELDED, Outcome.PRESSURE)

    def next_event(self) -> list[Message]:
        """The event that wakes the agent for its next step; empty where the results are enough."""
        outcome = self.outcome
        if outcome is Outcome.PRESSURE:
            quotes = ", ".join(f'"{words}"' for words in self.leaving())
            told = _WINDOW_FULL.format(share=self.pressure, leaving=f", such as {quotes}" if quotes else "")
            return [replace(events.system_alert(told), author=PRESSURE_AUTHOR)]
        if outcome is Outcome.FAILED:
            failed = ", ".join(result.name for result in self.results if result.failed)
            return [events.heartbeat(f"{failed} failed; see its result and correct it.")]
        if outcome is Outcome.HEARTBEAT and not self.searched:
            reason = "You asked for it." if self.heartbeat else "Nobody has heard you yet: send_message."
            return [events.heartbeat(reason)]
        return []


@dataclass(frozen=True)
class StepResult:
    """The result of one step.

    Attributes:
        outcome: how it ended.
        said: what was said aloud.
        pending: calls that the caller must run.
        called: names of the functions that were called.
        usage: tokens of the model call.
    """

    outcome: Outcome
    said: tuple[str, ...] = ()
    pending: tuple[ToolCall, ...] = ()
    called: tuple[str, ...] = ()
    usage: Usage = Usage()


@dataclass(frozen=True)
class Turn:
    """The result of a turn.

    Attributes:
        said: what was said aloud, in order.
        pending: calls that the caller must run; ``Agent.run(results=...)`` goes on from there.
        steps: model calls.
        usage: their tokens together.
    """

    said: tuple[str, ...] = ()
    pending: tuple[ToolCall, ...] = ()
    steps: int = 0
    usage: Usage = Usage()
