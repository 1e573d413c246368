"""Saving what can be read of a damaged database: into a new file, beside the old one, which is kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from ...errors import StoreError
from ..files import beside, prepare
from ..records import Repaired
from ..unfinished import writing
from .database import LOCKS
from .schema import MIGRATIONS, add_functions, statements

#: Numbers tried behind the last row that could be read, where nothing says which was the last one written.
_BEYOND = 100_000
_NOW = "strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')"
#: What a row belonged to and is lost: it is made anew, so that the row is kept.
_PARENTS = (
    "INSERT INTO agents (id, user_id, name, config, created_at) SELECT agent_id, user_id, 'recovered ' || agent_id, "
    f"json_object('name', 'recovered ' || agent_id), {_NOW} FROM messages "
    "WHERE agent_id NOT IN (SELECT id FROM agents) GROUP BY agent_id",
    "INSERT INTO sources (id, user_id, name, created_at) SELECT source_id, user_id, 'recovered ' || source_id, "
    f"{_NOW} FROM passages WHERE source_id NOT IN (SELECT id FROM sources) GROUP BY source_id",
    "INSERT INTO blocks (id, user_id, label, value, char_limit, version, created_at) SELECT block_id, user_id, "
    "'recovered', value, max(2000, length(value)), max(version), created_at FROM block_versions "
    "WHERE block_id NOT IN (SELECT id FROM blocks) GROUP BY block_id",
    "INSERT INTO block_versions (block_id, version, user_id, value, created_at) SELECT id, version, user_id, value, "
    "created_at FROM blocks WHERE NOT EXISTS (SELECT 1 FROM block_versions AS v WHERE v.block_id = blocks.id "
    "AND v.version = blocks.version)",
    "UPDATE blocks SET version = (SELECT max(version) FROM block_versions WHERE block_id = blocks.id)",
    "UPDATE passages SET document_id = NULL WHERE document_id NOT IN (SELECT id FROM documents)",
    "UPDATE sources SET agent_id = NULL WHERE agent_id NOT IN (SELECT id FROM agents)",
    "UPDATE sources SET passages = (SELECT count(*) FROM passages WHERE source_id = sources.id)",
)


def repair(path: Path) -> Repaired:
    """Put what can be read of a database into a new one in its place, and keep the old one beside it.

    Raises:
        StoreError: another program has it open, or nothing of it can be read.
        ConfigError: the folder cannot be written.
    """
    prepare(path)
    _see_that_nobody_has_it_open(path)
    saved: dict[str, int] = {}
    unread: dict[str, int] = {}
    kept = path.with_name(f"{path.name}.damaged-{datetime.now().strftime('%Y%m%d-%H%M%S')}")
    with writing(path, path.parent / LOCKS) as part:
        try:
            with closing(_connect(path, "mode=ro")) as old, closing(_connect(part, "mode=rw")) as new:
                _copy(old, new, saved, unread)
        except sqlite3.Error as error:
            raise StoreError(
                f"Nothing of {path} can be read: {error}. Restore a backup; the file is left as it is."
            ) from error
        for file in (*beside(path), path):
            file.rename(kept.with_name(kept.name + file.name.removeprefix(path.name)))
    return Repaired(kept, saved, unread)


def _connect(path: Path, query: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?{query}", uri=True, isolation_level=None, timeout=5)
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    add_functions(connection)
    return connection


def _see_that_nobody_has_it_open(path: Path) -> None:
    with closing(_connect(path, "mode=rw")) as connection:
        try:
            connection.execute("PRAGMA busy_timeout = 0")
            connection.execute("PRAGMA locking_mode = EXCLUSIVE").fetchone()
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            if "locked" in str(error):
                raise StoreError(f"Another program has {path} open. Close it, and repair the database then.") from error


def _copy(old: sqlite3.Connection, new: sqlite3.Connection, saved: dict[str, int], unread: dict[str, int]) -> None:
    version = old.execute("PRAGMA user_version").fetchone()[0]
    if not 0 < version <= len(MIGRATIONS):
        raise sqlite3.DatabaseError(f"its format is {version}, which is none of ours")
    for script in MIGRATIONS[:version]:
        for statement in statements(script):
            new.execute(statement)
    new.execute("PRAGMA foreign_keys = OFF")
    new.execute("BEGIN")
    tables = [row[0] for row in new.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for table in (one for one in tables if "_fts" not in one and not one.startswith("sqlite_")):
        columns = [row[1] for row in new.execute(f"PRAGMA table_info({table})")]
        marks = f"({', '.join('?' * (len(columns) + 1))})"
        for row in _rows(old, table, columns, unread):
            try:
                new.execute(f"INSERT INTO {table} (rowid, {', '.join(columns)}) VALUES {marks}", row)
                saved[table] = saved.get(table, 0) + 1
            except sqlite3.Error:  # what was read makes no sense
                unread[table] = unread.get(table, 0) + 1
    for statement in _PARENTS:
        with suppress(sqlite3.OperationalError):  # of a column that an older format has not
            new.execute(statement)
    for table, rowid, *_ in new.execute("PRAGMA foreign_key_check").fetchall():
        if rowid is not None and new.execute(f"DELETE FROM {table} WHERE rowid = ?", (rowid,)).rowcount > 0:
            saved[table] -= 1
            unread[table] = unread.get(table, 0) + 1
    for table in ("messages_fts", "passages_fts"):
        new.execute(f"INSERT INTO {table} ({table}) VALUES ('rebuild')")
    new.execute(f"PRAGMA user_version = {version}")
    new.execute("COMMIT")


def _rows(
    old: sqlite3.Connection, table: str, columns: Sequence[str], unread: dict[str, int]
) -> Iterator[tuple[Any, ...]]:
    """Every row that can be read: in order as far as that goes, and behind a damaged page one by one."""
    sql, last = f"SELECT rowid, {', '.join(columns)} FROM {table}", 0
    try:
        for row in old.execute(f"{sql} ORDER BY rowid"):
            last = row[0]
            yield row
        return
    except sqlite3.Error:
        pass
    for number in range(last + 1, _last(old, table, last) + 1):
        try:
            yield from old.execute(f"{sql} WHERE rowid = ?", (number,)).fetchall()
        except sqlite3.Error:
            unread[table] = unread.get(table, 0) + 1


def _last(old: sqlite3.Connection, table: str, last: int) -> int:
    """The number of the last row, as far as anything says it."""
    for sql in (f"SELECT max(rowid) FROM {table}", f"SELECT seq FROM sqlite_sequence WHERE name = '{table}'"):
        with suppress(sqlite3.Error):
            if (row := old.execute(sql).fetchone()) and row[0]:
                return int(row[0])
    return last + _BEYOND
