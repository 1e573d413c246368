"""One SQLite file: connection, migrations, transactions."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import StoreError
from ..files import closed, opened, prepare
from ..locks import hold
from ..sql.database import Indexed
from ..sql.rows import Duplicate, storable
from ..sql.transaction import Transaction
from . import cleaning
from .connection import BUSY_TIMEOUT, connect, set_up
from .failures import FAILURES, READ_ONLY, advice
from .full_text import DIALECT, SQLiteFullText
from .schema import MIGRATIONS, statements

if TYPE_CHECKING:
    from ..records import Vectors
    from ..sql.database import Numbers


#: Attempts to roll back before the connection is given up, and to run a statement while the schema is read.
_ATTEMPTS = 3
#: The folder beside a database with its locks, and with notes of files that are being written.
LOCKS = "locks"
_READING_SCHEMA = ("no such table", "vtable constructor failed", "schema has changed")


class SQLiteDatabase:
    """A connection that several threads may use, one statement or transaction at a time.

    Any number of these may be open on one file, in one process or several.

    Args:
        path: the file, or ``":memory:"``.
        user_id: whose rows are read and written.
        durable: wait for the disk at every commit (safe against power loss), not only against a killed process.
        read_only: do not write. A file that cannot be written is opened so in any case.

    Attributes: see :class:`memgpt_autogen.storage.sql.database.Database`.

    Raises:
        StoreError: the file cannot be opened, is not ours, or was written by a newer version.
    """

    dialect, vector_search = DIALECT, None

    def __init__(
        self, path: str | Path, *, user_id: str = "local", durable: bool = False, read_only: bool = False
    ) -> None:
        self.path = str(path)
        self.folder = None if self.path == ":memory:" else Path(self.path).parent / LOCKS
        self.user_id = user_id
        self.step_id: str | None = None
        self.synchronous = "FULL" if durable else "NORMAL"
        self._mutex = threading.RLock()
        self._depth = 0
        self._undone = 0
        self._process = os.getpid()
        self.owned: set[tuple[str, str]] = set()
        self.read_only = self.path != ":memory:" and not prepare(Path(self.path), read_only=read_only)
        self._connection = self._connect()
        self._open = True
        opened(Path(self.path))
        try:
            version = self._version()
            if not self.read_only and self.path != ":memory:":
                self._use_wal()
            if version < len(MIGRATIONS):
                self._upgrade(wanted_read_only=read_only)
        except BaseException:
            self.close()
            raise

    # -- opening --------------------------------------------------------------------------------------------------

    def _connect(self) -> sqlite3.Connection:
        return connect(self.path, read_only=self.read_only, synchronous=self.synchronous)

    def _use_wal(self) -> None:
        """Switch to a write-ahead log. Where another process does so at this moment, SQLite fails without waiting."""
        give_up = time.monotonic() + BUSY_TIMEOUT
        while True:
            try:
                self._run("PRAGMA journal_mode = WAL")
                return
            except StoreError as error:
                if "locked" not in str(error.__cause__) or time.monotonic() > give_up:
                    raise
                time.sleep(0.02)

    def _version(self) -> int:
        """The version of the file's schema.

        Raises:
            StoreError: the file is another program's, or of a newer version.
        """
        version = self.number("PRAGMA user_version")
        tables = {row[0] for row in self.all("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if version > len(MIGRATIONS) and "agents" in tables:
            raise StoreError(
                f"The database {self.path} was written by a newer version of memgpt-autogen (format {version}, "
                f"this one knows {len(MIGRATIONS)}). Upgrade the package."
            )
        if ("agents" in tables) != (version > 0) or (tables and not version):
            raise StoreError(
                f"{self.path} is a database of another program. Move it away, or set MEMGPT_HOME to another folder."
            )
        return version

    def _upgrade(self, *, wanted_read_only: bool) -> None:
        """Bring the schema up to date; of a file that cannot be written, that of a copy in memory."""
        if self.read_only and wanted_read_only and prepare(Path(self.path)):
            SQLiteDatabase(self.path).close()
            return
        if self.read_only:
            copy = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
            self._connection.backup(copy)
            self._connection.close()
            self.read_only = False
            self._connection = set_up(copy, synchronous=self.synchronous)
        with self.transaction():
            version = self._version()  # once more: another process may have been first
            for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
                for statement in statements(script):
                    self._run(statement)
                self._run(f"PRAGMA user_version = {number}")

    # -- transactions ---------------------------------------------------------------------------------------------

    def transaction(self, step_id: str | None = None) -> AbstractContextManager[None]:
        """All or nothing; an inner one joins the outer. Rows written inside carry ``step_id``.

        Whatever is raised, and wherever, the connection is outside of any transaction afterwards.
        """
        return Transaction(self._span(step_id))

    def _span(self, step_id: str | None) -> Generator[None, None, None]:
        """The only place that begins, commits and rolls back."""
        with self._mutex:
            if self._depth:
                yield
                return
            if self.read_only:
                raise StoreError(f"The database {self.path} is open for reading only. {READ_ONLY}")
            try:
                self._depth, self.step_id = 1, step_id
                self._roll_back()  # what an interrupt may have left
                self._run("BEGIN IMMEDIATE")
                yield
                self._run("COMMIT")
            except BaseException:
                self._undone += 1
                raise
            finally:
                try:
                    self._roll_back()
                finally:
                    self._depth, self.step_id = 0, None

    def _roll_back(self) -> None:
        """Leave the transaction if the connection is inside one. Where SQLite cannot, the connection is made anew."""
        raised: BaseException | None = None
        for _ in range(_ATTEMPTS):
            try:
                if not self._connection.in_transaction:
                    break
                self._connection.execute("ROLLBACK")
            except sqlite3.ProgrammingError:
                break  # it is closed
            except BaseException as error:  # such as an interrupt, which is passed on once this is done
                raised = error
        else:
            if self._connection.in_transaction and self.path != ":memory:":
                self._connection.close()
                self._connection = self._connect()
        try:
            if raised is not None and not isinstance(raised, sqlite3.Error):
                raise raised
        finally:
            raised = None

    # -- statements -----------------------------------------------------------------------------------------------

    def _run(self, sql: str, values: Sequence[Any] = ()) -> tuple[list[sqlite3.Row], int]:
        """Run one statement: its rows, and how many it wrote."""
        if os.getpid() != self._process:
            raise StoreError(
                "This store was opened before the process was forked, and cannot be used in the child. Open another "
                "one there, or start the child with the method spawn."
            )
        cursor = None
        try:
            cursor = self._execute(sql, [storable(value) for value in values])
            return cursor.fetchall(), cursor.rowcount
        except sqlite3.IntegrityError as error:
            raise Duplicate(f"The database {self.path} refused a row: {error}. {advice(error)}") from error
        except FAILURES as error:
            raise StoreError(f"The database {self.path} failed: {error}. {advice(error)}") from error
        finally:
            if cursor is not None:
                cursor.close()  # an error's traceback would keep it, and with it a read transaction

    def _execute(self, sql: str, values: Sequence[Any]) -> sqlite3.Cursor:
        """Run one statement. Where another process has just written the file anew, SQLite may read the schema while it
        compiles the statement, and not find a table that is there: the statement has not begun, and is run again.
        """
        for _ in range(_ATTEMPTS):
            try:
                return self._connection.execute(sql, values)
            except sqlite3.OperationalError as error:
                if not any(sign in str(error) for sign in _READING_SCHEMA):
                    raise
        return self._connection.execute(sql, values)

    def execute(self, sql: str, *values: Any) -> int:
        """Run one statement that writes; the number of rows it touched."""
        with self.transaction():
            return self._run(sql, values)[1]

    def insert(self, table: str, rows: Iterable[dict[str, Any]]) -> None:
        """Insert rows; ``user_id`` and ``step_id`` are added.

        Raises:
            Duplicate: a row breaks a constraint.
        """
        with self.transaction():
            for row in rows:
                row = {"user_id": self.user_id, "step_id": self.step_id, **row}
                marks = ", ".join("?" * len(row))
                self._run(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))

    def put_vectors(self, table: str, rows: Sequence[tuple[str, int, Vectors]]) -> None:
        """Give rows their vectors, where they have none yet."""
        sql = f"INSERT OR IGNORE INTO {table} (user_id, step_id, owner_id, seq, vector) VALUES (?, ?, ?, ?, ?)"
        with self.transaction():
            for owner_id, seq, vector in rows:
                self._run(sql, (self.user_id, self.step_id, owner_id, seq, self.stored_vector(vector)))

    def stored_vector(self, vector: Vectors) -> bytes:
        """A vector as a value of a column ``vector``."""
        return vector.astype("<f4").tobytes()

    def numbered(self) -> None:
        """SQLite goes on behind the largest number by itself."""

    def all(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """Every row of a query."""
        with self._mutex:
            return self._run(sql, values)[0]

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

    def numbers(self, sql: str, *values: Any) -> Numbers:
        """The column ``number`` of a query. One text instead of thousands of rows: five times faster."""
        import numpy as np

        row = self.one(f"SELECT group_concat(number) FROM ({sql})", *values)
        text = row[0] if row else None
        return np.fromstring(text, dtype=np.int64, sep=",") if text else np.zeros(0, dtype=np.int64)

    def listed(self, values: Iterable[str | int]) -> str:
        """The parameter of the condition ``these``."""
        return json.dumps([*values])

    def full_text(self, table: Indexed) -> SQLiteFullText:
        """The full text index of a table."""
        return SQLiteFullText(self, f"{table}_fts")

    def held(self) -> AbstractContextManager[object]:
        """Keep other threads out meanwhile."""
        return self._mutex

    @property
    def undone(self) -> int:
        """How often this process took something back."""
        return self._undone

    def lock(self, key: str, wait: float = 0.0, *, patient: bool = True) -> AbstractContextManager[None]:
        """Hold an agent, or the loading of a source, by a lock file.

        Raises:
            AgentBusy: another process still holds it, or this thread does already.
        """
        return hold(self.path if self.folder else f"memory {id(self)}", key, self.folder, wait, patient=patient)

    def mark_unclean(self) -> None:
        """Note, in the transaction that deletes, that the file will still hold traces of what it deletes."""
        cleaning.mark_unclean(self)

    def clean_if_needed(self) -> str:
        """Clean the file of those traces. What hinders it; empty: nothing is left."""
        return cleaning.clean_if_needed(self)

    def version(self) -> tuple[int, int, int]:
        """Changes whenever anything in the file may have: how often this process took something back, how much it
        wrote, and whether another process wrote.
        """
        others = self.number("PRAGMA data_version")
        return self._undone, self._connection.total_changes, others

    def copy_to(self, other: sqlite3.Connection) -> None:
        """Copy all of it, as of one moment, into a connection to another file."""
        with self._mutex:
            self._connection.backup(other)

    def close(self) -> None:
        """Close the file. Everything committed is on disk."""
        with self._mutex:
            if self._open and os.getpid() == self._process:
                self._open = False
                self._connection.close()
                closed(Path(self.path))
