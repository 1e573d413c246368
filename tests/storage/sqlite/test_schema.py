"""What the tables of SQLite hold."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from memgpt_autogen import events
from memgpt_autogen.errors import StoreError
from memgpt_autogen.ids import new_id
from memgpt_autogen.messages import Message
from memgpt_autogen.storage.records import Passage, Summary
from memgpt_autogen.storage.search.words import fts_query
from memgpt_autogen.storage.sqlite import SQLiteStore


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> SQLiteStore:
    return SQLiteStore(tmp_path / "memgpt.db" if request.param == "file" else None)


@pytest.fixture
def agent(store: SQLiteStore) -> str:
    return store.agents.create("sam", {"name": "sam"}).id


def said(text: str, **changes: object) -> Message:
    return replace(events.user_message(text, name="Ann"), answered=True, **changes)  # type: ignore[arg-type]


def test_every_row_carries_user_and_step(store: SQLiteStore, agent: str) -> None:
    step = new_id()
    with store.transaction(step):
        store.log.append(agent, [said("x")])
        block = store.agents.add_block(agent, "persona", "v", 10)
        store.agents.write_block(block.id, "w", agent_id=agent)
        store.passages.add(store.sources.own_source(agent), [Passage("p")])
        store.conversations.append(store.conversations.open(agent, "peer", taken=()), ["d"])
        store.log.add_summary(agent, Summary("s", "a", store.log.window(agent)[0].id))
    tables = {row["name"] for row in store._database.all("SELECT name FROM sqlite_master WHERE type = 'table'")}
    ours = {name for name in tables if "_fts" not in name and not name.startswith("sqlite_")}
    assert len(ours) >= 10
    for table in ours:
        columns = {row["name"] for row in store._database.all(f"PRAGMA table_info({table})")}
        assert {"user_id", "step_id"} <= columns, table
    for table in ("messages", "blocks", "agent_blocks", "passages", "attachments", "sources", "summaries"):
        row = store._database.one(f"SELECT user_id, step_id FROM {table}")
        assert row is not None and tuple(row) == ("local", step), table


def test_ids_are_version_7_and_rise() -> None:
    ids = [new_id() for _ in range(2000)]
    assert ids == sorted(ids) and len(set(ids)) == len(ids)
    assert all(one[14] == "7" and one[19] in "89ab" for one in ids)


def test_blocks_keep_their_versions(store: SQLiteStore, agent: str) -> None:
    block = store.agents.add_block(agent, "human", "one", 100)
    store.agents.write_block(block.id, "two", agent_id=agent)
    assert store.agents.blocks(agent)[0].value == "two"
    versions = store._database.all("SELECT version, value FROM block_versions ORDER BY version")
    assert [tuple(row) for row in versions] == [(1, "one"), (2, "two")]


def test_stop_words_count_only_when_there_is_nothing_else() -> None:
    assert fts_query("Where is the key?") == '"key"'
    assert fts_query("who are you") == '"who" OR "are" OR "you"'


def test_deleting_an_agent_leaves_nothing_of_it(store: SQLiteStore, agent: str) -> None:
    store.log.append(agent, [said("secret")])
    store.agents.add_block(agent, "persona", "p", 10)
    store.passages.add(store.sources.own_source(agent), [Passage("secret")])
    store.agents.delete(agent)
    for table in ("messages", "blocks", "block_versions", "passages", "sources", "attachments"):
        assert store._database.number(f"SELECT count(*) FROM {table}") == 0, table
    for table in ("messages_fts", "passages_fts"):
        assert not store._database.all(f"SELECT * FROM {table} WHERE {table} MATCH 'secret'")


def test_another_process_is_told_that_the_agent_is_busy(tmp_path: Path) -> None:
    path = tmp_path / "memgpt.db"
    store = SQLiteStore(path)
    agent = store.agents.create("sam", {}).id
    code = (
        "import sys; from memgpt_autogen.storage.sqlite import SQLiteStore\n"
        "from memgpt_autogen.errors import AgentBusy\n"
        "try:\n"
        "    with SQLiteStore(sys.argv[1]).lock(sys.argv[2]): print('free')\n"
        "except AgentBusy as error: print('busy:', error)\n"
    )

    def ask() -> str:
        return subprocess.run([sys.executable, "-c", code, path, agent], capture_output=True, text=True).stdout

    with store.lock(agent):
        assert ask().startswith("busy: This agent is in the middle of a turn in another process")
    assert ask() == "free\n"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no mode bits")
def test_the_file_is_its_owner_s_alone(tmp_path: Path) -> None:
    SQLiteStore(tmp_path / "home" / "memgpt.db")
    assert stat.S_IMODE((tmp_path / "home" / "memgpt.db").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "memgpt.db"
    path.write_text("this is not a database, it is a letter " * 50)
    with pytest.raises(StoreError, match="Cannot open the database"):
        SQLiteStore(path)
    assert path.read_text().startswith("this is not a database")


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "memgpt.db"
    SQLiteStore(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA user_version = 999")
    with pytest.raises(StoreError, match="Upgrade the package"):
        SQLiteStore(path)


def test_a_full_disk_is_named_and_the_step_is_undone(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "memgpt.db")
    agent = store.agents.create("sam", {}).id
    pages = store._database.number("PRAGMA page_count")
    store._database.all(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StoreError, match="disk is full"), store.transaction():
        store.log.append(agent, [said("x" * 1000) for _ in range(100)])
    assert store.log.count(agent) == 0


def test_a_window_is_read_whole_while_another_process_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = SQLiteStore(tmp_path / "memgpt.db"), SQLiteStore(tmp_path / "memgpt.db")
    sam = one.agents.create("sam", {}).id
    one.log.append(sam, [said("old"), events.user_message("new")])
    usual, asked = one._database.all, []

    def slowly(sql: str, *values: object) -> list[sqlite3.Row]:
        rows = usual(sql, *values)
        if sql.startswith("SELECT edition"):
            asked.append(sql)
            other.log.mark_answered(sam)
        return rows

    monkeypatch.setattr(one._database, "all", slowly)
    assert [(message.text, message.answered) for message in one.log.window(sam)] == [("old", True), ("new", True)]
    assert asked
