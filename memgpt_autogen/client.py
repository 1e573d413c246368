"""Agents for Python programs: create, open, talk, load documents. The CLI and the group chat open agents here too."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from . import events
from .agent import Agent
from .config import AgentConfig, EmbeddingConfig, LLMConfig, Settings, from_dict, to_dict
from .embeddings.base import Embedder
from .embeddings.choose import build_embedder
from .errors import ConfigError, ModelError, NameTaken
from .library import Library, Loaded
from .llm.base import ChatModel
from .llm.choose import build_model, choose_model
from .llm.size import named_size, size_of
from .memory.backlog import fill_in_background, stop_filling
from .prompts import text_of
from .prompts.presets import DEFAULT, SMALLEST, TINY, Preset, get_preset, suited
from .sources.base import Loader
from .storage.base import AgentRow, Source, Store
from .tools.imported import add_remembered
from .tools.registry import Tool

logger = logging.getLogger(__name__)


class MemGPT:
    """A home for agents.

    Args:
        settings: environment, config file and home folder; default: read now.
        store: where agents live; default: one SQLite file in the home folder.
        embedder: for searches by meaning: an object, a kind (see :class:`~memgpt_autogen.config.EmbeddingConfig`), or
            None: by words alone. ``"auto"``: what the config file says (``embedding``), else one that is installed.

    Raises:
        ConfigError: the config file is broken.
        StoreError: the database cannot be opened.
    """

    def __init__(
        self, settings: Settings | None = None, *, store: Store | None = None, embedder: Embedder | str | None = "auto"
    ) -> None:
        self.settings = settings or Settings.load()
        self.store = store or self._default_store()
        self._embedder = embedder

    def _default_store(self) -> Store:
        from .storage.sqlite import SQLiteStore

        self.settings.make_home()
        return SQLiteStore(self.settings.database, vectors=self.settings.vectors)

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
            throw_if_exists: raise instead of opening the one there is.
            hint, entry: see :func:`memgpt_autogen.llm.choose.choose_model`.
            tools: further functions that the agent runs itself.

        Raises:
            NameTaken: with ``throw_if_exists``.
            ConfigError: a setting, preset, persona or human that is not known; a window too small for the agent.
        """
        if isinstance(config, str):
            config = AgentConfig(name=config)
        wanted = config if isinstance(config, AgentConfig) else from_dict(AgentConfig, config)
        if any(row.name == wanted.name for row in self.store.agents.list()):
            if throw_if_exists:
                raise NameTaken(f"There is an agent named {wanted.name!r} already. Load it, or choose another name.")
            return self.load_agent(wanted.name, model=model, llm=wanted.model, hint=hint, entry=entry, tools=tools)
        filed = self.settings.default
        wanted = replace(
            wanted,
            preset=wanted.preset or filed("preset"),
            persona=wanted.persona or filed("persona"),
            human=wanted.human or filed("human"),
        )
        chosen = None if model else choose_model(self.settings, wanted.model, entry, hint=hint)
        preset = self._preset_for(wanted.preset, chosen)
        home = self.settings.home
        blocks = {
            "persona": text_of("personas", wanted.persona or preset.persona, home),
            "human": text_of("humans", wanted.human or preset.human, home),
            **wanted.blocks,
        }
        with self.store.transaction():
            row = self.store.agents.create(wanted.name, to_dict(wanted))
            for label, text in blocks.items():
                self.store.agents.add_block(row.id, label, text, max(preset.block_limit, len(text)))
            agent = self._open(row, preset, model, chosen, tools)  # an agent whose model cannot be had is not made
        if chosen is None or chosen.model_endpoint_type in ("openai", "azure", "embedded"):
            self._check(agent)  # a server of the user's may still be down; its window is checked at the first turn
        return agent

    def _check(self, agent: Agent) -> None:
        try:
            agent.check_window()
        except ModelError as error:
            logger.info("The window could not be checked: %s", error)
        except ConfigError:
            self.store.agents.delete(agent.id)
            raise

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
        """An agent that is in the store.

        Raises:
            AgentNotFound: there is none of that name; the message has the names there are.
        """
        row = self.store.agents.get(name)
        saved = from_dict(AgentConfig, row.config)
        chosen = None if model else choose_model(self.settings, llm, saved.model, entry, hint=hint)
        # A preset that nobody asked for is chosen anew, so that it suits a model that has changed.
        return self._open(row, self._preset_for(saved.preset, chosen), model, chosen, tools)

    def _open(
        self,
        row: AgentRow,
        preset: Preset,
        model: ChatModel | None,
        chosen: LLMConfig | None,
        tools: Iterable[Tool | Callable[..., Any]],
    ) -> Agent:
        if model is None:
            model = build_model(
                chosen or LLMConfig(),
                self.settings,
                inner_thoughts=preset.inner_thoughts,
                temperature=preset.temperature,
                wrapper=preset.wrapper,
            )
        tools = tuple(tools)
        if tools and preset.rules.first:
            logger.warning(
                "The preset %s holds the model to a few functions; those handed over will not be called. Name another "
                "preset, or use a larger model.",
                preset.name,
            )
        config = from_dict(AgentConfig, row.config)
        agent = Agent(
            self.store,
            row,
            config,
            model,
            replace(preset, rules=preset.rules.changed(config.rules)),
            config.system or text_of("system", preset.system, self.settings.home),
            embedder=self._embedder_of(config),
            tools=tools,
        )
        add_remembered(agent.tools, config.tools)
        return agent

    def _preset_for(self, named: str, chosen: LLMConfig | None) -> Preset:
        """The preset that the user names or, without one, the one that suits the model.

        Raises:
            ConfigError: there is none of that name.
        """
        if chosen is None:
            return get_preset(named or DEFAULT)
        # Who names a preset has it, and no server is asked before it is needed.
        size = named_size(chosen, self.settings.environ) if named else size_of(chosen, self.settings.environ)
        preset = get_preset(named or suited(size.window, size.parameters))
        if size.parameters and size.parameters < TINY and preset.name != SMALLEST:
            logger.warning(
                "%s is a very small model: with the preset %s it will hardly call the right functions. Use a model of "
                "some billion parameters, or the preset %s.",
                size.model,
                preset.name,
                SMALLEST,
            )
        return preset

    def list_agents(self) -> list[str]:
        """The names of all agents."""
        return [row.name for row in self.store.agents.list()]

    def delete_agent(self, name: str) -> None:
        """Delete an agent with everything it remembers; sources stay.

        Raises:
            AgentNotFound: there is none of that name.
        """
        self.store.agents.delete(self.store.agents.get(name).id)

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

    def user_message(self, agent: Agent | str, message: str, name: str | None = None) -> list[str]:
        """Say something to an agent; what it says back.

        Raises:
            AgentNotFound: there is none of that name.
            ModelError: the model or its server failed; the message is kept and answered in the next turn.
        """
        if not isinstance(message, str):
            raise ConfigError(f"A message is text, not {type(message).__name__}.")
        speaking_to = self.load_agent(agent) if isinstance(agent, str) else agent
        return list(speaking_to.run([events.user_message(message, name=name)]).said)

    # -- documents ------------------------------------------------------------------------------------------------

    @property
    def embedder(self) -> Embedder | None:
        """What turns text into vectors, or None where searches go by words alone."""
        if isinstance(self._embedder, str):
            wanted = self.settings.embedding if self._embedder == "auto" else EmbeddingConfig(self._embedder)
            self._embedder = build_embedder(wanted, self.settings.environ)
        return self._embedder

    def _embedder_of(self, config: AgentConfig) -> Embedder | None:
        """An agent's own, if it has one configured."""
        if config.embedding == EmbeddingConfig():
            return self.embedder
        return build_embedder(config.embedding, self.settings.environ)

    @property
    def library(self) -> Library:
        """The sources of documents."""
        return Library(self.store, self.embedder)

    def load_source(self, name: str, loader: Loader, *, replace: bool = False) -> Loaded:
        """Load documents into a source: all of them or, if anything fails, none. See :meth:`Library.load_from`.

        Args:
            name: the source's name; where there is one, it is brought up to date.
            loader: reads the documents.
            replace: also where the source holds quite other documents; agents stay attached.

        Raises:
            NameTaken: there is a source of that name with other documents, and it is not to be replaced.
            SourceError: nothing could be read.
        """
        loaded = self.library.load_from(name, loader, replace=replace)
        self._fill_later()
        return loaded

    def load_data(self, name: str, kind: str, **arguments: Any) -> Loaded:
        """The same with a loader by its name, such as ``"directory"``. See :meth:`Library.load`."""
        loaded = self.library.load(name, kind, **arguments)
        self._fill_later()
        return loaded

    def _fill_later(self) -> None:
        if self.embedder is not None:
            fill_in_background(self.store, self.embedder)

    def list_sources(self) -> list[Source]:
        """All sources."""
        return list(self.store.passages.list_sources())

    def delete_source(self, name: str) -> None:
        """Delete a source and its passages, from every agent.

        Raises:
            SourceError: there is none of that name.
        """
        self.store.passages.delete_source(self.store.passages.get_source(name).id)

    def close(self) -> None:
        """Close the store; a filling of vectors stops after the batch at hand."""
        stop_filling(self.store)
        self.store.close()
