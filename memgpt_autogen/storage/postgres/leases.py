"""One writer per agent across machines: a lease in the database, with a token that only grows.

A holder is a process. It keeps one connection of its own with an advisory lock on its number, and renews its leases
over it. A lease ends when it is given back, when it was not renewed in time, or when its holder's connection is gone;
then the next one takes it, with a higher token. Within a process a lock of its threads comes first, so that a lease
which it could not give back is its own to take again. Every transaction that is written under a lease looks at its
token last and keeps it from changing until the commit, so that who has lost the lease cannot commit, however late it
notices.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from ...errors import StoreError
from ..locks import busy_elsewhere
from .failures import store_error
from .migrate import connect

if TYPE_CHECKING:
    from psycopg import Connection

    from .address import Address
    from .pool import Pool, PooledConnection

logger = logging.getLogger(__name__)

#: Seconds that a lease lasts without being renewed, between renewals, and between looks at one that another has.
LASTS, RENEW, LOOK = 30.0, 5.0, 0.05

_TAKE = f"""
INSERT INTO leases AS held (user_id, key, token, holder, expires_at)
VALUES (%(user)s, %(key)s, 1, %(holder)s, now() + interval '{LASTS} seconds')
ON CONFLICT (user_id, key) DO UPDATE
SET token = held.token + 1, holder = excluded.holder, expires_at = excluded.expires_at
WHERE held.expires_at < now() OR held.holder = excluded.holder OR NOT EXISTS (
    SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (classid::bigint << 32) | objid::bigint = held.holder
) RETURNING token"""
_GIVE_BACK = "UPDATE leases SET expires_at = '-infinity' WHERE user_id = %s AND key = %s AND token = %s"
_RENEW = f"UPDATE leases SET expires_at = now() + interval '{LASTS} seconds' WHERE holder = %s AND expires_at > now()"


@dataclass(frozen=True)
class Lease:
    """What a process holds; ``store`` tells stores apart."""

    store: Address
    user_id: str
    key: str
    token: int


#: The leases that this code runs under.
_under: ContextVar[tuple[Lease, ...]] = ContextVar("memgpt_leases", default=())


class Holder:
    """This process as a holder of leases, over one pool."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._number = random.SystemRandom().getrandbits(62)
        self._mutex = threading.Lock()
        self._connection: Connection[Any] | None = None
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def held(self, user_id: str, key: str, wait: float) -> Iterator[None]:
        """Hold a lease meanwhile.

        Args:
            user_id: whose.
            key: of what.
            wait: seconds to wait for another process.

        Raises:
            AgentBusy: another process still holds it.
        """
        lease = self._take(user_id, key, wait)
        before = _under.get()
        _under.set((*before, lease))
        try:
            yield
        finally:
            _under.set(before)
            with suppress(StoreError), self._pool.connection(user_id) as connection:  # else it ends by itself
                connection.execute(_GIVE_BACK, (user_id, key, lease.token))

    def _take(self, user_id: str, key: str, wait: float) -> Lease:
        deadline, tried = time.monotonic() + wait, 0
        values = {"user": user_id, "key": key, "holder": self._number}
        while True:
            self._be_there()
            try:
                with self._pool.connection(user_id) as connection:
                    row = connection.execute(_TAKE, values).fetchone()
            except StoreError:
                tried += 1
                if tried > 1:
                    raise
                self._pool.forget_idle()  # such as connections from before a restart
                continue
            if row is not None:
                return Lease(self._pool.address, user_id, key, row[0])
            if time.monotonic() >= deadline:
                raise busy_elsewhere(wait)
            time.sleep(min(LOOK, max(0.0, deadline - time.monotonic())))

    def _be_there(self) -> None:
        """Have a connection of this holder's own, by which others see that it lives.

        Raises:
            StoreError: the server cannot be reached.
        """
        with self._mutex:
            if self._connection is None or self._connection.closed:
                self._connection = connect(self._pool.address)
                try:
                    self._connection.execute("SELECT pg_advisory_lock(%s)", (self._number,))
                except psycopg.Error as error:
                    self._connection.close()
                    raise store_error(error, self._pool.address.place) from error
            if self._thread is None:
                self._thread = threading.Thread(target=self._renew, name="memgpt-leases", daemon=True)
                self._thread.start()

    def _renew(self) -> None:
        while not self._closed.wait(RENEW):
            try:
                self._be_there()
                with self._mutex:
                    assert self._connection is not None
                    self._connection.execute(_RENEW, (self._number,))
            except (psycopg.Error, StoreError) as error:
                logger.warning("Leases in %s could not be renewed: %s", self._pool.address.place, type(error).__name__)
                with self._mutex:
                    if self._connection is not None:
                        self._connection.close()

    def close(self) -> None:
        """Let go of everything that is held."""
        self._closed.set()
        with self._mutex:
            if self._connection is not None:
                self._connection.close()


def see_that_leases_hold(connection: PooledConnection, store: Address) -> str:
    """See, at the end of a transaction, that the leases it was written under still hold, and keep them until its end.

    Returns:
        The number of the transaction.

    Raises:
        StoreError: another process has taken one over.
    """
    leases = [lease for lease in _under.get() if lease.store == store]
    if not leases:
        row = connection.execute("SELECT pg_current_xact_id()::text").fetchone()
        return str(row[0]) if row else ""
    rows = connection.execute(
        "SELECT user_id, key, token, pg_current_xact_id()::text AS number FROM leases "
        "WHERE user_id = ANY(%s) AND key = ANY(%s) FOR SHARE",
        ([lease.user_id for lease in leases], [lease.key for lease in leases]),
    ).fetchall()
    held = {(row[0], row[1], row[2]) for row in rows}
    for lease in leases:
        if (lease.user_id, lease.key, lease.token) not in held:
            raise StoreError(
                "This process was away from the database for too long, and another one has taken the agent over. "
                "Nothing of this step was written. Try again."
            )
    return str(rows[0]["number"])
