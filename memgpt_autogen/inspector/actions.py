"""What can be done from the page. Each action answers with a sentence on what it did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ..errors import ConfigError, ToolError
from ..forget import forget
from ..memory.core import CoreMemory
from .pages import Inspected

Form = Mapping[str, str]


def edit(agent: Inspected, form: Form, _: Path) -> str:
    """Write a block of core memory, unless it was changed since the page was loaded.

    Raises:
        ConfigError: there is no such block, it was changed meanwhile, or the text is over its limit.
        AgentBusy: the agent is in the middle of a turn.
    """
    label, value = form.get("label", ""), form.get("value", "").replace("\r\n", "\n").strip("\n")
    with agent.store.lock(agent.id), agent.store.transaction():
        block = next((one for one in agent.store.agents.blocks(agent.id) if one.label == label), None)
        if block is None:
            raise ConfigError(f"There is no block {label!r}.")
        if str(block.version) != form.get("version"):
            raise ConfigError(f"The block {label} was changed while you were editing it. Nothing was written.")
        if block.value == value:
            return f"The block {label} is as it was."
        try:
            CoreMemory(agent.store, agent.id).rewrite(label, value.split("\n"))
        except ToolError as error:
            raise ConfigError(str(error)) from error
    return f"The block {label} was written."


def undo(agent: Inspected, form: Form, _: Path) -> str:
    """Take the last turns back.

    Raises:
        UndoRefused: there is none, or someone else has edited a shared block since.
        AgentBusy: the agent is in the middle of a turn.
    """
    count = form.get("turns", "1")
    if not count.isdecimal() or not 0 < int(count) < 10**6:
        raise ConfigError("How many turns? Give a number from 1.")
    with agent.store.lock(agent.id):
        undone = agent.store.undo(agent.id, int(count))
    blocks = f" Core memory ({', '.join(undone.blocks)}) is as before." if undone.blocks else ""
    return f"Undone: {undone.turns} turns, {len(undone.messages)} messages, {undone.notes} notes.{blocks}"


def revert(agent: Inspected, form: Form, _: Path) -> str:
    """Take back what one turn wrote to memory.

    Raises:
        UndoRefused: a line was changed since.
    """
    number = form.get("turn", "")
    if not number.isdecimal():
        raise ConfigError("Which turn?")
    done = agent.history().revert(int(number))
    return f"Taken back: {sum(len(one.removed) + len(one.added) for one in done)} lines of turn {number}."


def forget_about(agent: Inspected, form: Form, home: Path) -> str:
    """Delete what the agent remembers about something, as ``memgpt forget`` does.

    Raises:
        TracesLeft: the file could not be cleaned yet.
    """
    done = forget(agent.store, agent.row.name, form.get("about", ""), home=home)
    return f"Forgotten: {len(done)} things. " + "; ".join(f"{place}: {count}" for place, count in done.removed.items())


#: Actions by path, and the page to go to then.
ACTIONS: Mapping[str, tuple[Callable[[Inspected, Form, Path], str], str]] = {
    "edit": (edit, "memory"),
    "undo": (undo, "manage"),
    "revert": (revert, "changes"),
    "forget": (forget_about, "manage"),
}
