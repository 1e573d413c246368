"""What one step and one turn of an agent give, and what follows from a step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from .. import events
from ..events import clean
from ..grounding.retrieve import Found
from ..ids import new_id
from ..llm.base import ChatModel
from ..messages import Message, Reply, ToolCall, ToolResult, ToolSchema, Usage


class Outcome(Enum):
    """How a step ended, and so what comes next."""

    YIELDED = "yielded"  #: the agent is done
    HEARTBEAT = "heartbeat"  #: it asked to run again, or its answer is still owed
    FAILED = "failed"  #: a function failed, or the reply could not be read: it runs again with the error
    PRESSURE = "pressure"  #: the window is filling: it runs again to save what matters
    AWAITING_TOOLS = "awaiting tools"  #: the caller must run functions and come back with the results


@dataclass(frozen=True)
class Happened:
    """What a reply's calls came to.

    Attributes:
        results: of the calls that the agent ran.
        pending: calls that the caller must run.
        searched: a function was called whose answer is pointless unread.
        asked: the model asked to run again.
        silent: someone waits for words, and there were none yet.
        filling: the share of the room in use, if the agent is to be warned of it; else 0.
    """

    results: tuple[ToolResult, ...]
    pending: tuple[ToolCall, ...]
    searched: bool
    asked: bool
    silent: bool
    filling: float = 0.0

    @property
    def outcome(self) -> Outcome:
        """What comes next."""
        if self.pending:
            return Outcome.AWAITING_TOOLS
        if any(result.failed for result in self.results):
            return Outcome.FAILED
        if self.searched or self.asked or self.silent:
            return Outcome.HEARTBEAT
        return Outcome.PRESSURE if self.filling else Outcome.YIELDED

    @property
    def settled(self) -> bool:
        """Whether what came in is dealt with. A warning that follows is the agent's own business."""
        return self.outcome in (Outcome.YIELDED, Outcome.PRESSURE)

    def nudge(self) -> list[Message]:
        """The event that wakes the agent for its next step, where results do not say enough by themselves."""
        outcome = self.outcome
        if outcome is Outcome.PRESSURE:
            return [replace(events.system_alert(_FILLING.format(share=self.filling)), author=PRESSURE_AUTHOR)]
        if outcome is Outcome.FAILED:
            failed = ", ".join(result.name for result in self.results if result.failed)
            return [events.heartbeat(f"{failed} failed; see its result and correct it.")]
        if outcome is Outcome.HEARTBEAT and not self.searched:
            return [events.heartbeat("You asked for it." if self.asked else "Nobody has heard you yet: send_message.")]
        return []


#: Who a warning of a full window comes from, so that it can be told from other alerts.
PRESSURE_AUTHOR = "window"

_FILLING = (
    "Your context window is {share:.0%} full. Older messages will soon leave it. Save now what you must not lose: "
    "core memory for what matters always, archival memory for the rest."
)


@dataclass(frozen=True)
class StepResult:
    """What one step gave.

    Attributes:
        outcome: how it ended.
        said: what was said aloud.
        pending: calls that the caller must run.
        called: names of the functions that were called.
        usage: tokens of the one model call.
    """

    outcome: Outcome
    said: tuple[str, ...] = ()
    pending: tuple[ToolCall, ...] = ()
    called: tuple[str, ...] = ()
    usage: Usage = Usage()


@dataclass(frozen=True)
class Turn:
    """What a whole turn gave.

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


@dataclass
class TurnState:
    """What the steps of one turn share.

    Attributes:
        model: answers in this turn.
        tools: functions of the caller's, offered beside the agent's own and never run by it.
        instructions: the caller's own words for the system prompt.
        cache: handed to the model.
        conversation: which of its conversations the agent is in.
        owes_speech: someone waits for words.
        called: functions called so far, in order.
        said: what was said so far.
        steps: model calls so far.
        unreadable: replies in a row that could not be read.
        failures: how often each function failed.
        ended: a function was called that ends the turn.
        stream: observers are told of replies while they are written.
        found: what the program looked up before the model was asked.
    """

    model: ChatModel
    tools: tuple[ToolSchema, ...] = ()
    instructions: str = ""
    cache: Any = None
    conversation: str | None = None
    owes_speech: bool = True
    called: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    steps: int = 0
    usage: Usage = Usage()
    unreadable: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    ended: bool = False
    stream: bool = False
    found: Found | None = None


def tidied(reply: Reply, taken: Collection[str]) -> Reply:
    """The reply as it can be kept: no text that a database refuses, and an id of its own for each call.

    Args:
        reply: what the model gave. Some servers number the calls of every reply anew from 0.
        taken: ids of the calls in view.
    """
    seen = set(taken)
    calls = []
    for call in reply.tool_calls:
        call_id = clean(call.id)
        if not call_id or call_id in seen:
            call_id = "call_" + new_id()[-12:]
        seen.add(call_id)
        calls.append(ToolCall(clean(call.name), clean(call.arguments), call_id, clean(call.error)))
    return replace(reply, tool_calls=tuple(calls), inner_thoughts=clean(reply.inner_thoughts))
