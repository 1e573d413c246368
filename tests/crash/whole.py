"""What must hold of a database after anything has happened to it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from memgpt_autogen.storage.sqlite.schema import add_functions

_OF_A_STEP = {
    "messages": "SELECT DISTINCT step_id FROM messages WHERE role <> 'user' AND step_id IS NOT NULL",
    "core memory": "SELECT DISTINCT step_id FROM block_versions WHERE version > 1 AND step_id IS NOT NULL",
    "notes": "SELECT DISTINCT passages.step_id FROM passages JOIN sources ON sources.id = source_id "
    "WHERE sources.agent_id IS NOT NULL AND passages.step_id IS NOT NULL",
}


def assert_whole(path: Path) -> None:
    """The file is sound, its indexes agree with its content, and it holds nothing but whole steps."""
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        add_functions(raw)
        raw.execute("BEGIN")
        assert [row[0] for row in raw.execute("PRAGMA integrity_check")] == ["ok"]
        assert not raw.execute("PRAGMA foreign_key_check").fetchall()
        steps = {row[0] for row in raw.execute("SELECT id FROM steps")}
        for what, sql in _OF_A_STEP.items():
            half = {row[0] for row in raw.execute(sql)} - steps
            assert not half, f"{what} of steps that did not end: {half}"
        assert not raw.execute(
            "SELECT label FROM blocks WHERE version <> (SELECT max(version) FROM block_versions WHERE block_id = id) "
            "OR value <> (SELECT value FROM block_versions WHERE block_id = id ORDER BY version DESC LIMIT 1)"
        ).fetchall()
        assert not raw.execute(
            "SELECT name FROM sources WHERE passages <> (SELECT count(*) FROM passages WHERE source_id = sources.id)"
        ).fetchall()
        for table in ("messages", "passages"):
            texts = dict(raw.execute(f"SELECT seq, text FROM {table}"))
            assert {row[0] for row in raw.execute(f"SELECT id FROM {table}_fts_docsize")} == texts.keys()
        calls = [
            (row[0], json.loads(row[1]))
            for row in raw.execute("SELECT agent_id, tool_calls FROM messages WHERE tool_calls IS NOT NULL")
        ]
        results = {
            (row[0], row[1]) for row in raw.execute("SELECT agent_id, call_id FROM messages WHERE call_id IS NOT NULL")
        }
        orphans = {(agent, call["id"]) for agent, made in calls for call in made} ^ results
        assert not orphans, f"calls without a result, or results without a call: {orphans}"
        raw.execute("ROLLBACK")
        raw.execute("BEGIN IMMEDIATE")
        for table in ("messages_fts", "passages_fts"):  # compares every word with the content
            raw.execute(f"INSERT INTO {table} ({table}, rank) VALUES ('integrity-check', 1)")
        raw.execute("ROLLBACK")
