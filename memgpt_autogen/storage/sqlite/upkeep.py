"""What is put right when a database is opened: what a killed process left, and what forgetting could not yet clean."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ...errors import StoreError
from .. import unfinished
from ..files import prepare
from ..sql.staging import remove_some
from .cleaning import clean_if_needed, merge_indexes, note_swept, rewrite
from .database import SQLiteDatabase

#: Passages deleted in one transaction, seconds in between in which others may write, and seconds for all of it: what is
#: left then is swept at the next opening.
BATCH, BREATH, SECONDS = 500, 0.001, 5.0
#: Bytes of a file whose indexes are merged when a killed loading was swept.
LARGE = 200_000_000


@dataclass(frozen=True)
class LeftOver:
    """What a killed process left, in words, and the source it was loading, if it was."""

    told: str
    place: str = ""
    source: str = ""


def open_database(
    path: Path, *, user_id: str = "local", durable: bool = False, read_only: bool = False
) -> SQLiteDatabase:
    """Open a file and sweep it; one that is only read is swept too.

    Raises:
        StoreError: it cannot be opened.
    """
    database = SQLiteDatabase(path, user_id=user_id, durable=durable, read_only=read_only)
    if not database.read_only:
        sweep(database)
    elif prepare(path) and left_over(database):
        with closing(SQLiteDatabase(path, user_id=user_id)) as own:
            sweep(own)
    return database


def left_over(database: SQLiteDatabase) -> Sequence[LeftOver]:
    """Loads and files that a killed process began and that nobody works on any more."""
    found = []
    rows = database.all(
        "SELECT id, loading_for, passages FROM sources WHERE user_id = ? AND loading_for IS NOT NULL", database.user_id
    )
    for row in rows:
        with _alone(database, row["loading_for"]) as alone:
            if alone:
                told = f"{row['passages']} passages of a loading of {row['loading_for']!r} that was killed"
                found.append(LeftOver(told, row["id"], row["loading_for"]))
    if database.folder is not None:
        found += [LeftOver(_told(part)) for part in unfinished.left_over(database.folder)]
    return found


def sweep(database: SQLiteDatabase) -> None:
    """Remove what a killed process left, and clean the file of what was forgotten if that is still to be done."""
    deadline, loads = time.monotonic() + SECONDS, 0
    for one in left_over(database):
        if one.place:
            with _alone(database, one.source) as alone:
                while alone and remove_some(database, one.place, BATCH) and time.monotonic() < deadline:
                    time.sleep(BREATH)
            if alone and database.one("SELECT 1 FROM sources WHERE id = ?", one.place) is None:
                note_swept(database, one.told)
                loads += 1
    if loads and database.number("PRAGMA page_count") * database.number("PRAGMA page_size") <= LARGE:
        with suppress(StoreError):  # somebody reads it: the next checkpoint does the same
            merge_indexes(database)
            rewrite(database, anew=False)
    if database.folder is not None:
        for part in unfinished.sweep(database.folder):
            note_swept(database, _told(part))
    clean_if_needed(database)


@contextmanager
def _alone(database: SQLiteDatabase, source: str) -> Iterator[bool]:
    """Keep others from loading a source meanwhile; whether nobody was loading it."""
    with ExitStack() as stack:
        try:
            stack.enter_context(database.lock(f"source {source}", patient=False))
        except StoreError:  # somebody is, or the lock file cannot be written
            yield False
        else:
            yield True


def _told(part: Path) -> str:
    return f"the file {part} that a killed process had begun to write"
