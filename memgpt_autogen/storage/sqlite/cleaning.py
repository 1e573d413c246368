"""Traces of what was deleted: notes that they are still in the file, and removing them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from ...errors import StoreError
from ...ids import new_id
from ..records import now
from .connection import open_file, set_up
from .failures import advice

if TYPE_CHECKING:
    from .database import SQLiteDatabase

#: Seconds that writing the file anew waits for those who read it.
WAIT_FOR_READERS = 2
#: How many notes of what was swept are kept.
KEPT = 20
_UNCLEAN, _SWEPT = "unclean", "swept"


def note_swept(database: SQLiteDatabase, told: str) -> None:
    """Keep a note of what was removed."""
    _note(database, _SWEPT, told)


def _note(database: SQLiteDatabase, kind: str, told: str) -> None:
    """Keep a note of what was done to the file, or is to be done."""
    with database.transaction():
        database.insert("upkeep", [{"id": new_id(), "kind": kind, "told": told, "created_at": now()}])
        database.execute(
            "DELETE FROM upkeep WHERE kind = ? AND id NOT IN "
            "(SELECT id FROM upkeep WHERE kind = ? ORDER BY id DESC LIMIT ?)",
            *(kind, kind, KEPT),
        )


def swept(database: SQLiteDatabase) -> list[tuple[str, str]]:
    """When what was swept, the newest first."""
    rows = database.all(
        "SELECT created_at, told FROM upkeep WHERE kind = ? AND user_id = ? ORDER BY id DESC", _SWEPT, database.user_id
    )
    return [(row["created_at"], row["told"]) for row in rows]


def mark_unclean(database: SQLiteDatabase) -> None:
    """Note, in the transaction that deletes, that the file will still hold traces of what it deletes."""
    _note(database, _UNCLEAN, "what was forgotten may still stand in free pages of the file")


def unclean(database: SQLiteDatabase) -> bool:
    """Whether the file is still to be cleaned of what was forgotten."""
    return database.one("SELECT 1 FROM upkeep WHERE kind = ?", _UNCLEAN) is not None


def rewrite(database: SQLiteDatabase, *, anew: bool = True) -> None:
    """Take the write-ahead log into the file and empty it, so that nothing that was deleted is left in it.

    Args:
        database: the file.
        anew: also write the file anew, so that nothing that was deleted by other programs is left in it either.

    Raises:
        StoreError: another process reads it, or it cannot be written.
    """
    path = database.path
    if path == ":memory:":
        return
    try:
        with closing(set_up(open_file(path, "mode=rw", WAIT_FOR_READERS), synchronous=database.synchronous)) as own:
            busy = own.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            if anew and not busy:  # else the whole file would be written to the log in vain
                own.execute("VACUUM")
                busy = own.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.Error as error:
        raise StoreError(f"{path} could not be written anew: {error}. {advice(error)}") from error
    if busy:
        raise StoreError(f"another program is reading {path}")


def clean_if_needed(database: SQLiteDatabase) -> str:
    """Clean the file of what was forgotten, if that is to be done. What hinders it; empty: nothing is left."""
    if not unclean(database):
        return ""
    try:
        merge_indexes(database)
        rewrite(database)
    except StoreError as error:
        return str(error)
    database.execute("DELETE FROM upkeep WHERE kind = ?", _UNCLEAN)
    return ""


def merge_indexes(database: SQLiteDatabase) -> None:
    """Merge the full text indexes, which keep the words of what was deleted until then."""
    for table in ("messages_fts", "passages_fts"):
        database.execute(f"INSERT INTO {table} ({table}) VALUES ('optimize')")
