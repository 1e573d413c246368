"""Searching by meaning: the vector of a query, and those of what has none yet.

Neither a turn nor a loading waits for vectors: texts are found by their words at once, and each search first gives
vectors to a batch of what is still without.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from ..embeddings.base import Embedder
from ..errors import SourceError
from ..messages import Message
from ..storage.base import Passage, Store, Vectors

logger = logging.getLogger(__name__)

T = TypeVar("T", Message, Passage)

#: Texts embedded in one go before a search; the rest of a large backlog waits for the next.
BACKLOG = 512


class Meaning:
    """What an agent's searches know of meaning.

    Args:
        store: where the vectors are kept.
        agent_id: whose memory.
        embedder: None: there is no searching by meaning.
    """

    def __init__(self, store: Store, agent_id: str, embedder: Embedder | None) -> None:
        self._store = store
        self._agent_id = agent_id
        self._embedder = embedder
        self.name = embedder.name if embedder else ""

    def of_messages(self, query: str) -> Vectors | None:
        """The vector of a query of messages, or None: search by words alone."""
        log = self._store.log
        return self._vector(query, log.without_vectors, _spoken, partial(log.put_vectors, self._agent_id))

    def of_passages(self, query: str) -> Vectors | None:
        """The vector of a query of passages, or None: search by words alone."""
        passages = self._store.passages
        return self._vector(query, passages.without_vectors, _text, passages.put_vectors)

    def _vector(
        self,
        query: str,
        missing: Callable[[str, int, str], Sequence[T]],
        text: Callable[[T], str],
        put: Callable[[str, Sequence[str], Vectors], None],
    ) -> Vectors | None:
        if self._embedder is None or not query.strip():
            return None
        try:
            if backlog := missing(self._agent_id, BACKLOG, self._embedder.name):
                vectors = self._embedder.embed([text(one) for one in backlog])
                put(self._embedder.name, [one.id for one in backlog], vectors)
            return self._embedder.embed([query])
        except (SourceError, OSError) as error:  # an embedder out of reach leaves the words
            logger.warning("Searching by words alone: %s", error)
            return None


def _spoken(message: Message) -> str:
    return f"{message.author}: {message.text}" if message.author else message.text


def _text(passage: Passage) -> str:
    return passage.text
