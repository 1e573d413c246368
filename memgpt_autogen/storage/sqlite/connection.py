"""A connection to an SQLite file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ...errors import StoreError
from ..files import beside
from .failures import FAILURES, advice
from .schema import add_functions

#: Seconds that a statement waits for another process.
BUSY_TIMEOUT = 30


def connect(path: str, *, read_only: bool, synchronous: str) -> sqlite3.Connection:
    """A connection that is set up.

    Args:
        path: the file, which is there, or ``":memory:"``.
        read_only: only read, also where neither file nor folder can be written.
        synchronous: SQLite's setting of that name.

    Raises:
        StoreError: the file cannot be opened.
    """
    try:
        if path == ":memory:":
            memory = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
            return set_up(memory, synchronous=synchronous)
        if not read_only:
            return set_up(open_file(path, "mode=rw"), synchronous=synchronous)
        try:
            return set_up(open_file(path, "mode=ro"))
        except sqlite3.OperationalError:
            # In a folder that cannot be written SQLite opens no write-ahead log. Without one, nobody is writing.
            if any(file.stat().st_size for file in beside(Path(path))):
                raise
            return set_up(open_file(path, "mode=ro&immutable=1"))
    except FAILURES as error:
        raise StoreError(f"Cannot open the database {path}: {error}. {advice(error)}") from error


def open_file(path: str, query: str, timeout: float = BUSY_TIMEOUT) -> sqlite3.Connection:
    """A connection to a file, with the query of SQLite's URI filenames."""
    uri = f"{Path(path).absolute().as_uri()}?{query}"
    return sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None, timeout=timeout)


def set_up(connection: sqlite3.Connection, *, synchronous: str = "") -> sqlite3.Connection:
    """Give a connection its functions and settings; empty ``synchronous``: it only reads."""
    try:
        connection.row_factory = sqlite3.Row
        add_functions(connection)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten at once
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # which opens the file
        if synchronous:
            # Copying the log into the file waits for the disk: once in 200 small commits instead of in 50.
            connection.execute("PRAGMA wal_autocheckpoint = 4000")
            connection.execute(f"PRAGMA synchronous = {synchronous}")
    except BaseException:
        connection.close()
        raise
    return connection
