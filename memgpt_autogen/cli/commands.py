"""The commands within a chat: one table, from which help, completion and documentation are made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ..errors import ConfigError
from ..names import not_known
from . import commands_agent, commands_memory, commands_turns
from .reading import FENCE

if TYPE_CHECKING:
    from .session import Session

Run: TypeAlias = "Callable[[Session, str], None]"


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        name: without the slash.
        arguments: what goes behind it, ``[in brackets]`` if it may be left out; ``NUMBER`` must be one.
        help: one line.
        run: given the session and what stands behind the name.
        among: the words that its argument is one of at the moment, for completion.
    """

    name: str
    arguments: str
    help: str
    run: Run
    among: Callable[[Session], Sequence[str]] | None = None

    @property
    def usage(self) -> str:
        """As it is typed."""
        return f"/{self.name} {self.arguments}".rstrip()


def _exit(session: Session, _: str) -> None:
    session.over = True


def _help(session: Session, _: str) -> None:
    width = max(len(command.usage) for command in COMMANDS)
    session.view.show_pairs([(command.usage, command.help) for command in COMMANDS], width)
    session.view.tell(
        f"Anything else is said to {session.agent.name}. A line with {FENCE} alone begins a message of several lines, "
        f"and another ends it. Ctrl-C stops an answer; Ctrl-D ends the chat.",
        "dim",
    )


COMMANDS: tuple[Command, ...] = (
    Command("help", "", "Show these commands.", _help),
    Command("exit", "", "End the chat; everything is saved.", _exit),
    Command("save", "", "Nothing to do: every step is saved when it is done.", commands_agent.save),
    Command("pop", "[NUMBER]", "Undo the last turn, or that many, and what they wrote to memory.", commands_turns.pop),
    Command("retry", "", "Undo the last answer and have it given anew.", commands_turns.retry),
    Command("rethink", "TEXT", "Put other inner thoughts in the place of the last.", commands_turns.rethink),
    Command("rewrite", "TEXT", "Put other words in the place of what was said last.", commands_turns.rewrite),
    Command("memory", "", "Show core memory, and how much is in the other two.", commands_memory.memory),
    Command("archival", "[QUERY]", "Search archival memory: the agent's notes, and sources.", commands_memory.archival),
    Command("recall", "[QUERY]", "Search all messages; without QUERY the last ones.", commands_memory.recall),
    Command("summarize", "", "Move all but the last turn out of view, into a summary.", commands_memory.summarize),
    Command("dump", "[NUMBER]", "Show the messages in view, or the last ones.", commands_memory.dump),
    Command("dumpraw", "", "Show the messages in view as JSON.", commands_memory.dumpraw),
    Command("sources", "", "List the sources; those attached are marked.", commands_memory.sources),
    Command("attach", "SOURCE", "Let the agent search a source.", commands_memory.attach, commands_memory.not_attached),
    Command("detach", "SOURCE", "Have it search a source no longer.", commands_memory.detach, commands_memory.attached),
    Command("model", "", "Show which model answers, and where.", commands_agent.model),
    Command("system", "[FILE]", "Show the system prompt, or set it from a file.", commands_agent.system),
    Command("add_function", "package.module:name", "Give the agent a Python function.", commands_agent.add_function),
    Command(
        "remove_function", "NAME", "Take an added function away.", commands_agent.remove_function, commands_agent.added
    ),
    Command("heartbeat", "", "Run the agent without saying anything.", commands_turns.heartbeat),
    Command("memorywarning", "", "Tell the agent that its view is nearly full.", commands_turns.memory_warning),
    Command("export", "FILE", "Write the agent into one readable file, without keys.", commands_agent.export),
    Command("wipe", "", "Forget all messages and notes; memory begins anew. Asks first.", commands_memory.wipe),
)
_BY_NAME = {command.name: command for command in COMMANDS}


def find(text: str) -> tuple[Command, str]:
    """The command in a line, and what stands behind it.

    Raises:
        ConfigError: there is none of that name, or it is used otherwise; the message says how.
    """
    name, _, given = text[1:].partition(" ")
    given = given.strip()
    command = _BY_NAME.get(name.strip())
    if command is None:
        raise ConfigError(not_known(f"There is no command /{name}.", name, "Commands", _BY_NAME))
    optional = not command.arguments or command.arguments.startswith("[")
    number = "NUMBER" in command.arguments and given
    if bool(given) > bool(command.arguments) or not (given or optional) or (number and not given.isdecimal()):
        raise ConfigError(f"It is used as: {command.usage}")
    return command, given


def complete(session: Session, text: str) -> list[tuple[str, str]]:
    """What the word at the end of a line may become, each with a remark."""
    name, space, given = text[1:].partition(" ")
    if not space:
        return [(f"/{one.name}", one.help) for one in COMMANDS if one.name.startswith(name)]
    command = _BY_NAME.get(name)
    words = command.among(session) if command and command.among else ()
    return [(word, "") for word in words if word.startswith(given)]
