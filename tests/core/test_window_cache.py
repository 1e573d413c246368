"""The window that is kept between turns is the one that is read anew, whatever happened to it, and whoever did it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memgpt_autogen import events
from memgpt_autogen.ids import new_id
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.memory.window_cache import WindowCache
from memgpt_autogen.messages import Message, ToolCall, ToolResult
from memgpt_autogen.storage.records import Summary
from memgpt_autogen.storage.sqlite import SQLiteStore

START = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)


class Life:
    """An agent in two stores on one file, and what may happen to its window."""

    def __init__(self, path: Path) -> None:
        self.mine, self.theirs = SQLiteStore(path), SQLiteStore(path)
        self.agent = self.mine.agents.create("sam", {}).id
        self.clock = START
        self.steps: list[str] = []

    def write(self, store: SQLiteStore, *messages: Message) -> None:
        self.steps.append(new_id())
        with store.transaction(self.steps[-1]):
            store.log.append(self.agent, messages)

    def say(self, store: SQLiteStore) -> None:
        self.clock += timedelta(hours=5)
        self.write(store, events.user_message(f"said at {self.clock}", name="Ann", at=self.clock))

    def reply(self, store: SQLiteStore) -> None:
        call = ToolCall("f", {"n": len(self.steps)})
        self.write(store, events.reply("hm", (call,), ""), events.tool_result(ToolResult(call.id, "f", "done")))
        store.log.mark_answered(self.agent)

    def call_only(self, store: SQLiteStore) -> None:
        self.write(store, events.reply("", (ToolCall("slow"), ToolCall("slow")), ""))

    def late_result(self, store: SQLiteStore) -> None:
        view = WindowCache(store, self.agent)
        view.refresh()
        for call in view.calls_of(None)[:1]:
            self.write(store, events.tool_result(ToolResult(call.id, call.name, "at last")))

    def rewrite(self, store: SQLiteStore) -> None:
        waiting = [one for one in store.log.window(self.agent) if not one.answered]
        for message in waiting[-1:]:
            store.log.replace(message, replace(message, content=f"{message.content} (again)"))

    def reword_reply(self, store: SQLiteStore) -> None:
        replies = [one for one in store.log.window(self.agent) if one.role == "assistant"]
        for message in replies[-1:]:
            store.log.replace(message, replace(message, content="other thoughts"))

    def rewrite_in_vain(self, store: SQLiteStore) -> None:
        """The replacement is rolled back, and something else is deleted."""
        waiting = [one for one in store.log.window(self.agent) if not one.answered]
        for message in waiting[-1:]:
            with pytest.raises(ZeroDivisionError), store.transaction():
                store.log.replace(message, replace(message, content="never"))
                raise ZeroDivisionError
            self.undo(store)

    def undo(self, store: SQLiteStore) -> None:
        if store.turns(self.agent):
            store.undo(self.agent, 1)

    def evict(self, store: SQLiteStore) -> None:
        window = store.log.window(self.agent)
        if len(window) > 2:
            last = window[len(window) // 2 - 1]
            store.log.add_summary(self.agent, Summary("notes", window[0].id, last.id, len(window) // 2))

    def forget(self, store: SQLiteStore) -> None:
        store.forget(self.agent, "said")


WHAT: list[Callable[[Life, SQLiteStore], None]] = [
    Life.say,
    Life.reply,
    Life.call_only,
    Life.late_result,
    Life.rewrite,
    Life.reword_reply,
    Life.rewrite_in_vain,
    Life.undo,
    Life.evict,
    Life.forget,
]


def assert_as_read_anew(view: WindowCache, store: SQLiteStore, agent: str, model: ScriptedModel) -> None:
    anew = WindowCache(store, agent)
    view.refresh()
    anew.refresh()
    for name in ("summary", "messages", "shown", "unanswered", "open_calls", "call_ids"):
        assert getattr(view, name) == getattr(anew, name), name
    assert view.messages == store.log.window(agent)
    assert view.sizes(model) == anew.sizes(model)
    assert [*view.sizes(model)[0]] == [model.count([message]) for message in view.shown]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(happened=st.lists(st.tuples(st.sampled_from(WHAT), st.booleans(), st.booleans()), min_size=4, max_size=25))
def test_it_is_the_window_that_is_read_anew(
    happened: list[tuple[Callable[[Life, SQLiteStore], None], bool, bool]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    life = Life(tmp_path_factory.mktemp("life") / "memgpt.db")
    model = ScriptedModel()
    view = WindowCache(life.mine, life.agent)
    for what, by_another, looked_at in happened:
        what(life, life.theirs if by_another else life.mine)
        if looked_at:
            assert_as_read_anew(view, life.mine, life.agent, model)
    assert_as_read_anew(view, life.mine, life.agent, model)
    life.mine.close()
    life.theirs.close()


class Counting(ScriptedModel):
    """Counts how often it is asked to count a message."""

    asked, factor = 0, 1.0

    def count(self, messages: object, tools: object = ()) -> int:
        self.asked += 1
        return super().count(messages, tools)  # type: ignore[arg-type]

    def count_tokens(self, text: str) -> int:
        return int(self.factor * super().count_tokens(text))


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    life = Life(tmp_path / "memgpt.db")
    yield life
    life.mine.close()
    life.theirs.close()


def test_a_turn_reads_and_counts_only_what_is_new(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    view, model = WindowCache(life.mine, life.agent), Counting()
    read: list[int] = []
    changes = life.mine.log.window_changes

    def counted(*args: object) -> object:
        found = changes(*args)
        read.append(len(found.messages))
        return found

    monkeypatch.setattr(life.mine.log, "window_changes", counted)
    for number in range(30):
        life.say(life.mine)
        life.reply(life.mine if number % 2 else life.theirs)
        view.refresh()
        view.sizes(model)
    assert read == [3] * 30
    assert model.asked == 90


def test_an_eviction_counts_no_message_again(life: Life) -> None:
    view, model = WindowCache(life.mine, life.agent), Counting()
    for _ in range(20):
        life.reply(life.mine)
    view.refresh()
    view.sizes(model)
    asked = model.asked
    life.evict(life.theirs)
    view.refresh()
    assert len(view.sizes(model)[0]) == len(view.shown) == len(view.messages) + 1
    assert model.asked == asked + 1, "the summary alone is new"


def test_messages_are_counted_again_where_the_estimate_has_moved(life: Life) -> None:
    view, model = WindowCache(life.mine, life.agent), Counting()
    life.reply(life.mine)
    life.say(life.mine)
    view.refresh()
    before = view.sizes(model)[1]
    model.factor = 2.0
    assert before < view.sizes(model)[1] == model.count(view.shown)


def test_what_is_late_leaves_no_message_behind(life: Life) -> None:
    """A result far below its call leaves with it; what was said in between stays."""
    view = WindowCache(life.mine, life.agent)
    life.call_only(life.mine)
    life.say(life.mine)
    life.late_result(life.mine)
    view.refresh()
    call, result, waiting, said = view.shown
    assert (call.role, result.content, said.role) == ("assistant", "at last", "user") and waiting.role == "tool"
    leaving = view.through({call.id, result.id, waiting.id})
    assert [message.id for message in leaving] == [call.id]
    life.mine.log.add_summary(life.agent, Summary("", call.id, leaving[-1].id, 1))
    view.refresh()
    assert [message.id for message in view.shown_messages] == [said.id]
