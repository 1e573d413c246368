"""Creates and opens agents: row, preset, model, embedder and functions become one :class:`Agent`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Protocol, TypeAlias

from ..agent import Agent
from ..config import AgentConfig, EmbeddingConfig, LLMConfig, Settings, from_dict, to_dict
from ..embeddings.base import Embedder
from ..embeddings.choose import build_embedder
from ..errors import AgentNotFound, ConfigError, ModelError, NameTaken, not_known
from ..guides import FactKeeper, add_guides
from ..llm.base import ChatModel
from ..llm.choose import ModelRequest, build_model, choose_model
from ..llm.model_size import size_of
from ..prompts import text_of
from ..prompts.presets import DEFAULT, SMALLEST, TINY, Preset, get_preset, suited
from ..storage.base import Store
from ..storage.records import AgentRow
from ..tools.import_path import add_remembered
from ..tools.registry import Tool
from .overrides import Overrides

logger = logging.getLogger(__name__)


class Named(Protocol):
    """Any object with an agent's name."""

    @property
    def name(self) -> str: ...


#: An agent, its name or id, or an object with its name.
AgentLike: TypeAlias = Agent | str | Named
#: Functions that an agent runs itself.
Tools: TypeAlias = Iterable[Tool | Callable[..., Any]]


class Opener:
    """Creates and opens the agents of one store.

    Args:
        store: where they live.
        settings: environment, config file and home folder.
        overrides: what a program says in place of the config file.
        embedder: see :class:`memgpt_autogen.client.MemGPT`.
    """

    def __init__(self, store: Store, settings: Settings, overrides: Overrides, embedder: Embedder | str | None) -> None:
        self._store = store
        self._settings = settings
        self._overrides = overrides
        self._embedder = embedder
        self._opened: dict[str, Agent] = {}
        self._keepers: dict[str, FactKeeper] = {}

    def create(
        self,
        config: AgentConfig,
        request: ModelRequest,
        model: ChatModel | None = None,
        *,
        tools: Tools = (),
        throw_if_exists: bool = False,
    ) -> Agent:
        """A new agent; where there is one of that name, that one.

        Args:
            config: what it is made of.
            request: which model, beside the config's.
            model: a model in hand, instead of any configured one.
            tools: further functions that the agent runs itself.
            throw_if_exists: raise instead of opening an existing agent.

        Raises:
            NameTaken: with ``throw_if_exists``.
            ConfigError: an unknown setting, preset, persona or human; a window too small for the agent.
        """
        config = self._overrides.of(config, self._settings)
        request = replace(request, argument=config.model)
        if any(row.name == config.name for row in self._store.agents.list()):
            if throw_if_exists:
                raise NameTaken(f"There is an agent named {config.name!r} already. Load it, or choose another name.")
            return self.load(config.name, request, model, tools=tools)
        filed = self._settings.default
        config = replace(
            config,
            preset=config.preset or filed("preset"),
            persona=config.persona or filed("persona"),
            human=config.human or filed("human"),
        )
        chosen = None if model else choose_model(self._settings, request)
        preset = self._preset_for(config.preset, chosen)
        try:
            with self._store.transaction():
                row = self._store.agents.create(config.name, to_dict(config))
                for label, text in self._blocks(config, preset).items():
                    self._store.agents.add_block(row.id, label, text, max(preset.block_limit, len(text)))
                agent = self._open(row, preset, model, chosen, tools)  # if this fails, no agent is created
        except NameTaken:  # another process has created it since the list was read
            if throw_if_exists:
                raise
            return self.load(config.name, request, model, tools=tools)
        if chosen is None or chosen.model_endpoint_type in ("openai", "azure", "embedded"):
            self._check_window(agent)  # a local server may still be down; its window is checked at the first turn
        return agent

    def load(self, name: str, request: ModelRequest, model: ChatModel | None = None, *, tools: Tools = ()) -> Agent:
        """An agent that is in the store.

        Args:
            name: its name.
            request: which model, beside the saved one.
            model: a model in hand, instead of any configured one.
            tools: further functions that the agent runs itself.

        Raises:
            AgentNotFound: there is none of that name; the message lists the names.
        """
        row = self._store.agents.get(name)
        saved = from_dict(AgentConfig, row.config)
        request = replace(request, argument=request.argument or self._overrides.model, saved=saved.model)
        chosen = None if model else choose_model(self._settings, request)
        # A preset that nobody named is chosen anew, so that it suits a model that has changed.
        return self._open(row, self._preset_for(saved.preset, chosen), model, chosen, tools)

    def find(self, agent: AgentLike) -> Agent:
        """The agent of a name or id, opened; the same object each time.

        Raises:
            AgentNotFound: there is none; the message lists the names.
        """
        if isinstance(agent, Agent):
            return agent
        row = self.row(agent)
        return self._opened.get(row.id) or self.load(row.name, ModelRequest())

    def row(self, agent: AgentLike) -> AgentRow:
        """An agent's record, without opening the agent. A name comes before an id.

        Raises:
            AgentNotFound: there is none; the message lists the names.
            ConfigError: that is neither an agent nor a name.
        """
        wanted = agent if isinstance(agent, str) else getattr(agent, "name", None)
        if not isinstance(wanted, str):
            raise ConfigError(f"Which agent? Give its name or its id, not {type(agent).__name__}.")
        rows = self._store.agents.list()
        found = next((row for row in rows if row.name == wanted), None) or next(
            (row for row in rows if row.id == wanted), None
        )
        if found is None:
            problem = f"There is no agent named {wanted!r}."
            raise AgentNotFound(not_known(problem, wanted, "Agents", [row.name for row in rows]))
        return found

    def share_block(self, label: str, owner: str, others: Iterable[str]) -> None:
        """Share a block of one agent with others; see :meth:`memgpt_autogen.client.MemGPT.share_block`."""
        agents = self._store.agents
        blocks = {block.label: block for block in agents.blocks(agents.get(owner).id)}
        if label not in blocks:
            raise ConfigError(f"{owner} has no block {label!r}. Its blocks: {', '.join(blocks)}.")
        with self._store.transaction():
            for other in others:
                row = agents.get(other)
                own = {block.label: block.id for block in agents.blocks(row.id)}
                if label not in own:
                    agents.share_block(row.id, blocks[label].id)
                elif own[label] != blocks[label].id:
                    raise NameTaken(f"{other} has a block {label!r} of its own already. Share one of another name.")

    def delete(self, agent: AgentLike) -> None:
        """Delete an agent with everything it remembers; sources stay.

        Raises:
            AgentNotFound: there is none of that name.
        """
        agent_id = self.row(agent).id
        self._store.agents.delete(agent_id)
        self._opened.pop(agent_id, None)

    def settle(self, agent_id: str | None = None) -> None:
        """Wait until the facts of an agent, or of all, are saved that are being saved in the background."""
        for known, keeper in self._keepers.items():
            if agent_id in (None, known):
                keeper.wait()

    @property
    def embedder(self) -> Embedder | None:
        """The embedder of agents that configure none; None: full text search only."""
        if isinstance(self._embedder, str):
            configured = self._overrides.embedding or self._settings.embedding
            wanted = configured if self._embedder == "auto" else EmbeddingConfig(self._embedder)
            self._embedder = build_embedder(wanted, self._settings.environ, self._settings.home)
        return self._embedder

    def _open(
        self, row: AgentRow, preset: Preset, model: ChatModel | None, chosen: LLMConfig | None, tools: Tools
    ) -> Agent:
        if model is None:
            model = build_model(
                chosen or LLMConfig(),
                self._settings,
                inner_thoughts=preset.inner_thoughts,
                temperature=preset.temperature,
                wrapper=preset.wrapper,
            )
        tools = tuple(tools)
        if tools and preset.rules.first:
            logger.warning(
                "The preset %s restricts the model to a few functions; yours will not be called. Name another preset, "
                "or use a larger model.",
                preset.name,
            )
        config = from_dict(AgentConfig, row.config)
        preset = replace(preset, rules=preset.rules.changed(config.rules))
        agent = Agent(
            self._store,
            row,
            config,
            model,
            preset,
            config.system or text_of("system", preset.system, self._settings.home),
            embedder=self._embedder_of(config),
            tools=tools,
        )
        if keeper := add_guides(agent):
            self._keepers[row.id] = keeper
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
        size = size_of(chosen, self._settings.environ)
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

    def _blocks(self, config: AgentConfig, preset: Preset) -> dict[str, str]:
        """The first texts of core memory, by label."""
        home = self._settings.home
        return {
            "persona": text_of("personas", config.persona or preset.persona, home).replace("{name}", config.name),
            "human": text_of("humans", config.human or preset.human, home),
            **config.blocks,
        }

    def _embedder_of(self, config: AgentConfig) -> Embedder | None:
        if config.embedding == EmbeddingConfig():
            return self.embedder
        return build_embedder(config.embedding, self._settings.environ, self._settings.home)

    def _check_window(self, agent: Agent) -> None:
        try:
            agent.check_window()
        except ModelError as error:
            logger.info("The window could not be checked: %s", error)
        except ConfigError:
            self._store.agents.delete(agent.id)
            raise
