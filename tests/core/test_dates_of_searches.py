"""Searches by day, up to both ends of the calendar and in any zone."""

from __future__ import annotations

import time
from datetime import date, datetime, timezone

import pytest

from memgpt_autogen.errors import ToolError
from memgpt_autogen.memory.recall import RecallMemory
from memgpt_autogen.messages import Message
from memgpt_autogen.storage.search.dates import bounds_of, days_meant
from memgpt_autogen.storage.sqlite import SQLiteStore
from memgpt_autogen.tools.memory_tools import MemoryFunctions


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize(
    ("start", "end"), [(date.min, date.max), (date(1, 1, 2), date(9999, 12, 30)), (date(1, 1, 1), date(2999, 1, 1))]
)
def test_from_year_1_to_year_9999(monkeypatch: pytest.MonkeyPatch, zone: str, start: date, end: date) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        store = SQLiteStore(None)
        agent = store.agents.create("sam", {"name": "sam"})
        store.log.append(agent.id, [Message("user", "hello", "hello", "user_message")])
        recall = RecallMemory(store, agent.id)
        assert "hello" in recall.search_dates(start, end, 0)
        assert "hello" in recall.search("hello", 0, since=start, until=end)
        assert "No messages" in recall.search_dates(date.min, date.min, 0)
        first, after = bounds_of(start, end)
        assert first < "2026" < after
    finally:
        monkeypatch.undo()
        time.tzset()


def test_messages_brought_in_from_the_past_come_in_the_order_of_their_days() -> None:
    store = SQLiteStore(None)
    agent = store.agents.create("sam", {"name": "sam"})
    for day in (20, 5, 12):  # in the order in which they were written
        at = datetime(2024, 3, day, 12, tzinfo=timezone.utc)
        store.log.append(agent.id, [Message("user", f"day {day}", f"day {day}", "user_message", created_at=at)])
    pages = [
        store.log.search_dates(agent.id, date(2024, 3, 1), date(2024, 3, 31), page=page, page_size=2) for page in (1, 2)
    ]
    assert [hit.item.text for page in pages for hit in page.hits] == ["day 5", "day 12", "day 20"]


TODAY = date(2026, 11, 25)  # a Wednesday


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        (" 0001-01-01 ", date.min, date.min),
        ("2023-05-08", date(2023, 5, 8), date(2023, 5, 8)),
        ("2023-05-08T10:30:00", date(2023, 5, 8), date(2023, 5, 8)),
        ("8 May 2023", date(2023, 5, 8), date(2023, 5, 8)),
        ("in May", date(2026, 5, 1), date(2026, 5, 31)),
        ("December", date(2025, 12, 1), date(2025, 12, 31)),
        ("May 2023.", date(2023, 5, 1), date(2023, 5, 31)),
        ("2023", date(2023, 1, 1), date(2023, 12, 31)),
        ("last week", date(2026, 11, 16), date(2026, 11, 22)),
        ("Yesterday", date(2026, 11, 24), date(2026, 11, 24)),
        ("the day before yesterday", date(2026, 11, 23), date(2026, 11, 23)),
        ("now", TODAY, TODAY),
        ("Monday", date(2026, 11, 23), date(2026, 11, 23)),
        ("3 days ago", date(2026, 11, 22), date(2026, 11, 22)),
        ("the last two weeks", date(2026, 11, 11), TODAY),
    ],
)
def test_a_time_is_meant_as_people_say_it(text: str, first: date, last: date) -> None:
    assert days_meant(text, TODAY) == (first, last)


@pytest.mark.parametrize(
    "text", ["", "0000-01-01", "-1", "10000-01-01", "9" * 500, "2023-02-31", "44 BC", "banana", "my birthday in May"]
)
def test_what_is_no_time_is_told_in_one_line(text: str) -> None:
    with pytest.raises(ValueError, match="is not a day. Write YYYY-MM-DD") as told:
        days_meant(text, TODAY)
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 140


@pytest.mark.parametrize(
    ("zone", "day"),
    [("UTC", date(2023, 5, 9)), ("America/Los_Angeles", date(2023, 5, 8)), ("Pacific/Kiritimati", date(2023, 5, 9))],
)
def test_a_moment_with_its_zone_is_the_local_day(monkeypatch: pytest.MonkeyPatch, zone: str, day: date) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert days_meant("2023-05-09T03:00:00Z", TODAY) == (day, day)
        assert days_meant("2023-05-08T20:00:00-07:00", TODAY) == (day, day)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_function_takes_the_first_and_the_last_day_of_what_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    store = SQLiteStore(None)
    agent = store.agents.create("sam", {"name": "sam"})
    asked: list[tuple[date, date]] = []
    recall = RecallMemory(store, agent.id)
    monkeypatch.setattr(recall, "search_dates", lambda start, end, page: asked.append((start, end)) or "found")
    search = MemoryFunctions(None, recall, None, None).conversation_search_date  # type: ignore[arg-type]
    assert search("May 2023", "July 2023") == "found"
    assert asked == [(date(2023, 5, 1), date(2023, 7, 31))]
    for wrong in (("2023-05-01", "soon"), ("2023-05-01", "2022")):
        with pytest.raises(ToolError, match="is not a day|is before"):
            search(*wrong)
