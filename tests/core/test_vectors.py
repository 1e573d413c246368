"""Vectors of passages: the same contract in the file, in a folder of Chroma's and on its server; and what Chroma alone
can do wrong."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from memgpt_autogen.client import MemGPT
from memgpt_autogen.config import Settings
from memgpt_autogen.errors import ConfigError, SourceError
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.memory.archival import ArchivalMemory
from memgpt_autogen.memory.vector_backfill import backfill, stop_backfill
from memgpt_autogen.storage.base import Store
from memgpt_autogen.storage.records import Passage
from memgpt_autogen.storage.sql import passages
from memgpt_autogen.storage.sql import vector_sync as outside
from memgpt_autogen.storage.sqlite import SQLiteStore

from ..conftest import running_chroma
from .conftest import WHEREVER_VECTORS_ARE
from .test_searches import Letters


@pytest.fixture
def agent(store: Store) -> str:
    return store.agents.create("sam", {"name": "sam"}).id


@WHEREVER_VECTORS_ARE
def test_vectors_find_what_words_do_not(store: Store, agent: str) -> None:
    own = store.sources.own_source(agent)
    store.passages.add(own, [Passage("alpha"), Passage("beta"), Passage("gamma")])
    backlog = store.passages.without_vectors(agent, 10)
    store.passages.put_vectors("e", [passage.id for passage in backlog], np.eye(3, dtype=np.float32))
    assert not store.passages.without_vectors(agent, 10)
    near_gamma = np.array([0.0, 0.6, 0.8], dtype=np.float32)
    best = store.passages.search(agent, "unrelated", page=1, page_size=2, vector=near_gamma, embedder="e")
    assert [hit.item.text for hit in best.hits] == ["gamma", "beta"] and best.total == 2


@WHEREVER_VECTORS_ARE
def test_vectors_of_another_embedder_are_refused(store: Store, agent: str) -> None:
    source = store.sources.create_source("s")
    store.passages.add(source.id, [Passage("text")])
    store.sources.attach(agent, source.id)
    ids = [passage.id for passage in store.passages.without_vectors(agent, 10)]
    store.passages.put_vectors("first", ids, np.ones((1, 2), dtype=np.float32))
    with pytest.raises(SourceError, match="made with first.*searches with second"):
        store.passages.search(agent, "x", page=1, page_size=1, vector=np.ones(2, dtype=np.float32), embedder="second")


def book(store: Store, *texts: str, name: str = "book") -> tuple[str, str]:
    """An agent with a source attached, its vectors made by letters: agent and source."""
    agent = store.agents.create(f"reader of {name}", {}).id
    source = store.sources.create_source(name)
    store.sources.attach(agent, source.id)
    store.passages.add(source.id, [Passage(text) for text in texts])
    assert backfill(store, Letters(26), source.id) == len(texts)
    return agent, source.id


def nearest(store: Store, agent: str, letters: str) -> list[str]:
    """Found by meaning alone."""
    vector = Letters(26).embed([letters])
    page = store.passages.search(agent, "", page=1, page_size=50, vector=vector, embedder="letters-26")
    assert page.total == len(page.hits)
    return [hit.item.text for hit in page.hits]


@WHEREVER_VECTORS_ARE
def test_pages_go_through_all_that_are_near(store: SQLiteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the file all vectors are compared, elsewhere the nearest: a total is the same on every page."""
    monkeypatch.setattr(outside, "EVERY", 20)
    monkeypatch.setattr(outside, "NEAREST", 20)
    monkeypatch.setattr(passages, "PASSAGE_CUT", 0.0)
    total = 20 if store._index else 150
    agent, _ = book(store, *(f"zz{'a' * number}" for number in range(150)))
    found = []
    for number in range(1, total // 5 + 1):
        page = store.passages.search(
            agent, "", page=number, page_size=5, vector=Letters(26).embed(["zz"]), embedder="letters-26"
        )
        assert page.total == total
        found += [hit.item.text for hit in page.hits]
    assert len(set(found)) == total and found[:5] == ["zz", "zza", "zzaa", "zzaaa", "zzaaaa"]


@WHEREVER_VECTORS_ARE
def test_what_is_deleted_is_not_found_and_what_is_replaced_is(store: SQLiteStore) -> None:
    agent, source = book(store, "aaaa", "bbbb", "cccc")
    other, second = book(store, "zzzz", name="other")
    store._database.execute("DELETE FROM passages WHERE text = 'bbbb'")
    assert nearest(store, agent, "b") and "bbbb" not in nearest(store, agent, "b")
    store.passages.add(source, [Passage("bbcc")])
    assert backfill(store, Letters(26), source) == 1 and nearest(store, agent, "bc")[0] == "bbcc"
    store.sources.clear(source)
    assert nearest(store, agent, "a") == []
    store.passages.add(source, [Passage("dddd")])
    assert backfill(store, Letters(8), source) == 1  # emptied: another embedder may come
    store.sources.delete_source(source)
    assert nearest(store, other, "z") == ["zzzz"]
    if store._index:
        assert store._index.keys(source) == set() and len(store._index.keys(second)) == 1


@WHEREVER_VECTORS_ARE
def test_own_notes_go_to_another_embedder(store: Store, agent: str) -> None:
    for embedder in (Letters(8), Letters(26), Letters(8)):
        archival = ArchivalMemory(store, agent, embedder)
        archival.insert(f"Zebras graze, {embedder.name}.")
        assert embedder.name in archival.search("zz", 1)
        assert not store.passages.without_vectors(agent, 5, embedder.name)


@pytest.fixture
def opened(tmp_path: Path, chroma_server: str) -> Iterator[list[SQLiteStore]]:
    """Opens the same file again and again, its vectors on a server."""
    stores: list[SQLiteStore] = []
    yield stores
    for store in stores:
        store.close()


def open_again(opened: list[SQLiteStore], folder: Path, vectors: str | None) -> SQLiteStore:
    if opened:
        opened[-1].close()
    opened.append(SQLiteStore(folder / "memgpt.db", vectors=vectors))
    return opened[-1]


def test_missing_and_stale_vectors_are_repaired_at_open(
    opened: list[SQLiteStore], tmp_path: Path, chroma_server: str
) -> None:
    store = open_again(opened, tmp_path, chroma_server)
    agent, source = book(store, "aaaa", "bbbb", "cccc")
    assert store._index
    keys = sorted(store._index.keys(source))
    store._index.remove(source, keys[:1])
    store._index.put(source, ["9999-abc"], np.eye(1, 26, dtype=np.float32))
    store._database.execute("UPDATE passages SET text = 'yyyy' WHERE text = 'cccc'")
    again = open_again(opened, tmp_path, chroma_server)
    assert again.passages.unsettled(agent)
    again.passages.settle()
    assert not again.passages.unsettled(agent)
    assert [one.text for one in again.passages.without_vectors(agent, 5)] == ["aaaa", "yyyy"]
    assert backfill(again, Letters(26), source) == 2
    assert again._index and len(again._index.keys(source)) == 3
    assert nearest(again, agent, "a")[0] == "aaaa" and nearest(again, agent, "y")[0] == "yyyy"


def test_a_source_deleted_while_chroma_was_away_leaves_nothing(
    opened: list[SQLiteStore], tmp_path: Path, chroma_server: str
) -> None:
    store = open_again(opened, tmp_path, chroma_server)
    _, source = book(store, "aaaa")
    here = open_again(opened, tmp_path, None)
    here.sources.delete_source(source)
    again = open_again(opened, tmp_path, chroma_server)
    book(again, "bbbb", name="other")
    assert again._index and again._index.keys(source) == set()


def test_vectors_move_out_without_being_made_again_and_words_remain_without_chroma(
    opened: list[SQLiteStore], tmp_path: Path, chroma_server: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_again(opened, tmp_path, None)
    agent, source = book(store, "aaaa", "bbbb")
    out = open_again(opened, tmp_path, chroma_server)
    assert nearest(out, agent, "b")[0] == "bbbb" and not out.passages.without_vectors(agent, 1)
    assert out._index and not out._index.keys(source)
    out.passages.settle()
    assert nearest(out, agent, "b")[0] == "bbbb" and not out.passages.without_vectors(agent, 1)
    assert len(out._index.keys(source)) == 2
    assert out._database.number("SELECT sum(length(vector)) FROM passage_vectors") == 0
    here = open_again(opened, tmp_path, None)
    assert nearest(here, agent, "b") == [] and nearest(here, agent, "b") == []
    assert here.passages.search(agent, "bbbb", page=1, page_size=5).total == 1
    assert caplog.text.count("its vectors are in chroma+http") == 1 and not here.passages.without_vectors(agent, 1)
    assert nearest(open_again(opened, tmp_path, chroma_server), agent, "b")[0] == "bbbb"


def test_a_move_goes_on_where_it_was_stopped_and_is_searched_meanwhile(
    opened: list[SQLiteStore], tmp_path: Path, chroma_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside, "BATCH", 2)
    agent, source = book(open_again(opened, tmp_path, None), "aaaa", "bbbb", "cccc", "dddd", "eeee")
    store, seen = open_again(opened, tmp_path, chroma_server), []
    store.passages.settle(source, progress=lambda *told: seen.append(told), stop=lambda: True)
    assert store._index and len(store._index.keys(source)) == 2 and seen == [(2, 5)]
    assert store.passages.unsettled(agent) and nearest(store, agent, "e")[0] == "eeee"
    store.passages.add(source, [Passage("ffff")])
    assert backfill(store, Letters(26), source) == 1
    again = open_again(opened, tmp_path, chroma_server)
    put = []
    monkeypatch.setattr(again._index, "put", lambda *told: put.append(told))
    again.passages.settle()
    assert not put and not again.passages.unsettled(agent) and nearest(again, agent, "f")[0] == "ffff"


def test_a_source_deleted_while_it_was_moved_leaves_nothing(
    opened: list[SQLiteStore], tmp_path: Path, chroma_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside, "BATCH", 2)
    _, source = book(open_again(opened, tmp_path, None), "aaaa", "bbbb", "cccc")
    store = open_again(opened, tmp_path, chroma_server)
    store.passages.settle(source, stop=lambda: True)
    assert store._index and len(store._index.keys(source)) == 2
    store.sources.delete_source(source)
    assert store._index.keys(source) == set()


def test_the_agents_searches_have_the_vectors_moved_in_the_background(
    opened: list[SQLiteStore], tmp_path: Path, chroma_server: str
) -> None:
    agent, source = book(open_again(opened, tmp_path, None), "aaaa", "bbbb")
    store = open_again(opened, tmp_path, chroma_server)
    assert "aaaa" in ArchivalMemory(store, agent, Letters(26)).search("aa", 1)
    until = time.monotonic() + 30
    while store.passages.unsettled(agent) and time.monotonic() < until:
        time.sleep(0.01)
    assert store._index and len(store._index.keys(source)) == 2
    assert "aaaa" in ArchivalMemory(store, agent, Letters(26)).search("aa", 1)
    stop_backfill(store)


def test_a_dead_server_leaves_the_words_and_loses_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("chromadb")
    embedder = Letters(26)
    with running_chroma(tmp_path / "vectors") as address:
        store = SQLiteStore(tmp_path / "memgpt.db", vectors=address)
        home = MemGPT(Settings(tmp_path, {}, {}), store=store, embedder=embedder)
        agent = home.create_agent({"name": "sam"}, model=ScriptedModel())
        agent.archival.insert("A zebra.")
        assert "zebra" in agent.archival.search("zz", 1)
    caplog.clear()
    agent.archival.insert("A yak.")
    for _ in range(3):
        assert "zebra" in agent.archival.search("zebra", 1)
        assert "Results 1 of 1" in agent.archival.search("yak", 1)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "words alone" in caplog.text and address in caplog.text
    with pytest.raises(SourceError, match="Chroma at"):
        fill_all(store, embedder)
    with running_chroma(tmp_path / "vectors", int(address.rpartition(":")[2])):
        monkeypatch.setattr(outside, "REST", 0)
        store.passages._outside._rest_until = 0  # type: ignore[union-attr]
        assert "A yak." in agent.archival.search("yk", 1) and "Results 1-2 of 2" in agent.archival.search("zz", 1)
    home.close()


def fill_all(store: SQLiteStore, embedder: Letters) -> None:
    store.passages._outside._rest_until = 0  # type: ignore[union-attr]
    book(store, "aaaa", name="late")


def test_the_setting_is_read_from_environment_and_file(tmp_path: Path) -> None:
    pytest.importorskip("chromadb")
    address = (tmp_path / "c").as_uri().replace("file:", "chroma:", 1)
    for settings in (Settings(tmp_path, {"vectors": address}, {}), Settings(tmp_path, {}, {"MEMGPT_VECTORS": address})):
        home = MemGPT(settings)
        assert isinstance(home.store, SQLiteStore) and home.store._index and home.store._index.place == address
        home.close()
    assert not (tmp_path / "c").exists()  # nothing is touched before there is a vector


@pytest.mark.parametrize("wrong", ["chroma://", "chroma://folder", "http://127.0.0.1:1", "chroma+http://", "folder"])
def test_another_form_of_address_is_refused(wrong: str) -> None:
    with pytest.raises(ConfigError, match=r"chroma:///folder, chroma\+http://host:port"):
        SQLiteStore(None, vectors=wrong)


def test_a_token_is_not_written_down(tmp_path: Path) -> None:
    pytest.importorskip("chromadb")
    store = SQLiteStore(tmp_path / "db", vectors="chroma+https://secret@example.org:8443?tenant=t")
    assert store._index and store._index.place == "chroma+https://example.org:8443?tenant=t"


def test_an_older_file_learns_how_many_passages_it_holds(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "db")
    agent, source = book(store, "a", "b", "c")
    assert store.passages.count(agent) == store.sources.get_source("book").passages == 3
    store._database.execute("DELETE FROM passages WHERE text = 'b'")
    assert store.passages.count(agent) == 2
    with sqlite3.connect(tmp_path / "db") as raw:
        assert raw.execute("SELECT count(*) FROM passages WHERE source_id = ?", (source,)).fetchone() == (2,)
