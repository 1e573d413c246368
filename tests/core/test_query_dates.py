"""Days that questions name, and that searches find what was written on them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest

from memgpt_autogen import events
from memgpt_autogen.storage.base import Store
from memgpt_autogen.storage.records import Passage
from memgpt_autogen.storage.search.dates import days_named

TODAY = date(2026, 11, 25)  # a Wednesday


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("What did she say on 7 May 2023?", "2023-05-07", "2023-05-07"),
        ("on May 7th, 2023", "2023-05-07", "2023-05-07"),
        ("the 7th of May 2023", "2023-05-07", "2023-05-07"),
        ("2023-05-07", "2023-05-07", "2023-05-07"),
        ("in Feb. 2024", "2024-02-01", "2024-02-29"),
        ("on 3 June", "2026-06-03", "2026-06-03"),
        ("on December 3rd", "2025-12-03", "2025-12-03"),
        ("in December", "2025-12-01", "2025-12-31"),
        ("in November", "2026-11-01", "2026-11-30"),
        ("last November", "2025-11-01", "2025-11-30"),
        ("last May", "2026-05-01", "2026-05-31"),
        ("What was sold in 2021?", "2021-01-01", "2021-12-31"),
        ("in summer 2022", "2022-06-01", "2022-08-31"),
        ("the winter of 2022", "2022-12-01", "2023-02-28"),
        ("last winter", "2025-12-01", "2026-02-28"),
        ("last autumn", "2025-09-01", "2025-11-30"),
        ("two weeks ago", "2026-11-08", "2026-11-14"),
        ("3 days ago", "2026-11-22", "2026-11-22"),
        ("a couple of months ago", "2026-09-01", "2026-09-30"),
        ("eleven months ago", "2025-12-01", "2025-12-31"),
        ("a year ago", "2025-01-01", "2025-12-31"),
        ("yesterday", "2026-11-24", "2026-11-24"),
        ("today", "2026-11-25", "2026-11-25"),
        ("last week", "2026-11-16", "2026-11-22"),
        ("last weekend", "2026-11-21", "2026-11-22"),
        ("this month", "2026-11-01", "2026-11-25"),
        ("last Tuesday", "2026-11-24", "2026-11-24"),
        ("last Wednesday", "2026-11-18", "2026-11-18"),
    ],
)
def test_a_time_is_read(text: str, first: str, last: str) -> None:
    assert days_named(text, TODAY) == [(date.fromisoformat(first), date.fromisoformat(last))]


@pytest.mark.parametrize("text", ["You may go.", "March on!", "page 12", "room 404", "an ago", "99999 days ago", ""])
def test_what_is_no_time_is_passed_over(text: str) -> None:
    assert days_named(text, TODAY) == []


def test_several_times_are_read_once_each() -> None:
    named = days_named("from March 2025 to 2 April 2025, as in 2020", TODAY)
    assert [str(first) for first, _ in named] == ["2025-04-02", "2025-03-01", "2020-01-01"]


def test_an_impossible_day_is_not_read_as_one() -> None:
    assert days_named("on 31 June 2023", TODAY) == [(date(2023, 6, 1), date(2023, 6, 30))]


def told(store: Store, agent: str, days: dict[str, str]) -> None:
    store.log.append(
        agent,
        [
            replace(events.user_message(text, name="Ann", at=datetime.fromisoformat(f"{day}T12:00").astimezone()))
            for day, text in days.items()
        ],
    )
    store.log.mark_answered(agent)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("What did Ann bake in May 2025?", "I baked bread."),
        ("What did Ann bake on 3 September 2025?", "I baked rolls."),
        ("What did Ann bake last month?", "I baked cakes."),
    ],
)
def test_a_message_of_the_time_that_is_asked_for_comes_first(store: Store, query: str, expected: str) -> None:
    agent = store.agents.create("sam", {}).id
    days = {"2025-05-07": "I baked bread.", "2025-09-03": "I baked rolls.", "2026-10-20": "I baked cakes."}
    told(store, agent, {**days, "2026-11-20": "I baked pies."})
    found = store.log.search(agent, query, page=1, page_size=5, today=TODAY)
    assert found.hits[0].item.text == expected and found.total == 4


def test_what_was_told_some_days_later_comes_before_what_was_told_long_after(store: Store) -> None:
    agent = store.agents.create("sam", {}).id
    told(store, agent, {"2025-05-04": "I saw a play.", "2025-08-08": "I saw a play.", "2025-05-12": "I saw a play."})
    found = store.log.search(agent, "Which play did Ann see on 3 May 2025?", page=1, page_size=5, today=TODAY)
    assert [hit.item.created_at.month for hit in found.hits] == [5, 5, 8]


def test_a_note_has_its_day_and_a_document_has_none(store: Store) -> None:
    agent = store.agents.create("sam", {}).id
    source = store.sources.create_source("book").id
    store.sources.attach(agent, source)
    store.passages.add(source, [Passage("of rye is this bread.", "book.txt")])
    store.passages.add(store.sources.own_source(agent), [Passage("ann likes rye bread.")])
    plain, dated = (
        {hit.item.text: hit.score for hit in store.passages.search(agent, query, page=1, page_size=5).hits}
        for query in ("rye bread", "rye bread today")
    )
    assert dated["ann likes rye bread."] > plain["ann likes rye bread."]
    assert dated["of rye is this bread."] == plain["of rye is this bread."]
