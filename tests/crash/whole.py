"""What must hold of a database after anything has happened to it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from memgpt_autogen.storage.postgres.address import Address
from memgpt_autogen.storage.sqlite.schema import add_functions

_OF_A_STEP = {
    "messages": "SELECT DISTINCT step_id FROM messages WHERE role <> 'user' AND step_id IS NOT NULL",
    "core memory": "SELECT DISTINCT step_id FROM block_versions WHERE version > 1 AND step_id IS NOT NULL",
    "notes": "SELECT DISTINCT passages.step_id FROM passages JOIN sources ON sources.id = source_id "
    "WHERE sources.agent_id IS NOT NULL AND passages.step_id IS NOT NULL",
}


Rows = Callable[[str], list[tuple[Any, ...]]]


@contextmanager
def rows_of(address: str) -> Iterator[Rows]:
    """Asks a store for rows, of all users, and beside the package: what it keeps in memory is not asked."""
    if address.startswith("postgresql://"):
        from memgpt_autogen.storage.postgres.migrate import connect  # only where psycopg is

        with closing(connect(Address.parse(address))) as server:
            yield lambda sql: server.execute(sql).fetchall()
    else:
        with closing(sqlite3.connect(address, isolation_level=None)) as raw:
            add_functions(raw)
            yield lambda sql: raw.execute(sql).fetchall()


def assert_whole(place: str | Path) -> None:
    """The store is sound, its indexes agree with its content, and it holds nothing but whole steps."""
    address = str(place)
    with rows_of(address) as rows:
        steps = {row[0] for row in rows("SELECT id FROM steps")}
        for what, sql in _OF_A_STEP.items():
            half = {row[0] for row in rows(sql)} - steps
            assert not half, f"{what} of steps that did not end: {half}"
        assert not rows(
            "SELECT label FROM blocks WHERE version <> (SELECT max(version) FROM block_versions WHERE block_id = id) "
            "OR value <> (SELECT value FROM block_versions WHERE block_id = id ORDER BY version DESC LIMIT 1)"
        )
        assert not rows(
            "SELECT name FROM sources WHERE passages <> (SELECT count(*) FROM passages WHERE source_id = sources.id)"
        )
        made = rows("SELECT agent_id, tool_calls FROM messages WHERE tool_calls IS NOT NULL")
        calls = {(agent, call["id"]) for agent, text in made for call in json.loads(text)}
        results = {*rows("SELECT agent_id, call_id FROM messages WHERE call_id IS NOT NULL")}
        assert not calls ^ results, f"calls without a result, or results without a call: {calls ^ results}"
    if not address.startswith("postgresql://"):
        _assert_sound(Path(address))


def _assert_sound(path: Path) -> None:
    """SQLite's own checks of a file, and of its full text index word by word."""
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        add_functions(raw)
        raw.execute("BEGIN")
        assert [row[0] for row in raw.execute("PRAGMA integrity_check")] == ["ok"]
        assert not raw.execute("PRAGMA foreign_key_check").fetchall()
        for table in ("messages", "passages"):
            texts = dict(raw.execute(f"SELECT seq, text FROM {table}"))
            assert {row[0] for row in raw.execute(f"SELECT id FROM {table}_fts_docsize")} == texts.keys()
        raw.execute("ROLLBACK")
        raw.execute("BEGIN IMMEDIATE")
        for table in ("messages_fts", "passages_fts"):  # compares every word with the content
            raw.execute(f"INSERT INTO {table} ({table}, rank) VALUES ('integrity-check', 1)")
        raw.execute("ROLLBACK")
