"""Which rows hold a word: asked of a full text table, one word at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .database import Database
from .words import pairs, telling

Numbers = npt.NDArray[np.int64]

#: A word that more rows hold says as little as a stop word, and takes the time of all others together. It counts only
#: where the query has no rarer one.
COMMON = 10_000
#: Words of a query that are looked up, and pairs of them; a query is a question, not a page.
WORDS = 32


@dataclass(frozen=True)
class Holders:
    """The rows that hold each word, and each pair of neighbouring words, rising; ``words`` is in the query's order."""

    words: dict[str, Numbers]
    pairs: Sequence[Numbers]


def find(database: Database, table: str, query: str, first: int, last: int, *, with_pairs: bool) -> Holders:
    """Look a query's words up.

    Args:
        database: where.
        table: a full text table.
        query: a person's words.
        first, last: the range of rows that matter.
        with_pairs: also the pairs.
    """
    every = telling(query)[:WORDS]
    found = {word: _holders(database, table, word, first, last, COMMON + 1) for word in every}
    rare = {word: numbers for word, numbers in found.items() if len(numbers) <= COMMON}
    if not any(len(numbers) for numbers in rare.values()):
        rare = {word: _holders(database, table, word, first, last, -1) for word in every}
    beside = []
    if with_pairs:
        beside = [
            _holders(database, table, f"{one} {other}", first, last, COMMON)
            for one, other in pairs(query)[:WORDS]
            if len(rare.get(one, ())) and len(rare.get(other, ()))
        ]
    return Holders(rare, beside)


def _holders(database: Database, table: str, phrase: str, first: int, last: int, limit: int) -> Numbers:
    rows = f"SELECT rowid FROM {table} WHERE {table} MATCH ? AND rowid BETWEEN ? AND ? LIMIT ?"
    # One text instead of thousands of rows: five times faster.
    row = database.one(f"SELECT group_concat(rowid) FROM ({rows})", f'"{phrase}"', first, last, limit)
    text = row[0] if row else None
    return np.fromstring(text, dtype=np.int64, sep=",") if text else np.zeros(0, dtype=np.int64)
