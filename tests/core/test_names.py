"""Names that lead from one passage to another."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from memgpt_autogen.storage.base import Store
from memgpt_autogen.storage.records import Passage
from memgpt_autogen.storage.search.names import heading_of, names_in, phrases_in
from memgpt_autogen.storage.sql.passage_ranking import SAME
from memgpt_autogen.storage.sqlite import SQLiteStore
from memgpt_autogen.storage.sqlite.schema import MIGRATIONS, add_functions


@pytest.mark.parametrize(
    ("text", "heading"),
    [
        ("Demon Dice: a game by Lester Smith.", "demon dice"),
        ("## The Opening Hours\nFrom nine to five.", "opening hours"),
        ("Kiss and Tell (1945 film): a comedy.", "kiss and tell"),
        ("Marie Curie was born in Warsaw.", "marie curie"),
        ("The Tower of London is old.", "tower of london"),
        ("Émile Zola wrote Nana.", "emile zola"),
        ("it begins in small letters", ""),
    ],
)
def test_a_passage_is_about_its_heading_or_the_name_it_begins_with(text: str, heading: str) -> None:
    assert heading_of(text) == heading


def test_a_passage_without_either_is_about_its_file() -> None:
    assert heading_of("it was cold.", "notes/Port-Rennick.md") == "port rennick"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("It was made by Lester Smith.", ["lester smith"]),
        ("It was made by Lester Smith in 1995.", ["lester smith in 1995", "lester smith", "1995"]),
        ("She met the Duke of York there.", ["duke of york", "duke", "york"]),
        ("However, it rained. Nobody came.", []),
        ("We saw Marie Curie's house.", ["marie curie s", "marie curie"]),
    ],
)
def test_names_are_runs_of_capitals(text: str, names: list[str]) -> None:
    assert names_in(text) == names


def test_what_a_heading_could_be_says_something() -> None:
    runs = ["who is", "who is the", "who is the duke", "is the", "is the duke", "the duke", "duke"]
    assert phrases_in("Who is the Duke?") == runs


def found(store: Store, agent: str, query: str) -> list[str]:
    return [hit.item.text for hit in store.passages.search(agent, query, page=1, page_size=50).hits]


FILLER = [f"Street {number} has a baker, and was named by its people." for number in range(30)]


@pytest.mark.parametrize(
    ("query", "first", "second"),
    [
        (
            "Where was the designer of Demon Dice born?",
            "Demon Dice: designed by Lester Smith.",
            "Lester Smith: of Ohio.",
        ),
        ("Which river runs by the seat of Acme?", "Acme: its seat is Port Rennick.", "## Port Rennick\nOn the Lorn."),
        ("How old is the mayor of Ulm?", "Ulm: its mayor is called Ida Kern.", "Ida Kern turned fifty."),
    ],
)
def test_a_name_in_the_first_hits_leads_to_the_passage_about_it(
    store: Store, query: str, first: str, second: str
) -> None:
    agent = store.agents.create("sam", {}).id
    store.passages.add(store.sources.own_source(agent), [Passage(text) for text in (*FILLER, second, first)])
    assert found(store, agent, query)[:2] == [first, second]


def test_a_heading_that_stands_in_the_query_comes_first(store: Store) -> None:
    agent = store.agents.create("sam", {}).id
    texts = [
        "Opening hours: see the door.",
        *(f"Opening the door takes hours, {number} of them" for number in range(9)),
    ]
    store.passages.add(store.sources.own_source(agent), [Passage(text) for text in texts])
    assert found(store, agent, "What are the opening hours?")[0] == texts[0]


def test_what_begins_many_passages_is_no_heading(store: Store) -> None:
    agent = store.agents.create("sam", {}).id
    said = [f"Ann: turn {number}" for number in range(SAME + 1)]
    store.passages.add(store.sources.own_source(agent), [Passage(text) for text in (*said, "A boat is Ann.")])
    assert found(store, agent, "boat") == ["A boat is Ann."]


def test_another_agents_passages_are_not_led_to(store: Store) -> None:
    mine, other = (store.agents.create(name, {}).id for name in ("sam", "kim"))
    store.passages.add(store.sources.own_source(mine), [Passage("My boat is by Lester Smith.")])
    store.passages.add(store.sources.own_source(other), [Passage("Lester Smith: of Ohio.")])
    assert found(store, mine, "boat") == ["My boat is by Lester Smith."]


def test_passages_of_an_older_file_have_their_headings(tmp_path: Path) -> None:
    texts = ["Ship: built by Lester Smith.", "Lester Smith: of Ohio."]
    place = next(number for number, script in enumerate(MIGRATIONS) if "passages_heading" in script)
    at = "2024-01-01T00:00:00+00:00"
    with sqlite3.connect(tmp_path / "db") as old:
        add_functions(old)
        for script in MIGRATIONS[:place]:
            old.executescript(script)
        old.execute(f"PRAGMA user_version = {place}")
        rows = {
            "agents": [{"id": "a", "user_id": "local", "name": "sam", "config": "{}", "created_at": at}],
            "sources": [{"id": "s", "user_id": "local", "name": "notes", "agent_id": "a", "created_at": at}],
            "attachments": [{"agent_id": "a", "source_id": "s", "user_id": "local", "created_at": at}],
            "passages": [
                {"id": f"p{number}", "user_id": "local", "source_id": "s", "text": text, "uri": "", "metadata": "{}"}
                | {"created_at": at}
                for number, text in enumerate(texts)
            ],
        }
        for table, listed in rows.items():
            for row in listed:
                marks = ", ".join("?" * len(row))
                old.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", [*row.values()])
    old.close()
    again = SQLiteStore(tmp_path / "db")
    assert found(again, "a", "Who built the ship?") == texts
    again.close()
