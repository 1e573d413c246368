"""The default store: one SQLite file that holds everything."""

from .store import SQLiteStore

__all__ = ["SQLiteStore"]
