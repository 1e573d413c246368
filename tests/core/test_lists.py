"""Questions that ask for several things, and rankings that look at a few turns of a long log."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from memgpt_autogen import events
from memgpt_autogen.storage.base import Store
from memgpt_autogen.storage.search.questions import asks_for_several
from memgpt_autogen.storage.search.ranking import TURN_CUT, Floats, Postings, Turns, best, rank_turns, spread
from memgpt_autogen.storage.sql import turn_ranking
from memgpt_autogen.storage.sqlite import SQLiteStore


@pytest.mark.parametrize(
    "query",
    [
        "Which books has Ann read?",
        "What sports does she play",
        "what has Bo painted?",
        "How many times did they go to the beach?",
        "Where have they camped?",
        "What musical instruments does Ann own?",
    ],
)
def test_what_asks_for_several(query: str) -> None:
    assert asks_for_several(query)


@pytest.mark.parametrize(
    "query",
    [
        "When did Ann go to Oslo?",
        "What was the dress like?",
        "What is her status?",
        "Who is his boss?",
        "zebra",
        "What does this bus cost?",
        "",
    ],
)
def test_what_asks_for_one(query: str) -> None:
    assert not asks_for_several(query)


def test_a_list_is_gathered_from_all_sessions(store: Store) -> None:
    agent = store.agents.create("sam", {"name": "sam"}).id
    talks = {
        "one": ["I read books at home.", "I read books in bed.", "I read books at work.", "I read books by day."],
        "two": ["I read books on a train."],
        "three": ["I read books on Sunday."],
    }
    for session, texts in talks.items():
        said = [events.user_message(text, name="Ann") for text in texts]
        store.log.append(agent, [replace(one, session_id=session, answered=True) for one in said])

    def sessions(query: str) -> list[str | None]:
        return [hit.item.session_id for hit in store.log.search(agent, query, page=1, page_size=4).hits]

    assert {*sessions("Ann, books to read")} == {"one"}
    assert {*sessions("Which books has Ann read?")} == {"one", "two", "three"}
    pages = [store.log.search(agent, "Which books has Ann read?", page=page, page_size=2) for page in (1, 2, 3)]
    assert len({hit.item.id for page in pages for hit in page.hits}) == pages[0].total == 6


def test_spreading_takes_from_the_later_hits_of_a_group_only() -> None:
    scores = np.array([0.5, 1.0, 0.98, 0.97, 0.9], dtype=np.float32)
    groups = np.array([0, 1, 1, 1, 2])
    lowered = spread(scores, np.arange(5), groups)
    assert lowered == pytest.approx([0.5, 1.0, 0.93, 0.87, 0.9])
    assert best(lowered, np.arange(5), 0, 5) == [1, 2, 4, 3, 0]
    assert len(spread(scores, np.zeros(0, dtype=np.intp), groups)) == 5


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("meant", [False, True])
def test_looking_only_near_the_words_changes_no_hit(seed: int, meant: bool) -> None:
    random, count = np.random.default_rng(seed), 400

    def some(size: int) -> np.ndarray:
        return np.sort(random.choice(count, size, replace=False))

    words = [Postings(some(20), near=some(5)), Postings(some(3)), Postings(some(0)), Postings(some(60))]
    turns = Turns(random.integers(1, 200, count).astype(np.float32), np.sort(random.integers(0, 30, count)), some(40))
    similar: Floats | None = random.random(count).astype(np.float32) - np.float32(0.5) if meant else None
    named = some(50)
    few, all_of_them = (rank_turns(words, turns, named, similar, also) for also in (None, np.arange(count)))
    assert few.found.tolist() == all_of_them.found.tolist()
    hits = np.flatnonzero(few.hits(np.ones(count, dtype=np.bool_), TURN_CUT))
    assert len(hits)
    assert few.scores[hits] == pytest.approx(all_of_them.scores[hits], rel=1e-5)
    assert few.relevance[hits] == pytest.approx(all_of_them.relevance[hits], rel=1e-5)


def test_the_name_of_who_says_nearly_everything_is_a_very_common_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn_ranking, "COMMON", 10)
    store = SQLiteStore(None)
    agent = store.agents.create("sam", {"name": "sam"}).id
    said = [events.user_message(f"number {number}", name="Ann") for number in range(30)]
    said += [events.user_message("a boat", name="Ann"), events.user_message("a boat", name="Bo")]
    store.log.append(agent, [replace(one, answered=True) for one in said])
    found = store.log.search(agent, "boat of Ann", page=1, page_size=5)
    assert [hit.item.author for hit in found.hits][:2] == ["Ann", "Bo"]
    assert "number 0" not in [
        hit.item.text for hit in store.log.search(agent, "boat of Ann", page=1, page_size=50).hits
    ]
    assert store.log.search(agent, "Ann", page=1, page_size=5).total == 31
