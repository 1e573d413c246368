"""Agents for a group chat from configuration, under the names that users of the original integration know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..config import Settings
from ..errors import ConfigError
from ..llm.choose import choose_model
from ..llm.detect import served_model
from ..llm.openai import base_url
from ..llm.servers import SERVERS
from .agent import MemGPTAgent


def create_memgpt_autogen_agent_from_config(
    name: str,
    system_message: str | None = "You are a helpful AI Assistant.",
    *,
    llm_config: Any = None,
    interface_kwargs: Mapping[str, Any] | None = None,
    **kwargs: Any,
) -> MemGPTAgent:
    """A :class:`MemGPTAgent` from AutoGen's ``llm_config``, or without one from the environment.

    An agent of that name that is in the store already is found again, with all it remembers.

    Args:
        name: in the chat and in the store.
        system_message: instructions, as in AutoGen.
        llm_config: see :class:`MemGPTAgent`; None or False: environment, config file, embedded model.
        interface_kwargs: what is shown beside the replies.
        **kwargs: as for :class:`MemGPTAgent`; ``skip_verify`` and ``auto_save`` are accepted: there is nothing left to
            verify or to save by hand.
    """
    for passed in ("skip_verify", "auto_save"):
        kwargs.pop(passed, None)
    if not llm_config:
        llm_config = {"config_list": [{"model": ""}]}
    return MemGPTAgent(name, system_message, llm_config=llm_config, interface_kwargs=interface_kwargs, **kwargs)


def plain_config_list(settings: Settings | None = None) -> list[dict[str, Any]]:
    """A ``config_list`` for AutoGen's own agents, of the model that a memory agent would choose here.

    Chosen as for a memory agent without a config of its own: environment, config file, embedded model. Local servers
    are called at their OpenAI-compatible address, and the embedded one is started for it.

    Raises:
        ConfigError: a key, a file or a package is missing, or the server has no such address; the message says what to
            do.
        ModelError: the server must be asked for its model's name, and cannot tell it.
    """
    settings = settings or Settings.load()
    chosen = choose_model(settings)
    if chosen.model_endpoint_type == "embedded":
        from ..llm.embedded import embedded_server

        server = embedded_server(chosen, settings.environ)
        place = {"base_url": f"{server.address}/v1", "api_key": "not-needed"}
        return [{"model": server.gguf.stem, **place, "price": [0, 0]}]
    entry: dict[str, Any] = {"model": chosen.model or "local", "api_key": chosen.api_key or "not-needed"}
    if chosen.model_endpoint_type == "azure":
        entry |= {"api_type": "azure", "base_url": chosen.address}
    elif chosen.model_endpoint_type == "openai":
        entry |= {"base_url": base_url(chosen)} if chosen.model_endpoint else {}
    else:
        row = SERVERS[chosen.model_endpoint_type]
        if not row.openai:
            raise ConfigError(
                f"{row.title} at {chosen.address} has no OpenAI-compatible address for AutoGen's own agents. Give "
                "them a config_list of their own, or use a newer version (BACKEND_TYPE=webui)."
            )
        # Always with an address: without one AutoGen would call OpenAI.
        entry |= {"model": served_model(chosen), "base_url": f"{row.base(chosen.address)}/v1"}
        entry["price"] = [0, 0]  # AutoGen would say that it does not find the model, meaning its price
    return [entry]
