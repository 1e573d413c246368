"""Names, options and config keys of the original integration, mapped to this package.

The functions that make AutoGen agents are in :mod:`memgpt_autogen.groupchat.factory`. ``docs/migrating.md`` lists every
old import, option and config key.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, fields, replace
from typing import Any

from .agent import Agent
from .client import MemGPT
from .config import DEFAULT_ENDPOINTS, AgentConfig, LLMConfig, Settings
from .errors import ConfigError
from .llm.context_window import ASSUMED_WINDOW, context_window_of
from .observers import AgentEvent, Said
from .prompts import text_of
from .storage.base import Store
from .storage.engines import IN_MEMORY, engine_of

logger = logging.getLogger(__name__)

DEFAULT_PRESET = DEFAULT = SYNC_CHAT = "memgpt_chat"
DEFAULT_MEMGPT_MODEL = "gpt-4"
_OLD_PRESETS = {"memgpt_chat_sync": "memgpt_chat", "memgpt_extras": "memgpt_chat"}
_OLD_SERVERS = {"lmstudio-legacy": "lmstudio", "vllm-api": "vllm"}


class _Windows(dict[str, int]):
    def __missing__(self, model: str) -> int:
        return context_window_of(model) or ASSUMED_WINDOW


#: Model name to tokens of its window; a name that is not known gives the default.
LLM_MAX_TOKENS: Mapping[str, int] = _Windows()


def get_persona_text(name: str = "sam_pov") -> str:
    """The persona of that name; see :func:`memgpt_autogen.prompts.text_of`."""
    return text_of("personas", name, Settings.load().home)


def get_human_text(name: str = "basic") -> str:
    """The human of that name; see :func:`memgpt_autogen.prompts.text_of`."""
    return text_of("humans", name, Settings.load().home)


# -- options that have nothing left to do -----------------------------------------------------------------------------

_NEEDLESS = {
    "skip_verify": "the first reply is not verified apart from the others",
    "auto_save": "every step is saved when it is done; for an agent that leaves nothing behind, use a store in memory",
    "concat_other_agent_messages": "what several agents said reaches the model together, each with its name",
    "nonmemgpt_llm_config": "no other agents are made beside this one; put it into a GroupChat of your own",
    "persistence_manager_kwargs": "where agents live is the store's business",
}


def drop_obsolete_options(options: MutableMapping[str, Any], who: str) -> None:
    """Remove the options that have no meaning any more, and log the reason for each."""
    for name in [name for name in _NEEDLESS if name in options]:
        if options.pop(name) is not None:
            logger.info("%s: the option %s is not needed any more: %s.", who, name, _NEEDLESS[name])


# -- config entries ---------------------------------------------------------------------------------------------------

#: Keys of a config entry that are meant for the memory agent and that no provider would understand.
ENTRY_KEYS = frozenset(
    "preset persona human name model_wrapper model_endpoint model_endpoint_type context_window openai_key azure_key "
    "azure_version user_id".split()
)


def is_memgpt_key(key: str) -> bool:
    """Whether a key of a config entry is meant for the memory agent."""
    return key in ENTRY_KEYS or key.startswith("embedding_")


def named_model(entry: Mapping[str, Any]) -> LLMConfig | None:
    """The model of an entry that says, in the original's form, where it is served; None: it does not.

    Raises:
        ConfigError: it names an unknown server.
    """
    if not (entry.get("model_endpoint_type") or entry.get("model_endpoint")):
        return None
    given = str(entry.get("model_endpoint_type") or "openai")
    kind = _OLD_SERVERS.get(given, given)
    if kind not in DEFAULT_ENDPOINTS:
        raise ConfigError(
            f"model_endpoint_type {given!r} is not known. Known: {', '.join(DEFAULT_ENDPOINTS)}. Other providers are "
            "called through AutoGen: {'api_type': ..., 'model': ..., 'api_key': ...}."
        )
    hint = model_hint(entry)
    own = "azure" if kind == "azure" else "openai"
    version = entry.get("azure_version") or entry.get("api_version")
    place = entry.get("model_endpoint") or entry.get(f"{own}_endpoint") or entry.get("base_url") or ""
    return replace(
        hint,
        model=str((own == "azure" and entry.get("azure_deployment")) or hint.model),
        model_endpoint_type=kind,
        model_endpoint=str(place),
        api_key=str(entry.get(f"{own}_key") or entry.get("api_key") or ""),
        settings={"api_version": str(version)} if own == "azure" and version else {},
    )


def model_hint(entry: Mapping[str, Any]) -> LLMConfig:
    """What an entry says of its model without the place: name (``"NULL"`` is none), wrapper, window.

    Raises:
        ConfigError: the window is not a number.
    """
    model, window = str(entry.get("model") or ""), entry.get("context_window")
    if window and not str(window).isdecimal():
        raise ConfigError(f"context_window is a number of tokens, such as 8192, not {window!r}.")
    return LLMConfig(
        model="" if model.upper() in ("NULL", "NONE") else model,
        model_wrapper=str(entry.get("model_wrapper") or ""),
        context_window=int(window) if window else None,
    )


def entry_options(entry: Mapping[str, Any]) -> dict[str, str]:
    """Preset, persona, human and name of an entry, as far as it has them."""
    options = {key: str(entry[key]) for key in ("preset", "persona", "human", "name") if entry.get(key)}
    if "preset" in options:
        options["preset"] = preset_named(options["preset"])
    return options


def preset_named(name: str) -> str:
    """The preset that replaces an old one of that name."""
    return _OLD_PRESETS.get(name, name)


# -- the oldest form --------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class AutoGenInterface:
    """What to show of a memory agent besides its replies; the same options as ``interface_kwargs``.

    Attributes:
        message_list: what the agent said since the last :meth:`reset_message_list`.
        fancy: with symbols; otherwise plain text.
        show_user_message, show_inner_thoughts, show_function_outputs: what to show.
        debug: show everything.
        streaming: show words while they are written.
    """

    message_list: list[str] | None = None
    fancy: bool = True
    show_user_message: bool = False
    show_inner_thoughts: bool = True
    show_function_outputs: bool = False
    debug: bool = False
    streaming: bool = False

    def __call__(self, event: AgentEvent) -> None:
        """Observe the agent."""
        if isinstance(event, Said):
            self.message_list = [*(self.message_list or ()), event.text]

    def reset_message_list(self) -> None:
        """Forget what was said."""
        self.message_list = []


_SHOWN = tuple(one.name for one in fields(AutoGenInterface) if one.name != "message_list")


def display_options(
    interface_kwargs: Mapping[str, Any] | None, interface: Any = None, agent: Agent | None = None
) -> dict[str, bool]:
    """The display options: ``interface_kwargs``, else the interface, else the one that the agent was made with.

    Raises:
        ConfigError: an unknown option.
    """
    given = dict(interface_kwargs or {})
    given.pop("message_list", None)
    if unknown := sorted(set(given) - {*_SHOWN}):
        raise ConfigError(f"interface_kwargs has no {', '.join(unknown)}. Known: {', '.join(_SHOWN)}.")
    if interface is None and agent is not None:
        interface = next((one for one in agent.observers if isinstance(one, AutoGenInterface)), None)
    if given or not isinstance(interface, AutoGenInterface):
        return given
    return {name: getattr(interface, name) for name in _SHOWN}


class InMemoryStateManager:
    """A store in memory, lost with the process. Several agents may share one."""

    def __init__(self, **_: Any) -> None:
        self.store: Store | None = engine_of(IN_MEMORY).open(IN_MEMORY)


class LocalStateManager:
    """The store in the home folder, the default of every agent."""

    def __init__(self, **_: Any) -> None:
        self.store: Store | None = None


def open_client(persistence_manager: Any = None) -> MemGPT:
    """The client for agents. ``openai.api_key`` and ``openai.api_base``, if a script sets them, count as environment
    variables.
    """
    library = sys.modules.get("openai")
    named = {"OPENAI_API_KEY": "api_key", "OPENAI_API_BASE": "api_base"}
    said = {key: str(value) for key, name in named.items() if (value := getattr(library, name, None))}
    settings = Settings.load({**said, **os.environ} if said else None)
    return MemGPT(settings, store=getattr(persistence_manager, "store", None))


def use_preset(preset_name: str = DEFAULT_PRESET, *args: Any, **kwargs: Any) -> Agent:
    """A memory agent from a preset; hand it to ``MemGPTAgent(name=..., agent=...)``.

    Args:
        preset_name: see :mod:`memgpt_autogen.prompts.presets`.
        *args: the arguments below in their order, with or, as in the first releases, without ``agent_config``.
        **kwargs: ``agent_config`` (an :class:`AgentConfig`, or a dict in the form of a config entry), ``model``,
            ``persona``, ``human``, ``interface``, ``persistence_manager``.

    Raises:
        ConfigError: a preset, persona or model that is not known.
    """
    order = ["agent_config", "model", "persona", "human", "interface", "persistence_manager"]
    given = {**dict(zip(order[1:] if args and isinstance(args[0], str) else order, args, strict=False)), **kwargs}
    if unknown := sorted(set(given) - {*order}):
        raise ConfigError(f"use_preset has no {', '.join(unknown)}. Known: preset_name, {', '.join(order)}.")
    config = given.get("agent_config")
    entry: Mapping[str, Any] = config if isinstance(config, Mapping) else {}
    listed = entry.get("config_list")
    entry = dict(listed[0]) if listed else entry
    client = open_client(given.get("persistence_manager"))
    if not isinstance(config, AgentConfig):
        options = entry_options(entry)
        config = AgentConfig(
            options.get("name") or free_name(client), "", options.get("persona", ""), options.get("human", "")
        )
    hint = replace(model_hint(entry), **({"model": given["model"]} if given.get("model") else {}))
    agent = client.create_agent(
        replace(
            config,
            preset=preset_named(preset_name),
            persona=given.get("persona") or config.persona,
            human=given.get("human") or config.human,
        ),
        entry=named_model(entry),
        hint=hint,
    )
    if isinstance(given.get("interface"), AutoGenInterface):
        agent.observers.append(given["interface"])
    return agent


def free_name(client: MemGPT) -> str:
    """The next of ``agent_1``, ``agent_2``, ... that no agent has."""
    taken = {*client.list_agents()}
    number = 1
    while f"agent_{number}" in taken:
        number += 1
    return f"agent_{number}"
