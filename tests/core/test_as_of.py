"""Searches as on an earlier day."""

from __future__ import annotations

from datetime import date, datetime, timezone

import pytest

from memgpt_autogen.memory.archival import ArchivalMemory
from memgpt_autogen.memory.recall import RecallMemory
from memgpt_autogen.messages import Message
from memgpt_autogen.storage.records import Passage
from memgpt_autogen.storage.sql import passages as sql_passages
from memgpt_autogen.storage.sqlite import SQLiteStore

HOMES = {
    date(2024, 1, 10): "I live in Oslo.",
    date(2024, 6, 10): "I live in Rome.",
    date(2025, 3, 10): "I live in Lima.",
}


@pytest.mark.parametrize(
    ("day", "known"),
    [
        (date(2023, 1, 1), []),
        (date(2024, 1, 10), ["Oslo"]),
        (date(2024, 12, 31), ["Oslo", "Rome"]),
        (date(2026, 1, 1), ["Lima", "Oslo", "Rome"]),
    ],
)
def test_only_what_was_known_on_that_day_is_found(monkeypatch: pytest.MonkeyPatch, day: date, known: list[str]) -> None:
    store = SQLiteStore(None)
    agent = store.agents.create("sam", {"name": "sam"}).id
    for at, text in HOMES.items():
        moment = datetime(at.year, at.month, at.day, 12, tzinfo=timezone.utc)
        store.log.append(agent, [Message("user", text, text, "user_message", created_at=moment, answered=True)])
        monkeypatch.setattr(sql_passages, "now", lambda moment=moment: moment.isoformat(timespec="microseconds"))
        store.passages.add(store.sources.own_source(agent), [Passage(text)])
    for memory in (RecallMemory(store, agent), ArchivalMemory(store, agent, None)):
        found = memory.find("Where do I live?", as_of=day)
        assert sorted(hit.item.text[10:-1] for hit in found.hits) == known
        shown = memory.search("Where do I live?", 1, as_of=day)
        assert all((town in shown) == (town in known) for town in ("Oslo", "Rome", "Lima"))
        assert not memory.find("live", since=date(2024, 6, 11), as_of=date(2024, 7, 1)).total


def test_times_in_the_query_are_counted_from_that_day() -> None:
    store = SQLiteStore(None)
    agent = store.agents.create("sam", {"name": "sam"}).id
    for at, text in ((date(2024, 5, 6), "a walk on the moor"), (date(2024, 8, 6), "a walk by the sea")):
        moment = datetime(at.year, at.month, at.day, 12, tzinfo=timezone.utc)
        store.log.append(agent, [Message("user", text, text, "user_message", created_at=moment, answered=True)])
    memory = RecallMemory(store, agent)
    assert memory.find("the walk of last week", as_of=date(2024, 5, 15)).hits[0].item.text == "a walk on the moor"
    assert memory.find("the walk of last month", as_of=date(2024, 9, 3)).hits[0].item.text == "a walk by the sea"
    assert memory.find("the walk of last May", as_of=date(2024, 9, 3)).hits[0].item.text == "a walk on the moor"
