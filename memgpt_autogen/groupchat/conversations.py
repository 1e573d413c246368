"""Which messages of a chat are new to the agent.

AutoGen hands over the whole list each time. It grows, but it is also cleared, shortened by hooks, replayed by
``resume``, and built anew by the next process; and the same words twice are two messages. So what an agent has taken
in is kept as ordered digests, one list a conversation, with a mark where a chat was begun anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from ..storage.base import Store

START = "start"  #: stands where a chat began with a cleared history


def digest(message: Mapping[str, Any]) -> str:
    """What makes a message itself: who said it and what it holds. Roles change on replay, so they do not count."""
    parts = [message.get(key) for key in ("name", "content", "function_call", "tool_calls", "tool_responses")]
    text = json.dumps(parts, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def first_new(seen: Sequence[str], listed: Sequence[str]) -> int:
    """How many of the listed messages are known already.

    Args:
        seen: digests of what was taken in, with ``START`` marks.
        listed: digests of what AutoGen lists now.

    Returns:
        The index of the first new one.
    """
    segments = _segments(seen)
    current = segments[-1]
    if not current:
        return 0
    for length in range(min(len(current), len(listed)), 0, -1):  # the list goes on where we stopped
        if current[-length:] == list(listed[:length]):
            return length
    return max(_known_from_start(segment, listed) for segment in segments)  # a replay that takes another way


def _segments(seen: Sequence[str]) -> list[list[str]]:
    segments: list[list[str]] = [[]]
    for entry in seen:
        if entry == START:
            segments.append([])
        else:
            segments[-1].append(entry)
    return segments


def _known_from_start(segment: Sequence[str], listed: Sequence[str]) -> int:
    """How far the list follows a segment from its start, with gaps where a hook has left messages out."""
    if not segment or not listed or segment[0] != listed[0]:
        return 0
    known, place = 0, 0
    for entry in listed:
        try:
            place = segment.index(entry, place) + 1
        except ValueError:
            break
        known += 1
    return known


@dataclass
class _Chat:
    id: str
    cleared: bool = False
    free: bool = False  # another AutoGen agent of that name may go on with it


class Conversations:
    """The conversations of one agent, by the AutoGen agent at the other end.

    Args:
        store: where digests are kept.
        agent_id: whose conversations these are.
    """

    def __init__(self, store: Store, agent_id: str) -> None:
        self._store = store
        self._agent_id = agent_id
        self._chats: WeakKeyDictionary[Any, _Chat] = WeakKeyDictionary()
        self._direct: _Chat | None = None
        self._asked: dict[str, bool] = {}

    def made(self, ids: Set[str]) -> set[str]:
        """Those of these calls that are the agent's own, however long ago."""
        unasked = ids - self._asked.keys()
        made = self._store.log.calls_made(self._agent_id, unasked) if unasked else set()
        self._asked |= {call: call in made for call in unasked}
        return {call for call in ids if self._asked[call]}

    def of(self, peer: Any) -> _Chat:
        """The conversation with an AutoGen agent (None: nobody in particular)."""
        if peer is None:
            self._direct = self._direct or self._open("")
            return self._direct
        if peer not in self._chats:
            self._chats[peer] = self._open(str(getattr(peer, "name", "")))
        return self._chats[peer]

    def _open(self, name: str) -> _Chat:
        taken = [chat.id for chat in self._chats.values() if not chat.free]
        return _Chat(self._store.conversations.open(self._agent_id, name, taken=taken))

    def cleared(self, peer: Any) -> None:
        """AutoGen begins a new chat with this agent: nothing in its list is a repetition."""
        self.of(peer).cleared = True

    def all_cleared(self) -> None:
        """AutoGen cleared every list at once, as ``resume`` does: a new manager may then go on with an old chat."""
        for chat in self._chats.values():
            chat.free = True

    def news(self, peer: Any, messages: Sequence[Mapping[str, Any]], *, owed: bool) -> tuple[str, int, list[str]]:
        """What is new in a list of messages (none of them the agent's own).

        Args:
            peer: the other end.
            messages: the list, as AutoGen hands it over.
            owed: whether earlier messages still wait for an answer; if so, a list without news asks for that answer,
                and otherwise its last message was said again.

        Returns:
            The conversation's id, the index of the first new message, and the entries to :meth:`keep`.
        """
        chat = self.of(peer)
        chat.free = False
        seen = [*self._store.conversations.entries(chat.id), *([START] if chat.cleared else [])]
        listed = [digest(message) for message in messages]
        known = first_new(seen, listed)
        if known == len(listed) and known and not owed:
            known -= 1
        return chat.id, known, [*([START] if chat.cleared else []), *listed[known:]]

    def keep(self, peer: Any, entries: Sequence[str]) -> None:
        """Remember what was taken in."""
        chat = self.of(peer)
        self._store.conversations.append(chat.id, entries)
        chat.cleared = False
