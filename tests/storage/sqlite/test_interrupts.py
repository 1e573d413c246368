"""An error before or after any statement of SQLite leaves the connection clean and the agent whole."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from memgpt_autogen import MemGPT, Settings, events
from memgpt_autogen.agent import Agent
from memgpt_autogen.exchange import export_agent, import_agent
from memgpt_autogen.forget import forget
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.messages import ToolCall
from memgpt_autogen.sources.base import Document
from memgpt_autogen.storage.sqlite import SQLiteStore
from tests.crash.whole import assert_whole

from .faults import WHENS, Faults, assert_clean, at_each_statement, raising


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Iterator[Faults]:
    with raising(monkeypatch) as made:
        yield made


@pytest.fixture(params=[3, pytest.param(1, marks=pytest.mark.long)], ids=["some", "all"])
def every(request: pytest.FixtureRequest) -> int:
    """At how many of the statements an error is raised: every so manieth."""
    return int(request.param)


@pytest.fixture
def memgpt(faults: Faults, tmp_path: Path) -> Iterator[MemGPT]:
    memgpt = MemGPT(Settings(home=tmp_path, environ={}), embedder=None)
    yield memgpt
    memgpt.close()


def an_agent(memgpt: MemGPT, name: str = "sam") -> Agent:
    """Writes core memory, inserts a note, searches, and speaks; for ever."""
    numbers = count()
    lines = [
        lambda *_: [ToolCall("core_memory_append", {"name": "human", "content": f"line {next(numbers)}"})],
        lambda *_: [
            ToolCall("archival_memory_insert", {"content": f"note {next(numbers)}"}),
            ToolCall("conversation_search", {"query": "hello"}),
        ],
        lambda *_: f"answer {next(numbers)}",
    ]

    def answer(messages: object, tools: object, only: object) -> object:
        return lines[next(turn) % 3](messages, tools, only)

    turn = count()
    model = ScriptedModel([answer] * 5000, context_window=100_000)  # type: ignore[list-item]
    return memgpt.create_agent({"name": name, "preset": "memgpt_chat"}, model=model)


class Papers:
    """Documents that differ each time they are loaded."""

    def __init__(self, edition: str) -> None:
        self._edition = edition

    def load(self) -> Iterator[Document]:
        for number in range(3):
            yield Document(f"paper {number} of edition {self._edition}", f"{number}.md")


def test_a_turn(memgpt: MemGPT, faults: Faults, every: int) -> None:
    agent, store = an_agent(memgpt), memgpt.store
    assert isinstance(store, SQLiteStore)
    sent = count()
    places = set()
    for place, _ in at_each_statement(faults, lambda: agent.run([events.user_message(f"hello {next(sent)}")]), every):
        places.add(place)
        assert_clean(store)
        assert agent.run([events.user_message(f"again {next(sent)}")]).said, place
        log = store.log.tail(agent.id, 100)
        assert all(message.answered for message in log), place
        said = [message.text for message in log if message.kind == "user_message"]
        assert said[-1].startswith("again") and len(said) == len(set(said)) <= 2, place
        assert_whole(Path(store._database.path))
        store.wipe(agent.id)
    assert {"BEGIN IMMEDIATE", "COMMIT"} <= {place.split(maxsplit=2)[2] for place in places}


def test_a_load(memgpt: MemGPT, faults: Faults, every: int) -> None:
    store, editions = memgpt.store, count()
    assert isinstance(store, SQLiteStore)
    memgpt.load_source("papers", Papers("first"))  # type: ignore[arg-type]
    reader = store.agents.create("reader", {}).id
    store.sources.attach(reader, store.sources.get_source("papers").id)
    for place, raised in at_each_statement(
        faults,
        lambda: memgpt.load_source("papers", Papers(f"e{next(editions)}")),  # type: ignore[arg-type]
        every,
    ):
        assert_clean(store)
        page = store.passages.search(reader, "edition", page=1, page_size=100)
        found = Counter(hit.item.text.split()[4] for hit in page.hits)
        assert [*found.values()] == [3], (place, raised)  # one edition, whole: the one before or this one
        memgpt.load_source("papers", Papers(f"e{next(editions)}"))  # type: ignore[arg-type]
        assert not store._database.all("SELECT id FROM sources WHERE loading_for IS NOT NULL"), place
    assert_whole(Path(store._database.path))


def test_an_import(memgpt: MemGPT, faults: Faults, every: int, tmp_path: Path) -> None:
    agent, store = an_agent(memgpt), memgpt.store
    assert isinstance(store, SQLiteStore)
    agent.run([events.user_message("hello")])
    export_agent(store, "sam", tmp_path / "sam.json")
    whole = store.log.count(agent.id)
    names = (f"copy {number}" for number in count())
    for place, _ in at_each_statement(faults, lambda: import_agent(store, tmp_path / "sam.json", next(names)), every):
        assert_clean(store)
        for row in store.agents.list():
            assert store.log.count(row.id) == whole, place
            if row.name != "sam":
                store.agents.delete(row.id)
    assert_whole(Path(store._database.path))


def test_forgetting(memgpt: MemGPT, faults: Faults, every: int) -> None:
    agent, store = an_agent(memgpt), memgpt.store
    assert isinstance(store, SQLiteStore)
    agent.run([events.user_message("the zanzibar secret")])
    for place, _ in at_each_statement(faults, lambda: forget(store, "sam", "zanzibar"), every):
        assert_clean(store)
        forget(store, "sam", "zanzibar")
        assert not store.remembered(agent.id, "zanzibar"), place
        store.wipe(agent.id)
        assert agent.run([events.user_message("the zanzibar secret")]).said, place
    assert_whole(Path(store._database.path))


def test_an_interrupt_while_another_program_writes(memgpt: MemGPT) -> None:
    """Ctrl-C where BEGIN waits: Python raises it when BEGIN has succeeded."""
    agent = an_agent(memgpt)
    store = memgpt.store
    assert isinstance(store, SQLiteStore)
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    other = sqlite3.connect(store._database.path, check_same_thread=False, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    def later() -> None:
        time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)
        other.execute("ROLLBACK")

    thread = threading.Thread(target=later)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            agent.run([events.user_message("hello")])
    finally:
        thread.join()
        signal.signal(signal.SIGINT, usual)
    other.close()
    assert_clean(store)
    assert agent.run([events.user_message("again")]).said


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, MemoryError])
def test_an_interrupt_of_the_rollback_itself(memgpt: MemGPT, faults: Faults, error: type[BaseException]) -> None:
    store = memgpt.store
    assert isinstance(store, SQLiteStore)
    for when in WHENS:
        with pytest.raises(error), store.transaction():
            store.agents.create("eve", {})
            faults.set(1, when, error)
            raise ValueError
        assert_clean(store)
        assert not store.agents.list()


def test_a_connection_that_cannot_roll_back_is_made_anew(
    memgpt: MemGPT, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = memgpt.store
    assert isinstance(store, SQLiteStore)

    def always(when: str) -> None:
        if when == "before" and faults.statements[-1] == "ROLLBACK":
            raise sqlite3.OperationalError("no")

    with monkeypatch.context() as patch:
        patch.setattr(faults, "reached", always)
        with pytest.raises(ValueError), store.transaction():
            store.agents.create("eve", {})
            raise ValueError
    assert_clean(store)
    assert not store.agents.list()
