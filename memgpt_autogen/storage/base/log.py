"""Messages, summaries and steps, in the contract of a store."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence
from datetime import date
from typing import Protocol

from ...messages import Message, Usage
from ..records import Page, Summary, Vectors, WindowChanges


class Log(Protocol):
    """Messages, summaries and steps of each agent, in the order they were written."""

    def append(self, agent_id: str, messages: Sequence[Message]) -> None: ...
    def mark_answered(self, agent_id: str) -> None: ...

    def window(self, agent_id: str) -> Sequence[Message]:
        """The messages after the last summary: what is in context."""
        ...

    def window_changes(self, agent_id: str, since: Hashable = None) -> WindowChanges:
        """What has changed in the window since it was read, by whatever process.

        A turn asks this several times, so it must not read the whole window again unless messages were taken away.

        Args:
            agent_id: whose window.
            since: the ``mark`` of an earlier answer; None, or one that this store cannot go on from: the whole window.
        """
        ...

    def tail(self, agent_id: str, count: int) -> Sequence[Message]:
        """The last messages, oldest first."""
        ...

    def heard(self, agent_id: str, step_id: str) -> Sequence[Message]:
        """The user messages that a step took in, or the last one before a step that took in none."""
        ...

    def count(self, agent_id: str) -> int: ...

    def calls_made(self, agent_id: str, ids: Collection[str]) -> set[str]:
        """Those of these ids that are of calls which the agent made."""
        ...

    def search(
        self,
        agent_id: str,
        query: str,
        *,
        page: int,
        page_size: int,
        vector: Vectors | None = None,
        embedder: str = "",
        since: date | None = None,
        until: date | None = None,
        today: date | None = None,
        embed_words: Callable[[Sequence[str]], Vectors] | None = None,
    ) -> Page[Message]:
        """Messages by words, and by meaning where a vector of the query is given; never those still unanswered.

        A hit holds words of the query (the name of who said it is one of its words), stands beside such where the query
        has several, or is near in meaning; what is far less relevant than the best is none. Pages start at 1; where
        there is none of that number it is the last. ``since`` and ``until``: only messages of these days (local time,
        both included). ``today``: what "last May" in the query is counted from; None: the present day. ``embed_words``:
        gives the vectors of single words, by which words of like meaning are found too.
        """
        ...

    def without_vectors(self, agent_id: str, limit: int, embedder: str = "") -> Sequence[Message]:
        """The backlog: messages that have words and no vector yet, or none of the embedder that is named."""
        ...

    def put_vectors(self, agent_id: str, embedder: str, ids: Sequence[str], vectors: Vectors) -> None: ...

    def search_dates(self, agent_id: str, start: date, end: date, *, page: int, page_size: int) -> Page[Message]:
        """Messages of these days (local time, both included), oldest first."""
        ...

    def replace(self, message: Message, other: Message) -> Message:
        """Put another message in the place of one, under an id of its own; that message, as it stands there.

        Raises:
            StoreError: the message that was to be replaced is gone.
        """
        ...

    def add_summary(self, agent_id: str, summary: Summary, *, asked: bool = False) -> None:
        """``asked``: it is no part of a turn, and outlasts an undo of turns that it does not stand for."""
        ...

    def last_summary(self, agent_id: str) -> Summary | None: ...
    def add_step(self, agent_id: str, outcome: str, model: str, usage: Usage) -> None: ...

    def extracted(self, agent_id: str) -> str:
        """The id of the last message from which facts were extracted; empty: none yet."""
        ...

    def mark_extracted(self, agent_id: str, message_id: str) -> None:
        """Record that facts were extracted up to this message."""
        ...
