"""Agents with a memory that lasts, for AutoGen and for Python programs.

The public names are resolved at first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .agent import Agent
    from .client import MemGPT
    from .client.overrides import QuickstartChoice
    from .compat import DEFAULT_PRESET, LLM_MAX_TOKENS, AutoGenInterface, InMemoryStateManager, LocalStateManager
    from .config import AgentConfig, EmbeddingConfig, LLMConfig, Settings
    from .errors import MemGPTError
    from .groupchat.agent import MemGPTAgent, MemGPTConversableAgent
    from .groupchat.assistant import MemGPTAssistantAgent
    from .groupchat.factory import (
        create_autogen_memgpt_agent,
        create_memgpt_autogen_agent_from_config,
        load_autogen_memgpt_agent,
        plain_config_list,
    )

__version__ = "0.1.0"

_HOMES = {
    "DEFAULT_PRESET": "compat",
    "LLM_MAX_TOKENS": "compat",
    "Agent": "agent",
    "AgentConfig": "config",
    "AutoGenInterface": "compat",
    "EmbeddingConfig": "config",
    "InMemoryStateManager": "compat",
    "LLMConfig": "config",
    "LocalStateManager": "compat",
    "MemGPT": "client",
    "MemGPTAgent": "groupchat.agent",
    "MemGPTAssistantAgent": "groupchat.assistant",
    "MemGPTConversableAgent": "groupchat.agent",
    "MemGPTError": "errors",
    "QuickstartChoice": "client.overrides",
    "Settings": "config",
    "create_autogen_memgpt_agent": "groupchat.factory",
    "create_memgpt_autogen_agent_from_config": "groupchat.factory",
    "load_autogen_memgpt_agent": "groupchat.factory",
    "plain_config_list": "groupchat.factory",
}

__all__ = [
    "DEFAULT_PRESET",
    "LLM_MAX_TOKENS",
    "Agent",
    "AgentConfig",
    "AutoGenInterface",
    "EmbeddingConfig",
    "InMemoryStateManager",
    "LLMConfig",
    "LocalStateManager",
    "MemGPT",
    "MemGPTAgent",
    "MemGPTAssistantAgent",
    "MemGPTConversableAgent",
    "MemGPTError",
    "QuickstartChoice",
    "Settings",
    "create_autogen_memgpt_agent",
    "create_memgpt_autogen_agent_from_config",
    "load_autogen_memgpt_agent",
    "plain_config_list",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
