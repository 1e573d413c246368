"""Vectors come after the words: in batches, in the background, and never so that a turn or a closing waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from memgpt_autogen import events
from memgpt_autogen.errors import SourceError
from memgpt_autogen.memory import query_embedding as meaning
from memgpt_autogen.memory import vector_backfill as backlog
from memgpt_autogen.memory.archival import ArchivalMemory
from memgpt_autogen.memory.recall import RecallMemory
from memgpt_autogen.memory.vector_backfill import backfill, backfill_agent, backfill_in_background, stop_backfill
from memgpt_autogen.storage.base import Store
from memgpt_autogen.storage.records import Passage, Vectors
from memgpt_autogen.storage.sqlite import SQLiteStore

from .test_searches import Letters


class Slow(Letters):
    """Takes a tenth of a second a text."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        time.sleep(0.1 * len(texts))
        return super().embed(texts)


class Broken(Letters):
    """Answers once, then no more."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        if self.asked:
            raise SourceError("The embedder is gone.")
        return super().embed(texts)


@pytest.fixture
def agent(store: Store) -> str:
    return store.agents.create("sam", {"name": "sam"}).id


def load(store: Store, name: str, count: int) -> str:
    source = store.sources.create_source(name)
    store.passages.add(source.id, [Passage(f"{name} {number}") for number in range(count)])
    return source.id


def wait_for(what: object, seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while not what():  # type: ignore[operator]
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.01)


def test_a_source_is_filled_with_its_progress(store: Store) -> None:
    book, other = load(store, "book", 300), load(store, "other", 3)
    told: list[tuple[int, int]] = []
    assert backfill(store, Letters(4), book, progress=lambda done, total: told.append((done, total))) == 300
    assert told[0] == (0, 300) and told[-1] == (300, 300) and told == sorted(told) and len(told) > 3
    assert (store.passages.waiting("letters-4", book), store.passages.waiting("letters-4")) == (0, 3)
    assert store.passages.waiting("letters-8", book) == 0  # another's source: not to be touched
    assert backfill(store, Letters(8), book) == 0 and backfill(store, Letters(8), other) == 3
    assert store.sources.get_source("other").embedder == "letters-8"
    assert backfill(store, Letters(4), book, progress=lambda *_: told.append((-1, -1))) == 0 and (-1, -1) not in told


def test_what_was_filled_before_a_failure_stays(store: Store) -> None:
    book = load(store, "book", 50)
    with pytest.raises(SourceError, match="is gone"):
        backfill(store, Broken(4), book)
    assert store.passages.waiting("letters-4", book) == 50 - backlog.FIRST_BATCH
    assert backfill(store, Letters(4), book) == 50 - backlog.FIRST_BATCH


def test_the_background_fills_sources_notes_and_messages(store: Store, agent: str) -> None:
    book = load(store, "book", 100)
    store.passages.add(store.sources.own_source(agent), [Passage("note")])
    store.log.append(agent, [events.user_message(f"word {number}") for number in range(40)])
    started = time.monotonic()
    backfill_in_background(store, Letters(4), agent)
    assert time.monotonic() - started < 0.5
    wait_for(lambda: not store.passages.waiting("letters-4", book))
    wait_for(lambda: not store.log.without_vectors(agent, 1) and not store.passages.without_vectors(agent, 1))
    wait_for(lambda: not any(thread.name == "memgpt-backlog" for thread in threading.enumerate()))


def test_closing_stops_the_background_at_once(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "db")
    book = load(store, "book", 5000)
    backfill_in_background(store, Slow(4))
    wait_for(lambda: any(thread.name == "memgpt-backlog" for thread in threading.enumerate()))
    started = time.monotonic()
    stop_backfill(store)
    assert time.monotonic() - started < 4  # one batch of the first size
    store.close()
    again = SQLiteStore(tmp_path / "db")
    assert 0 < again.passages.waiting("letters-4", book) <= 5000


def test_a_search_does_not_wait_for_a_slow_embedder(store: Store, agent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meaning, "FIRST_BATCH", 4)
    store.sources.attach(agent, load(store, "book", 2000))
    embedder = Slow(4)
    started = time.monotonic()
    assert "Results 1-5 of 2000" in ArchivalMemory(store, agent, embedder).search("book", 1)
    assert time.monotonic() - started < 3
    assert embedder.asked < 100
    stop_backfill(store)


def test_a_search_fills_at_most_a_few_hundred_and_the_thread_the_rest(store: Store, agent: str) -> None:
    store.log.append(agent, [events.user_message(f"word {number}", name="Ann") for number in range(1500)])
    store.log.mark_answered(agent)
    embedder = Letters(4)
    assert "of 1500" in RecallMemory(store, agent, embedder=embedder).search("word", 1)
    wait_for(lambda: not store.log.without_vectors(agent, 1))
    assert embedder.asked == 1501


def test_an_embedder_that_failed_is_left_alone_for_a_while(
    store: Store, agent: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedder = Broken(4)
    archival = ArchivalMemory(store, agent, embedder)
    archival.insert("A zebra.")
    assert "zebra" in archival.search("zebra", 1)
    for _ in range(3):
        assert "zebra" in archival.search("zebra", 1)
    assert caplog.text.count("full text search only") == 1 and "The embedder is gone." in caplog.text
    monkeypatch.setattr(meaning, "COOLDOWN", 0)
    meaning._cooling_down.clear()
    embedder.asked = 0
    assert "zebra" in archival.search("zebra", 1) and embedder.asked == 1


def test_a_thread_at_work_does_not_disturb_searches(store: Store, agent: str) -> None:
    store.sources.attach(agent, load(store, "book", 3000))
    backfill_in_background(store, Letters(8))
    for number in range(100):
        page = store.passages.search(
            agent, f"book {number}", page=1, page_size=5, vector=np.eye(1, 8)[0], embedder="letters-8"
        )
        assert page.hits[0].item.text.endswith(f" {number}")
    stop_backfill(store)


def test_filling_an_agent_takes_all_it_searches(store: Store, agent: str) -> None:
    store.sources.attach(agent, load(store, "book", 30))
    backfill_agent(store, Letters(4), agent)
    assert not store.passages.without_vectors(agent, 1)
