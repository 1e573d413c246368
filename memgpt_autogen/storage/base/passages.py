"""Passages, in the contract of a store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Protocol

from ..records import Page, Passage, Progress, Vectors


class Passages(Protocol):
    """What is in sources: added, searched, and given vectors."""

    def add(self, source_id: str, passages: Sequence[Passage], document_id: str | None = None) -> None:
        """Add passages, those of a document if one is named."""
        ...

    def count(self, agent_id: str) -> int:
        """Passages the agent can search."""
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
        also: Mapping[str, Vectors | None] | None = None,
        source: str | None = None,
        since: date | None = None,
        until: date | None = None,
        today: date | None = None,
    ) -> Page[Passage]:
        """Passages by words, and by meaning where a vector of the query is given.

        Args:
            agent_id: whose notes and attached sources.
            query: a person's words. Neither these nor a vector: every passage, the newest first.
            page, page_size: which hits; pages start at 1, and where there is none of that number it is the last.
            vector, embedder: the query's vector, and who made it.
            also: by other embedders, for the sources that these made; None: those are searched by words alone.
            source: only the attached source of this name; empty: only the agent's own notes.
            since, until: only what was written on these days (local time, both included).
            today: what "last May" in the query is counted from, for the agent's own notes; None: the present day.

        Raises:
            SourceError: an attached source is of an embedder that is not named; no source of that name is attached.
        """
        ...

    def without_vectors(self, agent_id: str, limit: int, embedder: str = "") -> Sequence[Passage]:
        """The backlog: passages of this agent that have no vector yet; its own notes, none of the one named."""
        ...

    def backlog(self, embedder: str, limit: int, source_id: str | None = None, *, after: str = "") -> Sequence[Passage]:
        """Passages without a vector, in the order written, of one source or of all that agents share.

        Sources of other embedders are left out. ``after``: the id of a passage to go on behind.
        """
        ...

    def waiting(self, embedder: str, source_id: str | None = None) -> int:
        """How many passages ``backlog`` would give in all."""
        ...

    def put_vectors(self, embedder: str, ids: Sequence[str], vectors: Vectors) -> None: ...

    def unsettled(self, agent_id: str) -> bool:
        """Whether ``settle`` has something to do for what an agent searches."""
        ...

    def settle(
        self,
        source_id: str | None = None,
        *,
        progress: Progress | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """Where vectors are kept in an index: move those there that are in the file, and hold the index against it.

        May take minutes, does not hold the store meanwhile, and goes on where it was interrupted. Searches use what
        they find: the vectors in the file until all are moved.

        Args:
            source_id: None: all sources.
            progress: told ``(done, total)`` of the vectors moved.
            stop: asked between batches.

        Raises:
            SourceError: the index cannot be reached.
        """
        ...
