"""The inbox of an AutoGen agent: the messages of its chats that its memory agent has not read, as events."""

from __future__ import annotations

import atexit
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from .. import events
from ..agent import Agent
from ..errors import MemGPTError
from ..memory.window_cache import WindowCache
from ..messages import Message, ToolResult
from . import translate
from .conversations import PeerConversations, digest

logger = logging.getLogger(__name__)

#: Replies among which one that AutoGen passes back is looked for first.
LAST_REPLIES = 8

_inboxes: WeakSet[Inbox] = WeakSet()


@atexit.register
def _read_all() -> None:
    """Store what was said after an agent's last turn, which would otherwise be lost with the process."""
    for inbox in [*_inboxes]:
        try:
            inbox.read_all()
        except MemGPTError as error:  # another process runs the agent, or the store is closed
            logger.info("%s could not store the last messages: %s", inbox.owner.name, error)
        except Exception:  # the inboxes of other agents are read all the same
            logger.warning("%s could not store the last messages.", inbox.owner.name, exc_info=True)


@dataclass(frozen=True)
class NewMessages:
    """The unread messages of one chat.

    Attributes:
        incoming: events for the memory agent.
        results: of function calls that it waits for.
        mark_read: records that they were read.
        reply_owed: earlier messages still wait for an answer.
    """

    incoming: list[Message]
    results: list[ToolResult]
    mark_read: Callable[[], None]
    reply_owed: bool


