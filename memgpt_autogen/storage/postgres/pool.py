"""The connections of this process to one store, shared by everyone who opens it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from ...errors import StoreError
from .address import Address
from .failures import store_error
from .leases import Holder
from .migrate import search_path
from .rows import PostgresRow, rows_of

#: Milliseconds that a statement waits for a row that another process writes, and that a server waits for the next
#: statement of a transaction before it takes it back.
_LOCK_WAIT, _IDLE_WAIT = 30_000, 120_000
#: Seconds after which an idle connection is closed.
_IDLE = 300.0


class PooledConnection(psycopg.Connection[PostgresRow]):
    """A connection of a pool, and the user whose rows it shows."""

    user_id: str | None = None


class Pool:
    """At most ``pool_size`` connections to an address; see :func:`opened`.

    Attributes:
        address: where to.
        holder: this process as a holder of leases.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self._process = os.getpid()
        self._pool: ConnectionPool[PooledConnection] = ConnectionPool(
            address.uri,
            connection_class=PooledConnection,
            kwargs={"autocommit": True, "row_factory": rows_of},
            configure=self._configure,
            min_size=0,
            max_size=address.pool_size,
            timeout=address.pool_wait,
            max_idle=_IDLE,
            reconnect_timeout=address.pool_wait,
            num_workers=2,
            open=True,
            name=f"memgpt {address.schema}",
        )
        self.holder = Holder(self)

    def _configure(self, connection: PooledConnection) -> None:
        settings: dict[str, Any] = {
            "statement_timeout": int(self.address.statement_timeout * 1000),
            "lock_timeout": _LOCK_WAIT,
            "idle_in_transaction_session_timeout": _IDLE_WAIT,
        }
        path = search_path(self.address.schema, mine=not self.address.every_user)
        vector = "(SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'vector')"
        connection.execute(
            f"SELECT set_config('search_path', concat_ws(', ', %s::text, {vector}), false), "
            + ", ".join("set_config(%s, %s::text, false)" for _ in settings),
            [path, *(value for pair in settings.items() for value in pair)],
        )

    def take(self, user_id: str) -> PooledConnection:
        """A connection that shows the rows of a user; give it back with :meth:`give_back`.

        Raises:
            StoreError: none is free in time, or the server cannot be reached.
        """
        if os.getpid() != self._process:
            raise StoreError(
                "This store was opened before the process was forked, and cannot be used in the child. Open another "
                "one there, or start the child with the method spawn."
            )
        connection = self._get()
        try:
            if connection.user_id != user_id:
                connection.execute("SELECT set_config('memgpt.user_id', %s, false)", (user_id,))
                connection.user_id = user_id
        except BaseException:
            self.give_back(connection)
            raise
        return connection

    def _get(self) -> PooledConnection:
        place = self.address.place
        try:
            return self._pool.getconn()
        except PoolTimeout as error:
            stats = self._pool.get_stats()
            if stats.get("pool_size", 0) >= self.address.pool_size and not stats.get("connections_errors", 0):
                raise StoreError(
                    f"All {self.address.pool_size} connections of this process to {place} have been in use for "
                    f"{self.address.pool_wait:g} seconds. Add pool_size=NUMBER to the store's address, or run fewer "
                    "agents at once. Nothing of this step was written."
                ) from error
            raise StoreError(
                f"The database {place} cannot be reached: {self._why()}. Nothing of this step was written. Try again "
                "when the server is back."
            ) from error
        except PoolClosed as error:
            raise StoreError(f"This store in {place} is closed. Open it anew.") from error

    def _why(self) -> str:
        """What the server says to a connection now: the pool keeps it to itself."""
        try:
            psycopg.connect(self.address.uri, connect_timeout=2).close()
        except psycopg.Error as error:
            return " ".join(str(error).split()).rstrip(".")
        return f"it did not answer for {self.address.pool_wait:g} seconds"

    def give_back(self, connection: PooledConnection) -> None:
        """Give a connection back. One that is broken, or inside a transaction, is closed instead."""
        self._pool.putconn(connection)

    def forget_idle(self) -> None:
        """Have connections that broke while nobody used them, as by a restart of the server, replaced."""
        self._pool.check()

    @contextmanager
    def connection(self, user_id: str) -> Iterator[PooledConnection]:
        """A connection meanwhile, outside of any transaction.

        Raises:
            StoreError: what is done with it fails.
        """
        try:
            connection = self.take(user_id)
            try:
                yield connection
            finally:
                self.give_back(connection)
        except psycopg.Error as error:
            raise store_error(error, self.address.place) from error

    def close(self) -> None:
        """Close all connections."""
        self.holder.close()
        self._pool.close(timeout=1)


_guard = threading.Lock()
_open: dict[Address, tuple[Pool, int]] = {}


def opened(address: Address) -> Pool:
    """The pool of an address; one for all stores of this process."""
    with _guard:
        pool, times = _open.get(address) or (Pool(address), 0)
        _open[address] = pool, times + 1
        return pool


def closed(address: Address) -> None:
    """The opposite of :func:`opened`: the last one closes the pool."""
    with _guard:
        pool, times = _open.pop(address)
        if times > 1:
            _open[address] = pool, times - 1
            return
    pool.close()
