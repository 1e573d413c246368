"""The adapter for autogen-agentchat 0.7: an agent for its teams, and archival memory for its assistants."""

from __future__ import annotations

from ..errors import MissingDependency

try:
    from autogen_agentchat.agents import BaseChatAgent as _BaseChatAgent  # noqa: F401
except ImportError as _error:
    raise MissingDependency(
        "memgpt_autogen.agentchat needs autogen-agentchat 0.7, which is not installed.", "memgpt-autogen[agentchat]"
    ) from _error

from .agent import MemGPTAssistant
from .memory import MemGPTMemory

__all__ = ["MemGPTAssistant", "MemGPTMemory"]
