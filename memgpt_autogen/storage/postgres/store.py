"""A store in PostgreSQL, for agents on many machines."""

from __future__ import annotations

from ..sql.killed_loads import remove_killed_loads
from ..sql.store import SQLStore
from ..sql.vector_sync import VectorIndex
from .database import PostgresDatabase


class PostgresStore(SQLStore):
    """The store in one schema of a PostgreSQL database with pgvector.

    Args:
        address: ``postgresql://USER@HOST/DATABASE``; see :class:`.address.Address` for the options.
        user_id: whose agents these are; two users of one schema do not see each other's.
        read_only: only read.
        vectors: where the vectors of passages are kept; see :class:`memgpt_autogen.storage.sql.store.SQLStore`.

    Raises:
        StoreError: the server cannot be reached, or its tables are of a newer version.
        ConfigError: an address that is none.
    """

    def __init__(
        self,
        address: str,
        *,
        user_id: str = "local",
        read_only: bool = False,
        vectors: VectorIndex | str | None = None,
    ) -> None:
        database = PostgresDatabase(address, user_id=user_id, read_only=read_only)
        try:
            if not read_only:
                remove_killed_loads(database)
            super().__init__(database, vectors)
        except BaseException:
            database.close()
            raise
