"""SQL as SQLite writes it, and its full text tables, asked for row numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..search.text import fts_phrase
from ..sql.database import Dialect

if TYPE_CHECKING:
    from ..sql.database import Numbers
    from .database import SQLiteDatabase

DIALECT = Dialect(
    these="IN (SELECT value FROM json_each(?))",
    vector="vector",
    floats="<f4",
    has_vector="length(code) > 0",
    no_vector="x''",
    code="code",
)


class SQLiteFullText:
    """See :class:`memgpt_autogen.storage.sql.database.FullText`. Rows of all owners are given.

    Args:
        database: where it is.
        table: the name of the FTS5 table.
    """

    def __init__(self, database: SQLiteDatabase, table: str) -> None:
        self._db, self._table = database, table

    def holding(
        self, phrases: Sequence[str], owners: Sequence[str], *, first: int, last: int, limit: int | None
    ) -> Numbers:
        """Rows that hold one of some phrases."""
        rows = (
            f"SELECT rowid AS number FROM {self._table} WHERE {self._table} MATCH ? AND rowid BETWEEN ? AND ? LIMIT ?"
        )
        either = " OR ".join(map(fts_phrase, phrases))
        return self._db.numbers(rows, either, first, last, -1 if limit is None else limit)

    def counts(self, term: str, owners: Sequence[str], limit: int) -> tuple[Numbers, Numbers]:
        """Rows that hold a term, and how often each does."""
        import numpy as np

        self._have("terms", "instance")
        every = f"SELECT doc AS number FROM temp.{self._table}_terms WHERE term = ? LIMIT {limit}"
        numbers, times = np.unique(self._db.numbers(every, term), return_counts=True)
        return numbers, times

    def holding_any(self, terms: Sequence[str], owners: Sequence[str], limit: int) -> Numbers:
        """Rows that hold one of some terms."""
        self._have("terms", "instance")
        marks = ", ".join("?" * len(terms))
        these = f"FROM temp.{self._table}_terms WHERE term IN ({marks}) ORDER BY doc LIMIT {limit}"
        return self._db.numbers(f"SELECT DISTINCT doc AS number {these}", *terms)

    def frequent(self, limit: int) -> Sequence[str]:
        """The terms that most rows hold, the most frequent first."""
        self._have("counts", "row")
        rows = self._db.all(f"SELECT term FROM temp.{self._table}_counts ORDER BY doc DESC LIMIT ?", limit)
        return [row["term"] for row in rows]

    def headed(self, headings: Sequence[str], source_ids: Sequence[str], limit: int) -> Sequence[Sequence[int]]:
        """Passages of some sources by their heading."""
        these = self._db.dialect.these
        some = f"SELECT seq FROM passages WHERE heading = name.value AND source_id {these} LIMIT {limit}"
        rows = self._db.all(
            f"SELECT (SELECT group_concat(seq) FROM ({some})) FROM json_each(?) AS name",
            *(self._db.listed(source_ids), self._db.listed(headings)),
        )
        return [[int(seq) for seq in row[0].split(",")] for row in rows if row[0]]

    def _have(self, name: str, kind: str) -> None:
        """Have a table of the terms: ``temp.<table>_terms``, where each stands, or ``_counts``."""
        self._db.all(
            f"CREATE VIRTUAL TABLE IF NOT EXISTS temp.{self._table}_{name} USING fts5vocab(main, {self._table}, {kind})"
        )
