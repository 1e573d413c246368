"""What the model reads when it searches: true totals, pages, dates, and facts from a moment ago."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from memgpt_autogen import events
from memgpt_autogen.client import MemGPT
from memgpt_autogen.config import Settings
from memgpt_autogen.embeddings import choose
from memgpt_autogen.errors import SourceError
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.memory.vector_backfill import backfill
from memgpt_autogen.storage.base import Store
from memgpt_autogen.storage.records import Passage, stamp
from memgpt_autogen.storage.sqlite import SQLiteStore

from .conftest import Build, Script, call, results, say


def test_what_was_just_stored_is_found_at_once(build: Build, script: Script) -> None:
    insert = call("archival_memory_insert", content="The code of the safe is 7421.")
    model = script([insert, call("archival_memory_search", query="code safe")], "7421")
    assert say(build(model), "store and look") == ["7421"]
    found = results(model.calls[1].messages)[-1]
    assert "Results 1 of 1, page 1 of 1:" in found and "The code of the safe is 7421." in found


def test_what_was_just_said_is_found_in_the_next_turn(build: Build, script: Script) -> None:
    model = script("Nice.", call("conversation_search", query="cat"), "Miro.")
    agent = build(model)
    say(agent, "My cat is called Miro.")
    assert say(agent, "cat?") == ["Miro."]
    assert "user: My cat is called Miro." in results(model.calls[2].messages)[-1]


def test_totals_and_pages_of_messages_are_true(build: Build, script: Script, store: Store) -> None:
    agent = build(script())
    store.log.append(agent.id, [events.user_message(f"boat {number}", name="Ann") for number in range(143)])
    store.log.mark_answered(agent.id)
    assert agent.recall.search("boats", 2).startswith("Results 6-10 of 143, page 2 of 29 (page=3 for the next):\n[20")
    assert agent.recall.search("boats", 29).startswith("Results 141-143 of 143, page 29 of 29:")
    assert agent.recall.search("boats", 30) == agent.recall.search("boats", 10_000) == agent.recall.search("boats", 29)
    assert agent.recall.search("boats", 0) == agent.recall.search("boats", -3) == agent.recall.search("boats", 1)
    assert agent.recall.search("aeroplane", 1) == "No earlier message holds any of these words."
    pages = [agent.recall.search("boats", page) for page in range(1, 30)]
    assert len({line for page in pages for line in page.splitlines()[1:]}) == 143


def test_totals_and_pages_of_passages_are_true_beyond_a_thousand(build: Build, script: Script, store: Store) -> None:
    agent = build(script())
    own = store.sources.own_source(agent.id)
    store.passages.add(own, [Passage(f"boat number {number}", "boats.md", {"page": number}) for number in range(1203)])
    assert agent.archival.search("boat", 1).startswith("Results 1-5 of 1203, page 1 of 241 (page=2 for the next):")
    last = agent.archival.search("boat", 241)
    assert last.startswith("Results 1201-1203 of 1203, page 241 of 241:") and "[boats.md, p. " in last
    assert agent.archival.search("boat", 242) == last
    assert agent.archival.search("plane", 1) == "Archival memory has nothing on this."


def test_pages_reach_the_model_through_its_functions(build: Build, script: Script, store: Store) -> None:
    model = script(
        [call("conversation_search", query="boat", page=2), call("archival_memory_search", query="boat", page=9)], "ok"
    )
    agent = build(model)
    store.log.append(agent.id, [events.user_message(f"boat {number}") for number in range(7)])
    store.log.mark_answered(agent.id)
    store.passages.add(store.sources.own_source(agent.id), [Passage(f"boat {number}") for number in range(8)])
    say(agent, "go")
    messages, passages = results(model.calls[1].messages)
    assert "Results 6-7 of 7, page 2 of 2:" in messages and "Results 6-8 of 8, page 2 of 2:" in passages


def test_messages_of_a_day_are_listed_oldest_first(build: Build, script: Script, store: Store) -> None:
    noon = datetime.now().astimezone().replace(hour=12, minute=0, second=0, microsecond=0)
    days = [(noon - timedelta(days=ago)) for ago in (3, 2, 1)]
    first, last = days[0].date().isoformat(), days[1].date().isoformat()
    model = script(
        call("conversation_search_date", start_date=first, end_date=last),
        call("conversation_search_date", start_date=f"{last}T10:00:00", end_date=last, page=1),
        call("conversation_search_date", start_date=last, end_date=first),
        call("conversation_search_date", start_date="1999-01-01", end_date="1999-01-02"),
        "ok",
    )
    agent = build(model)
    store.log.append(agent.id, [events.user_message(f"news of {day:%d}", name="Bo", at=day) for day in days])
    store.log.mark_answered(agent.id)
    say(agent, "what was new?")
    both, one, wrong, none = results(model.calls[-1].messages)
    assert "Results 1-2 of 2" in both and both.index(f"news of {days[0]:%d}") < both.index(f"news of {days[1]:%d}")
    assert f"[{last} 12:00] Bo: news of {days[1]:%d}" in one and "Results 1 of 1" in one
    assert wrong.startswith("Failed: ") and "is before start_date" in wrong
    assert "No messages from 1999-01-01 to 1999-01-02." in none


def test_own_answers_are_found_as_what_the_agent_said(build: Build, script: Script) -> None:
    agent = build(script("I would call it Zephyr."))
    say(agent, "a name for a horse?")
    assert "] you: I would call it Zephyr." in agent.recall.search("zephyr", 1)


class Letters:
    """Embeds a text by its letters."""

    def __init__(self, dim: int) -> None:
        self.name, self.dim, self.asked = f"letters-{dim}", dim, 0

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        self.asked += len(texts)
        rows = [[1 + text.lower().count(chr(97 + place)) for place in range(self.dim)] for text in texts]
        vectors = np.asarray(rows, dtype=np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_own_notes_follow_the_agent_to_another_embedder(store: Store) -> None:
    first, second = Letters(8), Letters(26)
    for embedder in (first, second, first):
        home = MemGPT(Settings(home=Path("unused"), environ={}), store=store, embedder=embedder)
        agent = home.create_agent({"name": "sam"}, model=ScriptedModel())
        agent.archival.insert(f"Zebras graze, {embedder.name}.")
        assert embedder.name in agent.archival.search(embedder.name, 1)
        assert agent.archival.search("zz", 1).startswith("Results 1")
        asked = embedder.asked
        assert agent.archival.search("zz", 1).startswith("Results 1")
        assert embedder.asked == asked + 1  # the query alone: the notes have their vectors


def test_a_source_of_another_embedder_is_left_as_it_is_and_the_model_is_told(store: Store) -> None:
    def home(embedder: Letters) -> MemGPT:
        return MemGPT(Settings(home=Path("unused"), environ={}), store=store, embedder=embedder)

    source = store.sources.create_source("book")
    store.passages.add(source.id, [Passage("alpha")])
    agent = home(Letters(8)).create_agent({"name": "sam"}, model=ScriptedModel())
    agent.attach("book")
    assert "alpha" in agent.archival.search("alpha", 1)
    store.passages.add(source.id, [Passage("beta")])
    model = ScriptedModel([call("archival_memory_search", query="beta"), "Told."])
    other = home(Letters(26)).load_agent("sam", model=model)
    assert say(other, "beta?") == ["Told."]
    assert "were made with letters-8" in results(model.calls[1].messages)[-1]
    assert "beta" in home(Letters(8)).load_agent("sam", model=ScriptedModel()).archival.search("beta", 1)


def test_no_embedder_searches_what_has_vectors_by_words(store: Store, build: Build) -> None:
    home = MemGPT(Settings(home=Path("unused"), environ={}), store=store, embedder=Letters(8))
    home.create_agent({"name": "sam"}, model=ScriptedModel()).archival.insert("A zebra.")
    assert home.load_agent("sam", model=ScriptedModel()).archival.search("zebra", 1).startswith("Results 1 of 1")
    assert build(ScriptedModel()).archival.search("zebra", 1).startswith("Results 1 of 1")


def test_a_source_is_searched_with_the_embedder_that_made_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own where there is one, else by words with a notice; what has vectors keeps them."""
    first, second = Letters(8), Letters(26)
    for embedder, name, texts in ((first, "book", ["abba", "hehe", "gggg"]), (second, "film", ["zoo", "buzz", "kkkk"])):
        source = store.sources.create_source(name)
        store.passages.add(source.id, [Passage(text) for text in texts])
        assert backfill(store, embedder, source.id) == 3
    home = MemGPT(Settings(home=Path("unused"), environ={}), store=store, embedder=second)
    agent = home.create_agent({"name": "sam"}, model=ScriptedModel())
    agent.attach("book")
    agent.attach("film")
    monkeypatch.setitem(choose._in_use, first.name, first)
    for query, nearest in (("baab", "abba"), ("ozo", "zoo")):  # no such words: found by meaning
        page = agent.archival.find(query)
        assert page.hits[0].item.text == nearest
    assert "searched by words alone" not in agent.archival.search("baab", 1)
    monkeypatch.delitem(choose._in_use, first.name)
    found = agent.archival.search("abba baab", 1)
    assert found.startswith("Source 'book' was searched by words alone: its vectors were made with letters-8")
    assert "Results 1-4 of 4" in found and "abba" in found
    assert [one.embedder for one in store.sources.attached(agent.id)] == ["letters-8", "letters-26"]


