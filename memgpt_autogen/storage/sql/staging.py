"""Documents on their way into a source: written to a hidden source in batches, and then taken over at once.

So nobody who writes to the file waits for long, however much is loaded, and an interrupted load shows nowhere. A hidden
source is in no list; ``loading_for`` says into which source its documents go, or have come out of.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from ...errors import StoreError
from ...ids import new_id
from ..records import now
from .database import Database
from .vector_places import forget

#: The SQL condition of a source that is not hidden.
VISIBLE = "sources.loading_for IS NULL"
#: Passages deleted in one transaction, and seconds in between in which others may write.
BATCH, BREATH = 100, 0.002


def stage(database: Database, name: str) -> str:
    """Make a hidden source for what is to come into the source of a name; its id."""
    place = new_id()
    row = {"id": place, "name": f"loading {place}", "loading_for": name, "created_at": now()}
    database.insert("sources", [row])
    return place


def publish(database: Database, name: str, source_id: str, place: str, outdated: Iterable[str]) -> None:
    """Take over all documents of a hidden source, which ends with that; hide those that are outdated.

    Passages that belong to no document are deleted. A source that is left empty before the new documents come may have
    vectors of another embedder from then on.

    Raises:
        StoreError: there is no such hidden source of that name.
    """
    with database.transaction():
        hidden = "SELECT 1 FROM sources WHERE id = ? AND user_id = ? AND loading_for = ?"
        if database.one(hidden, place, database.user_id, name) is None:
            raise StoreError(f"The documents for {name!r} are not staged any more. Load them again.")
        database.execute("DELETE FROM passages WHERE source_id = ? AND document_id IS NULL", source_id)
        _hide(database, source_id, outdated, stage(database, name))
        if not database.number("SELECT passages FROM sources WHERE id = ?", source_id):
            clear(database, source_id)
        for table in ("documents", "passages"):
            database.execute(f"UPDATE {table} SET source_id = ? WHERE source_id = ?", source_id, place)
        _moved(database, source_id)
        database.execute("DELETE FROM sources WHERE id = ?", place)


def discard(database: Database, name: str) -> None:
    """Delete the hidden sources of a name, in batches."""
    for place in left_over(database, name):
        while remove_some(database, place, BATCH):
            time.sleep(BREATH)


def remove_some(database: Database, place: str, limit: int) -> bool:
    """Delete so many passages of a loading; with the last, the loading. Whether anything is left."""
    with database.transaction():
        some = "SELECT seq FROM passages WHERE source_id = ? AND user_id = ? ORDER BY seq LIMIT ?"
        if database.execute(f"DELETE FROM passages WHERE seq IN ({some})", place, database.user_id, limit):
            return True
        database.execute("DELETE FROM sources WHERE id = ? AND user_id = ?", place, database.user_id)
        return False


def left_over(database: Database, name: str) -> list[str]:
    """The hidden sources of a name."""
    rows = database.all("SELECT id FROM sources WHERE user_id = ? AND loading_for = ?", database.user_id, name)
    return [row["id"] for row in rows]


def clear(database: Database, source_id: str) -> None:
    """Delete what a source holds, and forget which embedder it had."""
    with database.transaction():
        database.execute("DELETE FROM passages WHERE source_id = ?", source_id)
        database.execute("DELETE FROM documents WHERE source_id = ?", source_id)
        forget(database, source_id)


def _hide(database: Database, source_id: str, ids: Iterable[str], place: str) -> None:
    """Move documents of a source, with their passages and vectors, into a hidden one."""
    for document_id in ids:
        sql = "UPDATE documents SET source_id = ? WHERE source_id = ? AND id = ?"
        if database.execute(sql, place, source_id, document_id):
            database.execute("UPDATE passages SET source_id = ? WHERE document_id = ?", place, document_id)
    database.execute(
        "UPDATE passage_vectors SET owner_id = ? WHERE owner_id = ? "
        "AND seq IN (SELECT seq FROM passages WHERE source_id = ?)",
        *(place, source_id, place),
    )
    _moved(database, source_id, place)


def _moved(database: Database, *source_ids: str) -> None:
    """Rows have moved: count them anew, and have caches of these sources read anew."""
    for source_id in source_ids:
        database.execute(
            "UPDATE sources SET edition = edition + 1, "
            "passages = (SELECT count(*) FROM passages WHERE source_id = sources.id) WHERE id = ?",
            source_id,
        )
