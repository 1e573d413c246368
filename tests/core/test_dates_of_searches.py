"""Searches by day, up to both ends of the calendar and in any zone."""

from __future__ import annotations

import time
from datetime import date, datetime, timezone

import pytest

from memgpt_autogen.errors import ToolError
from memgpt_autogen.memory.recall import RecallMemory
from memgpt_autogen.messages import Message
from memgpt_autogen.storage.search.dates import bounds_of
from memgpt_autogen.storage.sqlite import SQLiteStore


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


def test_a_tool_error_names_what_is_no_day() -> None:
    from memgpt_autogen.tools.memory_tools import _day

    assert _day(" 0001-01-01 ") == date.min
    for wrong in ("0000-01-01", "-1", "10000-01-01", "9" * 500):
        with pytest.raises(ToolError):
            _day(wrong)
