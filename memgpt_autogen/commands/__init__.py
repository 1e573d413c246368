"""The slash commands of a chat: ``/memory``, ``/retry``, ... The terminal adds those that need a terminal.

Each gets an agent and its arguments, and returns the text to show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ..agent import Agent
from ..errors import ConfigError, not_known
from . import agent_info, memory, turns
from .options import listed

On = TypeVar("On")


@dataclass(frozen=True)
class Command(Generic[On]):
    """One command.

    Attributes:
        name: without the slash.
        arguments: shown in help, ``[in brackets]`` if optional; ``NUMBER`` must be one.
        help: one line.
        run: called with its target and the arguments; returns the text to show, or nothing.
        among: the current choices of its argument, for completion.
        more: further text for the help on this command.
    """

    name: str
    arguments: str
    help: str
    run: Callable[[On, str], str]
    among: Callable[[On], Sequence[str]] | None = None
    more: str = ""

    @property
    def usage(self) -> str:
        """The command with its arguments, for help."""
        return f"/{self.name} {self.arguments}".rstrip()


COMMANDS: tuple[Command[Agent], ...] = (
    Command("save", "", "Nothing to do: every step is saved when it is done.", agent_info.save),
    Command(
        "pop",
        "[NUMBER]",
        "Undo the last turn, or that many, and what they wrote to memory.",
        turns.pop,
        more=turns.ABOUT_POP,
    ),
    Command("retry", "", "Undo the last answer and have it given anew.", turns.words_of(turns.retry)),
    Command("rethink", "TEXT", "Put other inner thoughts in the place of the last.", turns.rethink),
    Command("rewrite", "TEXT", "Put other words in the place of what was said last.", turns.rewrite),
    Command(
        "memory",
        "[--why]",
        "Show core memory, and how much is in the other two. --why: from which words each line is; "
        "--as-of DAY: what it said then.",
        memory.memory,
    ),
    Command(
        "archival",
        "[QUERY]",
        "Search notes and sources, and show the best lines of each hit; without QUERY the latest notes. "
        f"Options: {listed(sources=True)}.",
        memory.archival,
    ),
    Command(
        "recall",
        "[QUERY]",
        f"Search all messages; without QUERY the last ones. Options: {listed(sources=False)}.",
        memory.recall,
    ),
    Command("summarize", "", "Move all but the last turn out of view, into a summary.", memory.summarize),
    Command("dump", "[NUMBER]", "Show the messages in view, or the last ones.", memory.dump),
    Command("dumpraw", "", "Show the messages in view as JSON.", memory.dumpraw),
    Command("sources", "", "List the sources; those attached are marked.", memory.sources),
    Command("attach", "SOURCE", "Let the agent search a source.", memory.attach, memory.not_attached),
    Command("detach", "SOURCE", "Have it search a source no longer.", memory.detach, memory.attached),
    Command("model", "", "Show which model answers.", agent_info.model),
    Command("system", "[FILE]", "Show the system prompt, or set it from a file.", agent_info.system),
    Command("add_function", "package.module:name", "Give the agent a Python function.", agent_info.add_function),
    Command("remove_function", "NAME", "Take an added function away.", agent_info.remove_function, agent_info.added),
    Command("heartbeat", "", "Run the agent without saying anything.", turns.words_of(turns.heartbeat)),
    Command("memorywarning", "", "Tell the agent that its view is nearly full.", turns.words_of(turns.memory_warning)),
    Command("export", "FILE", "Write the agent into one readable file, without keys.", agent_info.export),
)


def named(line: str, commands: Iterable[Command[On]]) -> tuple[Command[On], str]:
    """The command that a line starts with, and its arguments. The slash is optional.

    Raises:
        ConfigError: an unknown command.
    """
    by_name = {command.name: command for command in commands}
    name, _, given = line.strip().removeprefix("/").partition(" ")
    if name not in by_name:
        slashed = [f"/{one}" for one in by_name]
        raise ConfigError(not_known(f"There is no command /{name}.", f"/{name}", "Commands", slashed))
    return by_name[name], given.strip()


def find(line: str, commands: Iterable[Command[On]]) -> tuple[Command[On], str]:
    """The command in a line, and its arguments. The slash is optional.

    Raises:
        ConfigError: an unknown command or wrong usage; the message says how to use it.
    """
    command, given = named(line, commands)
    optional = not command.arguments or command.arguments.startswith("[")
    number = "NUMBER" in command.arguments and given
    if bool(given) > bool(command.arguments) or not (given or optional) or (number and not given.isdecimal()):
        raise ConfigError(f"It is used as: {command.usage}")
    return command, given


def run_command(agent: Agent, line: str) -> str:
    """Run one command.

    Args:
        agent: its target.
        line: such as ``/memory`` or ``attach manuals``.

    Returns:
        The text to show; after a turn, what the agent said.

    Raises:
        ConfigError: an unknown command or wrong arguments.
    """
    command, given = find(line, COMMANDS)
    return command.run(agent, given)
