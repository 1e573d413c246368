"""What arrives for the agent in its AutoGen chats: the messages its memory agent does not know yet, as events."""

from __future__ import annotations

import atexit
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

from .. import events
from ..agent import Agent
from ..agent.intake import open_calls
from ..errors import MemGPTError
from ..messages import Message, ToolResult
from . import translate
from .conversations import Conversations

logger = logging.getLogger(__name__)

_living: WeakSet[Hearing] = WeakSet()


@atexit.register
def _hear_all() -> None:
    """What was said after an agent's last turn would end with the process: it goes into memory."""
    for hearing in [*_living]:
        try:
            hearing.hear_all()
        except MemGPTError as error:  # another process is running it, or the store is closed
            logger.info("%s could not take in what was said last: %s", hearing.owner.name, error)


class Hearing:
    """The chats of one AutoGen agent, and what of them its memory agent knows.

    Args:
        owner: the AutoGen agent: a ``MemGPTAgent``. Its memory agent need not be there yet.
    """

    def __init__(self, owner: Any) -> None:
        self.owner = owner
        self._conversations: Conversations | None = None
        self._cleared: WeakSet[Any] = WeakSet()  # peers whose chats began before there was a memory agent
        _living.add(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Hearing:
        return Hearing(memo[id(self.owner)])

    @property
    def _core(self) -> Agent:
        core: Agent = self.owner.core
        return core

    def conversation(self, peer: Any) -> str:
        """The id of the conversation with another AutoGen agent."""
        return self._chats().of(peer).id

    def news(self, messages: Sequence[Mapping[str, Any]], peer: Any, *, repeats: bool = True) -> News:
        """What a list of messages brings. See :func:`memgpt_autogen.groupchat.inbox.read_news`."""
        window = self._core.store.log.window(self._core.id)
        return read_news(messages, peer, self.owner.name, window, self._chats(), repeats=repeats)

    def _chats(self) -> Conversations:
        if self._conversations is None:
            self._conversations = Conversations(self._core.store, self._core.id)
            for peer in self._cleared:
                self._conversations.cleared(peer)
        return self._conversations

    def hear(self, peer: Any) -> None:
        """Take in what is unread in a chat, without a reply."""
        messages = self.owner._oai_messages.get(peer)
        if not messages:
            return
        news = self.news(messages, peer, repeats=False)
        if news.incoming or news.results:
            here = self.conversation(peer)
            self._core.hear(news.incoming, results=news.results, conversation=here, on_commit=news.keep)

    def hear_all(self) -> None:
        """Take in what is unread in every chat, if the memory agent was ever asked for."""
        if self.owner._core is not None:
            for peer in [*self.owner._oai_messages]:
                self.hear(peer)

    def cleared(self, peer: Any) -> None:
        """AutoGen has cleared its list of a chat (None: all of them)."""
        if self._conversations is None:
            if peer is not None:
                self._cleared.add(peer)
        elif peer is None:  # AutoGen's resume() does this, and then tells the same once more
            self._conversations.all_cleared()
        else:
            self._conversations.cleared(peer)


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
