"""Replies that repeat: detected, and asked for once more without the text that they were copied from.

A very small model copies from its window, so that a repetitive reply would come back in every later turn.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from ..memory.context import Prompt
from ..messages import SEND_MESSAGE, Message, Reply, ToolCall

#: Said where the second reply is repetitive, too.
FALLBACK = "I am not sure what to say to that."

#: A run of so many words that occurs twice is a repetition.
_RUN = 5
#: A reply of so many words that all occur in a row in a user's message is copied.
_COPIED = 4
_CHARACTERS = re.compile(r"(\S{1,4}?)\1{5,}")
_WORDS = re.compile(r"\b(\w+(?:\W+\w+){1,9})\W+(?:and\W+|or\W+)?\1\b|\b(\w+)(?:\W+\2\b){2}", re.IGNORECASE)


def repeats(text: str) -> bool:
    """Whether a text repeats itself: characters six times, a word three times, or several words twice."""
    words = re.findall(r"\w+", text.casefold())
    runs = [tuple(words[at : at + _RUN]) for at in range(len(words) - _RUN + 1)]
    return bool(_CHARACTERS.search(text) or _WORDS.search(text)) or len(set(runs)) < len(runs)


def ask_without_repetition(reply: Reply, prompt: Prompt, ask: Callable[[Sequence[Message]], Reply]) -> Reply:
    """The reply; or another one if it repeats itself or copies what was said in the window before.

    The model is asked once more with the newest messages alone, without the worked examples that were copied.

    Args:
        reply: the model's.
        prompt: what it was given.
        ask: calls the model again.

    Returns:
        A reply that does not repeat itself; ``FALLBACK`` where the second one does. Its usage is that of both calls.
    """
    own = [message for message in prompt.messages if message.role == "assistant" and message.text]  # no examples
    before = {words for message in own for words in _said(message.tool_calls)}
    said = _said(reply.tool_calls)
    heard = " | ".join(_bare(message.text) for message in prompt.messages if message.role == "user")
    if not any(words in before or repeats(words) or _is_copied(words, heard) for words in said):
        return reply
    again = ask(_without_copied(prompt.alone, before.union(said)))
    calls = tuple(
        replace(call, arguments={**call.arguments, "message": FALLBACK})
        if call.name == SEND_MESSAGE and repeats(str(call.arguments.get("message", "")))
        else call
        for call in again.tool_calls
    )
    return replace(again, tool_calls=calls, usage=reply.usage + again.usage)


def _bare(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _is_copied(words: str, heard: str) -> bool:
    bare = _bare(words)
    return bare.count(" ") >= _COPIED - 1 and bare in heard


def _said(calls: Sequence[ToolCall]) -> list[str]:
    return [str(call.arguments.get("message", "")) for call in calls if call.name == SEND_MESSAGE]


def _without_copied(messages: Sequence[Message], said: Collection[str]) -> list[Message]:
    """The messages but for worked examples (words, a reply, its result) whose reply was said already."""
    gone: set[int] = set()
    for at, message in enumerate(messages):
        if messages[at - 1].role == "user" and set(said).intersection(_said(message.tool_calls)):
            gone |= {at - 1, at, at + 1}
    return [message for at, message in enumerate(messages) if at not in gone]
