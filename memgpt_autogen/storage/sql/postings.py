"""Which rows hold a word, asked of a full text table one word at a time; and which were written on some days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from ..search.dates import bounds_of
from ..search.irregular_forms import irregular_forms
from ..search.ranking import AFTERWARDS, DAYS_AFTER, Floats, Places, Postings
from ..search.words import informative, pairs, stem, telling
from .database import Database, Indexed, Numbers
from .row_cache import Shelf

Bounds = tuple[date | None, date | None]

#: A word that more rows hold says as little as a stop word, and takes the time of all others together. It counts only
#: where the query has no rarer one.
COMMON = 10_000
#: Words of a query that are looked up, and pairs of them; a query is a question, not a page.
WORDS = 32


@dataclass(frozen=True)
class Holders:
    """Where each word stands, and each pair of neighbouring words."""

    words: dict[str, Postings]
    pairs: Sequence[Places]


class Finder:
    """Looks words up in a full text table.

    Args:
        database: where it is.
        table: the table.
        shelves: the rows that matter; places are those on all of them, put side by side. None is empty.
    """

    def __init__(self, database: Database, table: Indexed, shelves: Sequence[Shelf]) -> None:
        self._index, self._shelves = database.full_text(table), shelves
        self._owners = [shelf.owner_id for shelf in shelves]
        self._first = min(int(one.numbers[0]) for one in shelves)
        self._last = max(int(one.numbers[-1]) for one in shelves)
        self._starts = np.cumsum([0, *(len(shelf) for shelf in shelves)])

    def places(self, numbers: Numbers) -> Places:
        """Where rows stand, rising numbers given; those of others are left out."""
        pairs = zip(self._starts, self._shelves, strict=False)
        return np.concatenate([start + shelf.places(_between(numbers, shelf)) for start, shelf in pairs])

    def find(self, query: str, *, counts: bool = False) -> Holders:
        """Look a query's words up.

        Args:
            query: a person's words.
            counts: also how often each stands in a text, and the pairs.
        """
        every = telling(query)[:WORDS]
        found = {word: self._look_up(word, COMMON) for word in every}
        rare = {word: numbers for word, (numbers, common) in found.items() if not common}
        if not any(len(numbers) for numbers in rare.values()):
            rare = {word: self._look_up(word, None)[0] for word in every}
        words = {}
        for word, numbers in rare.items():
            known = self._counted(word, numbers) if counts and len(numbers) else None
            words[word] = replace(self._postings(numbers, known), informative=informative(word))
        beside = [
            self.places(self._look_up(f"{one} {other}", COMMON, forms=False)[0])
            for one, other in (pairs(query)[:WORDS] if counts else ())
            if len(rare.get(one, ())) and len(rare.get(other, ()))
        ]
        return Holders(words, beside)

    def _look_up(self, phrase: str, limit: int | None, *, forms: bool = True) -> tuple[Numbers, bool]:
        """The rows that hold a phrase, rising, and whether there are more than ``limit`` (None: none)."""
        either = (phrase, *(irregular_forms(phrase) if forms else ()))
        most = None if limit is None else limit + 1
        numbers = self._index.holding(either, self._owners, first=self._first, last=self._last, limit=most)
        return numbers, limit is not None and len(numbers) > limit

    def _counted(self, word: str, numbers: Numbers) -> Floats | None:
        """How often a word and its forms stand in these rows."""
        counts = np.zeros(len(numbers), dtype=np.float32)
        for form in (word, *irregular_forms(word)):
            term = stem(form)
            if term is None:
                return None
            there, times = self._index.counts(term, self._owners, 4 * COMMON)
            at = np.minimum(np.searchsorted(numbers, there), len(numbers) - 1)
            here = numbers[at] == there
            counts[at[here]] += times[here]
        return np.maximum(counts, 1)

    def _postings(self, numbers: Numbers, counts: Floats | None) -> Postings:
        places = self.places(numbers)
        if counts is None:
            return Postings(places)
        held = np.concatenate([shelf.numbers for shelf in self._shelves])[places] if len(self._shelves) > 1 else None
        mine = self._shelves[0].numbers[places] if held is None else held
        return Postings(places, counts[np.searchsorted(numbers, mine)])


def written(database: Database, rows: str, shelves: Sequence[Shelf], days: Bounds) -> npt.NDArray[np.bool_]:
    """Which rows were written on these days.

    Args:
        database: where.
        rows: SQL of the rows of an owner: ``FROM ... WHERE ...``.
        shelves: the rows, put side by side.
        days: first and last, each local and included; None: no bound.
    """
    since, before = bounds_of(*days)
    sql = f"SELECT seq AS number {rows} AND created_at >= ? AND created_at < ? ORDER BY seq"
    each = []
    for shelf in shelves:
        mask = np.zeros(len(shelf), dtype=np.bool_)
        mask[shelf.places(database.numbers(sql, shelf.owner_id, since, before))] = True
        each.append(mask)
    return np.concatenate(each)


def dated(database: Database, rows: str, shelves: Sequence[Shelf], days: Sequence[tuple[date, date]]) -> Floats:
    """How well the day on which each row was written fits those that a query names, 0 to 1. As :func:`written`."""
    gains = np.zeros(sum(len(shelf) for shelf in shelves), dtype=np.float32)
    for first, last in days:
        soon = last + timedelta(DAYS_AFTER)
        for gain, since, until in ((AFTERWARDS, first, soon), (1.0, first, last)):
            mask = written(database, rows, shelves, (since, until))
            gains[mask] = np.maximum(gains[mask], np.float32(gain))
    return gains


def _between(numbers: Numbers, shelf: Shelf) -> Numbers:
    """Of rising numbers those from a shelf's first to its last: sources mostly stand one behind the other."""
    first, last = np.searchsorted(numbers, shelf.numbers[[0, -1]])
    return numbers[first : last + 1]
