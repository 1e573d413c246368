"""The shapes that cross rooms: messages, function calls and their results, schemas, usage.

Nothing here does anything; every other module speaks in these terms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Literal

from .ids import new_id

Role = Literal["system", "user", "assistant", "tool"]
#: The function whose ``message`` others hear; everything else that a model writes is private.
SEND_MESSAGE = "send_message"


def utc_now() -> datetime:
    """The present moment, with its zone."""
    return datetime.now(timezone.utc)


@dataclass(frozen=True)
class ToolSchema:
    """What a model is told about a function.

    Attributes:
        name: the function's name.
        description: one or more sentences for the model.
        parameters: a JSON Schema of type ``object``.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class ToolCall:
    """One function call in a model's reply.

    Attributes:
        name: the function's name, as the model wrote it.
        arguments: the parsed arguments, without ``inner_thoughts``.
        id: pairs the call with its result.
        error: set where the arguments could not be parsed; the call is then answered with it, never run.
    """

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    id: str = field(default_factory=lambda: "call_" + new_id()[-12:])
    error: str | None = None


@dataclass(frozen=True)
class ToolResult:
    """What a function answered.

    Attributes:
        call_id: the ``id`` of the call.
        name: the function's name.
        content: text for the model.
        failed: whether the function failed; the agent then runs again with the error in front of it.
    """

    call_id: str
    name: str
    content: str
    failed: bool = False


@dataclass(frozen=True)
class Usage:
    """Tokens that a model call took, as the server counted them. ``cost`` is in US dollars where known."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    cost: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cached_tokens + other.cached_tokens,
            self.cost + other.cost,
        )


@dataclass(frozen=True)
class Message:
    """One row of an agent's log.

    Attributes:
        role: who speaks, in the chat API's terms. Events come in as ``user``.
        content: what the model sees: an event's JSON, a monologue, a packaged result.
        text: the plain words, which searches look at; empty where there is nothing to find.
        kind: the event's type, ``reply`` for the model's own, ``result`` for a function's.
        author: who said it, where it is known.
        tool_calls: the calls in a reply.
        call_id: on a result, the call that it answers.
        id: a UUIDv7; orders messages.
        answered: False from the moment an event arrives until a step that saw it is committed.
        conversation_id, session_id, step_id: which chat, which sitting and which step it belongs to.
        images: addresses of pictures that came with it, ``https:`` or ``data:``. ``content`` says that there are some,
            for models that cannot look at them.
        created_at: when, in UTC.
    """

    role: Role
    content: str
    text: str = ""
    kind: str = ""
    author: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    call_id: str | None = None
    id: str = field(default_factory=new_id)
    answered: bool = True
    conversation_id: str | None = None
    session_id: str | None = None
    step_id: str | None = None
    images: tuple[str, ...] = ()
    created_at: datetime = field(default_factory=utc_now)


@dataclass(frozen=True)
class Reply:
    """What one model call gave.

    Attributes:
        tool_calls: the calls, in order.
        inner_thoughts: the private monologue, if there is one.
        text: the words of a reply that holds no call (only where no functions were offered).
        usage: tokens, as counted by the server.
    """

    tool_calls: tuple[ToolCall, ...] = ()
    inner_thoughts: str = ""
    text: str = ""
    usage: Usage = Usage()
