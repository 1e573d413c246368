"""What a very small model says again and again, asked for once more without what it copies.

Such a model copies what stands in its window: a reply that only repeats itself would come back in every later turn.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from ..memory.context import Prompt
from ..messages import SEND_MESSAGE, Message, Reply, ToolCall

#: Said where nothing but repetitions comes.
UNSAID = "I am not sure what to say to that."

#: So many words in a row, said twice, are a repetition wherever they stand.
_RUN = 5
#: So many words that somebody else said are not the agent's own.
_PARROTED = 4
_CHARACTERS = re.compile(r"(\S{1,4}?)\1{5,}")
_WORDS = re.compile(r"\b(\w+(?:\W+\w+){1,9})\W+(?:and\W+|or\W+)?\1\b|\b(\w+)(?:\W+\2\b){2}", re.IGNORECASE)


def repeats(text: str) -> bool:
    """Whether a text goes round: characters six times, a word three times, or several words twice."""
    words = re.findall(r"\w+", text.casefold())
    runs = [tuple(words[at : at + _RUN]) for at in range(len(words) - _RUN + 1)]
    return bool(_CHARACTERS.search(text) or _WORDS.search(text)) or len(set(runs)) < len(runs)


def unstuck(reply: Reply, prompt: Prompt, ask: Callable[[Sequence[Message]], Reply]) -> Reply:
    """The reply; or, if it goes round or was said in the window before, by whomever, another one.

    The other one answers the newest words alone, without the worked examples that were repeated.

    Args:
        reply: the model's.
        prompt: what it was given.
        ask: the model, once more.

    Returns:
        A reply that does not go round; ``UNSAID`` stands for one that still does. Its usage is that of both calls.
    """
    own = [message for message in prompt.messages if message.role == "assistant" and message.text]  # no examples
    before = {words for message in own for words in _said(message.tool_calls)}
    said = _said(reply.tool_calls)
    heard = " | ".join(_bare(message.text) for message in prompt.messages if message.role == "user")
    if not any(words in before or repeats(words) or _parrots(words, heard) for words in said):
        return reply
    again = ask(_without(prompt.alone, before.union(said)))
    calls = tuple(
        replace(call, arguments={**call.arguments, "message": UNSAID})
        if call.name == SEND_MESSAGE and repeats(str(call.arguments.get("message", "")))
        else call
        for call in again.tool_calls
    )
    return replace(again, tool_calls=calls, usage=reply.usage + again.usage)


def _bare(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _parrots(words: str, heard: str) -> bool:
    bare = _bare(words)
    return bare.count(" ") >= _PARROTED - 1 and bare in heard


def _said(calls: Sequence[ToolCall]) -> list[str]:
    return [str(call.arguments.get("message", "")) for call in calls if call.name == SEND_MESSAGE]


def _without(messages: Sequence[Message], said: Collection[str]) -> list[Message]:
    """The messages but for worked examples (words, a reply, its result) whose reply was said already."""
    gone: set[int] = set()
    for at, message in enumerate(messages):
        if messages[at - 1].role == "user" and set(said).intersection(_said(message.tool_calls)):
            gone |= {at - 1, at, at + 1}
    return [message for at, message in enumerate(messages) if at not in gone]
