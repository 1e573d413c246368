"""Archival memory: what the agent wrote down, and the documents attached to it."""

from __future__ import annotations

from ..embeddings.base import Embedder
from ..errors import ToolError
from ..storage.base import Passage, Store
from .meaning import Meaning
from .results import origin, render_page


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
        self._meaning = Meaning(store, agent_id, embedder)
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
        found = self._store.passages.search(
            self._agent_id,
            query,
            page=page,
            page_size=self._page_size,
            vector=self._meaning.of_passages(query),
            embedder=self._meaning.name,
        )
        return render_page(found, _line, "Archival memory has nothing on this.")


def _line(passage: Passage) -> str:
    where = [passage.uri or passage.source]
    if page := passage.metadata.get("page"):
        where.append(f"p. {page}")
    if not any(where) and passage.created_at:
        where = [passage.created_at.astimezone().strftime("%Y-%m-%d %H:%M")]
    return f"{origin(where)}{passage.text}"
