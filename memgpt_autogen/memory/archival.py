"""Archival memory: the agent's own notes and the documents attached to it."""

from __future__ import annotations

import logging
import unicodedata
from datetime import date

from ..embeddings.base import Embedder
from ..errors import ToolError
from ..storage.base import Store
from ..storage.records import Page, Passage, Source
from ..storage.search.dates import earlier
from .query_embedding import QueryEmbedding
from .results import quoted, remark, render_page

NOTHING = "Archival memory has nothing on this."

logger = logging.getLogger(__name__)


class ArchivalMemory:
    """The archival memory of one agent.

    Args:
        store: where it is kept.
        agent_id: whose it is.
        embedder: None: full text search only.
        page_size: hits on a page.
    """

    def __init__(self, store: Store, agent_id: str, embedder: Embedder | None, page_size: int = 5) -> None:
        self._store = store
        self._agent_id = agent_id
        self._query_embedding = QueryEmbedding(store, agent_id, embedder)
        self._page_size = page_size
        self._told: set[str] = set()

    def insert(self, content: str) -> str:
        """Write a note; one that is there already, but for case, spaces and the last stop, is not written twice.

        Raises:
            ToolError: it is empty.
        """
        if not content.strip():
            raise ToolError("There is nothing to write: content is empty.")
        known = self._own_note(content)
        if known is not None:
            day = f" of {known.created_at.astimezone():%Y-%m-%d}" if known.created_at else ""
            return f"Archival memory has this note already{day}. If it happened again, write when."
        self._store.passages.add(self._store.sources.own_source(self._agent_id), [Passage(content)])
        return "Written to archival memory."

    def _own_note(self, content: str) -> Passage | None:
        """The agent's own note that says the same, if it is among the first that a search by words finds."""
        found = self._store.passages.search(self._agent_id, content, page=1, page_size=self._page_size, source="")
        same = (hit.item for hit in found.hits if _said(hit.item.text) == _said(content))
        return next(same, None)

    def newest(self, count: int) -> list[str]:
        """The agent's own newest notes, the newest first."""
        found = self._store.passages.search(self._agent_id, "", page=1, page_size=count, source="")
        return [hit.item.text for hit in found.hits]

    def prepare(self, query: str) -> None:
        """Embed a query before the step's transaction opens, for the search that follows."""
        self._query_embedding.prepare(query, messages=False)

    def search(
        self,
        query: str,
        page: int,
        *,
        source: str | None = None,
        since: date | None = None,
        until: date | None = None,
        as_of: date | None = None,
    ) -> str:
        """Passages by full text and vectors, best first, as the model reads them. See :meth:`find`."""
        notices: list[str] = []
        found = self.find(query, page, source=source, since=since, until=until, as_of=as_of, notices=notices)
        shown = render_page(found, line_of, NOTHING)
        return "\n".join([*notices, shown])

    def find(
        self,
        query: str,
        page: int = 1,
        *,
        source: str | None = None,
        since: date | None = None,
        until: date | None = None,
        as_of: date | None = None,
        notices: list[str] | None = None,
    ) -> Page[Passage]:
        """Passages by full text and vectors, best first.

        A source whose vectors were made by another embedder is searched with that one. If it is not available, the
        source is searched by full text only, and a notice says so.

        Args:
            query: a person's words. Empty: every passage, the newest first.
            page: from 1; where there is none of that number, the last.
            source: only the attached source of this name; empty: only the agent's own notes.
            since, until: only passages written on these days (local time, inclusive).
            as_of: ask as on that day: nothing written or loaded later is found, and "last week" in the query is counted
                from it.
            notices: notices are appended to it, one line each; they are also logged, once.

        Raises:
            SourceError: no source of that name is attached.
        """
        vector = self._query_embedding.of_passages(query) if query.strip() else None
        others = {}
        if vector is not None:
            attached = self._store.sources.attached(self._agent_id)
            strange = [one for one in attached if one.embedder not in ("", self._query_embedding.name)]
            others = self._query_embedding.by_others(query, {one.embedder for one in strange})
            for one in strange:
                if others[one.embedder] is None and source in (None, one.name):
                    self._notice(one, notices)
        return self._store.passages.search(
            self._agent_id,
            query,
            page=page,
            page_size=self._page_size,
            vector=vector,
            embedder=self._query_embedding.name,
            also=others,
            source=source,
            since=since,
            until=earlier(until, as_of),
            today=as_of,
        )

    def _notice(self, source: Source, notices: list[str] | None) -> None:
        told = (
            f"Source {source.name!r} was searched by words alone: its vectors were made with {source.embedder}, and "
            f"this agent searches with {self._query_embedding.name}."
        )
        if notices is not None:
            notices.append(told)
        if told not in self._told:
            self._told.add(told)
            logger.warning("%s Use that embedder, or load the source under another name.", told)


def _said(text: str) -> str:
    """A text without what does not change what it says: case, spaces, the last stop."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split()).rstrip(".!")


def line_of(passage: Passage) -> str:
    """A passage with its source in front; passages of documents are quoted."""
    where = [passage.uri or passage.source]
    if page := passage.metadata.get("page"):
        where.append(f"p. {page}")
    if not any(where) and passage.created_at:
        where = [passage.created_at.astimezone().strftime("%Y-%m-%d %H:%M")]
    return quoted(passage.text, where) if passage.source else remark(passage.text, where)
