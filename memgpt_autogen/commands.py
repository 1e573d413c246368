"""The commands of a chat for programs: ``/memory``, ``/retry``, ... given as text, answered with text."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from . import events
from .agent import Agent
from .errors import ConfigError
from .names import not_known

_WARNING = "Your context window is nearly full. Save now what you must not lose."


def run_command(agent: Agent, line: str) -> str:
    """Run one command.

    Args:
        agent: whose.
        line: such as ``/memory`` or ``attach manuals``; the slash may be left out.

    Returns:
        What a person would be shown; after a turn, the words that were said.

    Raises:
        ConfigError: there is no such command, or it wants other words behind it.
    """
    name, _, given = line.strip().removeprefix("/").partition(" ")
    found = COMMANDS.get(name)
    if found is None:
        raise ConfigError(not_known(f"There is no command /{name}.", name, "Commands", COMMANDS))
    needs, run = found
    given = given.strip()
    if needs and not given:
        raise ConfigError(f"It is used as: /{name} {needs}")
    return run(agent, given)


def _memory(agent: Agent, _: str) -> str:
    blocks = agent.store.agents.blocks(agent.id)
    lines = [f"{block.label} ({len(block.value)} of {block.limit} characters)\n{block.value}" for block in blocks]
    store = agent.store
    lines.append(f"Recall memory: {store.log.count(agent.id)} messages.")
    lines.append(f"Archival memory: {store.passages.count(agent.id)} passages.")
    return "\n".join(lines)


def _recall(agent: Agent, query: str) -> str:
    if query:
        return agent.recall.search(query, 0)
    return "\n".join(
        f"{message.author or message.kind}: {message.text}"
        for message in agent.store.log.tail(agent.id, 50)
        if message.text
    )


def _archival(agent: Agent, query: str) -> str:
    if query:
        return agent.archival.search(query, 0)
    return f"{agent.store.passages.count(agent.id)} passages. Search them with: /archival QUERY"


def _pop(agent: Agent, given: str) -> str:
    if given and not given.isdecimal():
        raise ConfigError("It is used as: /pop [NUMBER]")
    undone = agent.undo(int(given or 1))
    return f"Undone: {undone.turns} turn{'s' * (undone.turns != 1)}, {len(undone.messages)} messages."


def _summarize(agent: Agent, _: str) -> str:
    gone, summary = agent.summarize()
    return f"{gone} messages left the window. {summary}".strip()


def _attach(agent: Agent, source: str) -> str:
    agent.attach(source)
    return f"{agent.name} can search {source}."


def _detach(agent: Agent, source: str) -> str:
    agent.detach(source)
    return f"{agent.name} searches {source} no longer."


def _model(agent: Agent, _: str) -> str:
    return f"{agent.model.name}, a window of {agent.model.context_window} tokens."


def _dump(agent: Agent, _: str) -> str:
    return "\n".join(f"{message.role}: {message.content}" for message in agent.store.log.window(agent.id))


def _add_function(agent: Agent, path: str) -> str:
    return f"{agent.name} can call {agent.add_function(path).signature.name}."


def _remove_function(agent: Agent, name: str) -> str:
    agent.remove_function(name)
    return f"{agent.name} can call {name} no longer."


#: Name -> what it needs behind it (empty: nothing, or what may be left out), and what it does.
COMMANDS: Mapping[str, tuple[str, Callable[[Agent, str], str]]] = {
    "memory": ("", _memory),
    "recall": ("", _recall),
    "archival": ("", _archival),
    "save": ("", lambda agent, _: "Everything is saved: each step is, when it is done."),
    "pop": ("", _pop),
    "retry": ("", lambda agent, _: "\n".join(agent.retry().said)),
    "rethink": ("TEXT", lambda agent, text: f"The last inner thoughts were: {agent.rethink(text)}"),
    "rewrite": ("TEXT", lambda agent, text: f"What was said before: {agent.rewrite(text)}"),
    "summarize": ("", _summarize),
    "heartbeat": ("", lambda agent, _: "\n".join(agent.run([events.heartbeat("Your user asked for it.")]).said)),
    "memorywarning": ("", lambda agent, _: "\n".join(agent.run([events.system_alert(_WARNING)]).said)),
    "attach": ("SOURCE", _attach),
    "detach": ("SOURCE", _detach),
    "model": ("", _model),
    "system": ("", lambda agent, _: agent.system),
    "dump": ("", _dump),
    "add_function": ("package.module:name", _add_function),
    "remove_function": ("NAME", _remove_function),
}
