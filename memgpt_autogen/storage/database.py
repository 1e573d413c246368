"""One SQLite file: connection, migrations, transactions."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import StoreError
from .schema import MIGRATIONS
from .search_text import searchable

if TYPE_CHECKING:
    from .shapes import Vectors

#: Seconds that a statement waits for another process.
_PATIENCE = 30


def now() -> str:
    """The present moment as it is stored: ISO 8601, UTC, microseconds, so that text order is time order."""
    return stamp(datetime.now(timezone.utc))


def stamp(moment: datetime) -> str:
    """A moment as it is stored."""
    return moment.astimezone(timezone.utc).isoformat(timespec="microseconds")


class Database:
    """A connection that several threads may use, one statement or transaction at a time.

    Args:
        path: the file, or ``":memory:"``.
        durable: wait for the disk at every commit (safe against power loss), not only against a killed process.

    Raises:
        StoreError: the file cannot be opened, is not ours, or was written by a newer version.
    """

    def __init__(self, path: str | Path, *, user_id: str = "local", durable: bool = False) -> None:
        self.path = str(path)
        self.user_id = user_id
        self.step_id: str | None = None
        self._mutex = threading.RLock()
        self._depth = 0
        self._undone = 0
        in_memory = self.path == ":memory:"
        if not in_memory:
            _make_private(Path(self.path))
        try:
            self._connection = sqlite3.connect(
                self.path, check_same_thread=False, isolation_level=None, timeout=_PATIENCE
            )
            self._connection.row_factory = sqlite3.Row
            self._connection.create_function("searchable", 1, searchable, deterministic=True)  # used by the schema
            self._connection.execute("PRAGMA foreign_keys = ON")
            self._use_wal()
            # Copying the log into the file waits for the disk: once in 200 small commits instead of in 50.
            self._connection.execute("PRAGMA wal_autocheckpoint = 4000")
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._migrate()
        except sqlite3.Error as error:
            raise StoreError(
                f"Cannot open the database {self.path}: {error}. If the file is damaged, move it away or restore a "
                "copy; another home folder is chosen with MEMGPT_HOME."
            ) from error

    def _use_wal(self) -> None:
        """Switch to a write-ahead log. Where another process does so at this moment, SQLite fails without waiting."""
        give_up = time.monotonic() + _PATIENCE
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > give_up:
                    raise
                time.sleep(0.02)

    def _migrate(self) -> None:
        with self.transaction():
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            if version > len(MIGRATIONS):
                raise StoreError(
                    f"The database {self.path} was written by a newer version of memgpt-autogen (format {version}, "
                    f"this one knows {len(MIGRATIONS)}). Upgrade the package."
                )
            for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
                for statement in _statements(script):
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version = {number}")

    @contextmanager
    def transaction(self, step_id: str | None = None) -> Iterator[None]:
        """All or nothing; an inner one joins the outer. Rows written inside carry ``step_id``."""
        with self._mutex:
            if self._depth:
                yield
                return
            self._depth, self.step_id = 1, step_id
            try:
                self._run("BEGIN IMMEDIATE")
                try:
                    yield
                except BaseException:
                    self._connection.execute("ROLLBACK")
                    raise
                try:
                    self._run("COMMIT")
                except StoreError:
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                    raise
            except BaseException:
                self._undone += 1
                raise
            finally:
                self._depth, self.step_id = 0, None

    def _run(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        try:
            return self._connection.execute(sql, values)
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as error:
            raise StoreError(f"The database {self.path} failed: {error}. {_advice(error)}") from error

    def execute(self, sql: str, *values: Any) -> int:
        """Run one statement that writes; the number of rows it touched."""
        with self.transaction():
            return self._run(sql, values).rowcount

    def insert(self, table: str, rows: Iterable[dict[str, Any]]) -> None:
        """Insert rows; ``user_id`` and ``step_id`` are added."""
        with self.transaction():
            for row in rows:
                row = {"user_id": self.user_id, "step_id": self.step_id, **row}
                marks = ", ".join("?" * len(row))
                self._run(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))

    def put_vector(self, table: str, owner_id: str, seq: int, vector: Vectors) -> None:
        """Give a row its vector, if it has none yet."""
        import numpy as np

        data = np.ascontiguousarray(vector, dtype=np.float32).tobytes()
        self.execute(
            f"INSERT OR IGNORE INTO {table} (user_id, step_id, owner_id, seq, vector) VALUES (?, ?, ?, ?, ?)",
            self.user_id,
            self.step_id,
            owner_id,
            seq,
            data,
        )

    def all(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """Every row of a query."""
        with self._mutex:
            return self._run(sql, values).fetchall()

    def one(self, sql: str, *values: Any) -> sqlite3.Row | None:
        """The first row of a query, if there is one."""
        rows = self.all(sql, *values)
        return rows[0] if rows else None

    def number(self, sql: str, *values: Any) -> int:
        """The first column of the first row, 0 where there is none."""
        row = self.one(sql, *values)
        return int(row[0] or 0) if row else 0

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open; certain only where other threads are kept out."""
        return self._depth > 0

    def held(self) -> AbstractContextManager[object]:
        """Keep other threads out meanwhile."""
        return self._mutex

    def version(self) -> tuple[int, int, int]:
        """Changes whenever anything in the file may have: how often this process took something back, how much it
        wrote, and whether another process wrote.
        """
        others = self.number("PRAGMA data_version")
        return self._undone, self._connection.total_changes, others

    def clean(self) -> None:
        """Write the file anew, so that nothing that was deleted is left in it or beside it.

        Raises:
            StoreError: another process has it open.
        """
        told = "What was found is deleted, but the file still holds its traces: "
        again = "Close the other program that has it open, and forget it once more."
        with self._mutex:
            try:
                self._connection.execute("PRAGMA busy_timeout = 2000")
                self._connection.execute("VACUUM")
                busy = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            except sqlite3.Error as error:
                raise StoreError(f"{told}{error}. {again}") from error
            finally:
                self._connection.execute(f"PRAGMA busy_timeout = {1000 * _PATIENCE}")
        if busy:
            raise StoreError(f"{told}another program is reading it. {again}")

    def close(self) -> None:
        """Close the file. Everything committed is on disk."""
        with self._mutex:
            self._connection.close()


def _make_private(path: Path) -> None:
    """Create the file for its owner only, before SQLite would create it for everyone."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreError(
            f"Cannot write the database {path}: {error.strerror}. Set MEMGPT_HOME to a folder you may write to."
        ) from error


def _statements(script: str) -> Iterator[str]:
    """Split a script where SQLite itself says that a statement is complete (triggers hold semicolons)."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""


def _advice(error: sqlite3.Error) -> str:
    text = str(error)
    if "full" in text:
        return "The disk is full: make room and try again; nothing of this step was written."
    if "locked" in text:
        return "Another process is writing to it for a long time: close that one and try again."
    if "readonly" in text:
        return "The file is read-only: mend its permissions or set MEMGPT_HOME."
    return "Nothing of this step was written."
