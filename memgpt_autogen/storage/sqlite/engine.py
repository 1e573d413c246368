"""SQLite as a row of the table of stores: what is done with a file by its address."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import ConfigError
from ..records import AgentOverview, Health, Repaired

if TYPE_CHECKING:
    from .database import SQLiteDatabase
    from .store import SQLiteStore

_SCHEME = "sqlite:///"


class SQLiteEngine:
    """See :class:`memgpt_autogen.storage.base.Engine`. Addresses: a path, ``sqlite:///PATH``, ``sqlite:///:memory:``."""

    def open(
        self, address: str | Path, *, user_id: str = "local", read_only: bool = False, vectors: str | None = None
    ) -> SQLiteStore:
        """A store in a file, or in memory."""
        from .store import SQLiteStore

        return SQLiteStore(_path(address), user_id=user_id, read_only=read_only, vectors=vectors)

    def exists(self, address: str | Path) -> bool:
        """Whether there is such a file (or whatever else of that name)."""
        path = _path(address)
        return path is not None and path.exists()

    def agents(self, address: str | Path, user_id: str = "local") -> Sequence[AgentOverview]:
        """Every agent in a file."""
        from ..sql.overview import agents_of
        from .upkeep import open_database

        with closing(open_database(_file(address), user_id=user_id, read_only=True)) as database:
            return agents_of(database)

    def check(self, address: str | Path) -> Health:
        """Run SQLite's checks and ours."""
        from .health import check

        return check(_file(address))

    def repair(self, address: str | Path) -> Repaired:
        """Save what can be read."""
        from .repair import repair

        return repair(_file(address))

    def backup(self, address: str | Path, target: Path) -> None:
        """Copy a file by SQLite's backup API."""
        from .backup import backup

        backup(_file(address), target)

    def every_row(self, address: str | Path, *, read_only: bool = False) -> closing[SQLiteDatabase]:
        """The file itself: its rows are of all users."""
        from .upkeep import open_database

        return closing(open_database(_file(address), read_only=read_only))


def _path(address: str | Path) -> Path | None:
    text = str(address)
    if "://" in text and not text.lower().startswith(_SCHEME):
        raise ConfigError(f"An SQLite file is at {_SCHEME}PATH, not at {text!r}.")
    text = text[len(_SCHEME) :] if "://" in text else text
    return None if text == ":memory:" else Path(text)


def _file(address: str | Path) -> Path:
    path = _path(address)
    if path is None:
        raise ConfigError("A store in memory ends with its process: there is no file.")
    return path
