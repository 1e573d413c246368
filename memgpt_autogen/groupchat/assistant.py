"""``MemGPTAssistantAgent``: a memory agent in the place of AutoGen's ``AssistantAgent``."""

from __future__ import annotations

from typing import Any

from . import _autogen  # noqa: F401  # isort: skip  (first: its error says what to install if AutoGen is missing)
from autogen import AssistantAgent

from ..agent import Agent
from .agent import MemGPTAgent


class MemGPTAssistantAgent(MemGPTAgent, AssistantAgent):
    """An ``AssistantAgent`` with a memory that lasts: AutoGen's default system message, description and settings.

    Without ``llm_config`` it is a plain ``AssistantAgent``.

    Args:
        name: its name in the chat, and of its memory unless ``memory`` or ``user_id`` says otherwise.
        system_message: as in ``AssistantAgent``.
        *args, **kwargs: as in ``AssistantAgent``, in its order, and as in :class:`MemGPTAgent`.
    """

    def __init__(
        self,
        name: str,
        system_message: str | list[Any] | Agent | None = AssistantAgent.DEFAULT_SYSTEM_MESSAGE,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        given = dict(zip(_ORDER, args, strict=False))
        settings: dict[str, Any] = {"human_input_mode": "NEVER", **given, **kwargs}
        super().__init__(name, system_message, **settings)


#: The arguments of ``AssistantAgent`` behind the system message; those of ``ConversableAgent`` have another order.
_ORDER = ("llm_config", "is_termination_msg", "max_consecutive_auto_reply", "human_input_mode", "description")
