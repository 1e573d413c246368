"""Recall memory: every message of an agent, whether or not it is still in context."""

from __future__ import annotations

from datetime import date

from ..embeddings.base import Embedder
from ..messages import Message
from ..storage.base import Store
from ..storage.records import Page
from ..storage.search.dates import earlier
from .query_embedding import QueryEmbedding
from .results import remark, render_page

NOTHING = "No earlier message holds any of these words."


class RecallMemory:
    """Search in the message log of one agent.

    Args:
        store: where it is kept.
        agent_id: whose it is.
        page_size: hits on a page.
        embedder: None: full text search only.
    """

    def __init__(self, store: Store, agent_id: str, page_size: int = 5, embedder: Embedder | None = None) -> None:
        self._store = store
        self._agent_id = agent_id
        self._page_size = page_size
        self._query_embedding = QueryEmbedding(store, agent_id, embedder)

    def prepare(self, query: str) -> None:
        """Embed a query before the step's transaction opens, for the search that follows."""
        self._query_embedding.prepare(query, messages=True)

    def search(
        self, query: str, page: int, *, since: date | None = None, until: date | None = None, as_of: date | None = None
    ) -> str:
        """Messages by full text and vectors, best first, as the model reads them. See :meth:`find`."""
        return render_page(self.find(query, page, since=since, until=until, as_of=as_of), line_of, NOTHING)

    def find(
        self,
        query: str,
        page: int = 1,
        *,
        since: date | None = None,
        until: date | None = None,
        as_of: date | None = None,
    ) -> Page[Message]:
        """Messages by full text and vectors, best first. Pages start at 1.

        Args:
            query: a person's words.
            page: from 1; where there is none of that number, the last.
            since, until: only messages of these days (local time, inclusive).
            as_of: ask as on that day: nothing said later is found, and "last week" in the query is the week before it.
        """
        return self._store.log.search(
            self._agent_id,
            query,
            page=page,
            page_size=self._page_size,
            vector=self._query_embedding.of_messages(query),
            embedder=self._query_embedding.name,
            since=since,
            until=earlier(until, as_of),
            today=as_of,
            embed_words=self._query_embedding.embed_words,
        )

    def search_dates(self, start: date, end: date, page: int) -> str:
        """Messages of these days, oldest first, as the model reads them."""
        return render_page(self.find_dates(start, end, page), line_of, nothing_from(start, end))

    def find_dates(self, start: date, end: date, page: int) -> Page[Message]:
        """Messages of these days, oldest first."""
        return self._store.log.search_dates(self._agent_id, start, end, page=page, page_size=self._page_size)


def nothing_from(start: date, end: date) -> str:
    """The answer to a search by dates that found nothing."""
    return f"No messages from {start} to {end}."


def line_of(message: Message) -> str:
    """A message as one quoted line, with its time and speaker in front."""
    when = message.created_at.astimezone().strftime("%Y-%m-%d %H:%M")
    speaker = "you" if message.role == "assistant" else message.author or "user"
    return remark(message.text, [when], speaker)
