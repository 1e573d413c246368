"""The contract that every model keeps: a prompt goes in, calls come out."""

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
        """Tokens in a piece of text, by the best means at hand. Never needs a network beyond the model's server."""
        ...

    def count(self, messages: Sequence[Message], tools: Sequence[ToolSchema] = ()) -> int:
        """Tokens that these messages (and functions) take in a prompt. Additive over messages, to a few tokens."""
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
            only: names the reply is held to; None allows all. At least one call comes back.
            cache: a cache object of the caller's (AutoGen's), for models that know what to do with it.
            max_tokens: the room for the reply; None: the model's own default.
            on_delta: hears of thoughts and words while they are written, and of what is void because the model is asked
                once more. Models that cannot stream do not call it. Whatever it raises ends the call.

        Raises:
            ModelServerError: the server cannot be reached or failed (after retries).
            PromptTooLong: the prompt does not fit; ``context_window`` is smaller now, so make the prompt anew.
            ModelRequestError: it refused the request for another reason, such as a wrong key or model name.
            ModelReplyError: the reply cannot be read as a call; carries the text.
        """
        ...
