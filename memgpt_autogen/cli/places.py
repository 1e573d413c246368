"""The settings and the store, as commands open them. Nothing is created for those that only look."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..config import Settings

if TYPE_CHECKING:
    from ..storage.sqlite import SQLiteStore


@contextmanager
def open_store(settings: Settings) -> Iterator[SQLiteStore]:
    """The store; an empty one in memory where no file is there yet.

    Raises:
        StoreError: it cannot be opened.
    """
    from ..storage.sqlite import SQLiteStore

    store = SQLiteStore(settings.database if settings.database.is_file() else None, vectors=settings.vectors)
    try:
        yield store
    finally:
        store.close()
