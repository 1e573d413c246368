"""Creates group chat agents from configuration, under the names of the original integration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..client import MemGPT
from ..compat import free_name, open_client, preset_named
from ..config import Settings
from ..errors import ConfigError
from ..llm.choose import choose_model
from ..llm.detect import served_model
from ..llm.openai import base_url
from ..servers import SERVERS
from .agent import MemGPTAgent

#: Names no model, so that environment, config file or embedded model decide.
_ANY_MODEL: Mapping[str, Any] = {"config_list": [{"model": None}]}


def create_memgpt_autogen_agent_from_config(
    name: str,
    system_message: str | None = "You are a helpful AI Assistant.",
    is_termination_msg: Callable[[dict[str, Any]], bool] | None = None,
    max_consecutive_auto_reply: int | None = None,
    human_input_mode: str | None = None,
    function_map: Mapping[str, Callable[..., Any]] | None = None,
    code_execution_config: Mapping[str, Any] | bool | None = None,
    llm_config: Any = None,
    nonmemgpt_llm_config: Any = None,
    default_auto_reply: str | dict[str, Any] | None = "",
    interface_kwargs: Mapping[str, Any] | None = None,
    skip_verify: bool | None = None,
    auto_save: bool | None = None,
    **kwargs: Any,
) -> MemGPTAgent:
    """A :class:`MemGPTAgent` from AutoGen's ``llm_config``, or without one from the environment.

    If the store has an agent of that name, it is loaded with its memory.

    Args:
        name: in the chat and in the store.
        system_message: instructions, as in AutoGen.
        is_termination_msg, max_consecutive_auto_reply, human_input_mode, function_map, code_execution_config: as in
            AutoGen; None: AutoGen's defaults, but without human input.
        llm_config: see :class:`MemGPTAgent`; None or False: environment, config file, embedded model.
        nonmemgpt_llm_config, skip_verify, auto_save: accepted for compatibility; they have no effect.
        default_auto_reply: as in AutoGen.
        interface_kwargs: what to display besides replies.
        **kwargs: as for :class:`MemGPTAgent`.
    """
    options = {
        "is_termination_msg": is_termination_msg,
        "max_consecutive_auto_reply": max_consecutive_auto_reply,
        "human_input_mode": human_input_mode,
        "function_map": function_map,
        "code_execution_config": code_execution_config,
        "nonmemgpt_llm_config": nonmemgpt_llm_config,
        "default_auto_reply": default_auto_reply,
        "interface_kwargs": interface_kwargs,
        "skip_verify": skip_verify,
        "auto_save": auto_save,
    }
    kwargs = {**{key: value for key, value in options.items() if value is not None}, **kwargs}
    return MemGPTAgent(name, system_message, llm_config=llm_config or _ANY_MODEL, **kwargs)


def create_autogen_memgpt_agent(
    agent_config: Mapping[str, Any] | str = "",
    *,
    autogen_name: str = "",
    preset: str = "",
    model: str = "",
    persona_description: str = "",
    user_description: str = "",
    persistence_manager: Any = None,
    memgpt: MemGPT | None = None,
    **kwargs: Any,
) -> MemGPTAgent:
    """A :class:`MemGPTAgent` from one config entry, or from a name and descriptions.

    If the store has an agent of that name, it is loaded with its memory.

    Args:
        agent_config: the keys of a config entry, with ``name``, ``persona`` and ``human``; or just the name. Without
            one, the name is the next free one of ``agent_1``, ``agent_2``, ...
        autogen_name, preset, model, persona_description, user_description: defaults for what the config leaves out.
        persistence_manager: an :class:`~memgpt_autogen.compat.InMemoryStateManager`; default: the home folder.
        memgpt: the client whose store holds the agents; default: as the persistence manager says.
        **kwargs: as for :class:`MemGPTAgent`.
    """
    entry: dict[str, Any] = {"name": agent_config} if isinstance(agent_config, str) else dict(agent_config)
    memgpt = memgpt or open_client(persistence_manager)
    name = str(entry.pop("name", "") or autogen_name or free_name(memgpt))
    if model or not entry.get("model"):
        entry["model"] = model or None
    told = {"preset": preset_named(preset), "persona": persona_description, "human": user_description}
    options = {key: value for key, value in told.items() if value}
    return MemGPTAgent(name, llm_config={"config_list": [entry]}, memgpt=memgpt, **{**options, **kwargs})


def load_autogen_memgpt_agent(
    agent_config: Mapping[str, Any] | str, *, memgpt: MemGPT | None = None, **kwargs: Any
) -> MemGPTAgent:
    """A :class:`MemGPTAgent` whose memory agent is in the store.

    Args:
        agent_config: ``{"name": ...}``, or just the name. A model in it is used unless the saved agent has its own.
        memgpt: the client whose store holds the agents; default: the one of the home folder.
        **kwargs: as for :class:`MemGPTAgent`.

    Raises:
        ConfigError: no name was given.
        AgentNotFound: the store has none of that name; the message lists those it has.
    """
    name = agent_config if isinstance(agent_config, str) else agent_config.get("name")
    if not name:
        raise ConfigError("Which agent? Give agent_config a name, as in {'name': 'sam'}.")
    memgpt = memgpt or open_client()
    memgpt.store.agents.get(name)
    return create_autogen_memgpt_agent(agent_config, memgpt=memgpt, **kwargs)


def plain_config_list(settings: Settings | None = None) -> list[dict[str, Any]]:
    """A ``config_list`` for AutoGen's own agents with the model that a memory agent would use.

    It is chosen as for a memory agent without a config of its own: environment, config file, embedded model. Local
    servers are called at their OpenAI-compatible address; the embedded one is started for it.

    Raises:
        ConfigError: a key, a file or a package is missing, or the server has no OpenAI-compatible API; the
            message says what to do.
        ModelError: the server must be asked for its model's name and does not answer.
    """
    settings = settings or Settings.load()
    chosen = choose_model(settings)
    if chosen.model_endpoint_type == "embedded":
        from ..llm.embedded import embedded_server

        server = embedded_server(chosen, settings.environ)
        place = {"base_url": f"{server.address}/v1", "api_key": "not-needed"}
        return [{"model": server.gguf.stem, **place, "price": [0, 0]}]
    entry: dict[str, Any] = {"model": chosen.model or "local", "api_key": str(chosen.api_key) or "not-needed"}
    if chosen.model_endpoint_type == "azure":
        entry |= {"api_type": "azure", "base_url": chosen.address}
    elif chosen.model_endpoint_type == "openai":
        entry |= {"base_url": base_url(chosen)} if chosen.model_endpoint else {}
    else:
        row = SERVERS[chosen.model_endpoint_type]
        if not row.openai_compatible:
            raise ConfigError(
                f"{row.title} at {chosen.address} has no OpenAI-compatible address for AutoGen's own agents. Give "
                "them a config_list of their own, or use a newer version (BACKEND_TYPE=webui)."
            )
        # Always with an address: without one AutoGen would call OpenAI.
        entry |= {"model": served_model(chosen), "base_url": f"{row.base_url(chosen.address)}/v1"}
        entry["price"] = [0, 0]  # without a price AutoGen warns that the model is not found
    return [entry]
