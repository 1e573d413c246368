"""The vectors of queries, and those that recent texts still lack.

Neither a turn nor a load waits for vectors: texts are found by full text search at once. Each search first embeds
recent texts for up to half a second; a thread does the rest (:mod:`.vector_backfill`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar
from weakref import WeakKeyDictionary

from ..embeddings.base import Embedder, embeds_words
from ..embeddings.choose import embedder_named
from ..errors import SourceError
from ..events import clean
from ..messages import Message
from ..storage.base import Store
from ..storage.records import Passage, Vectors
from ..storage.search.questions import question_in
from .vector_backfill import FIRST_BATCH, backfill_in_background, embed_batch, spoken, text_of

logger = logging.getLogger(__name__)

T = TypeVar("T", Message, Passage)

#: A search embeds at most so many texts besides its query, in about so many seconds.
MAX_TEXTS, MAX_SECONDS = 512, 0.5
#: Query vectors that are kept for the searches that follow.
CACHED_QUERIES = 8
#: Seconds for which an embedder that failed is not asked again.
COOLDOWN = 60.0

_cooling_down: WeakKeyDictionary[Embedder, float] = WeakKeyDictionary()


class QueryEmbedding:
    """Embeds the queries of one agent.

    Args:
        store: where vectors are kept.
        agent_id: whose memory is searched.
        embedder: None: there is no vector search.
    """

    def __init__(self, store: Store, agent_id: str, embedder: Embedder | None) -> None:
        self._store = store
        self._agent_id = agent_id
        self._embedder = embedder
        self._prepared: dict[str, Vectors] = {}
        self.name = embedder.name if embedder else ""

    @property
    def embed_words(self) -> Callable[[Sequence[str]], Vectors] | None:
        """Gives the vectors of single words, where the embedder is made of them."""
        return self._embedder.embed if self._embedder is not None and embeds_words(self._embedder) else None

    def of_messages(self, query: str) -> Vectors | None:
        """The vector of a query for messages; None: full text search only."""
        log = self._store.log
        return self._vector(query, log.without_vectors, spoken, partial(log.put_vectors, self._agent_id))

    def of_passages(self, query: str) -> Vectors | None:
        """The vector of a query for passages; None: full text search only."""
        passages = self._store.passages
        vector = self._vector(query, passages.without_vectors, text_of, passages.put_vectors)
        if self._embedder is not None and passages.unsettled(self._agent_id):
            backfill_in_background(self._store, self._embedder, self._agent_id)
        return vector

    def prepare(self, query: str, *, messages: bool) -> None:
        """Embed a query for the search that follows. A step calls this before it opens its transaction."""
        vector = self.of_messages(query) if messages else self.of_passages(query)
        if vector is not None:
            self._prepared = {**dict(list(self._prepared.items())[-CACHED_QUERIES:]), query: vector}

    def by_others(self, query: str, embedders: Iterable[str]) -> dict[str, Vectors | None]:
        """The vectors of a query by other embedders, by name; None where one is not available."""
        found: dict[str, Vectors | None] = {}
        for name in embedders:
            other = embedder_named(name) if query.strip() else None
            found[name] = None
            if other is not None and time.monotonic() >= _cooling_down.get(other, 0.0):
                try:
                    found[name] = other.embed([question_in(clean(query))])
                except (SourceError, OSError) as error:
                    _cool_down(other, error)
        return found

    def _vector(
        self,
        query: str,
        missing: Callable[[str, int, str], Sequence[T]],
        text: Callable[[T], str],
        put: Callable[[str, Sequence[str], Vectors], None],
    ) -> Vectors | None:
        embedder = self._embedder
        if embedder is None or not query.strip():
            return None
        if query in self._prepared:
            return self._prepared.pop(query)
        if time.monotonic() < _cooling_down.get(embedder, 0.0):
            return None
        batch: Sequence[T] = missing(self._agent_id, FIRST_BATCH, embedder.name)
        try:
            vectors = embedder.embed([question_in(clean(query)), *(text(one) for one in batch)])  # one request for all
        except (SourceError, OSError) as error:  # without the embedder, full text search still works
            _cool_down(embedder, error)
            return None
        try:
            if batch:
                put(embedder.name, [one.id for one in batch], vectors[1:])
            if len(batch) == FIRST_BATCH:
                self._embed_backlog(embedder, missing, text, put)
        except (SourceError, OSError) as error:
            logger.info("Vectors could not be stored: %s", error)
        return vectors[:1]

    def _embed_backlog(
        self,
        embedder: Embedder,
        missing: Callable[[str, int, str], Sequence[T]],
        text: Callable[[T], str],
        put: Callable[[str, Sequence[str], Vectors], None],
    ) -> None:
        """Embed a larger backlog for up to half a second, and leave the rest to the thread."""
        size, done, until, took = FIRST_BATCH, FIRST_BATCH, time.monotonic() + MAX_SECONDS, 0.0
        while done + size <= MAX_TEXTS and time.monotonic() + 2 * took <= until:
            batch: Sequence[T] = missing(self._agent_id, size, embedder.name)
            if not batch:
                return
            took = embed_batch(embedder, batch, text, put)
            done, size = done + len(batch), 2 * size
        if missing(self._agent_id, 1, embedder.name):
            backfill_in_background(self._store, embedder, self._agent_id)


def _cool_down(embedder: Embedder, error: Exception) -> None:
    _cooling_down[embedder] = time.monotonic() + COOLDOWN
    logger.warning("Using full text search only for %d seconds: %s", COOLDOWN, error)
