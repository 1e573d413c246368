"""A model that speaks in plain words instead of a call of ``send_message``.

Small models answer better in the form of a plain chat than in JSON, and faster without a grammar: with
Qwen2.5-Coder-1.5B and the same prompt, 9 of 16 replies in JSON only repeated the user, and none in plain words
(docs/decisions/0014). Where ``send_message`` is the only function on offer, JSON adds nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from .. import events
from ..errors import ModelReplyError
from ..messages import SEND_MESSAGE, Message, Reply, ToolCall, ToolSchema
from .base import ChatModel, OnDelta, WrappingModel

#: What a model writes in front of its words when it continues the form of the events: ``[Sam 09:12]:``.
_OWN_HEADER = re.compile(r"^\s*\[[^\[\]\n]{1,80}\]:\s*")


class PlainSpeech(WrappingModel):
    """A :class:`~memgpt_autogen.llm.base.ChatModel` around another one.

    With functions other than ``send_message`` on offer, it passes everything on unchanged.

    Args:
        model: the model that answers.
    """

    def count(self, messages: Sequence[Message], tools: Sequence[ToolSchema] = ()) -> int:
        """Tokens of the messages as they are sent."""
        if tools and not speaks_only(tools):
            return self.inner.count(messages, tools)
        return self.inner.count(as_chat(messages))

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
        """One call of the model; see the contract. Plain words come back as one call of ``send_message``.

        Raises:
            ModelReplyError: also where the model says nothing.
        """
        if not speaks_only(tools):
            return self.inner.complete(
                messages, tools, only=only, cache=cache, max_tokens=max_tokens, on_delta=on_delta
            )
        reply = self.inner.complete(as_chat(messages), (), cache=cache, max_tokens=max_tokens, on_delta=on_delta)
        said = _OWN_HEADER.sub("", reply.text).strip()
        if not said:
            raise ModelReplyError(f"{self.name} said nothing.", text=reply.text)
        return replace(reply, text="", tool_calls=(ToolCall(SEND_MESSAGE, {"message": said}),))


def as_sent(
    model: ChatModel, messages: Sequence[Message], tools: Sequence[ToolSchema]
) -> tuple[Sequence[Message], Sequence[ToolSchema]]:
    """What a model passes on of a prompt: messages and functions, in plain words where it speaks in these."""
    if isinstance(model, PlainSpeech) and speaks_only(tools):
        return as_chat(messages), ()
    return messages, tools


def speaks_only(tools: Sequence[ToolSchema]) -> bool:
    """Whether ``send_message`` is the only function on offer."""
    return [tool.name for tool in tools] == [SEND_MESSAGE]


def as_chat(messages: Sequence[Message]) -> list[Message]:
    """The messages as a plain chat: words that were said, without calls, results and headers."""
    chat = []
    for message in messages:
        if message.role == "user":
            chat.append(replace(message, content=_plain(message)))
        elif message.role == "tool":
            if message.author != SEND_MESSAGE:
                chat.append(Message("user", f"({message.author}: {message.content})", id=message.id))
        elif message.role == "assistant" and message.tool_calls:
            said = [str(call.arguments.get("message", "")) for call in message.tool_calls if call.name == SEND_MESSAGE]
            if said:
                chat.append(replace(message, content="\n".join(said), tool_calls=()))
        else:
            chat.append(message)
    return chat


def _plain(message: Message) -> str:
    """What was said, with the speaker's name right before it: after what memory has on it."""
    source, words = events.split_header(message.content)
    if not source or source == events.UNNAMED:
        return words
    if source in events.SOURCES.values():
        return f"({words})"
    recalled, _, rest = words.rpartition(f"\n\n{message.text}") if message.text else ("", "", "")
    return f"{recalled}\n\n{source}: {message.text}{rest}" if recalled else f"{source}: {words}"
