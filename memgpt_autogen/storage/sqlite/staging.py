"""Documents on their way into a source: written out of sight, bit by bit, and then taken over at once.

So nobody who writes to the file waits for long, however much is loaded, and an interrupted loading shows nowhere. Out
of sight is a source that no list has; it says whose documents it holds in ``loading_for``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from ...ids import new_id
from ..records import now
from .database import Database
from .upkeep import remove_some

#: What an ordinary source is known by in SQL.
IN_SIGHT = "sources.loading_for IS NULL"


class Arrivals(Protocol):
    """What comes into a source, and what goes."""

    def open_arrivals(self, name: str) -> str:
        """The id of a place out of sight, for what is to come into the source of a name or has gone from it."""
        ...

    def left_over(self, name: str) -> Sequence[str]:
        """Such places that are there for a source: what they hold is not needed any more."""
        ...

    def retire(self, source_id: str, ids: Iterable[str], place: str) -> None:
        """Take documents of a source out of sight, with their passages."""
        ...

    def arrive(self, source_id: str, place: str) -> None:
        """Take over all documents of a place out of sight, which ends with that."""
        ...

    def remove_some(self, place: str, limit: int) -> bool:
        """Delete so many passages of a place out of sight; with the last, the place.

        Returns:
            Whether anything is left.
        """
        ...


class SQLiteArrivals:
    """The same in SQLite."""

    _db: Database

    def open_arrivals(self, name: str) -> str:
        place = new_id()
        self._db.insert(
            "sources", [{"id": place, "name": f"loading {place}", "loading_for": name, "created_at": now()}]
        )
        return place

    def left_over(self, name: str) -> Sequence[str]:
        rows = self._db.all("SELECT id FROM sources WHERE user_id = ? AND loading_for = ?", self._db.user_id, name)
        return [row["id"] for row in rows]

    def retire(self, source_id: str, ids: Iterable[str], place: str) -> None:
        with self._db.transaction():
            for document_id in ids:
                self._db.execute(
                    "UPDATE documents SET source_id = ? WHERE source_id = ? AND id = ?", place, source_id, document_id
                )
                self._db.execute("UPDATE passages SET source_id = ? WHERE document_id = ?", place, document_id)
            self._db.execute(
                "UPDATE passage_vectors SET owner_id = ? WHERE owner_id = ? "
                "AND seq IN (SELECT seq FROM passages WHERE source_id = ?)",
                place,
                source_id,
                place,
            )
            self._count(source_id, place)

    def arrive(self, source_id: str, place: str) -> None:
        with self._db.transaction():
            for table in ("documents", "passages"):
                self._db.execute(f"UPDATE {table} SET source_id = ? WHERE source_id = ?", source_id, place)
            self._count(source_id)
            self._db.execute("DELETE FROM sources WHERE id = ?", place)

    def _count(self, *source_ids: str) -> None:
        """Rows have moved: what is kept of these sources in memory is to be read anew."""
        for source_id in source_ids:
            self._db.execute(
                "UPDATE sources SET edition = edition + 1, "
                "passages = (SELECT count(*) FROM passages WHERE source_id = sources.id) WHERE id = ?",
                source_id,
            )

    def remove_some(self, place: str, limit: int) -> bool:
        return remove_some(self._db, place, limit)
