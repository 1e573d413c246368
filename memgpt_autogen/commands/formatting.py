"""Formats messages and calls for display."""

from __future__ import annotations

from ..agent import Agent
from ..messages import SEND_MESSAGE, Message, ToolCall

#: The hint for the next page of search results.
MORE = "next page: --page {}"
_ARGUMENTS = 120


def message_line(agent: Agent, message: Message, *, thoughts: bool = False) -> str:
    """Time, author and text of a message; ``thoughts``: also inner thoughts and calls."""
    parts = [message.text or (message.content if message.role != "assistant" else "")]
    if thoughts and message.role == "assistant":
        calls = ", ".join(cut(call_line(call), _ARGUMENTS) for call in message.tool_calls if call.name != SEND_MESSAGE)
        parts = [f"(thinks: {message.content})" * bool(message.content), *parts, f"[calls {calls}]" * bool(calls)]
    when = message.created_at.astimezone().strftime("%Y-%m-%d %H:%M")
    return f"{when} {speaker(agent, message)}: {' '.join(filter(None, parts))}"


def speaker(agent: Agent, message: Message) -> str:
    """The author of a message: the agent, the speaker, the function, ``you``, or the type of event."""
    if message.role == "assistant":
        return agent.name
    return message.author or ("you" if message.kind == "user_message" else message.kind)


def call_line(call: ToolCall) -> str:
    """A call in Python's notation."""
    said = ", ".join(f"{name}={value!r}" for name, value in call.arguments.items() if name != "request_heartbeat")
    return f"{call.name}({said})"


def cut(text: str, width: int) -> str:
    """A text on one line of at most ``width`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= width else line[: max(width - 1, 1)] + "…"
