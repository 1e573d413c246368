"""The default store: one SQLite file that holds everything."""

from __future__ import annotations

from pathlib import Path

from ..sql.store import SQLStore
from ..sql.vector_sync import VectorIndex
from .database import SQLiteDatabase
from .upkeep import open_database


class SQLiteStore(SQLStore):
    """The store in one file, or in memory.

    Args:
        path: the file; None keeps everything in memory, for this process only.
        user_id: whose agents these are; two users of one file do not see each other's.
        durable: also safe against power loss, at the price of waiting for the disk.
        read_only: only read; nothing is written, and a file that cannot be written is read all the same.
        vectors: where the vectors of passages are kept; see :class:`memgpt_autogen.storage.sql.store.SQLStore`.

    Raises:
        StoreError: the file cannot be opened.
        ConfigError: an address of vectors that is none.
    """

    _database: SQLiteDatabase

    def __init__(
        self,
        path: str | Path | None,
        *,
        user_id: str = "local",
        durable: bool = False,
        read_only: bool = False,
        vectors: VectorIndex | str | None = None,
    ) -> None:
        if path is None:
            database = SQLiteDatabase(":memory:", user_id=user_id)
        else:  # locks go by the path: one file must have one name
            database = open_database(Path(path).resolve(), user_id=user_id, durable=durable, read_only=read_only)
        super().__init__(database, vectors)
