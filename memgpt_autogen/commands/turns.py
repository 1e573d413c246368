"""Commands about the agent's turns: undo, try again, reword, run without words."""

from __future__ import annotations

from collections.abc import Callable

from .. import events
from ..agent import Agent
from ..messages import SEND_MESSAGE
from ..storage.shapes import Undone
from ..turns import Turn

_WARNING = "Your context window is nearly full. Save now what you must not lose."


def words_of(turn: Callable[[Agent, bool], Turn]) -> Callable[[Agent, str], str]:
    """A command that has the agent take a turn, and answers with what was said in it."""
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


def pop(agent: Agent, given: str) -> str:
    """``/pop [NUMBER]``."""
    wanted = int(given or 1)
    return _told(agent.undo(wanted), wanted, agent)


def _told(undone: Undone, wanted: int, agent: Agent) -> str:
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
