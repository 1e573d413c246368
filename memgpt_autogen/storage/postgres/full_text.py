"""The full text index in PostgreSQL: the terms that FTS5 finds in a text, as a ``tsvector`` under a GIN index."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from ..search.text import begins
from ..search.words import asked, indexed
from ..sql.database import Dialect, Indexed

if TYPE_CHECKING:
    from ..sql.database import Database, Numbers

DIALECT = Dialect(
    these="= ANY(?)",
    vector="substr(vector_send(vector), 5)",
    floats=">f4",
    has_vector="vector IS NOT NULL",
    no_vector="NULL",
)
#: What PostgreSQL keeps of a text: places up to a number, so many of each term, and bytes of a term and of all.
_LAST_PLACE, _PLACES, _TERM, _SIZE = 16_383, 255, 1_000, 500_000
#: Rows that the vocabulary is read from: the latest.
_SAMPLE = 20_000


def terms_of(text: str, owner_id: str) -> str:
    """A text's terms with their places, and its owner as one more term, in the form that ``tsvector`` reads.

    Of a text of more than half a megabyte of terms the rest is left out, since PostgreSQL refuses it.
    """
    places: dict[str, list[int]] = {}
    size = 0
    for term, place in indexed(text):
        size += len(term) + 8
        if len(term.encode()) <= _TERM and size < _SIZE:
            places.setdefault(term, []).append(place + 1)
    words = [f"'@{owner_id}'"]
    for term, found in places.items():
        at = ",".join(str(place) for place in found[:_PLACES] if place <= _LAST_PLACE)
        words.append(f"{_quoted(term)}:{at}" if at else _quoted(term))
    return " ".join(words)


class PostgresFullText:
    """See :class:`memgpt_autogen.storage.sql.database.FullText`.

    Args:
        database: where it is.
        table: whose column ``text`` is indexed.
    """

    def __init__(self, database: Database, table: Indexed) -> None:
        self._db, self._table = database, table

    def holding(
        self, phrases: Sequence[str], owners: Sequence[str], *, first: int, last: int, limit: int | None
    ) -> Numbers:
        """Rows that hold one of some phrases."""
        query = " | ".join(f"({phrase})" for phrase in map(_phrase, phrases) if phrase)
        if not query:
            return self._db.numbers("SELECT 0 AS number WHERE false")
        rows = f"SELECT seq AS number FROM {self._table}_terms WHERE terms @@ ?::tsquery AND seq BETWEEN ? AND ?"
        # Enough for all, and in any order: which of the many are given does not matter.
        some = f"{rows} LIMIT {limit}" if limit is not None else rows
        ordered = f"SELECT number FROM ({some}) AS found ORDER BY number"
        return self._db.numbers(ordered, f"({_owned(owners)}) & ({query})", first, last)

    def counts(self, term: str, owners: Sequence[str], limit: int) -> tuple[Numbers, Numbers]:
        """Rows that hold a term, and how often each does.

        PostgreSQL tells the number of places of a term only through ``ts_rank``, which for one term of full weight is
        the sum of the first so many reciprocal squares, divided by pi squared over six.
        """
        import numpy as np

        query = f"({_owned(owners)}) & {_quoted(term)}"
        rank = "ts_rank('{1,1,1,1}', terms, ?::tsquery)"
        rows = self._db.all(
            f"SELECT seq, {rank} AS rank FROM {self._table}_terms WHERE terms @@ ?::tsquery ORDER BY seq LIMIT {limit}",
            *(_quoted(term), query),
        )
        numbers = np.array([row[0] for row in rows], dtype=np.int64)
        ranks = np.array([row[1] for row in rows], dtype=np.float64)
        return numbers, np.searchsorted(_rank_limits(), ranks) + 1

    def holding_any(self, terms: Sequence[str], owners: Sequence[str], limit: int) -> Numbers:
        """Rows that hold one of some terms."""
        query = f"({_owned(owners)}) & ({' | '.join(map(_quoted, terms))})"
        rows = f"SELECT seq AS number FROM {self._table}_terms WHERE terms @@ ?::tsquery ORDER BY seq LIMIT {limit}"
        return self._db.numbers(rows, query)

    def frequent(self, limit: int) -> Sequence[str]:
        """The terms that most of the latest rows hold, the most frequent first."""
        latest = f"SELECT terms FROM {self._table}_terms ORDER BY seq DESC LIMIT {_SAMPLE}"
        rows = self._db.all(
            "SELECT word FROM ts_stat(?) WHERE word NOT LIKE '@%' ORDER BY ndoc DESC, word LIMIT ?", latest, limit
        )
        return [row[0] for row in rows]

    def headed(self, headings: Sequence[str], source_ids: Sequence[str], limit: int) -> Sequence[Sequence[int]]:
        """Passages by their heading."""
        some = f"SELECT seq FROM passages WHERE heading = name AND heading <> '' AND source_id = ANY(?) LIMIT {limit}"
        rows = self._db.all(f"SELECT ARRAY({some}) AS seqs FROM unnest(?::text[]) AS name", [*source_ids], [*headings])
        return [row[0] for row in rows if row[0]]


@cache
def _rank_limits() -> list[float]:
    """Between which ranks a term stands once, twice, ...: halfway between the sums."""
    sums, total = [], 0.0
    for number in range(1, _PLACES + 2):
        total += 1 / number**2
        sums.append(total / (math.pi**2 / 6))
    return [(one + other) / 2 for one, other in pairwise(sums)]


def _owned(owners: Iterable[str]) -> str:
    return " | ".join(f"'@{owner}'" for owner in owners)


def _phrase(phrase: str) -> str:
    """A phrase as ``tsquery``; empty: there is no term in it."""
    if begins(phrase):
        return f"{_quoted(phrase)}:*"
    return " <-> ".join(map(_quoted, asked(phrase)))


def _quoted(term: str) -> str:
    doubled = term.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'"
