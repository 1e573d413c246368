"""Words of like meaning: the terms of a full text table that lie near to a word of the query.

Only for embedders that have a vector for each word (the bundled one): of a model that reads sentences, the vectors of
single words say little and take long.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..search.ranking import Floats
from ..search.words import informative, stem
from .database import FullText, Numbers
from .row_cache import Shelf

#: The least cosine of a near word, and how many count for one word of the query.
COSINE, MOST = 0.45, 10
#: Terms that are known at most, the most frequent first, and that one search reads anew: a tenth of a second.
TERMS, BATCH = 20_000, 1_500
#: The terms are read again when there are so many times as many rows.
GROWTH = 1.05
#: Rows of near words that are looked at, for one word of the query.
ROWS = 10_000

Embed = Callable[[Sequence[str]], Floats]


class NearWords:
    """The terms of a full text index, with their vectors."""

    def __init__(self, index: FullText) -> None:
        self._index = index
        self._embedder, self._rows = "", 0
        self._clear()

    def _clear(self) -> None:
        self._terms: list[str] = []
        self._waiting: list[str] = []
        self._vectors: Floats = np.zeros((0, 0), dtype=np.float32)
        self._near: dict[str, list[str]] = {}

    def rows(self, words: Sequence[str], embed: Embed, embedder: str, shelf: Shelf) -> dict[str, Numbers]:
        """The rows that hold a near word, for each of some words.

        Args:
            words: of the query.
            embed: gives the vectors of words, each of length 1.
            embedder: its name.
            shelf: the rows that matter.
        """
        self._refresh(embed, embedder, len(shelf))
        asked = [word for word in words if len(word) > 2 and word.isalpha() and informative(word)]
        if new := [word for word in asked if word not in self._near]:
            for word, vector in zip(new, embed(new), strict=True):
                self._near[word] = self._nearest(word, vector)
        near = {word: self._near[word] for word in asked if self._near[word]}
        return {word: self._index.holding_any(terms, [shelf.owner_id], ROWS) for word, terms in near.items()}

    def _refresh(self, embed: Embed, embedder: str, count: int) -> None:
        if embedder != self._embedder:
            self._embedder, self._rows = embedder, 0
            self._clear()
        if count >= GROWTH * self._rows or count < self._rows:
            known = {*self._terms}
            telling = (term for term in self._index.frequent(TERMS) if len(term) > 2 and term.isalpha())
            self._waiting = [term for term in telling if term not in known and informative(term)]
            self._rows = count
        if batch := self._waiting[:BATCH]:
            self._waiting = self._waiting[BATCH:]
            added = embed(batch)
            self._vectors = np.concatenate([self._vectors, added]) if self._terms else added
            self._terms += batch
            self._near.clear()

    def _nearest(self, word: str, vector: Floats) -> list[str]:
        if not self._terms:
            return []
        cosines = np.einsum("ij,j->i", self._vectors, vector)
        best = np.argsort(-cosines)[: MOST + 1]
        own = stem(word)
        return [self._terms[place] for place in best if cosines[place] >= COSINE and self._terms[place] != own][:MOST]
