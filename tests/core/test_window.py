"""The window: what goes, what stays, what is cut."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgpt_autogen import events
from memgpt_autogen.errors import ConfigError
from memgpt_autogen.memory.window import Pairing, WindowPolicy, cut_at, room, shorten, squeeze
from memgpt_autogen.messages import Message, ToolCall, ToolResult


def words(text: str) -> int:
    return len(text.split())


def exchange(results: int) -> list[Message]:
    calls = tuple(ToolCall("f") for _ in range(results))
    asked = replace(events.user_message("q"), answered=True)
    return [asked, events.reply("", calls, ""), *(events.tool_result(ToolResult(c.id, "f", "r")) for c in calls)]


@given(st.lists(st.integers(0, 4), min_size=1, max_size=12), st.integers(0, 400), st.data())
def test_a_cut_never_parts_a_call_from_its_result(shape: list[int], keep: int, data: st.DataObject) -> None:
    messages = [message for results in shape for message in exchange(results)]
    sizes = [data.draw(st.integers(1, 50)) for _ in messages]
    gone = cut_at(messages, sizes, keep)
    assert 0 <= gone < len(messages)
    assert messages[gone].role != "tool"
    remaining = sum(sizes[gone:])
    borders = [index for index, message in enumerate(messages) if message.role != "tool"]
    assert remaining <= keep or gone == borders[-1]


def test_what_is_unanswered_stays() -> None:
    messages = [*exchange(0), *exchange(0), events.user_message("now"), *exchange(1)[1:]]
    assert cut_at(messages, [100] * len(messages), 10) == 4


def test_results_stand_behind_their_calls() -> None:
    first, second = ToolCall("f"), ToolCall("f")
    call = events.reply("", (first, second), "")
    late = replace(events.user_message("between"), answered=True)
    results = [events.tool_result(ToolResult(one.id, "f", "r")) for one in (first, second)]
    assert Pairing([call, results[1], late, results[0]]).messages == [call, results[0], results[1], late]


def test_a_window_too_small_is_refused_with_its_figures() -> None:
    with pytest.raises(ConfigError, match="2048 tokens is too small.* take 1700.* needs 512"):
        room(2048, 1700, 512)
    assert room(8192, 1200, 1024) == 5968


def test_the_reply_keeps_a_share_of_small_windows() -> None:
    assert WindowPolicy().reply_tokens(2048) == 512
    assert WindowPolicy().reply_tokens(128_000) == 1024


@given(st.text(min_size=1), st.integers(12, 200))
def test_a_shortened_text_fits(text: str, budget: int) -> None:
    cut = shorten(text, budget, len, "({shown}/{total})")
    assert len(cut) <= max(budget, len(f"({len(text)}/{len(text)})") + 1)
    assert (cut == text) == (len(text) <= budget)
    kept, _, note = cut.rpartition("\n")
    assert cut == text or (text.startswith(kept.rstrip()) and note.startswith("("))


def test_a_shortened_text_says_what_is_missing() -> None:
    cut = shorten("word " * 100, 20, words, "(cut: {shown} of {total})")
    assert cut.endswith("of 500)") and words(cut) <= 20 and words(cut) > 10


def test_the_longest_messages_are_squeezed() -> None:
    messages = [replace(events.user_message("x"), content="w " * n) for n in (5, 300, 200)]
    fitted = squeeze(messages, [words(m.content) for m in messages], 120, words, lambda m: words(m.content))
    assert fitted[0] == messages[0]
    assert sum(words(message.content) for message in fitted) <= 120


def by_words(message: Message) -> int:
    return 4 + words(message.content) + sum(3 + words(str(dict(call.arguments))) for call in message.tool_calls)


@given(
    st.lists(st.lists(st.integers(0, 300), max_size=8), min_size=1, max_size=8), st.integers(120, 2000), st.booleans()
)
def test_a_turn_that_outgrows_the_room_is_squeezed_into_it(steps: list[list[int]], limit: int, asked: bool) -> None:
    messages = [replace(events.user_message("w " * 200), answered=not asked)]
    for sizes in steps:
        calls = tuple(ToolCall("f", {"text": "w " * size}) for size in sizes)
        results = (events.tool_result(ToolResult(one.id, "f", "r " * 50)) for one in calls)
        messages += [events.reply("hm", calls, ""), *results]
    fitted = squeeze(messages, [by_words(message) for message in messages], limit, words, by_words)
    assert sum(by_words(message) for message in fitted) <= limit
    assert not asked or fitted[0].id == messages[0].id
    assert Pairing(fitted).messages == fitted
    assert [one.id for message in fitted for one in message.tool_calls] == [m.call_id for m in fitted if m.call_id]
    assert messages[-1].id == fitted[-1].id


def test_where_too_much_waits_only_the_newest_is_sure_to_stay() -> None:
    waiting = [events.user_message("x") for _ in range(10)]
    assert cut_at(waiting, [100] * 10, 300) == 0
    assert cut_at(waiting, [100] * 10, 300, 1000) == 0
    assert cut_at(waiting, [100] * 10, 300, 600) == 7
    assert cut_at([*waiting, *exchange(1)[1:]], [100] * 12, 100, 150) == 9
