"""The protocol of a chat model: a prompt goes in, function calls come out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol, TypeAlias

from ..messages import Message, Reply, ToolSchema
from ..observers import Discarded, SpeechDelta, ThoughtDelta

TokenCounter = Callable[[str], int]
ReplyDelta: TypeAlias = ThoughtDelta | SpeechDelta | Discarded
OnDelta: TypeAlias = Callable[[ReplyDelta], None]


class ChatModel(Protocol):
    """A model as the agent sees it.

    Attributes:
        name: for logs and displays.
        context_window: tokens that prompt and reply share.
        reply_tokens: tokens to keep for the reply; None: as the window's policy has it.
    """

    @property
    def name(self) -> str: ...

    @property
    def context_window(self) -> int: ...

    @property
    def reply_tokens(self) -> int | None: ...

    def count_tokens(self, text: str) -> int:
        """Tokens in a text, as exactly as possible. Uses no network but the model's server."""
        ...

    def count(self, messages: Sequence[Message], tools: Sequence[ToolSchema] = ()) -> int:
        """Tokens of these messages and functions in a prompt. Additive over messages, to within a few tokens."""
        ...

    def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSchema],
        *,
        only: Collection[str] | None = None,
        cache: Any = None,
        max_tokens: int | None = None,
        on_delta: OnDelta | None = None,
    ) -> Reply:
        """One call of the model.

        Args:
            messages: the prompt: the system message first, then the conversation.
            tools: the functions on offer. Empty: the reply is plain ``text``.
            only: names of the functions that the reply may call; None: all. At least one call is returned.
            cache: the caller's cache object (AutoGen's), for models that support it.
            max_tokens: the token limit of the reply; None: the model's default.
            on_delta: receives thoughts and speech as they are written, and Discarded if the model is asked again.
                Models that cannot stream do not call it. Whatever it raises ends the call.

        Raises:
            ModelServerError: the server cannot be reached or failed (after retries).
            PromptTooLong: the prompt does not fit; ``context_window`` has been lowered, so build the prompt again.
            ModelRequestError: it refused the request for another reason, such as a wrong key or model name.
            ModelReplyError: the reply cannot be parsed as a call; has its text.
        """
        ...


class WrappingModel:
    """What a :class:`ChatModel` around another one passes on unchanged. The rest is the subclass's.

    Args:
        model: the inner model, which answers.
    """

    def __init__(self, model: ChatModel) -> None:
        self.inner = model

    @property
    def name(self) -> str:
        """The inner model's."""
        return self.inner.name

    @property
    def context_window(self) -> int:
        """The inner model's."""
        return self.inner.context_window

    @property
    def reply_tokens(self) -> int | None:
        """The inner model's."""
        return self.inner.reply_tokens

    def count_tokens(self, text: str) -> int:
        """Tokens in a text, by the inner model."""
        return self.inner.count_tokens(text)
