"""Archival memory: what the agent wrote down, and the documents attached to it."""

from __future__ import annotations

import logging

from ..embeddings.base import Embedder
from ..errors import SourceError, ToolError
from ..storage.base import Passage, Store
from .results import origin, render_page

logger = logging.getLogger(__name__)

#: Passages embedded in one go before a search; the rest of a large backlog waits for the next.
BACKLOG = 512


class ArchivalMemory:
    """The archival memory of one agent.

    Args:
        store: where it is kept.
        agent_id: whose it is.
        embedder: None: search by words alone.
        page_size: hits on a page.
    """

    def __init__(self, store: Store, agent_id: str, embedder: Embedder | None, page_size: int = 5) -> None:
        self._store = store
        self._agent_id = agent_id
        self._embedder = embedder
        self._page_size = page_size

    def insert(self, content: str) -> str:
        """Write a note.

        Raises:
            ToolError: it is empty.
        """
        if not content.strip():
            raise ToolError("There is nothing to write: content is empty.")
        self._store.passages.add(self._store.passages.own_source(self._agent_id), [Passage(content)])
        return "Written to archival memory."

    def search(self, query: str, page: int) -> str:
        """Passages by words and by meaning, best first. Pages start at 0."""
        vector = None
        embedder = self._embedder
        if embedder is not None and query.strip():
            try:
                self._fill(embedder)
                vector = embedder.embed([query])[0]
            except (SourceError, OSError) as error:  # an embedder out of reach leaves the words
                logger.warning("Searching by words alone: %s", error)
        found = self._store.passages.search(
            self._agent_id,
            query,
            page=page,
            page_size=self._page_size,
            vector=vector,
            embedder=embedder.name if embedder else "",
        )
        return render_page(found, _line, "Archival memory has nothing on this.")

    def _fill(self, embedder: Embedder) -> None:
        """Give vectors to passages that have none yet."""
        backlog = self._store.passages.without_vectors(self._agent_id, BACKLOG)
        if backlog:
            vectors = embedder.embed([passage.text for passage in backlog])
            self._store.passages.put_vectors(embedder.name, [passage.id for passage in backlog], vectors)


def _line(passage: Passage) -> str:
    where = [passage.uri or passage.source]
    if page := passage.metadata.get("page"):
        where.append(f"p. {page}")
    if not any(where) and passage.created_at:
        where = [passage.created_at.astimezone().strftime("%Y-%m-%d %H:%M")]
    return f"{origin(where)}{passage.text}"
