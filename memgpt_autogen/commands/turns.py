"""Commands about the agent's turns: undo, retry, rewrite, heartbeat."""

from __future__ import annotations

from collections.abc import Callable

from .. import events
from ..agent import Agent
from ..agent.results import Turn
from ..messages import SEND_MESSAGE
from ..storage.records import Undone
from .formatting import cut

_WARNING = "Your context window is nearly full. Save now what you must not lose."
ABOUT_POP = (
    "NUMBER is how many turns, 1 where it is left out. A turn is what came in, such as your message or a timer, and "
    "all that the agent did about it. Its messages are deleted; core memory, archival notes and what is in view are "
    "as they were before it. What other functions did elsewhere, such as files they wrote, stays done. Where that "
    "would be every turn there is, a terminal asks first. There is no way back from it; to have only the last answer "
    "given anew, use /retry."
)
_MANY = 1_000_000_000  # more turns than any log has


def words_of(turn: Callable[[Agent, bool], Turn]) -> Callable[[Agent, str], str]:
    """A command that runs a turn and returns what the agent said."""
    return lambda agent, _: "\n".join(turn(agent, False).said)


def retry(agent: Agent, stream: bool) -> Turn:
    """``/retry``."""
    return agent.retry(stream=stream)


def heartbeat(agent: Agent, stream: bool) -> Turn:
    """``/heartbeat``."""
    return agent.run([events.heartbeat("Your user asked for it.")], stream=stream)


def memory_warning(agent: Agent, stream: bool) -> Turn:
    """``/memorywarning``."""
    return agent.run([events.system_alert(_WARNING)], stream=stream)


def rethink(agent: Agent, given: str) -> str:
    """``/rethink TEXT``."""
    return f'The last inner thoughts were: "{agent.rethink(given)}"; now: "{given}"'


def rewrite(agent: Agent, given: str) -> str:
    """``/rewrite TEXT``."""
    return f'{agent.name} had said: "{agent.rewrite(given)}"; now: "{given}"'


def turns_in(given: str) -> int:
    """The argument of ``/pop``."""
    return min(int(given or 1), _MANY)


def pop(agent: Agent, given: str) -> str:
    """``/pop [NUMBER]``."""
    wanted = turns_in(given)
    return _told(agent.undo(wanted), wanted, agent)


def _told(undone: Undone, wanted: int, agent: Agent) -> str:
    """A description of what was undone."""
    turns = f"{undone.turns} turn{'s' * (undone.turns != 1)}"
    fewer = " (there were no more)" if undone.turns < wanted else ""
    first = next((message.text for message in undone.messages if message.text), "")
    parts = [
        f"Undone: {turns}{fewer}, {len(undone.messages)} messages"
        + (f', from "{cut(first, 40)}" on.' if first else ".")
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