@pytest.mark.parametrize("embedder", [None, Letters(26)])
def test_filters_by_source_and_day_keep_totals_and_pages_true(store: SQLiteStore, embedder: Letters | None) -> None:
    home = MemGPT(Settings(home=Path("unused"), environ={}), store=store, embedder=embedder)
    agent = home.create_agent({"name": "sam"}, model=ScriptedModel())
    for name, count in (("book", 12), ("film", 7)):
        source = store.sources.create_source(name)
        store.passages.add(source.id, [Passage(f"boat {number}", f"{name}.md") for number in range(count)])
        agent.attach(name)
    agent.archival.insert("My boat.")
    store.sources.create_source("unread")
    days = [date(2024, 5, day) for day in range(1, 13)]
    for number, day in enumerate(days):
        noon = datetime(day.year, day.month, day.day, 12).astimezone()
        sql = "UPDATE passages SET created_at = ? WHERE uri = 'book.md' AND text = ?"
        store._database.execute(sql, stamp(noon), f"boat {number}")
    agent.archival.find("boat")  # the vectors, where there are any
    assert agent.archival.find("boat").total == 20
    assert "Results 6-10 of 12, page 2 of 3 (page=3" in agent.archival.search("boat", 2, source="book")
    assert agent.archival.find("boat", source="").total == 1
    pages = [agent.archival.find("boat", page, since=days[2], until=days[9]) for page in (1, 2)]
    texts = {hit.item.text for page in pages for hit in page.hits}
    assert [page.total for page in pages] == [8, 8] and texts == {f"boat {number}" for number in range(2, 10)}
    assert all(hit.item.source == "book" and hit.item.uri == "book.md" for page in pages for hit in page.hits)
    assert agent.archival.find("boat", source="film", until=days[9]).total == 0
    assert agent.archival.find("boat", since=date.today() - timedelta(days=1)).total == 8
    with pytest.raises(SourceError, match="No source 'unread' is attached.*Attached: book, film"):
        agent.archival.find("boat", source="unread")
    if embedder:
        nothing = agent.archival.find("qqq", source="book", since=days[11])
        assert nothing.total == 1 and nothing.hits[0].item.text == "boat 11"


