"""What searches put first, and that what they keep in memory is what is in the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from memgpt_autogen import events
from memgpt_autogen.memory.recall import RecallMemory
from memgpt_autogen.messages import Message
from memgpt_autogen.storage.base import Store
from memgpt_autogen.storage.records import Passage
from memgpt_autogen.storage.sql import postings as holders
from memgpt_autogen.storage.sqlite import SQLiteStore
from memgpt_autogen.storage.sqlite.schema import MIGRATIONS

from .conftest import WHEREVER_VECTORS_ARE
from .test_searches import Letters


@pytest.fixture
def agent(store: Store) -> str:
    return store.agents.create("sam", {"name": "sam"}).id


def say(store: Store, agent: str, *turns: str, session: str = "one") -> None:
    """Each turn as "speaker: text"."""
    log: list[Message] = []
    for turn in turns:
        speaker, text = turn.split(": ")
        log.append(replace(events.user_message(text, name=speaker), session_id=session, answered=True))
    store.log.append(agent, log)


def recalled(store: Store, agent: str, query: str, **options: object) -> list[str]:
    found = store.log.search(agent, query, page=1, page_size=50, **options)  # type: ignore[arg-type]
    return [hit.item.text for hit in found.hits]


def archived(store: Store, agent: str, query: str, vector: Sequence[float] | None = None) -> list[str]:
    given = None if vector is None else np.array(vector, dtype=np.float32)
    page = store.passages.search(agent, query, page=1, page_size=50, vector=given, embedder="e" if vector else "")
    assert page.total == len(page.hits)
    return [hit.item.text for hit in page.hits]


def add(store: Store, agent: str, vectors: dict[str, list[float]]) -> None:
    with store.transaction():
        store.passages.add(store.sources.own_source(agent), [Passage(text) for text in vectors])
        backlog = store.passages.without_vectors(agent, 100)
        store.passages.put_vectors("e", [one.id for one in backlog], np.array(list(vectors.values()), dtype=np.float32))


def test_a_turn_is_understood_from_those_around_it(store: Store, agent: str) -> None:
    say(store, agent, "Bo: Any plans for a holiday in a boat?", "Ann: We sail to Malta.", "Bo: Nice.")
    say(store, agent, "Bo: My car broke.", "Ann: Mine too.", "Bo: I took a boat instead.", "Ann: I see.", session="two")
    found = recalled(store, agent, "What holiday in a boat does Ann plan?")
    assert found[0] == "We sail to Malta."


def test_another_session_is_not_around_a_turn(store: Store, agent: str) -> None:
    say(store, agent, "Ann: filler", "Bo: zebra zoo", session="one")
    say(store, agent, "Ann: zoo alone", session="two")
    say(store, agent, "Ann: zoo beside", "Bo: zebra", session="three")
    assert recalled(store, agent, "zebra zoo").index("zoo beside") < recalled(store, agent, "zebra zoo").index(
        "zoo alone"
    )


def test_who_said_it_is_one_of_its_words(store: Store, agent: str) -> None:
    say(store, agent, "Bo: I like tea.", "Ann: I like tea.", "Bo: Fine.")
    assert recalled(store, agent, "tea, Ann?")[:2] == ["I like tea."] * 2
    first = store.log.search(agent, "tea, Ann?", page=1, page_size=5).hits[0].item
    assert first.author == "Ann"


def test_messages_get_their_vectors_at_the_next_search(store: Store, agent: str) -> None:
    embedder = Letters(26)
    recall = RecallMemory(store, agent, 5, embedder)
    say(store, agent, "Ann: zzz zzz", "Bo: aaa")
    assert embedder.asked == 0
    assert recall.search("zz", 1).splitlines()[1].endswith("Ann: zzz zzz")
    assert embedder.asked == 3 and not store.log.without_vectors(agent, 5)
    say(store, agent, "Ann: bbb")
    recall.search("zz", 1)
    assert embedder.asked == 5
    other = Letters(8)
    assert "of 3, page 1 of 1" in RecallMemory(store, agent, 5, other).search("aa", 1)
    assert other.asked == 4


@WHEREVER_VECTORS_ARE
@pytest.mark.parametrize("code", ["94071d67-86df-455c-8ee9-691e492ff740", "AB-1234/7", "v2.10.3"])
def test_an_exact_code_wins_over_vague_likeness(store: Store, agent: str, code: str) -> None:
    vague = {f"About codes such as {number}-86df-1234": [1.0, 0.0] for number in range(20)}
    add(store, agent, {**vague, f"Ticket {code}": [0.1, 0.995]})
    assert archived(store, agent, code, [1.0, 0.0])[0] == f"Ticket {code}"


@WHEREVER_VECTORS_ARE
def test_two_words_side_by_side_are_a_name(store: Store, agent: str) -> None:
    apart = ["The new mayor of old York", "York has a new hall now", "A new bus goes to York"]
    add(store, agent, {text: [1.0, 0.0] for text in (*apart, "Old hall of New York mayor")})
    assert archived(store, agent, "New York")[0] == "Old hall of New York mayor"


def test_very_common_words_count_only_when_there_is_nothing_else(
    store: Store, agent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holders, "COMMON", 3)
    add(store, agent, {f"boat {number}": [1.0, 0.0] for number in range(9)})
    assert archived(store, agent, "boat 7") == ["boat 7"]
    assert len(archived(store, agent, "boat")) == len(archived(store, agent, "boat aeroplane")) == 9


def test_unchanged_vectors_are_not_read_again(store: SQLiteStore, agent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    add(store, agent, {"alpha": [1.0, 0.0]})
    archived(store, agent, "alpha", [1.0, 0.0])
    asked: list[str] = []
    usual = store._database.all
    monkeypatch.setattr(store._database, "all", lambda sql, *values: asked.append(sql) or usual(sql, *values))
    assert archived(store, agent, "alpha", [1.0, 0.0]) == ["alpha"]
    assert asked and not any("passage_vectors WHERE owner_id" in sql for sql in asked)  # only those of the nearest


@WHEREVER_VECTORS_ARE
def test_what_was_taken_back_is_forgotten(store: Store, agent: str) -> None:
    add(store, agent, {"alpha": [1.0, 0.0]})
    with pytest.raises(RuntimeError), store.transaction():
        add(store, agent, {"ghost": [0.0, 1.0]})
        say(store, agent, "Ann: ghost")
        assert "ghost" in archived(store, agent, "", [0.6, 0.8]) and recalled(store, agent, "ghost")
        raise RuntimeError
    assert archived(store, agent, "", [0.6, 0.8]) == ["alpha"]
    add(store, agent, {"beta": [0.0, 1.0]})  # takes the row number that the ghost had
    assert archived(store, agent, "", [0.6, 0.8])[0] == "beta" and not recalled(store, agent, "ghost")


def test_two_processes_see_what_the_other_wrote_and_deleted(tmp_path: Path) -> None:
    ours, theirs = SQLiteStore(tmp_path / "db"), SQLiteStore(tmp_path / "db")  # two connections, as two processes
    agent = ours.agents.create("sam", {}).id
    source = ours.sources.create_source("book")
    ours.sources.attach(agent, source.id)
    ours.passages.add(source.id, [Passage("page of a book")])
    for store in (ours, theirs):
        assert archived(store, agent, "page") == ["page of a book"]
    backlog = theirs.passages.without_vectors(agent, 5)
    theirs.passages.put_vectors("e", [one.id for one in backlog], np.array([[1.0, 0.0]], dtype=np.float32))
    assert archived(ours, agent, "", [1.0, 0.0]) == ["page of a book"]
    say(theirs, agent, "Ann: a page")
    assert recalled(ours, agent, "page") == ["a page"]
    theirs.sources.delete_source(source.id)
    assert archived(ours, agent, "page") == []
    theirs._database.execute("DELETE FROM messages")
    assert recalled(ours, agent, "page") == []


def test_vectors_of_an_older_file_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "memgpt.db"
    with sqlite3.connect(path) as old:
        old.executescript(MIGRATIONS[0])
        old.execute("PRAGMA user_version = 1")
        old.execute("INSERT INTO agents VALUES ('a', 'local', NULL, 'sam', '{}', NULL, '2024-01-01T00:00:00+00:00')")
        old.execute(
            "INSERT INTO sources VALUES ('s', 'local', NULL, 'notes', 'a', 'e', 2, '2024-01-01T00:00:00+00:00')"
        )
        old.execute("INSERT INTO attachments VALUES ('a', 's', 'local', NULL, '2024-01-01T00:00:00+00:00')")
        for number, vector in enumerate(([1, 0], [0, 1], None)):
            blob = None if vector is None else np.array(vector, dtype=np.float32).tobytes()
            old.execute(
                "INSERT INTO passages (id, user_id, source_id, text, uri, metadata, vector, created_at) "
                "VALUES (?, 'local', 's', ?, '', '{}', ?, '2024-01-01T00:00:00+00:00')",
                (str(number), f"note {number}", blob),
            )
    store = SQLiteStore(path)
    assert archived(store, "a", "", [0.0, 1.0])[0] == "note 1"
    assert [one.text for one in store.passages.without_vectors("a", 5)] == ["note 2"]
