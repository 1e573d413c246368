"""What is put right when a database is opened: what a killed process left, and what forgetting could not yet clean."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

from ...errors import StoreError
from .. import unfinished
from ..files import prepare
from ..sql.killed_loads import killed_loads, remove_killed_loads
from .cleaning import clean_if_needed, merge_indexes, note_swept, rewrite
from .database import SQLiteDatabase

#: Bytes of a file whose indexes are merged when a killed loading was swept.
LARGE = 200_000_000


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


def left_over(database: SQLiteDatabase) -> Sequence[str]:
    """Loads and files that a killed process began and that nobody works on any more."""
    files = unfinished.left_over(database.folder) if database.folder is not None else []
    return [*(one.told for one in killed_loads(database)), *map(_told, files)]


def sweep(database: SQLiteDatabase) -> None:
    """Remove what a killed process left, and clean the file of what was forgotten if that is still to be done."""
    loads = remove_killed_loads(database)
    for one in loads:
        note_swept(database, one.told)
    if loads and database.number("PRAGMA page_count") * database.number("PRAGMA page_size") <= LARGE:
        with suppress(StoreError):  # somebody reads it: the next checkpoint does the same
            merge_indexes(database)
            rewrite(database, anew=False)
    if database.folder is not None:
        for part in unfinished.sweep(database.folder):
            note_swept(database, _told(part))
    clean_if_needed(database)


def _told(part: Path) -> str:
    return f"the file {part} that a killed process had begun to write"
