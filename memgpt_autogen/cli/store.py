"""Opens the store for commands. Commands that only read create no file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..config import Settings

if TYPE_CHECKING:
    from ..storage.sqlite import SQLiteStore


@contextmanager
def open_store(settings: Settings, *, create: bool = False, read_only: bool = False) -> Iterator[SQLiteStore]:
    """The store. Without a file it is an empty one in memory or, with ``create``, a new file.

    With ``read_only`` nothing is written, and a write-protected file can be read.

    Raises:
        StoreError: it cannot be opened.
    """
    from ..storage.sqlite import SQLiteStore

    if create:
        settings.make_home()
    path = settings.database if create or settings.database.exists() else None
    store = SQLiteStore(path, vectors=settings.vectors, read_only=read_only and path is not None)
    try:
        yield store
    finally:
        store.close()
