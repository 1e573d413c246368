"""Whether a database is whole: SQLite's own checks, those of the full text index, and counts that must agree."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from ...errors import StoreError
from ..records import Health
from .cleaning import swept, unclean
from .database import SQLiteDatabase
from .schema import MIGRATIONS
from .upkeep import left_over

#: Faults of one check that are told.
_MOST = 5
#: What is counted for the user.
_TABLES = ("agents", "messages", "sources", "passages")
#: Queries that give nothing where all is well, and what it means where they do.
_AGREE = {
    "SELECT seq FROM messages WHERE seq NOT IN (SELECT id FROM messages_fts_docsize)": "messages are not in the index",
    "SELECT id FROM messages_fts_docsize WHERE id NOT IN (SELECT seq FROM messages)": "messages in the index are gone",
    "SELECT seq FROM passages WHERE seq NOT IN (SELECT id FROM passages_fts_docsize)": "passages are not in the index",
    "SELECT id FROM passages_fts_docsize WHERE id NOT IN (SELECT seq FROM passages)": "passages in the index are gone",
    "SELECT id FROM sources WHERE passages <> (SELECT count(*) FROM passages WHERE source_id = sources.id)": (
        "sources hold another number of passages than they say"
    ),
    "SELECT id FROM blocks WHERE version NOT IN (SELECT version FROM block_versions WHERE block_id = blocks.id)": (
        "blocks of core memory have lost versions"
    ),
}


def check(path: Path) -> Health:
    """Check a database. Nothing in it is changed.

    Raises:
        StoreError: it cannot be opened, or is damaged so much that nothing can be read.
    """
    with closing(SQLiteDatabase(path, read_only=True)) as database:
        faults = [*_sqlite(database), *_agreement(database)]
        try:
            counts = {table: database.number(f"SELECT count(*) FROM {table}") for table in _TABLES}
            left = [*left_over(database)]
            left += ["traces of what was forgotten"] if unclean(database) else []
            notes = swept(database)
        except StoreError as error:
            return Health((*faults, str(error)), {}, len(MIGRATIONS), (), (), False)
    index = _index(path) if not faults else []
    return Health((*faults, *(index or ())), counts, len(MIGRATIONS), tuple(left), tuple(notes), index is not None)


def _sqlite(database: SQLiteDatabase) -> Iterator[str]:
    try:
        for row in database.all(f"PRAGMA integrity_check({_MOST})"):
            if row[0] != "ok":
                yield " ".join(str(row[0]).split())
        broken = database.all("PRAGMA foreign_key_check")
    except StoreError as error:
        yield str(error.__cause__ or error)
        return
    for table in sorted({row[0] for row in broken}):
        yield f"{sum(row[0] == table for row in broken)} rows of {table} belong to nothing"


def _agreement(database: SQLiteDatabase) -> Iterator[str]:
    for sql, told in _AGREE.items():
        try:
            if wrong := database.number(f"SELECT count(*) FROM ({sql})"):
                yield f"{wrong} {told}"
        except StoreError as error:
            yield str(error.__cause__ or error)
            return


def _index(path: Path) -> list[str] | None:
    """Faults of the full text index, which SQLite only checks in a file that may be written; None: not checked."""
    with closing(SQLiteDatabase(path)) as database:
        if database.read_only:
            return None
        faults = []
        for table in ("messages_fts", "passages_fts"):
            try:
                database.execute(f"INSERT INTO {table} ({table}, rank) VALUES ('integrity-check', 1)")
            except StoreError:
                faults.append(f"the full text index of {table.partition('_')[0]} does not agree with them")
        return faults