class Inbox:
    """The chats of one AutoGen agent, and what its memory agent has read of them.

    Args:
        owner: the AutoGen agent, a ``MemGPTAgent``. Its memory agent need not exist yet.
    """

    def __init__(self, owner: Any) -> None:
        self.owner = owner
        self._conversations: PeerConversations | None = None
        self._cleared: WeakSet[Any] = WeakSet()  # peers whose chats were cleared before the memory agent existed
        self._replied: WeakKeyDictionary[Any, int] = WeakKeyDictionary()  # where AutoGen puts the last reply
        self._edited: set[str] = set()  # replies as hooks and safeguards of AutoGen have changed them
        _inboxes.add(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Inbox:
        return Inbox(memo[id(self.owner)])

    @property
    def _core(self) -> Agent:
        core: Agent = self.owner.core
        return core

    @property
    def _peers(self) -> PeerConversations:
        if self._conversations is None:
            self._conversations = PeerConversations(self._core.store, self._core.id)
            for peer in self._cleared:
                self._conversations.cleared(peer)
        return self._conversations

    def conversation(self, peer: Any) -> str:
        """The id of the conversation with another AutoGen agent."""
        return self._peers.conversation_id(peer)

    def unread(self, messages: Sequence[Mapping[str, Any]], peer: Any, *, repeats: bool = True) -> NewMessages:
        """The messages of a list that are new to the memory agent.

        Args:
            messages: the list, as AutoGen passes it.
            peer: the AutoGen agent at the other end.
            repeats: take a list without new messages as its last message sent again. (Not while an answer is owed, and
                not after the agent's own message: it is then asked to go on.)
        """
        peers, conversation = self._peers, self.conversation(peer)
        start = peers.continued(peer, messages)
        cached = self._core.cached
        with cached.lock:
            cached.refresh()
            self._note_edit(peer, cached)
            pending = cached.calls_of(conversation)
            reply_owed = bool(pending) or _reply_owed(cached, conversation)
            marked = self._marked(messages[start or 0 :], cached)
            last_is_own = all(own for _, own in marked[-1:] or self._marked(messages[-1:], cached))
            sent_again = repeats and not reply_owed and not last_is_own
            if start is None:
                others = [message for message, own in marked if not own]
                known, entries = peers.unread(peer, others, reply_owed=not sent_again)
                marked = [*_after(marked, known)]
            else:
                marked = marked or [(message, False) for message in messages[-1:] if sent_again]
                entries = [digest(message) for message, own in marked if not own]
            manager = peer.name if hasattr(peer, "groupchat") else None
            incoming: list[Message] = []
            results: list[ToolResult] = []
            for message, own in marked:
                answers = [] if own else translate.results_for(message, pending)
                if own:
                    event = self._said_elsewhere(message, messages, peer, cached)
                else:
                    event = translate.to_event(message, conversation, manager)
                results += answers
                if event and not answers:
                    incoming.append(event)
        return NewMessages(incoming, results, lambda: peers.mark_read(peer, entries, messages), reply_owed)

    def _marked(
        self, messages: Sequence[Mapping[str, Any]], cached: WindowCache
    ) -> list[tuple[Mapping[str, Any], bool]]:
        """Each message, and whether it is the agent's own."""
        unsigned = translate.nameless_calls(messages)
        own = {call for call in unsigned if call in cached.call_ids}
        own |= self._peers.own_calls(unsigned - own)
        return [(message, translate.is_own(message, self.owner.name, own)) for message in messages]

    def replied(self, peer: Any) -> None:
        """The memory agent has answered a peer: what AutoGen appends next to their messages is that answer."""
        if peer is not None:
            self._replied[peer] = len(self.owner._oai_messages.get(peer, ()))

    def _note_edit(self, peer: Any, cached: WindowCache) -> None:
        """Keep the last reply as it was sent, where a hook or a safeguard has changed it."""
        place = self._replied.pop(peer, None) if peer is not None else None
        listed = self.owner._oai_messages.get(peer, ())
        if place is not None and place < len(listed) and listed[place].get("role") == "assistant":
            text = _text(listed[place])
            if not _is_said(text, cached):
                self._edited.add(text)

    def _said_elsewhere(
        self, message: Mapping[str, Any], messages: Sequence[Mapping[str, Any]], peer: Any, cached: WindowCache
    ) -> Message | None:
        """A message under the agent's name that its memory agent did not write; None: it did, or the message is empty.

        Examples: the message that it opened a chat with, human input in its place, the result of a nested chat. Without
        it the agent could not make sense of the answer.
        """
        text = _text(message)
        for form in self._forms(message, messages, peer):
            if not form or form in self._edited or _is_said(form, cached):
                return None
        return events.system_alert(f"In this chat, you said: {text}")

    def _forms(self, message: Mapping[str, Any], messages: Sequence[Mapping[str, Any]], peer: Any) -> Iterator[str]:
        """A message's text, and the text that it had before hooks changed AutoGen's list."""
        yield _text(message)
        listed = self.owner._oai_messages.get(peer, ())
        if len(listed) == len(messages):
            yield next(_text(sent) for shown, sent in zip(messages, listed, strict=True) if shown is message)

    def read(self, peer: Any) -> None:
        """Store the unread messages of a chat without replying."""
        messages = self.owner._oai_messages.get(peer)
        if not messages:
            return
        new = self.unread(messages, peer, repeats=False)
        if new.incoming or new.results:
            here = self.conversation(peer)
            self._core.hear(new.incoming, results=new.results, conversation=here, on_commit=new.mark_read)

    def read_all(self) -> None:
        """Store the unread messages of every chat, if the memory agent exists.

        A chat that fails does not keep the others from being stored; its error is raised at the end.
        """
        failed: list[Exception] = []
        for peer in [*self.owner._oai_messages] if self.owner._core is not None else []:
            try:
                self.read(peer)
            except Exception as error:
                failed.append(error)
        if failed:
            raise failed[0]

    def cleared(self, peer: Any) -> None:
        """AutoGen has cleared its message list for a peer (None: for all of them)."""
        self._replied.clear()
        if self._conversations is None:
            if peer is not None:
                self._cleared.add(peer)
        elif peer is None:  # AutoGen's resume() does this and then sends the same messages again
            self._conversations.all_cleared()
        else:
            self._conversations.cleared(peer)


def _reply_owed(cached: WindowCache, conversation: str) -> bool:
    """Whether someone in this conversation waits for an answer. A turn in another conversation answers nobody here."""
    here = (None, conversation)
    if any(message.conversation_id in here for message in cached.unanswered):
        return True
    said = (message for message in reversed(cached.messages) if message.text and message.conversation_id in here)
    last = next(said, None)
    return last is not None and last.kind == "user_message"


def _after(marked: Sequence[tuple[Mapping[str, Any], bool]], known: int) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """The messages after the first ``known`` messages of others."""
    passed = 0
    for message, own in marked:
        if passed >= known:
            yield message, own
        passed += not own


def _text(message: Mapping[str, Any]) -> str:
    return translate.content_text(message.get("content"), message.get("context"))


def _is_said(text: str, cached: WindowCache) -> bool:
    return any(text in said for said in _said(cached))


def _said(cached: WindowCache) -> Iterator[str]:
    """What the memory agent said: its last replies, which are mostly enough, then all of them."""
    replies = (message.text for message in reversed(cached.messages) if message.kind == "reply" and message.text)
    last = [*islice(replies, LAST_REPLIES)]
    yield "\n".join(reversed(last))
    yield "\n".join([*reversed([*replies]), *reversed(last)])
