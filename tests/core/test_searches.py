"""What the model reads when it searches: true totals, pages, dates, and facts from a moment ago."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt

from memgpt_autogen import events
from memgpt_autogen.client import MemGPT
from memgpt_autogen.config import Settings
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.storage.base import Passage, Store

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
    assert agent.recall.search("boats", 1).startswith("Results 6-10 of 143, page 2 of 29 (page=2 for the next):\n[20")
    assert agent.recall.search("boats", 28).startswith("Results 141-143 of 143, page 29 of 29:")
    assert agent.recall.search("boats", 29) == "There is no page 29: 143 results, the last page is 28."
    assert agent.recall.search("aeroplane", 0) == "No earlier message holds any of these words."
    pages = [agent.recall.search("boats", page) for page in range(29)]
    assert len({line for page in pages for line in page.splitlines()[1:]}) == 143


def test_totals_and_pages_of_passages_are_true_beyond_a_thousand(build: Build, script: Script, store: Store) -> None:
    agent = build(script())
    own = store.passages.own_source(agent.id)
    store.passages.add(own, [Passage(f"boat number {number}", "boats.md", {"page": number}) for number in range(1203)])
    assert agent.archival.search("boat", 0).startswith("Results 1-5 of 1203, page 1 of 241 (page=1 for the next):")
    last = agent.archival.search("boat", 240)
    assert last.startswith("Results 1201-1203 of 1203, page 241 of 241:") and "[boats.md, p. " in last
    assert agent.archival.search("boat", 241) == "There is no page 241: 1203 results, the last page is 240."
    assert agent.archival.search("plane", 0) == "Archival memory has nothing on this."


def test_pages_reach_the_model_through_its_functions(build: Build, script: Script, store: Store) -> None:
    model = script(
        [call("conversation_search", query="boat", page=1), call("archival_memory_search", query="boat", page=1)], "ok"
    )
    agent = build(model)
    store.log.append(agent.id, [events.user_message(f"boat {number}") for number in range(7)])
    store.log.mark_answered(agent.id)
    store.passages.add(store.passages.own_source(agent.id), [Passage(f"boat {number}") for number in range(8)])
    say(agent, "go")
    messages, passages = results(model.calls[1].messages)
    assert "Results 6-7 of 7, page 2 of 2:" in messages and "Results 6-8 of 8, page 2 of 2:" in passages


def test_messages_of_a_day_are_listed_oldest_first(build: Build, script: Script, store: Store) -> None:
    noon = datetime.now().astimezone().replace(hour=12, minute=0, second=0, microsecond=0)
    days = [(noon - timedelta(days=ago)) for ago in (3, 2, 1)]
    first, last = days[0].date().isoformat(), days[1].date().isoformat()
    model = script(
        call("conversation_search_date", start_date=first, end_date=last),
        call("conversation_search_date", start_date=f"{last}T10:00:00", end_date=last, page=0),
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
    assert '"Failed"' in wrong and "is before start_date" in wrong
    assert "No messages from 1999-01-01 to 1999-01-02." in none


def test_own_answers_are_found_as_what_the_agent_said(build: Build, script: Script) -> None:
    agent = build(script("I would call it Zephyr."))
    say(agent, "a name for a horse?")
    assert "] you: I would call it Zephyr." in agent.recall.search("zephyr", 0)


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
        assert embedder.name in agent.archival.search(embedder.name, 0)
        assert agent.archival.search("zz", 0).startswith("Results 1")
        asked = embedder.asked
        assert agent.archival.search("zz", 0).startswith("Results 1")
        assert embedder.asked == asked + 1  # the query alone: the notes have their vectors


def test_a_source_of_another_embedder_is_refused_and_left_as_it_is(store: Store) -> None:
    def home(embedder: Letters) -> MemGPT:
        return MemGPT(Settings(home=Path("unused"), environ={}), store=store, embedder=embedder)

    source = store.passages.create_source("book")
    store.passages.add(source.id, [Passage("alpha")])
    agent = home(Letters(8)).create_agent({"name": "sam"}, model=ScriptedModel())
    agent.attach("book")
    assert "alpha" in agent.archival.search("alpha", 0)
    store.passages.add(source.id, [Passage("beta")])
    model = ScriptedModel([call("archival_memory_search", query="beta"), "It was refused."])
    other = home(Letters(26)).load_agent("sam", model=model)
    assert say(other, "beta?") == ["It was refused."]
    assert "were made with letters-8" in results(model.calls[1].messages)[-1]
    assert "beta" in home(Letters(8)).load_agent("sam", model=ScriptedModel()).archival.search("beta", 0)


def test_no_embedder_searches_what_has_vectors_by_words(store: Store, build: Build) -> None:
    home = MemGPT(Settings(home=Path("unused"), environ={}), store=store, embedder=Letters(8))
    home.create_agent({"name": "sam"}, model=ScriptedModel()).archival.insert("A zebra.")
    assert home.load_agent("sam", model=ScriptedModel()).archival.search("zebra", 0).startswith("Results 1 of 1")
    assert build(ScriptedModel()).archival.search("zebra", 0).startswith("Results 1 of 1")
