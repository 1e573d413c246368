"""Transactions and statements of threads over the connections of a pool."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TypeVar

import psycopg

from ...errors import StoreError
from ..sql.transaction import Transaction
from .failures import store_error
from .leases import see_that_leases_hold
from .pool import Pool, PooledConnection

T = TypeVar("T")

#: Seconds in which one asks a server that comes back whether a commit had reached it.
_ASKING = 10.0


class _Here(threading.local):
    """What a thread has: a connection for some time, and perhaps a transaction on it."""

    connection: PooledConnection | None = None
    inside = False
    step_id: str | None = None


class Sessions:
    """Each thread's transaction, and statements outside of one.

    Args:
        pool: the connections.
        user_id: whose rows they show.

    Attributes:
        undone: how often a transaction was taken back.
    """

    def __init__(self, pool: Pool, user_id: str) -> None:
        self._pool, self._user_id, self._place = pool, user_id, pool.address.place
        self._here = _Here()
        self.undone = 0

    @property
    def step_id(self) -> str | None:
        """The step of this thread's transaction."""
        return self._here.step_id

    @property
    def in_transaction(self) -> bool:
        """Whether this thread has a transaction open."""
        return self._here.inside

    @contextmanager
    def pinned(self) -> Generator[None, None, None]:
        """Have this thread keep one connection meanwhile, for all that it does.

        Who waits for something of another thread must have its connection before: else all connections may be with
        those who wait for the one who waits for a connection.
        """
        here = self._here
        if here.connection is not None:
            yield
            return
        here.connection = self._take()
        try:
            yield
        finally:
            connection, here.connection = here.connection, None
            self._pool.give_back(connection)

    def transaction(self, step_id: str | None) -> AbstractContextManager[None]:
        """All or nothing; an inner one joins the outer."""
        return Transaction(self._span(step_id))

    def _span(self, step_id: str | None) -> Generator[None, None, None]:
        """The only place that begins, commits and rolls back."""
        here = self._here
        if here.inside:
            yield
            return
        with self.pinned():
            yield from self._begun(step_id)

    def _begun(self, step_id: str | None) -> Generator[None, None, None]:
        here = self._here
        self._retried(lambda connection: connection.execute("BEGIN"))
        connection = here.connection
        assert connection is not None  # it is pinned
        here.inside, here.step_id = True, step_id
        try:
            yield
            self._commit(connection)
        except BaseException as error:
            self.undone += 1
            with suppress(psycopg.Error):
                if not connection.closed:
                    connection.execute("ROLLBACK")
            if isinstance(error, psycopg.Error):
                raise store_error(error, self._place) from error
            raise
        finally:
            here.inside, here.step_id = False, None

    def _commit(self, connection: PooledConnection) -> None:
        number = see_that_leases_hold(connection, self._pool.address)
        try:
            connection.execute("COMMIT")
        except psycopg.OperationalError as error:
            if not connection.closed:
                raise
            if not self._was_committed(number):
                raise store_error(error, self._place) from error

    def _was_committed(self, number: str) -> bool:
        """Whether a transaction was committed whose commit got no answer.

        Raises:
            StoreError: it cannot be found out: the server does not come back.
        """
        deadline = time.monotonic() + _ASKING
        while True:
            try:
                with self._pool.connection(self._user_id) as connection:
                    row = connection.execute("SELECT pg_xact_status(%s::xid8)", (number,)).fetchone()
                if row is not None and row[0] != "in progress":
                    return bool(row[0] == "committed")
            except StoreError as error:
                if time.monotonic() > deadline:
                    raise StoreError(
                        f"The database {self._place} was lost in the moment of writing, and does not come back. "
                        "Whether this step was written shows when it is back: look at the agent's last messages."
                    ) from error
                self._pool.forget_idle()
            time.sleep(0.1)

    def _retried(self, action: Callable[[PooledConnection], T]) -> T:
        """Do something on the pinned connection; once more on another where it turns out to be dead."""
        here = self._here
        assert here.connection is not None
        try:
            return action(here.connection)
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            if not here.connection.closed:
                raise store_error(error, self._place) from error
        self._pool.forget_idle()
        fresh = self._take()
        self._pool.give_back(here.connection)
        here.connection = fresh
        try:
            return action(fresh)
        except psycopg.Error as error:
            raise store_error(error, self._place) from error

    def _take(self) -> PooledConnection:
        """A connection; another one where it turns out to be dead.

        Raises:
            StoreError: there is none.
        """
        try:
            return self._pool.take(self._user_id)
        except (psycopg.OperationalError, psycopg.InterfaceError):
            self._pool.forget_idle()
        try:
            return self._pool.take(self._user_id)
        except psycopg.Error as error:
            raise store_error(error, self._place) from error

    def do(self, action: Callable[[PooledConnection], T]) -> T:
        """Do something on the connection of this thread's transaction, or on any.

        Raises:
            StoreError: it fails.
        """
        here = self._here
        try:
            if here.inside:
                assert here.connection is not None
                return action(here.connection)
            with self.pinned():
                return self._retried(action)
        except psycopg.Error as error:
            raise store_error(error, self._place) from error

    @contextmanager
    def snapshot(self) -> Generator[None, None, None]:
        """Have this thread read as of one moment."""
        with self.pinned():
            self._retried(lambda connection: connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            self._here.inside = True
            try:
                yield
            finally:
                self._here.inside = False
                with suppress(psycopg.Error):
                    assert self._here.connection is not None
                    self._here.connection.execute("ROLLBACK")
