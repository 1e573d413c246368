"""The slash commands of a chat in the terminal: the common ones, and those that need a terminal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from ... import commands
from ...agent import Agent
from ...agent.results import Turn
from ...commands import Command, agent_info, memory, turns
from ..console import confirm, interactive
from .input import FENCE
from .session import Session

InChat: TypeAlias = Command[Session]


def _exit(session: Session, _: str) -> str:
    session.over = True
    return ""


def _help(session: Session, given: str) -> str:
    if given:
        command, _ = commands.named(given, COMMANDS)
        return "\n".join(filter(None, (command.usage, f"    {command.help}", command.more)))
    width = max(len(command.usage) for command in COMMANDS)
    session.view.show_pairs([(command.usage, command.help) for command in COMMANDS], width)
    session.view.tell(
        f"Anything else is said to {session.agent.name}. A line with {FENCE} alone begins a message of several lines, "
        f"and another ends it. Ctrl-C stops an answer; Ctrl-D ends the chat.",
        "dim",
    )
    return ""


def _summarize(session: Session, given: str) -> str:
    with session.view.waiting():
        return memory.summarize(session.agent, given)


def _pop(session: Session, given: str) -> str:
    agent, wanted = session.agent, turns.turns_in(given)
    there = agent.store.turns(agent.id)
    if interactive() and not session.yes and 1 < wanted >= there > 0:
        question = (
            f"{agent.name} has had {there} turn{'s' * (there != 1)}. Undo {'all of them' if there > 1 else 'it'}?"
        )
        if not confirm(question):
            return "Nothing was undone."
    return turns.pop(agent, given)


def _dumpraw(session: Session, given: str) -> str:
    session.view.tell(memory.dumpraw(session.agent, given), raw=True)
    return ""


def _model(session: Session, given: str) -> str:
    from .open_agent import Wanted, described, open_agent

    if given:
        with session.view.waiting():
            agent, _ = open_agent(session.memgpt, Wanted(agent=session.agent.name, model={"model": given}))
        session.go_on_with(agent)
    return described(session.memgpt, session.agent)


def _export(session: Session, given: str) -> str:
    path = Path(given).expanduser()
    if path.exists() and not confirm(f"Write over {path}?", flag="another name, or a terminal"):
        return ""
    return agent_info.export(session.agent, given, over=True)


def _wipe(session: Session, _: str) -> str:
    agent = session.agent
    count = agent.store.log.count(agent.id)
    question = f"Forget all {count} messages and {agent.name}'s notes, for good?"
    if not confirm(question, flag="a terminal, or delete the agent"):
        return ""
    left = agent.wipe()
    shared = f"\nAs other agents share them, these blocks are as they were: {', '.join(left)}." if left else ""
    return f"{agent.name} begins anew. Attached sources stay.{shared}"


def _turn(turn: Callable[[Agent, bool], Turn]) -> Callable[[Session, str], str]:
    """A command that runs a turn and draws it."""

    def run(session: Session, _: str) -> str:
        session.turn(lambda: turn(session.agent, session.stream))
        return ""

    return run


#: Commands that the terminal implements differently.
_OTHERWISE: dict[str, Callable[[Session, str], str]] = {
    "pop": _pop,
    "dumpraw": _dumpraw,
    "retry": _turn(turns.retry),
    "heartbeat": _turn(turns.heartbeat),
    "memorywarning": _turn(turns.memory_warning),
    "summarize": _summarize,
    "export": _export,
}


def _in_chat(command: Command[Agent]) -> InChat:
    among = command.among
    return Command(
        command.name,
        command.arguments,
        command.help,
        _OTHERWISE.get(command.name) or (lambda session, given: command.run(session.agent, given)),
        (lambda session: among(session.agent)) if among else None,
        command.more,
    )


COMMANDS: tuple[InChat, ...] = (
    Command("help", "[COMMAND]", "Show these commands, or explain one.", _help, lambda _: [c.name for c in COMMANDS]),
    Command("exit", "", "End the chat; everything is saved.", _exit),
    *(_in_chat(command) for command in commands.COMMANDS if command.name != "model"),
    Command("model", "[NAME]", "Show which model answers, and where; or have another answer, remembered.", _model),
    Command("wipe", "", "Forget all messages and notes; memory begins anew. Asks first.", _wipe),
)


def take(session: Session, line: str) -> None:
    """Run a command line and show its result.

    Raises:
        ConfigError: an unknown command or wrong usage; the message says how to use it.
    """
    command, given = commands.find(line, COMMANDS)
    shown = command.run(session, given)
    if shown:
        session.view.tell(shown)


def complete(session: Session, text: str) -> list[tuple[str, str]]:
    """Completions of the last word of a line, each with a description."""
    name, space, given = text[1:].partition(" ")
    if not space:
        return [(f"/{one.name}", one.help) for one in COMMANDS if one.name.startswith(name)]
    words = [word for one in COMMANDS if one.name == name and one.among for word in one.among(session)]
    return [(word, "") for word in words if word.startswith(given)]
