"""A copy of a database that is in use, by SQLite's own means."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from ...errors import ConfigError, StoreError
from ..files import in_use
from ..unfinished import writing
from .database import LOCKS, SQLiteDatabase


def backup(path: Path, target: Path) -> None:
    """Copy a database into one file, whole and as of one moment, whoever writes to it meanwhile.

    Args:
        path: the database.
        target: the copy, of mode 0600; one of that name is replaced when the new one is whole.

    Raises:
        StoreError: the database cannot be read, or is damaged.
        ConfigError: the target cannot be written, or belongs to the database.
    """
    with closing(SQLiteDatabase(path, read_only=True)) as database:
        if in_use(target):
            raise ConfigError(f"{target} belongs to the database itself. Name another file.")
        with writing(target, path.parent / LOCKS) as part:
            try:
                with closing(sqlite3.connect(part, isolation_level=None)) as copy:
                    database.copy_to(copy)
                    copy.execute("PRAGMA journal_mode = DELETE").fetchone()  # all in one file
                    found = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
            except sqlite3.Error as error:
                found = str(error)
            if found != "ok":
                raise StoreError(
                    f'The copy of {path} is not whole: {found}. "memgpt doctor" says whether the database is damaged, '
                    '"memgpt doctor --repair" saves what can be read. Else see whether there is room.'
                )
