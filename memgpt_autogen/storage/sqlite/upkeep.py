"""What is put right when a database is opened: what a killed process left, and what forgetting could not yet clean."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ...errors import StoreError
from ...ids import new_id
from .. import unfinished
from ..files import prepare
from ..locks import hold
from ..records import now
from .database import Database

#: Passages deleted in one transaction, seconds in between in which others may write, and seconds for all of it: what is
#: left then is swept at the next opening.
BATCH, BREATH, SECONDS = 500, 0.001, 5.0
#: Bytes of a file whose indexes are merged when a killed loading was swept.
LARGE = 200_000_000
#: How many notes of what was swept are kept.
KEPT = 20
#: The folder beside a database with its locks, and with notes of files that are being written.
LOCKS = "locks"
_UNCLEAN, _SWEPT = "unclean", "swept"


@dataclass(frozen=True)
class LeftOver:
    """What a killed process left, in words, and the source it was loading, if it was."""

    told: str
    place: str = ""
    source: str = ""


def open_database(
    path: Path, *, user_id: str = "local", durable: bool = False, read_only: bool = False
) -> tuple[Database, Path]:
    """Open a file, sweep it, and say in which folder its locks and notes stand. One that is only read is swept too.

    Raises:
        StoreError: it cannot be opened.
    """
    database, notes = Database(path, user_id=user_id, durable=durable, read_only=read_only), path.parent / LOCKS
    if not database.read_only:
        sweep(database, notes)
    elif prepare(path) and left_over(database, notes):
        with closing(Database(path, user_id=user_id)) as own:
            sweep(own, notes)
    return database, notes


def left_over(database: Database, notes: Path | None) -> Sequence[LeftOver]:
    """Loads and files that a killed process began and that nobody works on any more."""
    found = []
    rows = database.all(
        "SELECT id, loading_for, passages FROM sources WHERE user_id = ? AND loading_for IS NOT NULL", database.user_id
    )
    for row in rows:
        with _alone(database, row["loading_for"], notes) as alone:
            if alone:
                told = f"{row['passages']} passages of a loading of {row['loading_for']!r} that was killed"
                found.append(LeftOver(told, row["id"], row["loading_for"]))
    if notes is not None:
        found += [LeftOver(_told(part)) for part in unfinished.left_over(notes)]
    return found


def sweep(database: Database, notes: Path | None) -> None:
    """Remove what a killed process left, and clean the file of what was forgotten if that is still to be done."""
    deadline, loads = time.monotonic() + SECONDS, 0
    for one in left_over(database, notes):
        if one.place:
            with _alone(database, one.source, notes) as alone:
                while alone and remove_some(database, one.place, BATCH) and time.monotonic() < deadline:
                    time.sleep(BREATH)
            if alone and database.one("SELECT 1 FROM sources WHERE id = ?", one.place) is None:
                note(database, _SWEPT, one.told)
                loads += 1
    if loads and database.number("PRAGMA page_count") * database.number("PRAGMA page_size") <= LARGE:
        with suppress(StoreError):  # somebody reads it: the next checkpoint does the same
            _merge_indexes(database)
            database.clean(anew=False)
    if notes is not None:
        for part in unfinished.sweep(notes):
            note(database, _SWEPT, _told(part))
    clean_if_needed(database)


def remove_some(database: Database, place: str, limit: int) -> bool:
    """Delete so many passages of a loading; with the last, the loading. Whether anything is left."""
    with database.transaction():
        some = "SELECT seq FROM passages WHERE source_id = ? AND user_id = ? ORDER BY seq LIMIT ?"
        if database.execute(f"DELETE FROM passages WHERE seq IN ({some})", place, database.user_id, limit):
            return True
        database.execute("DELETE FROM sources WHERE id = ? AND user_id = ?", place, database.user_id)
        return False


def note(database: Database, kind: str, told: str) -> None:
    """Keep a note of what was done to the file, or is to be done."""
    with database.transaction():
        database.insert("upkeep", [{"id": new_id(), "kind": kind, "told": told, "created_at": now()}])
        database.execute(
            "DELETE FROM upkeep WHERE kind = ? AND id NOT IN "
            "(SELECT id FROM upkeep WHERE kind = ? ORDER BY id DESC LIMIT ?)",
            *(kind, kind, KEPT),
        )


def swept(database: Database) -> list[tuple[str, str]]:
    """When what was swept, the newest first."""
    rows = database.all(
        "SELECT created_at, told FROM upkeep WHERE kind = ? AND user_id = ? ORDER BY id DESC", _SWEPT, database.user_id
    )
    return [(row["created_at"], row["told"]) for row in rows]


def mark_unclean(database: Database) -> None:
    """Note, in the transaction that deletes, that the file will still hold traces of what it deletes."""
    note(database, _UNCLEAN, "what was forgotten may still stand in free pages of the file")


def unclean(database: Database) -> bool:
    """Whether the file is still to be cleaned of what was forgotten."""
    return database.one("SELECT 1 FROM upkeep WHERE kind = ?", _UNCLEAN) is not None


def clean_if_needed(database: Database) -> str:
    """Clean the file of what was forgotten, if that is to be done. What hinders it; empty: nothing is left."""
    if not unclean(database):
        return ""
    try:
        _merge_indexes(database)
        database.clean()
    except StoreError as error:
        return str(error)
    database.execute("DELETE FROM upkeep WHERE kind = ?", _UNCLEAN)
    return ""


def _merge_indexes(database: Database) -> None:
    """Merge the full text indexes, which keep the words of what was deleted until then."""
    for table in ("messages_fts", "passages_fts"):
        database.execute(f"INSERT INTO {table} ({table}) VALUES ('optimize')")


@contextmanager
def _alone(database: Database, source: str, notes: Path | None) -> Iterator[bool]:
    """Keep others from loading a source meanwhile; whether nobody was loading it."""
    with ExitStack() as stack:
        try:
            stack.enter_context(hold(database.path, f"source {source}", notes, patient=False))
        except StoreError:  # somebody is, or the lock file cannot be written
            yield False
        else:
            yield True


def _told(part: Path) -> str:
    return f"the file {part} that a killed process had begun to write"
