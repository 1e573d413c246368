"""The data types that every room uses: messages, function calls and their results, schemas, usage. They have no
behaviour.
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
    """The current time in UTC."""
    return datetime.now(timezone.utc)


@dataclass(frozen=True)
class ToolSchema:
    """A function as the model sees it.

    Attributes:
        name: the function's name.
        description: one or more sentences for the model.
        parameters: a JSON Schema of type ``object``.
        caller: the caller runs it. The chat API gets its schema as it is, without ``inner_thoughts``.
        extra: further fields of a caller's function, such as ``strict``.
        speaks: others hear its ``message``; None: if its name is ``send_message``.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    caller: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)
    speaks: bool | None = None

    @property
    def is_speech(self) -> bool:
        """Whether others hear what a call of it says."""
        return self.name == SEND_MESSAGE if self.speaks is None else self.speaks


@dataclass(frozen=True)
class ToolCall:
    """One function call in a model's reply.

    Attributes:
        name: the function's name, as the model wrote it.
        arguments: the parsed arguments, without ``inner_thoughts``.
        id: pairs the call with its result.
        error: set if the call is invalid; it is then answered with this text and never run.
    """

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    id: str = field(default_factory=lambda: "call_" + new_id()[-12:])
    error: str | None = None


@dataclass(frozen=True)
class ToolResult:
    """The result of a function call.

    Attributes:
        call_id: the ``id`` of the call.
        name: the function's name.
        content: text for the model.
        failed: whether the function failed; the agent then runs again to correct it.
    """

    call_id: str
    name: str
    content: str
    failed: bool = False


@dataclass(frozen=True)
class Usage:
    """Tokens of a model call, as the server counted them. ``cost`` is in US dollars where known."""

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
        role: the chat API's role. Events come in as ``user``.
        content: what the model sees, without the header of an event (:func:`memgpt_autogen.events.render`).
        text: the plain words, which searches see; empty where there is nothing to find.
        kind: the event's type, ``reply`` for the model's own messages, ``result`` for a function's.
        author: the speaker, where known; of a result, the function.
        tool_calls: the calls in a reply.
        call_id: of a result, the call that it answers.
        id: a UUIDv7; orders messages.
        answered: False from the moment an event arrives until a step that saw it is committed.
        conversation_id, session_id, step_id: the conversation, session and step that it belongs to.
        images: addresses of pictures that came with it, ``https:`` or ``data:``. ``content`` mentions them for models
            without vision.
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
    """The result of one model call.

    Attributes:
        tool_calls: the calls, in order.
        inner_thoughts: the inner monologue, if there is one.
        text: the text of a reply without a call (only where no functions were offered).
        usage: tokens, as counted by the server.
    """

    tool_calls: tuple[ToolCall, ...] = ()
    inner_thoughts: str = ""
    text: str = ""
    usage: Usage = Usage()
