"""Which messages of a chat are new to the agent.

AutoGen passes the whole message list each time. The list grows, but it is also cleared, shortened by hooks, replayed by
``resume`` and rebuilt by the next process; and the same text twice is two messages. So the store keeps, for each
conversation, the ordered digests of the messages that the agent has read, with a marker wherever the list was cleared.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from ..storage.base import Store

START = "start"  #: the marker for a chat that began with a cleared list
#: Messages at the end of a list by which it is recognised the next time.
END = 4


def digest(message: Mapping[str, Any]) -> str:
    """A hash of a message's author and content. The role is left out, because it changes on replay."""
    parts = [message.get(key) for key in ("name", "content", "function_call", "tool_calls", "tool_responses")]
    text = json.dumps(parts, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def first_new(read: Sequence[str], listed: Sequence[str]) -> int:
    """The index of the first message that is new.

    Args:
        read: digests of the messages that were read, with ``START`` markers.
        listed: digests of the messages that AutoGen passes now.
    """
    segments = _segments(read)
    current = segments[-1]
    if not current:
        return 0
    for length in range(min(len(current), len(listed)), 0, -1):  # the list continues the current segment
        if current[-length:] == list(listed[:length]):
            return length
    return max(_known_from_start(segment, listed) for segment in segments)  # a replay that took another turn


def _segments(read: Sequence[str]) -> list[list[str]]:
    segments: list[list[str]] = [[]]
    for entry in read:
        if entry == START:
            segments.append([])
        else:
            segments[-1].append(entry)
    return segments


def _known_from_start(segment: Sequence[str], listed: Sequence[str]) -> int:
    """How many listed messages follow a segment from its start, allowing for messages that a hook removed."""
    if not segment or not listed or segment[0] != listed[0]:
        return 0
    known, position = 0, 0
    for entry in listed:
        try:
            position = segment.index(entry, position) + 1
        except ValueError:
            break
        known += 1
    return known


@dataclass(frozen=True)
class _Read:
    """A message list as it was when it was read.

    Attributes:
        stored: how many entries the store had of it then, and the last one.
        length: how many messages it had.
        first, last: digests of its first message, and of the last ``END``.
    """

    stored: tuple[int, str]
    length: int
    first: str
    last: Sequence[str]

    def goes_on_in(self, messages: Sequence[Mapping[str, Any]]) -> bool:
        """Whether a list begins with this one."""
        if len(messages) < self.length or digest(messages[0]) != self.first:
            return False
        end = messages[self.length - len(self.last) : self.length]
        return [digest(message) for message in end] == self.last


@dataclass
class _Conversation:
    id: str
    cleared: bool = False
    reusable: bool = False  # another AutoGen agent of the same name may continue it
    read: _Read | None = None


class PeerConversations:
    """The conversations of one agent, by the AutoGen agent at the other end (the peer; None: unknown).

    Args:
        store: keeps the digests.
        agent_id: the agent in the store.
    """

    def __init__(self, store: Store, agent_id: str) -> None:
        self._store = store
        self._agent_id = agent_id
        self._conversations: WeakKeyDictionary[Any, _Conversation] = WeakKeyDictionary()
        self._without_peer: _Conversation | None = None
        self._own_calls: dict[str, bool] = {}

    def own_calls(self, ids: Set[str]) -> set[str]:
        """Those of these call ids that the agent itself made, however long ago."""
        unknown = ids - self._own_calls.keys()
        made = self._store.log.calls_made(self._agent_id, unknown) if unknown else set()
        self._own_calls |= {call: call in made for call in unknown}
        return {call for call in ids if self._own_calls[call]}

    def conversation_id(self, peer: Any) -> str:
        """The id of the conversation with a peer."""
        return self._with(peer).id

    def _with(self, peer: Any) -> _Conversation:
        if peer is None:
            self._without_peer = self._without_peer or self._open("")
            return self._without_peer
        if peer not in self._conversations:
            self._conversations[peer] = self._open(str(getattr(peer, "name", "")))
        return self._conversations[peer]

    def _open(self, name: str) -> _Conversation:
        taken = [conversation.id for conversation in self._conversations.values() if not conversation.reusable]
        return _Conversation(self._store.conversations.open(self._agent_id, name, taken=taken))

    def cleared(self, peer: Any) -> None:
        """AutoGen starts a new chat with this peer: no message in its list is a repetition."""
        self._with(peer).cleared = True

    def all_cleared(self) -> None:
        """AutoGen cleared all lists at once, as ``resume`` does: a new manager may continue an old conversation."""
        for conversation in self._conversations.values():
            conversation.reusable = True

    def continued(self, peer: Any, messages: Sequence[Mapping[str, Any]]) -> int | None:
        """The index of the first message of AutoGen's list that was not there when it was read last.

        A list is recognised by a few of its messages, so that this takes no longer for a long one. None: this is
        another list, or another process has read the conversation since; :meth:`unread` compares all of it.
        """
        conversation = self._with(peer)
        read = conversation.read
        if read is None or conversation.cleared or not read.goes_on_in(messages):
            return None
        conversation.reusable = False
        return read.length if self._store.conversations.end(conversation.id) == read.stored else None

    def unread(self, peer: Any, messages: Sequence[Mapping[str, Any]], *, reply_owed: bool) -> tuple[int, list[str]]:
        """What is new in a list of messages.

        Args:
            peer: the other end.
            messages: AutoGen's list, without the agent's own messages.
            reply_owed: whether earlier messages still wait for an answer. If so, a list without new messages asks for
                that answer; if not, its last message was sent again.

        Returns:
            The index of the first new message, and the entries to pass to :meth:`mark_read`.
        """
        conversation = self._with(peer)
        conversation.reusable = False
        start = [START] if conversation.cleared else []
        listed = [digest(message) for message in messages]
        known = first_new([*self._store.conversations.entries(conversation.id), *start], listed)
        if known == len(listed) and known and not reply_owed:
            known -= 1
        return known, [*start, *listed[known:]]

    def mark_read(self, peer: Any, entries: Sequence[str], messages: Sequence[Mapping[str, Any]] = ()) -> None:
        """Record that the agent has read these messages.

        Args:
            peer: the other end.
            entries: digests of the new messages.
            messages: all of AutoGen's list, to recognise it the next time.
        """
        if not entries:
            return
        conversation = self._with(peer)
        self._store.conversations.append(conversation.id, entries)
        conversation.cleared = False
        conversation.read = None
        if messages:
            stored = self._store.conversations.end(conversation.id)
            last = [digest(message) for message in messages[-END:]]
            conversation.read = _Read(stored, len(messages), digest(messages[0]), last)
