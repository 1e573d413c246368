"""A note that is there already is not written twice, and nothing else is taken for it."""

from __future__ import annotations

import pytest

from memgpt_autogen.memory.archival import ArchivalMemory
from memgpt_autogen.storage.records import Passage
from memgpt_autogen.storage.sqlite import SQLiteStore


@pytest.fixture
def memory() -> ArchivalMemory:
    store = SQLiteStore(None)
    return ArchivalMemory(store, store.agents.create("sam", {"name": "sam"}).id, None)


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ("Ann's code is 4-7-1.", "Ann's code is 4-7-1."),
        ("Bo keeps bees.", "  bo  keeps\nBEES "),
        ("\u65c5\u884c\u304c\u597d\u304d", "\u65c5\u884c\u304c\u597d\u304d"),
        ("of the", "Of the."),
    ],
)
def test_the_same_note_is_told_of(memory: ArchivalMemory, first: str, again: str) -> None:
    assert memory.insert(first) == "Written to archival memory."
    assert "has this note already" in memory.insert(again)
    assert memory.find("").total == 1


@pytest.mark.parametrize(
    ("first", "other"),
    [
        ("Bo owes 5 euros.", "Bo owes 6 euros."),
        ("Bo likes C.", "Bo likes C++."),
        ("It was -5 degrees.", "It was 5 degrees."),
        ("Ann is well.", "Is Ann well?"),
        ("Ann is well", "Ann is well?"),
        ("Meet at 3.5", "Meet at 3 5"),
    ],
)
def test_another_note_is_written(memory: ArchivalMemory, first: str, other: str) -> None:
    for content in (first, other):
        assert memory.insert(content) == "Written to archival memory."
    assert memory.find("").total == 2


def test_a_document_that_says_the_same_is_no_note() -> None:
    store = SQLiteStore(None)
    agent = store.agents.create("sam", {"name": "sam"}).id
    source = store.sources.create_source("book").id
    store.passages.add(source, [Passage("Bo keeps bees.", "book.md")])
    store.sources.attach(agent, source)
    assert ArchivalMemory(store, agent, None).insert("Bo keeps bees.") == "Written to archival memory."
