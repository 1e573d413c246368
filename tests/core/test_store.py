"""The store's contract, on a file and in memory."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from memgpt_autogen import events
from memgpt_autogen.errors import AgentBusy, AgentNotFound, NameTaken, SourceError, StoreError
from memgpt_autogen.ids import new_id
from memgpt_autogen.messages import Message, ToolCall
from memgpt_autogen.storage.base import Store
from memgpt_autogen.storage.records import Passage, Summary
from memgpt_autogen.storage.search.words import fts_query
from memgpt_autogen.storage.sqlite import SQLiteStore


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return SQLiteStore(tmp_path / "memgpt.db" if request.param == "file" else None)


@pytest.fixture
def agent(store: Store) -> str:
    return store.agents.create("sam", {"name": "sam"}).id


def said(text: str, **changes: object) -> Message:
    return replace(events.user_message(text, name="Ann"), answered=True, **changes)  # type: ignore[arg-type]


def test_a_message_comes_back_as_it_was_written(store: Store, agent: str) -> None:
    call = ToolCall("f", {"a": [1, "ü"]}, error="cut")
    written = [said("hello", conversation_id="c", session_id="s"), events.reply("hm", (call,), "out loud")]
    with store.transaction("step"):
        store.log.append(agent, written)
    assert store.log.window(agent) == [replace(message, step_id="step") for message in written]


def test_every_row_carries_user_and_step(store: SQLiteStore, agent: str) -> None:
    step = new_id()
    with store.transaction(step):
        store.log.append(agent, [said("x")])
        block = store.agents.add_block(agent, "persona", "v", 10)
        store.agents.write_block(block.id, "w", agent_id=agent)
        store.passages.add(store.passages.own_source(agent), [Passage("p")])
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


def test_a_transaction_is_all_or_nothing(store: Store, agent: str) -> None:
    with pytest.raises(RuntimeError), store.transaction():
        store.log.append(agent, [said("lost")])
        with store.transaction():
            store.log.append(agent, [said("also lost")])
        raise RuntimeError
    assert store.log.count(agent) == 0


def test_blocks_keep_their_versions(store: SQLiteStore, agent: str) -> None:
    block = store.agents.add_block(agent, "human", "one", 100)
    store.agents.write_block(block.id, "two", agent_id=agent)
    assert store.agents.blocks(agent)[0].value == "two"
    versions = store._database.all("SELECT version, value FROM block_versions ORDER BY version")
    assert [tuple(row) for row in versions] == [(1, "one"), (2, "two")]


def test_a_shared_block_is_the_same_block_and_outlives_one_owner(store: Store, agent: str) -> None:
    other = store.agents.create("eva", {}).id
    block = store.agents.add_block(agent, "project", "plan A", 100)
    store.agents.share_block(other, block.id)
    store.agents.write_block(block.id, "plan B", agent_id=other)
    assert store.agents.blocks(agent)[0].value == "plan B"
    store.agents.delete(agent)
    assert store.agents.blocks(other)[0].value == "plan B"


def test_the_window_is_what_came_after_the_last_summary(store: Store, agent: str) -> None:
    messages = [said(str(number)) for number in range(5)]
    store.log.append(agent, messages)
    store.log.add_summary(agent, Summary("0 to 2", messages[0].id, messages[2].id, 3))
    assert [message.text for message in store.log.window(agent)] == ["3", "4"]
    assert store.log.last_summary(agent).text == "0 to 2"  # type: ignore[union-attr]
    assert store.log.count(agent) == 5


def test_search_finds_words_in_any_form_and_counts_them_all(store: Store, agent: str) -> None:
    other = replace(said("nothing of it"), session_id="another")  # in the same one it would be their context
    store.log.append(agent, [*(said(f"boat number {n} sails") for n in range(12)), other])
    found = store.log.search(agent, "What about the sailing boats?", page=2, page_size=5)
    assert (found.total, found.pages, len(found.hits)) == (12, 3, 5)
    assert not store.log.search(agent, "unheard", page=1, page_size=5).hits


def test_search_never_finds_what_is_still_unanswered(store: Store, agent: str) -> None:
    store.log.append(agent, [replace(said("where is the key"), answered=False)])
    assert store.log.search(agent, "key", page=1, page_size=5).total == 0
    store.log.mark_answered(agent)
    assert store.log.search(agent, "key", page=1, page_size=5).total == 1


@pytest.mark.parametrize("query", ['"', "a AND", "NEAR(", "x*", "col:val", "-", "' OR 1=1 --", "é ü 日本", "", "   "])
def test_no_query_is_syntax(store: Store, agent: str, query: str) -> None:
    store.log.append(agent, [said("words")])
    assert store.log.search(agent, query, page=1, page_size=5).total == 0
    assert store.passages.search(agent, query, page=1, page_size=5).total == 0


def test_stop_words_count_only_when_there_is_nothing_else() -> None:
    assert fts_query("Where is the key?") == '"key"'
    assert fts_query("who are you") == '"who" OR "are" OR "you"'


def test_days_are_local_days_and_both_ends_count(store: Store, agent: str) -> None:
    noon = datetime.now().astimezone().replace(hour=12, minute=0)
    store.log.append(agent, [said(str(ago), created_at=noon - timedelta(days=ago)) for ago in (4, 2, 1, 0)])
    today: date = noon.date()
    page = store.log.search_dates(agent, today - timedelta(days=2), today - timedelta(days=1), page=1, page_size=5)
    assert [hit.item.text for hit in page.hits] == ["2", "1"] and page.total == 2


def test_a_source_is_attached_by_reference(store: Store, agent: str) -> None:
    source = store.passages.create_source("handbook")
    store.passages.add(source.id, [Passage("The generator needs diesel.", "a.md", {"page": 3})])
    assert store.passages.search(agent, "diesel", page=1, page_size=5).total == 0
    store.passages.attach(agent, source.id)
    store.passages.attach(agent, source.id)
    hit = store.passages.search(agent, "diesel generators", page=1, page_size=5).hits[0].item
    assert (hit.uri, hit.metadata["page"], hit.source) == ("a.md", 3, "handbook")
    assert [one.name for one in store.passages.attached(agent)] == ["handbook"]
    assert store.passages.get_source("handbook").passages == 1
    store.passages.detach(agent, source.id)
    assert store.passages.count(agent) == 0


def test_names_are_unique_and_missing_ones_are_told(store: Store, agent: str) -> None:
    with pytest.raises(NameTaken, match="sam"):
        store.agents.create("sam", {})
    with pytest.raises(AgentNotFound, match="Agents: sam"):
        store.agents.get("tom")
    with pytest.raises(SourceError, match="none yet"):
        store.passages.get_source("x")


def test_deleting_an_agent_leaves_nothing_of_it(store: SQLiteStore, agent: str) -> None:
    store.log.append(agent, [said("secret")])
    store.agents.add_block(agent, "persona", "p", 10)
    store.passages.add(store.passages.own_source(agent), [Passage("secret")])
    store.agents.delete(agent)
    for table in ("messages", "blocks", "block_versions", "passages", "sources", "attachments"):
        assert store._database.number(f"SELECT count(*) FROM {table}") == 0, table
    for table in ("messages_fts", "passages_fts"):
        assert not store._database.all(f"SELECT * FROM {table} WHERE {table} MATCH 'secret'")


def test_two_users_of_one_file_do_not_see_each_other(tmp_path: Path) -> None:
    first, second = (SQLiteStore(tmp_path / "db", user_id=user) for user in ("ann", "bob"))
    first.agents.create("sam", {})
    assert second.agents.list() == []
    second.agents.create("sam", {})


def test_the_same_thread_is_refused_and_another_waits(store: Store, agent: str) -> None:
    order: list[str] = []
    with store.lock(agent):
        with pytest.raises(AgentBusy, match="nested chat"), store.lock(agent):
            pass

        def other() -> None:
            with store.lock(agent):
                order.append("other")

        thread = threading.Thread(target=other)
        thread.start()
        thread.join(0.2)
        order.append("first")
    thread.join()
    assert order == ["first", "other"]


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


def test_times_are_utc_whatever_zone_they_come_in(store: Store, agent: str) -> None:
    moment = datetime(2024, 6, 1, 12, 0, tzinfo=timezone(timedelta(hours=5)))
    store.log.append(agent, [said("x", created_at=moment)])
    assert store.log.tail(agent, 1)[0].created_at == moment
