"""What in AutoGen's list of messages the memory agent does not know yet, as events."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import events
from ..intake import open_calls
from ..messages import Message, ToolResult
from . import translate
from .conversations import Conversations


@dataclass(frozen=True)
class News:
    """What a list of messages brings.

    Attributes:
        incoming: events for the memory agent.
        results: of calls that it waits for.
        keep: remembers that this was taken in.
        owed: earlier messages still wait for an answer.
    """

    incoming: list[Message]
    results: list[ToolResult]
    keep: Callable[[], None]
    owed: bool


def read_news(
    messages: Sequence[Mapping[str, Any]],
    sender: Any,
    name: str,
    window: Sequence[Message],
    chats: Conversations,
    *,
    repeats: bool = True,
) -> News:
    """Read a list of messages.

    Args:
        messages: the list, as AutoGen hands it over.
        sender: the AutoGen agent at the other end.
        name: the agent's own name in the chat.
        window: what the memory agent has in view.
        chats: its conversations.
        repeats: a list that brings nothing new is its last message said again. (Not so while an answer is owed, nor
            where the agent itself spoke last: it is then asked to go on.)
    """
    own_calls = {call.id for message in window for call in message.tool_calls}
    own_calls |= chats.made(translate.nameless_calls(messages) - own_calls)
    marked = [(message, translate.is_own(message, name, own_calls)) for message in messages]
    others = [message for message, own in marked if not own]
    here = chats.of(sender).id
    waiting = open_calls(window, here)
    owed = bool(waiting) or _owed(window, here)
    again = repeats and not owed and bool(marked) and not marked[-1][1]
    chat, known, entries = chats.news(sender, others, owed=not again)
    manager = sender.name if hasattr(sender, "groupchat") else None
    said = "\n".join(message.text for message in window if message.kind == "reply")
    incoming: list[Message] = []
    results: list[ToolResult] = []
    for message, own in _after(marked, known):
        answers = [] if own else translate.results_for(message, waiting)
        event = _not_from_memory(message, said) if own else translate.to_event(message, chat, manager)
        results += answers
        if event and not answers:
            incoming.append(event)
    return News(incoming, results, lambda: chats.keep(sender, entries), owed)


def _owed(window: Sequence[Message], conversation: str) -> bool:
    """Whether someone in this conversation still waits for words. (A turn elsewhere answers nobody here.)"""
    ours = [message for message in window if message.conversation_id in (None, conversation)]
    last = next((message for message in reversed(ours) if message.text), None)
    return any(not message.answered for message in ours) or (last is not None and last.kind == "user_message")


def _after(marked: Sequence[tuple[Mapping[str, Any], bool]], known: int) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """What follows the first ``known`` messages of others."""
    passed = 0
    for message, own in marked:
        if passed >= known:
            yield message, own
        passed += not own


def _not_from_memory(message: Mapping[str, Any], said: str) -> Message | None:
    """Words that went out under the agent's name and that the memory agent knows nothing of.

    The message that it opened a chat with, a person's input in its place, a nested chat's outcome: without them it
    could not make sense of the answer.
    """
    text = translate.content_text(message.get("content"), message.get("context"))
    if not text or text in said:
        return None
    return events.system_alert(f"In this chat, you said: {text}")
