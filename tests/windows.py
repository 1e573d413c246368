"""What the tests ask about a window."""

from __future__ import annotations

from collections.abc import Sequence

from memgpt_autogen.memory.window import Pairing
from memgpt_autogen.messages import Message, ToolCall


def open_calls(messages: Sequence[Message], conversation: str | None = None) -> list[ToolCall]:
    """Calls of one conversation that have no result yet, in order."""
    opened = Pairing(messages).open_calls.values()
    return [call for message, call in opened if message.conversation_id in (None, conversation)]
