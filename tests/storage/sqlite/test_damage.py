"""Damaged files: every error says what to do, the doctor finds it, the repair saves what can be read; and backups."""

from __future__ import annotations

import random
import shutil
import sqlite3
import stat
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from memgpt_autogen import MemGPT, Settings, events
from memgpt_autogen.errors import ConfigError, MemGPTError, StoreError
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.storage.records import Passage
from memgpt_autogen.storage.sqlite import SQLiteStore
from memgpt_autogen.storage.sqlite.backup import backup
from memgpt_autogen.storage.sqlite.health import check
from memgpt_autogen.storage.sqlite.repair import repair
from memgpt_autogen.storage.sqlite.schema import add_functions
from tests.crash.whole import assert_whole

MESSAGES, PASSAGES = 60, 80


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed file with an agent, its messages, core memory and notes, and a source."""
    path = tmp_path_factory.mktemp("good") / "memgpt.db"
    store = SQLiteStore(path)
    sam = store.agents.create("sam", {"name": "sam"}).id
    store.agents.add_block(sam, "human", "likes tea", 100)
    for number in range(MESSAGES):
        store.log.append(sam, [replace(events.user_message(f"message {number} " + "x" * 300), answered=True)])
    store.passages.add(store.sources.own_source(sam), [Passage(f"note {number}") for number in range(10)])
    source = store.sources.create_source("papers")
    store.passages.add(source.id, [Passage(f"paper {number} " + "y" * 300) for number in range(PASSAGES)])
    store.sources.attach(sam, source.id)
    store.close()
    return path


@pytest.fixture
def path(good: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(good, tmp_path / "memgpt.db"))


def pages(path: Path, what: str, kind: str = "leaf") -> list[int]:
    """The numbers of the pages of a table or an index."""
    with closing(sqlite3.connect(path)) as raw:
        sql = "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = ? ORDER BY pageno"
        return [row[0] for row in raw.execute(sql, (what, kind))]


def spoil(path: Path, page: int, seed: int = 0) -> None:
    """Fill a page with noise. Nobody has the file open."""
    noise = random.Random(seed)
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(bytes(noise.randrange(256) for _ in range(4096)))


def everything(store: SQLiteStore) -> None:
    """Read and write all sorts of things."""
    sam = store.agents.get("sam").id
    store.log.tail(sam, 1000)
    store.log.window(sam)
    store.log.search(sam, "message tea", page=0, page_size=5)
    store.passages.search(sam, "paper note", page=0, page_size=5)
    store.agents.blocks(sam)
    store.dump(sam)
    store.remembered(sam, "tea")
    store.log.append(sam, [events.user_message("one more")])
    store.passages.add(store.sources.own_source(sam), [Passage("one more")])
    store.undo(sam, 1)
    store.forget(sam, "tea")


TABLES = ["messages", "passages", "messages_fts_data", "passages_fts_data", "messages_agent", "sqlite_schema", "agents"]


@pytest.mark.parametrize("table", TABLES)
def test_every_error_is_one_of_the_store_and_says_what_to_do(path: Path, table: str) -> None:
    found = pages(path, table) or pages(path, table, "internal")
    spoil(path, found[-1])
    try:
        everything(SQLiteStore(path))
    except MemGPTError as error:
        assert isinstance(error, StoreError) and "memgpt doctor" in str(error)
    assert_told(path)


def assert_told(path: Path) -> None:
    try:
        assert check(path).faults
    except StoreError as error:
        assert "memgpt doctor --repair" in str(error)


@pytest.mark.parametrize("seed", range(12))
def test_flipped_bytes_anywhere_raise_nothing_but_errors_of_the_store(path: Path, seed: int) -> None:
    noise = random.Random(seed)
    size = path.stat().st_size
    with path.open("r+b") as file:
        start = noise.randrange(100, size - 4096)
        for _ in range(200):
            file.seek(start + noise.randrange(4096))
            file.write(bytes([noise.randrange(256)]))
    for action in (lambda: everything(SQLiteStore(path)), lambda: check(path), lambda: repair(path)):
        try:
            action()
        except StoreError as error:
            assert str(error)


@pytest.mark.parametrize("table", ["messages", "passages", "messages_fts_data", "messages_agent", "agents", "sources"])
def test_what_can_be_read_is_saved_and_the_old_file_kept(path: Path, table: str) -> None:
    damaged = (pages(path, table) or pages(path, table, "internal"))[-1]
    with closing(sqlite3.connect(path)) as raw:
        here = 0
        if table in ("messages", "passages"):
            cells = "SELECT ncell FROM dbstat WHERE name = ? AND pageno = ?"
            here = raw.execute(cells, (table, damaged)).fetchone()[0]
    spoil(path, damaged)
    before = path.read_bytes()
    done = repair(path)
    assert done.kept.read_bytes() == before and done.kept.parent == path.parent
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not check(path).faults
    assert_whole(path)
    store = SQLiteStore(path)
    (row,) = store.agents.list()
    assert row.name == "sam" or table == "agents"
    texts = [message.text for message in store.log.tail(row.id, 1000)]
    assert len(texts) >= MESSAGES - (here if table == "messages" else 0)
    assert {text.split()[0] for text in texts} == {"message"}
    total = store._database.number("SELECT count(*) FROM passages")
    assert total >= PASSAGES + 10 - (here if table == "passages" else 0)
    indexed = "SELECT count(*) FROM messages_fts WHERE messages_fts MATCH 'message'"
    assert store._database.number(indexed) >= len(texts)
    assert store.log.search(row.id, "message 3", page=1, page_size=5).hits
    model = ScriptedModel(["hello"], context_window=100_000)
    agents = MemGPT(Settings(home=path.parent, environ={}), embedder=None)
    assert agents.load_agent(row.name, model=model).run([events.user_message("hi")]).said == ("hello",)


def test_what_nobody_has_read_yet_is_saved_from_the_write_ahead_log_too(path: Path) -> None:
    code_store = SQLiteStore(path)
    sam = code_store.agents.get("sam").id
    code_store.log.append(sam, [events.user_message("only in the log")])
    home = path.parent / "copied"
    home.mkdir()
    for file in path.parent.glob("memgpt.db*"):  # as a killed process leaves it; read by no other means here
        shutil.copy(file, home / file.name)
    code_store.close()
    spoil(home / "memgpt.db", pages(path, "passages")[-1])
    (home / "memgpt.db-shm").unlink()
    repair(home / "memgpt.db")
    store = SQLiteStore(home / "memgpt.db")
    assert store.log.tail(sam, 1)[0].text == "only in the log"


def test_a_database_that_is_open_elsewhere_is_not_repaired(path: Path) -> None:
    spoil(path, pages(path, "messages_agent")[-1])
    with closing(sqlite3.connect(path)) as other:
        other.execute("SELECT count(*) FROM agents").fetchone()
        with pytest.raises(StoreError, match="Another program has .* open"):
            repair(path)
    repair(path)


def test_of_a_file_without_a_head_nothing_can_be_read_and_it_is_left(path: Path) -> None:
    spoil(path, 1)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="Nothing of .* can be read.*backup"):
        repair(path)
    assert path.read_bytes() == before and [file.name for file in path.parent.glob("memgpt*")] == ["memgpt.db"]


def delete_from_index(raw: sqlite3.Connection) -> None:
    sql = "INSERT INTO messages_fts (messages_fts, rowid, text) SELECT 'delete', seq, searchable(text) FROM messages"
    raw.execute(f"{sql} WHERE seq = 3")


def other_word_in_index(raw: sqlite3.Connection) -> None:
    raw.execute("INSERT INTO messages_fts (messages_fts, rowid, text) VALUES ('delete', 4, 'message')")


def other_text(raw: sqlite3.Connection) -> None:
    raw.execute("UPDATE messages SET text = 'other words' WHERE seq = 5")


def other_count(raw: sqlite3.Connection) -> None:
    raw.execute("UPDATE sources SET passages = passages + 1")


def no_parent(raw: sqlite3.Connection) -> None:
    raw.execute("PRAGMA foreign_keys = OFF")
    raw.execute("UPDATE agent_blocks SET block_id = 'gone'")


@pytest.mark.parametrize("fault", [delete_from_index, other_word_in_index, other_text, other_count, no_parent])
def test_what_does_not_agree_is_found_and_repaired(path: Path, fault: Callable[[sqlite3.Connection], None]) -> None:
    assert not check(path).faults
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        add_functions(raw)
        fault(raw)
    assert check(path).faults
    repair(path)
    assert not check(path).faults
    assert_whole(path)


def test_a_backup_is_whole_while_others_write(path: Path, tmp_path: Path) -> None:
    store = SQLiteStore(path)
    sam, stop = store.agents.get("sam").id, threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            with store.transaction():
                store.log.append(sam, [events.user_message(f"pair {number}a"), events.user_message(f"pair {number}b")])
            number += 1

    thread = threading.Thread(target=write)
    thread.start()
    for number in range(5):
        backup(path, tmp_path / f"copy{number}.db")
    stop.set()
    thread.join()
    written = [message.text for message in store.log.tail(sam, 100_000)]
    for number in range(5):
        copy = tmp_path / f"copy{number}.db"
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        assert not [*copy.parent.glob(f"{copy.name}-*")]  # all of it is in one file
        texts = [message.text for message in SQLiteStore(copy).log.tail(sam, 100_000)]
        assert texts == written[: len(texts)] and len(texts) % 2 == 0
        assert_whole(copy)


def test_a_backup_replaces_an_older_one_only_when_it_is_whole(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    backup(path, target)
    before = target.read_bytes()
    spoil(path, pages(path, "messages")[-1])
    with pytest.raises(StoreError, match="doctor"):
        backup(path, target)
    assert target.read_bytes() == before
    for own in (path, path.with_name("link")):
        if own != path:
            own.symlink_to(path)
        with pytest.raises(ConfigError, match="belongs to the database"):
            backup(path, own)
    with pytest.raises(ConfigError, match="Cannot write"):
        backup(path, tmp_path / "nowhere" / "copy.db")
    assert not [*tmp_path.glob(".*.part")]
