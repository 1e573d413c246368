"""PostgreSQL as a row of the table of stores."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import ConfigError, MissingDependency, StoreError
from ..records import AgentOverview, Health, Repaired

if TYPE_CHECKING:
    from .database import PostgresDatabase
    from .store import PostgresStore


class PostgresEngine:
    """See :class:`memgpt_autogen.storage.base.Engine`. Addresses: ``postgresql://USER@HOST/DATABASE``.

    Raises:
        MissingDependency: psycopg is not installed.
    """

    def __init__(self) -> None:
        try:
            import psycopg
            import psycopg_pool
        except ImportError as error:
            told = "A store in PostgreSQL needs psycopg and its pool."
            raise MissingDependency(told, "memgpt-autogen[postgres]") from error
        del psycopg, psycopg_pool

    def open(
        self, address: str | Path, *, user_id: str = "local", read_only: bool = False, vectors: str | None = None
    ) -> PostgresStore:
        """A store in a schema of a database; its tables are made if they are not there."""
        from .store import PostgresStore

        return PostgresStore(str(address), user_id=user_id, read_only=read_only, vectors=vectors)

    def exists(self, address: str | Path) -> bool:
        """Whether the database has the tables."""
        from .address import Address
        from .migrate import connect, version_of

        where = Address.parse(str(address))
        with closing(connect(where, schema_first=False)) as connection:
            return version_of(connection, where.schema) > 0

    def agents(self, address: str | Path, user_id: str = "local") -> Sequence[AgentOverview]:
        """Every agent of a user."""
        from ..sql.overview import agents_of
        from .database import PostgresDatabase

        with closing(PostgresDatabase(str(address), user_id=user_id, read_only=True)) as database:
            return agents_of(database)

    def check(self, address: str | Path) -> Health:
        """Check that counts agree; the server keeps its own files whole."""
        from .health import check

        return check(str(address))

    def repair(self, address: str | Path) -> Repaired:
        """Not done here.

        Raises:
            StoreError: always; it says what to do.
        """
        raise StoreError(
            "A server keeps its own files whole; what a disk has damaged comes back from a backup of the server "
            "(pg_restore, or its archive of the write-ahead log). See docs/store.md."
        )

    def every_row(self, address: str | Path, *, read_only: bool = False) -> closing[PostgresDatabase]:
        """All rows; with row level security switched on, its user must be one who may pass by it."""
        from .database import PostgresDatabase

        return closing(PostgresDatabase(str(address), read_only=read_only, every_user=True))

    def backup(self, address: str | Path, target: Path) -> None:
        """Copy the store, of all users, into one SQLite file; ``memgpt migrate-store`` puts it back."""
        from ..copying import copy_store
        from ..files import in_use
        from ..sqlite.database import SQLiteDatabase
        from ..unfinished import writing

        if in_use(target):
            raise ConfigError(f"{target} is a database that is open. Name another file.")
        with (
            self.every_row(address, read_only=True) as database,
            database.snapshot(),
            writing(target, None) as part,
            closing(SQLiteDatabase(part)) as copy,
        ):
            copy_store(database, copy)
            copy.all("PRAGMA journal_mode = DELETE")  # all in one file
