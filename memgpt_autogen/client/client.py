"""Agents for Python programs: create, open, talk, load documents. The CLI and the group chat open agents here too."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator, Mapping
from typing import Any, Literal, overload

from ..agent import Agent
from ..commands import run_command
from ..config import AgentConfig, LLMConfig, Settings, from_dict
from ..embeddings.base import Embedder
from ..errors import ConfigError
from ..library import Library, Loaded
from ..library.attachments import attach, detach
from ..llm.base import ChatModel
from ..llm.choose import ModelRequest
from ..memory.vector_backfill import backfill_in_background, stop_backfill
from ..prompts import names
from ..prompts.presets import PRESETS
from ..sources.base import Loader
from ..storage.base import Store
from ..storage.engines import engine_of
from ..storage.records import Source
from ..tools.registry import Tool
from ..workers import run_in_thread
from .opener import AgentLike, Opener
from .overrides import QuickstartChoice, overrides
from .transcript import TranscriptEntry, entries, stream, unblocked


class MemGPT:
    """A home for agents.

    Args:
        settings: environment, config file and home folder; default: read now.
        quickstart: a model to begin with: ``"openai"``, ``"embedded"`` or ``"local"``, or a
            :class:`~memgpt_autogen.client.overrides.QuickstartChoice`.
        config: defaults for agents, in place of the config file: ``model``, ``model_endpoint_type``, ``openai_key``,
            ``context_window``, ``preset``, ``persona``, ``human``, ``embedding_endpoint_type`` and so on, or ``model``
            and ``embedding`` as dicts. Keys are never written to disk.
        auto_save: accepted for programs that pass it; every step is saved when it is done.
        store: where agents live: a store, or its address, as ``storage`` of the config file; default: what that says,
            else one SQLite file in the home folder.
        embedder: for vector search: an object, a kind (see :class:`~memgpt_autogen.config.EmbeddingConfig`), or None:
            full text search only. ``"auto"``: what the config file says (``embedding``), else one that is installed.

    Raises:
        ConfigError: the config file is broken.
        StoreError: the database cannot be opened.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        quickstart: QuickstartChoice | str | None = None,
        config: Mapping[str, Any] | None = None,
        auto_save: bool = True,
        store: Store | str | None = None,
        embedder: Embedder | str | None = "auto",
    ) -> None:
        self.settings = settings or Settings.load()
        self.overrides = overrides(self.settings, quickstart, config)
        where = self.settings.database if store is None else store
        self.store = self._open(where) if isinstance(where, str) else where
        self._opener = Opener(self.store, self.settings, self.overrides, embedder)

    def _open(self, address: str) -> Store:
        self.settings.make_home()
        return engine_of(address).open(address, vectors=self.settings.vectors)

    # -- agents ---------------------------------------------------------------------------------------------------

    def create_agent(
        self,
        config: AgentConfig | Mapping[str, Any] | str,
        *,
        model: ChatModel | None = None,
        throw_if_exists: bool = False,
        hint: LLMConfig | None = None,
        entry: LLMConfig | None = None,
        tools: Iterable[Tool | Callable[..., Any]] = (),
    ) -> Agent:
        """A new agent; where there is one of that name, that one, with all it remembers.

        Args:
            config: an :class:`AgentConfig`, its fields as a dict (``name``, ``preset``, ``persona``, ``human``,
                ``model``, ``blocks``, ``max_steps``, ``embedding``), or just the name.
            model: a model in hand, instead of the configured one.
            throw_if_exists: raise instead of opening an existing agent.
            hint, entry: see :class:`memgpt_autogen.llm.choose.ModelRequest`.
            tools: further functions that the agent runs itself.

        Raises:
            NameTaken: with ``throw_if_exists``.
            ConfigError: an unknown setting, preset, persona or human; a window too small for the agent.
        """
        if not isinstance(config, AgentConfig):
            config = from_dict(AgentConfig, {"name": config} if isinstance(config, str) else config)
        request = ModelRequest(entry=entry, hint=hint)
        return self._opener.create(config, request, model, tools=tools, throw_if_exists=throw_if_exists)

    def load_agent(
        self,
        name: str,
        *,
        model: ChatModel | None = None,
        llm: LLMConfig | None = None,
        hint: LLMConfig | None = None,
        entry: LLMConfig | None = None,
        tools: Iterable[Tool | Callable[..., Any]] = (),
    ) -> Agent:
        """An agent that is in the store. ``llm`` comes before the model it remembers; the rest as above.

        Raises:
            AgentNotFound: there is none of that name; the message lists the names.
        """
        return self._opener.load(name, ModelRequest(argument=llm, entry=entry, hint=hint), model, tools=tools)

    def agent(self, agent_id: AgentLike) -> Agent:
        """The agent of a name or id; the same object each time.

        Raises:
            AgentNotFound: there is none; the message lists the names.
        """
        return self._opener.find(agent_id)

    def delete_agent(self, name: AgentLike) -> None:
        """Delete an agent (or one of that name or id) with everything it remembers; sources stay.

        Raises:
            AgentNotFound: there is none of that name.
        """
        self._opener.delete(name)

    def list_agents(self) -> list[str]:
        """The names of all agents."""
        return [row.name for row in self.store.agents.list()]

    def get_agent_memory(self, agent_id: AgentLike) -> dict[str, Any]:
        """Core memory by label, and the sizes of the other two memories.

        Returns:
            ``core_memory`` (label -> text), ``recall_memory`` (messages) and ``archival_memory`` (passages).
        """
        found = self._opener.row(agent_id).id
        return {
            "core_memory": {block.label: block.value for block in self.store.agents.blocks(found)},
            "recall_memory": self.store.log.count(found),
            "archival_memory": self.store.passages.count(found),
        }

    def get_agent_config(self, agent_id: AgentLike) -> AgentConfig:
        """An agent's record; without keys."""
        return from_dict(AgentConfig, self._opener.row(agent_id).config)

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
        self._opener.share_block(label, owner, others)

    # -- talking --------------------------------------------------------------------------------------------------

    @overload
    def user_message(
        self, agent_id: AgentLike, message: str, name: str | None = None, *, stream: Literal[False] = False
    ) -> list[TranscriptEntry]: ...
    @overload
    def user_message(
        self, agent_id: AgentLike, message: str, name: str | None = None, *, stream: Literal[True]
    ) -> Iterator[TranscriptEntry]: ...

    def user_message(
        self, agent_id: AgentLike, message: str, name: str | None = None, *, stream: bool = False
    ) -> list[TranscriptEntry] | Iterator[TranscriptEntry]:
        """Send a message to an agent.

        Args:
            agent_id: the agent, its name or id, or an object with its name.
            message: the text.
            name: who says it.
            stream: yield the entries as they come, with parts: see :meth:`stream_message`.

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
    ) -> Generator[TranscriptEntry, None, None]:
        """The same, as it happens: also ``internal_monologue_part`` and ``assistant_message_part``, pieces of what is
        being written, and ``discarded`` where the pieces since the last whole entry are void.

        Leaving the loop early, or Ctrl-C, ends the turn at its last whole step; the message is kept.
        """
        return stream(self.agent(agent_id), _text(message), name)

    def ask(self, agent_id: AgentLike, message: str, name: str | None = None) -> str:
        """Send a message to an agent; its words."""
        said = self.user_message(agent_id, message, name)
        return "\n".join(entry["assistant_message"] for entry in said if "assistant_message" in entry)

    async def a_user_message(self, agent_id: AgentLike, message: str, name: str | None = None) -> list[TranscriptEntry]:
        """:meth:`user_message`, without blocking the event loop."""
        return await run_in_thread(lambda: self.user_message(agent_id, message, name), computes=False)

    def a_stream_message(
        self, agent_id: AgentLike, message: str, name: str | None = None
    ) -> AsyncIterator[TranscriptEntry]:
        """:meth:`stream_message` as an async iterator, without blocking the event loop."""
        return unblocked(self.stream_message(agent_id, message, name))

    def run_command(self, agent_id: AgentLike, command: str) -> str:
        """Run a command of a chat, such as ``/memory`` or ``/retry``; its output.

        Raises:
            ConfigError: there is no such command; the message lists those there are.
        """
        return run_command(self.agent(agent_id), command)

    # -- documents ------------------------------------------------------------------------------------------------

    @property
    def embedder(self) -> Embedder | None:
        """The embedder of agents that configure none; None: full text search only."""
        return self._opener.embedder

    @property
    def library(self) -> Library:
        """The sources of documents."""
        return Library(self.store, self.embedder)

    def load_source(self, name: str, loader: Loader, *, replace: bool = False) -> Loaded:
        """Load documents into a source: all of them or, if anything fails, none. See :meth:`Library.load_from`.

        Args:
            name: the source's name; an existing source is brought up to date.
            loader: reads the documents.
            replace: also where the source holds quite other documents; agents stay attached.

        Raises:
            NameTaken: there is a source of that name with other documents, and it is not to be replaced.
            SourceError: nothing could be read.
        """
        return self._filled_later(self.library.load_from(name, loader, replace=replace))

    def load_data(self, name: str, kind: str, **arguments: Any) -> Loaded:
        """The same with a loader by its name, such as ``"directory"``. See :meth:`Library.load`."""
        return self._filled_later(self.library.load(name, kind, **arguments))

    def _filled_later(self, loaded: Loaded) -> Loaded:
        """Compute the vectors of what was loaded, in the background."""
        if self.embedder is not None:
            backfill_in_background(self.store, self.embedder)
        return loaded

    def attach(self, agent_id: AgentLike, source: str) -> None:
        """Let an agent search a source; an event tells it so.

        Raises:
            SourceError: there is no such source.
        """
        attach(self.store, self._opener.row(agent_id).id, source)

    def detach(self, agent_id: AgentLike, source: str) -> None:
        """Stop an agent from searching a source.

        Raises:
            SourceError: it is not attached.
        """
        detach(self.store, self._opener.row(agent_id).id, source)

    def list_sources(self) -> list[Source]:
        """All sources."""
        return list(self.store.sources.list_sources())

    def delete_source(self, name: str) -> None:
        """Delete a source and its passages, from every agent.

        Raises:
            SourceError: there is none of that name.
        """
        self.store.sources.delete_source(self.store.sources.get_source(name).id)

    # -- the rest -------------------------------------------------------------------------------------------------

    def list_personas(self) -> list[str]:
        """The names of all personas: those of the package and those in the home folder."""
        return names("personas", self.settings.home)

    def list_humans(self) -> list[str]:
        """The names of all humans, likewise."""
        return names("humans", self.settings.home)

    def list_presets(self) -> list[str]:
        """The names of all presets."""
        return [*PRESETS]

    def save(self) -> None:
        """Does nothing: every step is saved when it is done. For programs that call it."""

    def settle(self, agent_id: AgentLike | None = None) -> None:
        """Wait until what was said last is saved in memory. Agents save facts in the background, after their reply.

        Args:
            agent_id: which agent; None: all.
        """
        self._opener.settle(self._opener.row(agent_id).id if agent_id is not None else None)

    def close(self) -> None:
        """Close the store, once facts are saved; a background embedding run stops after its current batch."""
        self.settle()
        stop_backfill(self.store)
        self.store.close()


def _text(message: Any) -> str:
    if not isinstance(message, str):
        raise ConfigError(f"A message is text, not {type(message).__name__}.")
    return message
