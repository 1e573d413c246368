"""The window as an agent lives with it: warned, evicted, summarised, cut, and never exceeded."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memgpt_autogen import events
from memgpt_autogen.client import MemGPT
from memgpt_autogen.config import AgentConfig, Settings
from memgpt_autogen.errors import ConfigError, ModelReplyError, ModelServerError
from memgpt_autogen.llm.chat_format import to_chat_messages
from memgpt_autogen.llm.scripted import Answer, Call, ScriptedModel
from memgpt_autogen.messages import Message, ToolCall, ToolSchema
from memgpt_autogen.observers import AgentEvent, Evicted
from memgpt_autogen.storage.base import Store
from memgpt_autogen.storage.sqlite import SQLiteStore

from .conftest import Build, Script, assert_sound, call, note, results, say

WINDOW = 4096


def parrot(messages: Sequence[Message], tools: Sequence[ToolSchema], only: object) -> Answer:
    """Answers whatever comes; where no functions are offered, with a summary that says so."""
    return "I heard you." if tools else "We spoke of many things."


def alerts(prompt: Call, words: str) -> int:
    return sum(words in message.content for message in prompt.messages if message.kind == "system_alert")


def padded(number: int, words: int = 60) -> str:
    return f"Message {number}: " + "lorem ipsum " * words


def test_filling_up_is_warned_of_once_at_each_crossing(build: Build, script: Script, store: Store) -> None:
    model = script(*[parrot] * 80, window=WINDOW)
    agent = build(model)
    seen: list[AgentEvent] = []
    agent.observers.append(seen.append)
    for number in range(24):
        say(agent, padded(number))
    evictions = sum(isinstance(sight, Evicted) for sight in seen)
    everything = store.log.tail(agent.id, 1000)
    warned = [message for message in everything if "Your context window is 7" in message.content]
    assert evictions >= 2
    assert evictions <= len(warned) <= evictions + 1


def test_the_warned_agent_runs_again_and_may_save(build: Build, script: Script, store: Store) -> None:
    def save(messages: Sequence[Message], tools: Sequence[ToolSchema], only: object) -> Answer:
        return note("Ann likes tea") if "Save now what you" in messages[-1].content else "ok"

    model = script(*[save] * 20, window=WINDOW)
    agent = build(model)
    turns = [agent.run([events.user_message(padded(number, 60))]) for number in range(10)]
    assert [turn.steps for turn in turns].count(2) == 1 and all(turn.said == ("ok",) for turn in turns)
    assert "Ann likes tea" in store.agents.blocks(agent.id)[1].value
    assert alerts(model.calls[-1], "Save now what you must not lose") == 1


def test_the_warning_names_what_is_about_to_leave_and_not_what_stays(
    build: Build, script: Script, store: Store
) -> None:
    model = script(*[parrot] * 30, window=WINDOW)
    agent = build(model)
    for number in range(10):
        say(agent, padded(number))
    (warning,) = [one.content for one in store.log.tail(agent.id, 1000) if "Save now what you" in one.content]
    assert '"Message 0: lorem ipsum' in warning and "Message 9" not in warning
    assert model.count_tokens(warning) < 160


def test_a_memory_that_is_full_costs_two_calls_at_a_warning(build: Build, script: Script, store: Store) -> None:
    def save(messages: Sequence[Message], tools: Sequence[ToolSchema], only: object) -> Answer:
        return note("too long " * 400) if only else "ok"

    model = script(*[save] * 40, window=WINDOW)
    agent = build(model)
    turns = [agent.run([events.user_message(padded(number, 60))]) for number in range(8)]
    assert sorted(turn.steps for turn in turns) == [1] * 7 + [3] and all(turn.said == ("ok",) for turn in turns)


def test_what_was_said_stands_when_the_server_dies_over_the_warning(build: Build, script: Script, store: Store) -> None:
    def fail(messages: Sequence[Message], tools: Sequence[ToolSchema], only: object) -> Answer:
        return ModelServerError("down") if "Save now what you" in messages[-1].content else "ok"

    model = script(*[fail] * 20, window=WINDOW)
    agent = build(model)
    for number in range(10):
        assert say(agent, padded(number, 60)) == ["ok"]
    assert len(model.calls) == 11
    assert all(message.answered for message in store.log.window(agent.id))


def test_a_full_window_is_evicted_to_half_with_a_summary(build: Build, script: Script, store: Store) -> None:
    model = script(*[parrot] * 80, window=WINDOW)
    agent = build(model)
    seen: list[AgentEvent] = []
    agent.observers.append(seen.append)
    number = 0
    while not any(isinstance(sight, Evicted) for sight in seen):
        say(agent, padded(number))
        number += 1
    evicted = next(sight for sight in seen if isinstance(sight, Evicted))
    assert evicted.summary == "We spoke of many things." and evicted.messages > 4
    prompt = model.calls[-1]
    assert "Your notes on them: We spoke of many things." in prompt.messages[1].content
    fixed = model.count(prompt.messages[:1], prompt.tools)
    room = WINDOW - fixed - 1024
    assert 0.3 * room < model.count(prompt.messages[2:]) <= 0.5 * room + 400
    assert store.log.search(agent.id, "Message 0", page=1, page_size=5).total  # it left the window, not the memory
    summary = store.log.last_summary(agent.id)
    assert summary and summary.messages == evicted.messages


def test_a_summary_folds_in_the_one_before_it(build: Build, script: Script, store: Store) -> None:
    told: list[str] = []

    def count_up(messages: Sequence[Message], tools: Sequence[ToolSchema], only: object) -> Answer:
        if not tools:
            told.append(messages[-1].content)
            return f"Summary number {len(told)}."
        return "ok"

    model = script(*[count_up] * 200, window=WINDOW)
    agent = build(model)
    for number in range(40):
        say(agent, padded(number))
    assert len(told) >= 3 and "Earlier notes" not in told[0]
    assert all(f"Earlier notes:\nSummary number {number}." in text for number, text in enumerate(told[1:], 1))
    assert f"Summary number {len(told)}." in model.calls[-1].messages[1].content
    summary = store.log.last_summary(agent.id)
    everything = store.log.tail(agent.id, 10_000)
    assert summary and summary.first_message_id == everything[0].id
    assert summary.messages == len(everything) - len(store.log.window(agent.id))


def test_a_smaller_model_takes_over_a_long_history_within_its_window(build: Build, script: Script) -> None:
    large = script(*[parrot] * 60, window=100_000)
    agent = build(large)
    large.script[40:] = ["z" * 4000 if number % 2 else parrot for number in range(20)]
    for number in range(50):
        say(agent, padded(number))
    small = script(*[lambda *_: "x" * 9000] * 60, window=3000)
    assert len(agent.run([events.user_message("still there?")], model=small).said[0]) == 9000
    assert len(small.calls) > 5  # piece by piece


def test_a_preset_may_forgo_the_summary(build: Build, script: Script, store: Store) -> None:
    model = script(*[f"I heard {number}." for number in range(40)], window=2048)
    agent = build(model, preset="memgpt_tiny")
    for number in range(40):
        say(agent, padded(number, 20))
    assert all(prompt.tools for prompt in model.calls)
    lead = model.calls[-1].messages[1]
    assert "earlier messages have left your view; they are in recall memory" in lead.content
    assert "notes" not in lead.content


@pytest.mark.parametrize("fault", [ModelServerError("down"), ModelReplyError("nonsense")], ids=repr)
def test_a_summary_that_cannot_be_written_loses_nothing(
    build: Build, script: Script, store: Store, fault: Exception
) -> None:
    def broken(messages: Sequence[Message], tools: Sequence[ToolSchema], only: object) -> Answer:
        return "ok" if tools else fault

    model = script(*[broken] * 100, window=WINDOW)
    agent = build(model)
    for number in range(30):
        assert say(agent, padded(number))[0] == "ok"
    assert any(not prompt.tools for prompt in model.calls)
    assert "Message " in model.calls[-1].messages[1].content
    assert all(store.log.search(agent.id, str(number), page=1, page_size=1).total for number in range(29))


def test_a_huge_message_is_cut_with_a_note_and_found_whole(build: Build, script: Script, store: Store) -> None:
    text = "start " + "filler " * 20_000 + "the password is xylophone"
    lines = iter(["That was long.", call("conversation_search", query="xylophone"), "xylophone"])

    def answer(messages: Sequence[Message], tools: Sequence[ToolSchema], only: object) -> Answer:
        return note() if "Save now what you" in messages[-1].content else next(lines, "xylophone")

    model = script(*[answer] * 8, window=16_000)
    agent = build(model)
    assert say(agent, text) == ["That was long."]
    shown = model.calls[0].messages[-1].content
    assert len(shown) < 60_000 and f"of {len(text)} characters; conversation_search finds the rest" in shown
    assert say(agent, "the password?")[0] == "xylophone"
    assert "Results 1 of 1" in "".join(result for prompt in model.calls for result in results(prompt.messages))
    assert text in [message.text for message in store.log.tail(agent.id, 100)]


def test_a_huge_result_is_cut_with_a_note(build: Build, script: Script, store: Store) -> None:
    def read() -> str:
        return "abc " * 50_000

    model = script(call("archival_memory_search", query="alpha"), call("read", True), "Enough.", note())
    agent = build(model)
    agent.tools.add(read)
    agent.archival.insert("alpha " * 30_000)
    assert say(agent, "look") == ["Enough."]
    assert all("ask for less, or for another page" in text for text in results(model.calls[2].messages)[-2:])


def test_many_messages_at_once_leave_the_newest_in_view(build: Build, script: Script, store: Store) -> None:
    """As when an agent joins a group chat late: they all wait for one answer."""
    model = script(*[parrot] * 100, window=WINDOW)
    agent = build(model)
    turn = agent.run([events.user_message(padded(number), name="Bo") for number in range(200)])
    assert turn.said[0] == "I heard you."
    assert "Message 199" in str(model.calls[-1].messages)
    assert all(message.answered for message in store.log.tail(agent.id, 1000))
    assert store.log.search(agent.id, "Message 7", page=1, page_size=5).total


def test_a_turn_that_outgrows_the_window_by_itself_still_fits(build: Build, script: Script) -> None:
    big = [call("archival_memory_insert", True, content=f"{number} " + "long " * 700) for number in range(11)]
    many = [note(str(number), heartbeat=True) for number in range(20)]
    model = script(*big[:5], many, *big[5:9], "Done.", *[parrot] * 3, window=WINDOW)
    assert say(build(model), "store it all")[0] == "Done."
    assert all("store it all" in prompt.messages[1].content for prompt in model.calls[:11])
    assert "8 long" in str(model.calls[10].messages)


@pytest.mark.parametrize("preset", ["memgpt_chat", "memgpt_docs", "memgpt_compact"])
def test_the_prefix_stays_the_same_to_the_byte(build: Build, script: Script, preset: str) -> None:
    model = script(*[parrot] * 6, call("conversation_search", query="lorem"), *[parrot] * 6)
    agent = build(model, preset=preset)
    for number in range(10):
        say(agent, padded(number, 10))
    sent = [to_chat_messages(prompt.messages) for prompt in model.calls]
    for before, after in itertools.pairwise(model.calls):
        assert after.tools == before.tools
    for one, two in itertools.pairwise(sent):
        assert two[: len(one)] == one
    assert len(sent[-1]) > 20


def test_the_prefix_changes_with_evictions_alone(build: Build, script: Script) -> None:
    model = script(*[parrot] * 200, window=WINDOW)
    agent = build(model)
    seen: list[AgentEvent] = []
    agent.observers.append(seen.append)
    for number in range(50):
        say(agent, padded(number, number % 9 * 10))
    sent = [to_chat_messages(prompt.messages) for prompt in model.calls if prompt.tools]
    changes = sum(two[: len(one)] != one for one, two in itertools.pairwise(sent))
    assert changes == sum(isinstance(sight, Evicted) for sight in seen) > 2


def test_a_window_too_small_is_refused_with_the_figures(build: Build) -> None:
    with pytest.raises(ConfigError, match=r"window of 1024 tokens is too small.* take \d+, the reply needs 256"):
        say(build(ScriptedModel(["never"], context_window=1024)), "hi")


WORDS = st.integers(0, 12_000).map(lambda size: "wörd " * (size // 5))
CALLS = st.one_of(
    st.builds(lambda text: call("send_message", message=text[:3000] or "ok"), WORDS),
    st.builds(lambda text, beat: note(text[:400], beat), WORDS, st.booleans()),
    st.builds(lambda text, beat: call("archival_memory_insert", beat, content=text[:3000] + "x"), WORDS, st.booleans()),
    st.just(call("archival_memory_search", query="wörd")),
    st.just(call("conversation_search", query="wörd", page=1)),
    st.just(call("conversation_search", query="wörd", page=99)),
    st.just(call("nonsense")),
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(st.lists(WORDS, min_size=1, max_size=6), st.integers(0, 3)), min_size=1, max_size=12),
    st.lists(st.lists(CALLS, min_size=1, max_size=4), min_size=1, max_size=20),
    st.sampled_from([("memgpt_chat", 3000), ("memgpt_chat", 6000), ("memgpt_compact", 2048), ("memgpt_tiny", 2048)]),
)
def test_no_prompt_of_any_session_exceeds_the_window(
    turns: list[tuple[list[str], int]], replies: list[list[ToolCall]], kind: tuple[str, int]
) -> None:
    preset, window = kind
    asked = 0

    def answer(messages: Sequence[Message], tools: Sequence[ToolSchema], only: Sequence[str] | None) -> Answer:
        nonlocal asked
        asked += 1
        chosen = replies[asked % len(replies)]
        return "spoken " * (asked % 300) + "." if only or not tools else chosen

    model = ScriptedModel([answer] * 5000, context_window=window)
    home = MemGPT(Settings(home=Path("unused"), environ={}), store=SQLiteStore(None), embedder=None)
    agent = home.create_agent(AgentConfig(name="sam", preset=preset), model=model)
    for said, kinds in turns:
        incoming = [events.user_message(text) if kinds else events.timer("t") for text in said]
        agent.run(incoming, max_steps=4)
    assert_sound(model)
