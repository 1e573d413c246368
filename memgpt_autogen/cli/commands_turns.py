"""Commands of a chat about its turns: undo, try again, reword, run without words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import events
from ..storage.base import Undone
from ..tools.memory_tools import SEND_MESSAGE

if TYPE_CHECKING:
    from ..agent import Agent
    from .session import Session

_WARNING = "Your context window is nearly full. Save now what you must not lose."


def pop(session: Session, given: str) -> None:
    """``/pop [NUMBER]``."""
    wanted = int(given or 1)
    undone = session.agent.undo(wanted)
    session.view.tell(told(undone, wanted, session.agent))


def told(undone: Undone, wanted: int, agent: Agent) -> str:
    """What was taken back, in a sentence or two."""
    turns = f"{undone.turns} turn{'s' * (undone.turns != 1)}"
    fewer = " (there were no more)" if undone.turns < wanted else ""
    first = next((message.text for message in undone.messages if message.text), "")
    parts = [
        f"Undone: {turns}{fewer}, {len(undone.messages)} messages" + (f', from "{_short(first)}" on.' if first else ".")
    ]
    memory = [f"core memory ({', '.join(undone.blocks)})"] if undone.blocks else []
    memory += [f"{undone.notes} archival note{'s' * (undone.notes != 1)}"] if undone.notes else []
    memory += ["what had left the view"] if undone.summaries else []
    parts.append(f"As before: {', '.join(memory)}." if memory else "They had written nothing to memory.")
    if undone.waiting:
        parts.append(
            f"{undone.waiting} earlier event{'s wait' if undone.waiting > 1 else ' waits'} for an answer again."
        )
    outside = sorted(
        {
            call.name
            for message in undone.messages
            for call in message.tool_calls
            if call.name != SEND_MESSAGE and not getattr(agent.tools.get(call.name), "memory", True)
        }
    )
    if outside:
        parts.append(f"What {', '.join(outside)} did elsewhere stays done.")
    return " ".join(parts)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 40 else line[:39] + "…"


def retry(session: Session, _: str) -> None:
    """``/retry``."""
    session.turn(lambda: session.agent.retry(stream=session.stream))


def rethink(session: Session, given: str) -> None:
    """``/rethink TEXT``."""
    before = session.agent.rethink(given)
    session.view.tell(f'The last inner thoughts were: "{before}"; now: "{given}"')


def rewrite(session: Session, given: str) -> None:
    """``/rewrite TEXT``."""
    before = session.agent.rewrite(given)
    session.view.tell(f'{session.agent.name} had said: "{before}"; now: "{given}"')


def heartbeat(session: Session, _: str) -> None:
    """``/heartbeat``."""
    session.turn(lambda: session.agent.run([events.heartbeat("Your user asked for it.")], stream=session.stream))


def memory_warning(session: Session, _: str) -> None:
    """``/memorywarning``."""
    session.turn(lambda: session.agent.run([events.system_alert(_WARNING)], stream=session.stream))
