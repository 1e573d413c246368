"""The inbox of an AutoGen agent: the messages of its chats that its memory agent has not read, as events."""

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
from .conversations import PeerConversations

logger = logging.getLogger(__name__)

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
        window = self._core.store.log.window(self._core.id)
        peers, conversation = self._peers, self.conversation(peer)
        own_calls = {call.id for message in window for call in message.tool_calls}
        own_calls |= peers.own_calls(translate.nameless_calls(messages) - own_calls)
        marked = [(message, translate.is_own(message, self.owner.name, own_calls)) for message in messages]
        pending = open_calls(window, conversation)
        reply_owed = bool(pending) or _reply_owed(window, conversation)
        sent_again = repeats and not reply_owed and bool(marked) and not marked[-1][1]
        others = [message for message, own in marked if not own]
        known, entries = peers.unread(peer, others, reply_owed=not sent_again)
        manager = peer.name if hasattr(peer, "groupchat") else None
        said = "\n".join(message.text for message in window if message.kind == "reply")
        incoming: list[Message] = []
        results: list[ToolResult] = []
        for message, own in _after(marked, known):
            answers = [] if own else translate.results_for(message, pending)
            event = _said_elsewhere(message, said) if own else translate.to_event(message, conversation, manager)
            results += answers
            if event and not answers:
                incoming.append(event)
        return NewMessages(incoming, results, lambda: peers.mark_read(peer, entries), reply_owed)

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
        if self._conversations is None:
            if peer is not None:
                self._cleared.add(peer)
        elif peer is None:  # AutoGen's resume() does this and then sends the same messages again
            self._conversations.all_cleared()
        else:
            self._conversations.cleared(peer)


def _reply_owed(window: Sequence[Message], conversation: str) -> bool:
    """Whether someone in this conversation waits for an answer. A turn in another conversation answers nobody here."""
    ours = [message for message in window if message.conversation_id in (None, conversation)]
    last = next((message for message in reversed(ours) if message.text), None)
    return any(not message.answered for message in ours) or (last is not None and last.kind == "user_message")


def _after(marked: Sequence[tuple[Mapping[str, Any], bool]], known: int) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """The messages after the first ``known`` messages of others."""
    passed = 0
    for message, own in marked:
        if passed >= known:
            yield message, own
        passed += not own


def _said_elsewhere(message: Mapping[str, Any], said: str) -> Message | None:
    """A message under the agent's name that its memory agent did not write; None: it did, or the message is empty.

    Examples: the message that it opened a chat with, human input in its place, the result of a nested chat. Without it
    the agent could not make sense of the answer.
    """
    text = translate.content_text(message.get("content"), message.get("context"))
    if not text or text in said:
        return None
    return events.system_alert(f"In this chat, you said: {text}")
