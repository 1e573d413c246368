"""The half of the client that talks to agents and tells of them."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, Protocol, TypeAlias, overload

from ..agent import Agent
from ..commands import run_command
from ..config import AgentConfig, Settings, from_dict
from ..errors import AgentNotFound, ConfigError, NameTaken, not_known
from ..prompts import names
from ..prompts.presets import PRESETS
from ..storage.base import Store
from ..storage.shapes import Source
from .transcript import Entry, entries, stream


class Named(Protocol):
    """Whatever stands for an agent: anything with its name."""

    @property
    def name(self) -> str: ...


#: An agent, its name or id, or an object with its name.
AgentLike: TypeAlias = Agent | str | Named

#: Turns that were awaited; the loop's own executor may be busy with what an agent's function waits for.
_EXECUTOR = ThreadPoolExecutor(32, thread_name_prefix="memgpt")
_END: Entry = {}


class ClientBase(ABC):
    """Methods that need a store and a way to open agents; see :class:`memgpt_autogen.client.MemGPT`."""

    store: Store
    settings: Settings
    _opened: dict[str, Agent]

    @abstractmethod
    def load_agent(self, name: str) -> Agent:
        """Open an agent."""

    def agent(self, agent_id: AgentLike) -> Agent:
        """The agent of a name or id; the same object each time.

        Raises:
            AgentNotFound: there is none; the message has the names there are.
        """
        if isinstance(agent_id, Agent):
            return agent_id
        wanted = agent_id if isinstance(agent_id, str) else getattr(agent_id, "name", None)
        if not isinstance(wanted, str):
            raise ConfigError(f"Which agent? Give its name or its id, not {type(agent_id).__name__}.")
        rows = self.store.agents.list()
        row = next((row for row in rows if row.name == wanted), None) or next(
            (row for row in rows if row.id == wanted), None
        )
        if row is None:
            told = f"There is no agent named {wanted!r}."
            raise AgentNotFound(not_known(told, wanted, "Agents", [row.name for row in rows]))
        return self._opened.get(row.id) or self.load_agent(row.name)

    # -- talking --------------------------------------------------------------------------------------------------

    @overload
    def user_message(
        self, agent_id: AgentLike, message: str, name: str | None = None, *, stream: Literal[False] = False
    ) -> list[Entry]: ...
    @overload
    def user_message(
        self, agent_id: AgentLike, message: str, name: str | None = None, *, stream: Literal[True]
    ) -> Iterator[Entry]: ...

    def user_message(
        self, agent_id: AgentLike, message: str, name: str | None = None, *, stream: bool = False
    ) -> list[Entry] | Iterator[Entry]:
        """Say something to an agent.

        Args:
            agent_id: the agent, its name or id, or an object with its name.
            message: what is said.
            name: who says it.
            stream: give the entries while they come, with parts: see :meth:`stream_message`.

        Returns:
            What the agent did, in order: dicts with ``internal_monologue``, ``function_call``, ``function_return`` (and
            ``status``) or ``assistant_message``. :meth:`ask` gives the words alone.

        Raises:
            AgentNotFound: there is no such agent.
            ModelError: the model or its server failed; the message is kept and answered in the next turn.
        """
        if stream:
            return self.stream_message(agent_id, message, name)
        return entries(self.agent(agent_id), _text(message), name)

    def stream_message(
        self, agent_id: AgentLike, message: str, name: str | None = None
    ) -> Generator[Entry, None, None]:
        """The same, as it happens: also ``internal_monologue_part`` and ``assistant_message_part``, pieces of what is
        being written, and ``discarded`` where the pieces since the last whole entry came to nothing.

        Leaving the loop early, or Ctrl-C, ends the turn at its last whole step; the message is kept.
        """
        return stream(self.agent(agent_id), _text(message), name)

    def ask(self, agent_id: AgentLike, message: str, name: str | None = None) -> str:
        """Say something to an agent; its words."""
        said = self.user_message(agent_id, message, name)
        return "\n".join(entry["assistant_message"] for entry in said if "assistant_message" in entry)

    async def a_user_message(self, agent_id: AgentLike, message: str, name: str | None = None) -> list[Entry]:
        """:meth:`user_message`, without holding up the event loop."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(_EXECUTOR, lambda: self.user_message(agent_id, message, name))

    async def a_stream_message(
        self, agent_id: AgentLike, message: str, name: str | None = None
    ) -> AsyncIterator[Entry]:
        """:meth:`stream_message`, without holding up the event loop."""
        loop = asyncio.get_running_loop()
        found = self.stream_message(agent_id, message, name)
        try:
            while (entry := await loop.run_in_executor(_EXECUTOR, next, found, _END)) is not _END:
                yield entry
        finally:
            await loop.run_in_executor(_EXECUTOR, found.close)

    def run_command(self, agent_id: AgentLike, command: str) -> str:
        """Run a command of a chat, such as ``/memory`` or ``/retry``; what it shows.

        Raises:
            ConfigError: there is no such command; the message has those there are.
        """
        return run_command(self.agent(agent_id), command)

    # -- telling --------------------------------------------------------------------------------------------------

    def save(self) -> None:  # noqa: B027 (no subclass needs to)
        """Nothing is left to do: every step is saved when it is done. For programs that call it."""

    def get_agent_memory(self, agent_id: AgentLike) -> dict[str, Any]:
        """Core memory by label, and how much is in the other two.

        Returns:
            ``core_memory`` (label -> text), ``recall_memory`` (messages) and ``archival_memory`` (passages).
        """
        found = self._row(agent_id)
        return {
            "core_memory": {block.label: block.value for block in self.store.agents.blocks(found)},
            "recall_memory": self.store.log.count(found),
            "archival_memory": self.store.passages.count(found),
        }

    def get_agent_config(self, agent_id: AgentLike) -> AgentConfig:
        """An agent's record; without keys."""
        rows = {row.id: row for row in self.store.agents.list()}
        return from_dict(AgentConfig, rows[self._row(agent_id)].config)

    def attach(self, agent_id: AgentLike, source: str) -> None:
        """Let an agent search a source; it is told so.

        Raises:
            SourceError: there is no such source.
        """
        from ..library.attachments import attach

        attach(self.store, self._row(agent_id), source)

    def detach(self, agent_id: AgentLike, source: str) -> None:
        """Have an agent search a source no longer.

        Raises:
            SourceError: it is not attached.
        """
        from ..library.attachments import detach

        detach(self.store, self._row(agent_id), source)

    def list_agents(self) -> list[str]:
        """The names of all agents."""
        return [row.name for row in self.store.agents.list()]

    def list_personas(self) -> list[str]:
        """The names of all personas: those of the package and those in the home folder."""
        return names("personas", self.settings.home)

    def list_humans(self) -> list[str]:
        """The names of all humans, likewise."""
        return names("humans", self.settings.home)

    def list_presets(self) -> list[str]:
        """The names of all presets."""
        return [*PRESETS]

    def list_sources(self) -> list[Source]:
        """All sources."""
        return list(self.store.passages.list_sources())

    def delete_source(self, name: str) -> None:
        """Delete a source and its passages, from every agent.

        Raises:
            SourceError: there is none of that name.
        """
        self.store.passages.delete_source(self.store.passages.get_source(name).id)

    def share_block(self, label: str, owner: str, *others: str) -> None:
        """Let agents share a block of core memory: what one writes there is in the next prompt of all.

        Args:
            label: the block's name.
            owner: the agent whose block it is.
            others: the agents who get it, too. Sharing it once more changes nothing.

        Raises:
            AgentNotFound: there is no agent of one of the names.
            ConfigError: the owner has no such block.
            NameTaken: one of the others has a block of its own of that name.
        """
        agents = self.store.agents
        blocks = {block.label: block for block in agents.blocks(agents.get(owner).id)}
        if label not in blocks:
            raise ConfigError(f"{owner} has no block {label!r}. Its blocks: {', '.join(blocks)}.")
        with self.store.transaction():
            for other in others:
                row = agents.get(other)
                own = {block.label: block.id for block in agents.blocks(row.id)}
                if label not in own:
                    agents.share_block(row.id, blocks[label].id)
                elif own[label] != blocks[label].id:
                    raise NameTaken(f"{other} has a block {label!r} of its own already. Share one of another name.")

    def _row(self, agent_id: AgentLike) -> str:
        """The id of an agent, without opening it."""
        if isinstance(agent_id, str):
            rows: Sequence[Any] = self.store.agents.list()
            if any(row.id == agent_id for row in rows):
                return agent_id
            return self.store.agents.get(agent_id).id
        return agent_id.id if isinstance(agent_id, Agent) else self.store.agents.get(agent_id.name).id


def _text(message: Any) -> str:
    if not isinstance(message, str):
        raise ConfigError(f"A message is text, not {type(message).__name__}.")
    return message
