"""Agents for Python programs: create, open, talk, load documents. The CLI and the group chat open agents here too."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from ..agent import Agent
from ..config import AgentConfig, EmbeddingConfig, LLMConfig, Settings, from_dict, to_dict
from ..embeddings.base import Embedder
from ..embeddings.choose import build_embedder
from ..errors import ConfigError, ModelError, NameTaken
from ..grounding.guide import guides_for
from ..library import Library, Loaded
from ..llm.base import ChatModel
from ..llm.choose import build_model, choose_model
from ..llm.model_size import size_of
from ..memory.vector_backfill import fill_in_background, stop_filling
from ..prompts import text_of
from ..prompts.presets import DEFAULT, SMALLEST, TINY, Preset, get_preset, suited
from ..sources.base import Loader
from ..storage.base import Store
from ..storage.shapes import AgentRow
from ..tools.import_path import add_remembered
from ..tools.registry import Tool
from .client_base import AgentLike, ClientBase
from .overrides import QuickstartChoice, overrides

logger = logging.getLogger(__name__)


class MemGPT(ClientBase):
    """A home for agents.

    Args:
        settings: environment, config file and home folder; default: read now.
        quickstart: a model to begin with: ``"openai"``, ``"embedded"`` or ``"local"``, or a
            :class:`~memgpt_autogen.client.overrides.QuickstartChoice`.
        config: what agents get that say nothing else, in place of the config file: ``model``, ``model_endpoint_type``,
            ``openai_key``, ``context_window``, ``preset``, ``persona``, ``human``, ``embedding_endpoint_type`` and so
            on, or ``model`` and ``embedding`` as dicts. Keys are never written to disk.
        auto_save: kept for programs that say it; every step is saved when it is done.
        store: where agents live; default: one SQLite file in the home folder.
        embedder: for searches by meaning: an object, a kind (see :class:`~memgpt_autogen.config.EmbeddingConfig`), or
            None: by words alone. ``"auto"``: what the config file says (``embedding``), else one that is installed.

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
        store: Store | None = None,
        embedder: Embedder | str | None = "auto",
    ) -> None:
        self.settings = settings or Settings.load()
        self.overrides = overrides(self.settings, quickstart, config)
        self.store = store or self._default_store()
        self._embedder = embedder
        self._opened = {}

    def _default_store(self) -> Store:
        from ..storage.sqlite import SQLiteStore

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
        wanted = self.overrides.of(
            config if isinstance(config, AgentConfig) else from_dict(AgentConfig, config), self.settings
        )
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
        explicit = llm or self.overrides.model
        chosen = None if model else choose_model(self.settings, explicit, saved.model, entry, hint=hint)
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
        preset = replace(preset, rules=preset.rules.changed(config.rules))
        agent = Agent(
            self.store,
            row,
            config,
            model,
            preset,
            config.system or text_of("system", preset.system, self.settings.home),
            embedder=self._embedder_of(config),
            tools=tools,
            guides=guides_for(preset),
        )
        add_remembered(agent.tools, config.tools)
        self._opened[row.id] = agent
        return agent

    def _preset_for(self, named: str, chosen: LLMConfig | None) -> Preset:
        """The preset that the user names or, without one, the one that suits the model.

        Raises:
            ConfigError: there is none of that name.
        """
        preset = get_preset(named or DEFAULT)
        if chosen is None:
            return preset
        size = size_of(chosen, self.settings.environ)
        if not named:
            preset = get_preset(suited(size.window, size.parameters))
        if size.parameters and size.parameters < TINY and preset.name != SMALLEST:
            logger.warning(
                "%s is a very small model: with the preset %s it will hardly call the right functions. Use a model of "
                "some billion parameters, or the preset %s.",
                size.model or "The model",
                preset.name,
                SMALLEST,
            )
        return preset

    def delete_agent(self, name: AgentLike) -> None:
        """Delete an agent (or one of that name or id) with everything it remembers; sources stay.

        Raises:
            AgentNotFound: there is none of that name.
        """
        agent_id = self._row(name)
        self.store.agents.delete(agent_id)
        self._opened.pop(agent_id, None)

    # -- documents ------------------------------------------------------------------------------------------------

    @property
    def embedder(self) -> Embedder | None:
        """What turns text into vectors, or None where searches go by words alone."""
        if isinstance(self._embedder, str):
            said = self.overrides.embedding or self.settings.embedding
            wanted = said if self._embedder == "auto" else EmbeddingConfig(self._embedder)
            self._embedder = build_embedder(wanted, self.settings.environ, self.settings.home)
        return self._embedder

    def _embedder_of(self, config: AgentConfig) -> Embedder | None:
        """An agent's own, if it has one configured."""
        if config.embedding == EmbeddingConfig():
            return self.embedder
        return build_embedder(config.embedding, self.settings.environ, self.settings.home)

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

    def close(self) -> None:
        """Close the store; a filling of vectors stops after the batch at hand."""
        stop_filling(self.store)
        self.store.close()
