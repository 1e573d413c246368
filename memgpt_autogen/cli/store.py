"""Opens the store for commands. Commands that only read create no file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..config import Settings
from ..storage.base import Store
from ..storage.engines import IN_MEMORY, engine_of


@contextmanager
def open_store(settings: Settings, *, create: bool = False, read_only: bool = False) -> Iterator[Store]:
    """The store. Without a file it is an empty one in memory or, with ``create``, a new file.

    With ``read_only`` nothing is written, and a write-protected file can be read.

    Raises:
        StoreError: it cannot be opened.
    """
    if create:
        settings.make_home()
    address, engine = settings.database, engine_of(settings.database)
    there = create or engine.exists(address)
    store = engine.open(address if there else IN_MEMORY, vectors=settings.vectors, read_only=read_only and there)
    try:
        yield store
    finally:
        store.close()