def test_messages_of_some_days_are_searched_by_words(build: Build, script: Script, store: Store) -> None:
    agent = build(script())
    noon = datetime.now().astimezone().replace(hour=12)
    store.log.append(agent.id, [events.user_message(f"boat {ago}", at=noon - timedelta(days=ago)) for ago in range(9)])
    store.log.mark_answered(agent.id)
    today = noon.date()
    found = agent.recall.search("boat", 1, since=today - timedelta(days=3), until=today - timedelta(days=2))
    assert "Results 1-2 of 2" in found and "boat 3" in found and "boat 2" in found


def test_a_search_in_a_turn_asks_its_embedder_before_the_store_is_held(store: SQLiteStore) -> None:
    held: list[bool] = []

    class Watching(Letters):
        def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
            held.append(store._database._connection.in_transaction)
            return super().embed(texts)

    home = MemGPT(Settings(home=Path("unused"), environ={}), store=store, embedder=Watching(26))
    searches = [call("archival_memory_search", query="zz"), call("conversation_search", query="zz")]
    model = ScriptedModel([[call("archival_memory_insert", content="A zebra."), *searches], "Found."])
    agent = home.create_agent({"name": "sam", "preset": "memgpt_chat"}, model=model)
    say(agent, "look")
    assert held and not any(held)
    assert "A zebra." not in results(model.calls[1].messages)[1]  # its vector comes with the next search
    assert "A zebra." in agent.archival.search("zz", 1)
