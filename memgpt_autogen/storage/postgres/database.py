"""One schema of a PostgreSQL database: transactions and statements over a pool of connections."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import psycopg

from ...errors import StoreError
from ..locks import hold
from ..sql.database import Indexed, Numbers
from ..sql.rows import storable
from . import pool as pools
from .address import Address
from .failures import store_error
from .full_text import DIALECT, PostgresFullText, terms_of
from .migrate import connect, prepare
from .pool import PooledConnection
from .rows import PostgresRow, placed
from .sessions import Sessions
from .vectors import PgVectorSearch, text_of

if TYPE_CHECKING:
    from ..records import Vectors

T = TypeVar("T")

#: Tables whose rows are numbered, and the column.
_NUMBERED = {
    "messages": "seq",
    "passages": "seq",
    "message_vectors": "number",
    "passage_vectors": "number",
    "pauses": "number",
}
#: The column that names the owner of a row with full text.
_OWNER: dict[str, str] = {"messages": "agent_id", "passages": "source_id"}


class PostgresDatabase:
    """A :class:`memgpt_autogen.storage.sql.database.Database`. Each thread has its own transaction.

    Args:
        address: see :class:`.address.Address`.
        user_id: whose rows are read and written.
        read_only: refuse to write.
        every_user: read and write the rows of all users, as moving a store does.

    Raises:
        ConfigError: the address cannot be.
        StoreError: the server cannot be reached, or its tables are of a newer version.
    """

    dialect, folder = DIALECT, None

    def __init__(
        self, address: str, *, user_id: str = "local", read_only: bool = False, every_user: bool = False
    ) -> None:
        self._address = replace(Address.parse(address), every_user=every_user)
        prepare(self._address, read_only=read_only)
        self.path, self.schema = f"{self._address.place} ({self._address.schema})", self._address.schema
        self.user_id, self.read_only = user_id, read_only
        self.vector_search = PgVectorSearch(self)
        self._mutex = threading.RLock()
        self.owned: set[tuple[str, str]] = set()
        pool = pools.opened(self._address)
        self._sessions, self._holder = Sessions(pool, user_id), pool.holder
        self._open = True

    # -- transactions ---------------------------------------------------------------------------------------------

    @property
    def step_id(self) -> str | None:
        """The step of the open transaction."""
        return self._sessions.step_id

    @property
    def in_transaction(self) -> bool:
        """Whether this thread has a transaction open."""
        return self._sessions.in_transaction

    def transaction(self, step_id: str | None = None) -> AbstractContextManager[None]:
        """All or nothing; an inner one joins the outer. Rows written inside carry ``step_id``."""
        if self.read_only and not self._sessions.in_transaction:
            raise StoreError(f"The database {self.path} is open for reading only.")
        return self._sessions.transaction(step_id)

    def snapshot(self) -> AbstractContextManager[None]:
        """Have this thread read as of one moment."""
        return self._sessions.snapshot()

    @property
    def undone(self) -> int:
        """How often this process took something back."""
        return self._sessions.undone

    # -- statements -----------------------------------------------------------------------------------------------

    def execute(self, sql: str, *values: Any) -> int:
        """Run one statement that writes; the number of rows it touched."""
        with self.transaction():
            return self._sessions.do(lambda connection: connection.execute(placed(sql), _storable(values)).rowcount)

    def insert(self, table: str, rows: Iterable[dict[str, Any]]) -> None:
        """Insert rows; ``user_id`` and ``step_id`` are added, and the terms of texts that are indexed.

        Raises:
            Duplicate: a row breaks a constraint.
        """
        with self.transaction():
            every = ({"user_id": self.user_id, "step_id": self.step_id, **row} for row in rows)
            for columns, alike in groupby(every, key=_columns):
                sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
                values = [[storable(value) for value in row.values()] for row in alike]
                if table in _OWNER:
                    sql = (
                        f"WITH made AS ({sql} RETURNING seq, user_id, step_id) INSERT INTO {table}_terms "
                        "(seq, user_id, step_id, terms) SELECT seq, user_id, step_id, ?::tsvector FROM made"
                    )
                    text, owner = columns.index("text"), columns.index(_OWNER[table])
                    values = [[*row, terms_of(row[text], row[owner])] for row in values]
                self._run_many(sql, values)

    def _run_many(self, sql: str, values: Sequence[Sequence[Any]]) -> None:
        def run(connection: PooledConnection) -> None:
            with connection.cursor() as cursor:
                if len(values) == 1:
                    cursor.execute(placed(sql), values[0])
                else:
                    cursor.executemany(placed(sql), values)

        self._sessions.do(run)

    def put_vectors(self, table: str, rows: Sequence[tuple[str, int, Vectors]]) -> None:
        """Give rows their vectors, where they have none yet."""
        if rows:
            with self.transaction():
                self._run_many(
                    f"INSERT INTO {table} (user_id, step_id, owner_id, seq, vector) VALUES (?, ?, ?, ?, ?::vector) "
                    "ON CONFLICT DO NOTHING",
                    [[self.user_id, self.step_id, owner, seq, self.stored_vector(one)] for owner, seq, one in rows],
                )

    def stored_vector(self, vector: Vectors) -> str | None:
        """A vector as a value of a column ``vector``."""
        return text_of(vector) if vector.size else None

    def numbered(self) -> None:
        """Go on behind the largest number of every table."""
        for table, column in _NUMBERED.items():
            self.all(f"SELECT setval('{table}_seq', max({column})) FROM {table} HAVING max({column}) > 0")

    def all(self, sql: str, *values: Any) -> list[PostgresRow]:
        """Every row of a query."""
        return self._sessions.do(lambda connection: connection.execute(placed(sql), _storable(values)).fetchall())

    def one(self, sql: str, *values: Any) -> PostgresRow | None:
        """The first row of a query, if there is one."""
        rows = self.all(sql, *values)
        return rows[0] if rows else None

    def number(self, sql: str, *values: Any) -> int:
        """The first column of the first row, 0 where there is none."""
        row = self.one(sql, *values)
        return int(row[0] or 0) if row else 0

    def numbers(self, sql: str, *values: Any) -> Numbers:
        """The column ``number`` of a query, as one value: rows would take longer."""
        found = self.binary(f"SELECT string_agg(int8send(number::bigint), ''::bytea) FROM ({sql}) AS listed", *values)
        return np.frombuffer(found or b"", dtype=">i8").astype(np.int64)

    def binary(self, sql: str, *values: Any) -> bytes | None:
        """The one value of a query, as bytes."""

        def ask(connection: PooledConnection) -> bytes | None:
            row = connection.execute(placed(sql), _storable(values), binary=True).fetchone()
            return row[0] if row else None

        return self._sessions.do(ask)

    def all_with(self, settings: Mapping[str, str], sql: str, *values: Any) -> list[PostgresRow]:
        """Every row of a query that runs with some settings of the server, planned for its values."""

        def ask(connection: PooledConnection) -> list[PostgresRow]:
            with connection.transaction():
                for name, value in settings.items():
                    connection.execute("SELECT set_config(%s, %s, true)", (name, value))
                return connection.execute(placed(sql), _storable(values), prepare=False).fetchall()

        return self._sessions.do(ask)

    def listed(self, values: Iterable[str | int]) -> list[str | int]:
        """The parameter of the condition ``these``."""
        return [*values]

    def full_text(self, table: Indexed) -> PostgresFullText:
        """The full text index of a table."""
        return PostgresFullText(self, table)

    def make_index(self, name: str, owner_id: str, dim: int) -> None:
        """Make an HNSW index of a source's vectors, while others read and write."""
        with self._admin() as connection:
            connection.execute("SET statement_timeout = 0")
            connection.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")  # what an interruption left
            connection.execute(
                f"CREATE INDEX CONCURRENTLY {name} ON passage_vectors USING hnsw "
                f"((vector::vector({dim})) vector_ip_ops) WHERE owner_id = '{owner_id}'"
            )
            connection.execute("ANALYZE passage_vectors")

    @contextmanager
    def _admin(self) -> Generator[psycopg.Connection[Any], None, None]:
        """A connection outside of the pool that sees all users' rows."""
        connection = connect(self._address)
        try:
            yield connection
        except psycopg.Error as error:
            raise store_error(error, self._address.place) from error
        finally:
            connection.close()

    # -- whose, and who ---------------------------------------------------------------------------------------------

    def held(self) -> AbstractContextManager[object]:
        """Keep other threads from what is cached meanwhile."""
        return self._held()

    @contextmanager
    def _held(self) -> Generator[None, None, None]:
        with self._sessions.pinned(), self._mutex:
            yield

    def version(self) -> None:
        """Nothing tells it without asking."""
        return None

    def lock(self, key: str, wait: float = 0.0, *, patient: bool = True) -> AbstractContextManager[None]:
        """Hold an agent, or the loading of a source, by a lease that processes on other machines see.

        Raises:
            AgentBusy: another process still holds it, or this thread does already.
        """
        return self._locked(key, wait, patient)

    @contextmanager
    def _locked(self, key: str, wait: float, patient: bool) -> Generator[None, None, None]:
        with hold(f"{self.path}\n{self.user_id}", key, None, patient=patient):
            if self.read_only:
                yield
            else:
                with self._holder.held(self.user_id, key, wait):
                    yield

    def mark_unclean(self) -> None:
        """Nothing to note: what was deleted is removed by :meth:`clean_if_needed` or by the server itself."""

    def clean_if_needed(self) -> str:
        """Have the server remove deleted rows from its tables and indexes. What hinders it; empty: nothing."""
        try:
            with self._admin() as connection:
                connection.execute("SET statement_timeout = 0")
                for table in ("messages", "passages", "summaries", "blocks", "block_versions", "agents"):
                    connection.execute(f"VACUUM {table}")
                for table in ("messages_terms", "passages_terms", "message_vectors", "passage_vectors"):
                    connection.execute(f"VACUUM {table}")
        except StoreError as error:
            return str(error)
        return ""

    def close(self) -> None:
        """Give back what is held, and close the connections that no other store of this process uses."""
        with self._mutex:
            if self._open:
                self._open = False
                pools.closed(self._address)


def _columns(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(row)


def _storable(values: Sequence[Any]) -> list[Any]:
    return [storable(value) for value in values]
