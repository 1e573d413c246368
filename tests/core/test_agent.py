"""One turn: what makes the agent run again, what ends it, and what the model is told of its mistakes."""

from __future__ import annotations

import pytest

from memgpt_autogen import events
from memgpt_autogen.errors import ModelReplyError
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.messages import Message, Reply, ToolCall
from memgpt_autogen.storage.base import Store

from .conftest import Build, Script, call, note, results, say


def test_what_is_said_to_the_agent_is_answered(build: Build, script: Script) -> None:
    model = script("Hello, Ann.")
    agent = build(model)
    turn = agent.run([events.user_message("Hi, I am Ann", name="Ann")])
    assert (turn.said, turn.pending, turn.steps) == (("Hello, Ann.",), (), 1)
    assert turn.usage.prompt_tokens > 0 and turn.usage.completion_tokens == 10
    newest = model.calls[0].messages[-1]
    assert newest.content.startswith("[Ann 2") and newest.content.endswith("]: Hi, I am Ann")


def test_without_a_heartbeat_the_agent_sleeps_after_it_has_spoken(build: Build, script: Script) -> None:
    assert say(build(script([ToolCall("send_message", {"message": "Noted."}), note()])), "I like tea") == ["Noted."]


def test_a_heartbeat_that_is_asked_for_runs_the_agent_again(build: Build, script: Script) -> None:
    model = script(note("likes tea", heartbeat=True), "Noted.")
    assert say(build(model), "I like tea") == ["Noted."]
    assert model.calls[1].messages[-1].content.startswith("[heartbeat ")


@pytest.mark.parametrize("written", [False, "false", "no", None, 0, ""])
def test_a_heartbeat_refused_in_any_way_of_writing_is_none(build: Build, script: Script, written: object) -> None:
    write = ToolCall("core_memory_append", {"name": "human", "content": "x", "request_heartbeat": written})
    assert build(script([ToolCall("send_message", {"message": "a"}), write])).run([events.user_message("b")]).steps == 1


def test_an_agent_that_still_owes_an_answer_runs_again_unasked(build: Build, script: Script) -> None:
    model = script(note(), "Noted.")
    assert say(build(model), "I like tea") == ["Noted."]
    assert "send_message" in model.calls[1].messages[-1].content


@pytest.mark.parametrize(
    "search",
    [
        call("conversation_search", query="tea"),
        call("archival_memory_search", query="tea"),
        call("conversation_search_date", start_date="2024-01-01", end_date="2024-01-02"),
    ],
    ids=lambda search: search.name,
)
def test_after_a_search_the_agent_runs_again_by_itself(build: Build, script: Script, search: ToolCall) -> None:
    model = script([ToolCall("send_message", {"message": "Let me look."}), search], "Nothing there.")
    assert say(build(model), "tea?") == ["Let me look.", "Nothing there."]
    assert model.calls[1].messages[-1].call_id == search.id


def test_after_a_failed_function_the_agent_runs_again_with_the_error_before_it(build: Build, script: Script) -> None:
    wrong = call("core_memory_replace", name="human", old_content="not there", new_content="x")
    model = script([ToolCall("send_message", {"message": "Done."}), wrong], "Sorry, not quite.")
    assert say(build(model), "change it") == ["Done.", "Sorry, not quite."]
    failed, nudge = model.calls[1].messages[-2:]
    assert failed.content.startswith("Failed: ") and "'not there' is not in the block human" in failed.content
    assert "core_memory_replace failed" in nudge.content


def test_several_calls_in_one_reply_all_run_in_order(build: Build, script: Script, store: Store) -> None:
    model = script([note("one"), note("two"), ToolCall("send_message", {"message": "a"}), note("three")])
    agent = build(model, human="zero zero")
    assert say(agent, "count") == ["a"]
    human = next(block for block in store.agents.blocks(agent.id) if block.label == "human")
    assert human.value == "zero zero\none\ntwo\nthree" and human.version == 4
    assert [message.role for message in store.log.window(agent.id)] == ["user", "assistant", *["tool"] * 4]


def test_a_failed_call_leaves_the_others_beside_it_done(build: Build, script: Script, store: Store) -> None:
    agent = build(script([note("one"), ToolCall("fly", {}), note("two")], "ok"), human="nobody yet")
    assert say(agent, "go") == ["ok"]
    assert store.agents.blocks(agent.id)[1].value == "nobody yet\none\ntwo"


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (ToolCall("fly", {"to": "Rome"}), "There is no function 'fly'. Functions: send_message,"),
        (call("core_memory_append", name="human", content=["not", "text"]), "Wrong arguments for core_memory_append"),
        (call("core_memory_append", content="no name"), "name: Field required"),
        (ToolCall("core_memory_append", {"name": "human", "content": "x"}, error="cut off"), "cut off"),
        (call("conversation_search_date", start_date="today", end_date="x"), "Write YYYY-MM-DD"),
        (call("pause_heartbeats", minutes=361), "between 0 and 360"),
        (call("archival_memory_insert", content="  "), "content is empty"),
        (call("send_message", message="  "), "message is empty"),
        (call("core_memory_append", name="pets", content="x"), "There is no block 'pets'"),
    ],
    ids=lambda value: value.name if isinstance(value, ToolCall) else "",
)
def test_a_bad_call_fails_where_the_model_can_see_it_and_does_nothing(
    build: Build, script: Script, store: Store, bad: ToolCall, told: str
) -> None:
    model = script(bad, "Sorry.")
    agent = build(model)
    before = store.agents.blocks(agent.id)
    assert say(agent, "go") == ["Sorry."]
    assert told in results(model.calls[1].messages)[-1] and results(model.calls[1].messages)[-1].startswith("Failed: ")
    assert store.agents.blocks(agent.id) == before and store.passages.count(agent.id) == 0


def test_a_function_of_the_users_own_runs_and_what_it_raises_is_shown(build: Build, script: Script) -> None:
    def halve(number: int) -> float:
        """Half of it."""
        if number == 13:
            raise RuntimeError("bad luck")
        return number / 2

    model = script(call("halve", number=13), call("halve", True, number=8), "4")
    agent = build(model)
    agent.tools.add(halve)
    assert say(agent, "half of 8?") == ["4"]
    assert "RuntimeError: bad luck" in results(model.calls[1].messages)[-1]
    assert results(model.calls[2].messages)[-1] == "4.0"


def test_the_last_step_allows_speech_alone(build: Build, script: Script) -> None:
    model = script(note("a"), note("b"), "At last.")
    assert say(build(model), "hi", max_steps=3) == ["At last."]
    assert [prompt.only for prompt in model.calls] == [None, None, frozenset({"send_message"})]


def mute(messages: object, tools: object, only: object) -> ToolCall:
    """Never speaks: where it must, it writes a call that cannot be run."""
    return ToolCall("send_message", {}, error="unreadable") if only else note()


@pytest.mark.parametrize(
    ("config", "option", "steps"), [({}, {}, 12), ({"max_steps": 5}, {}, 5), ({}, {"max_steps": 2}, 2)]
)
def test_a_model_that_never_speaks_ends_in_a_clear_error(
    build: Build, script: Script, config: dict[str, int], option: dict[str, int], steps: int
) -> None:
    model = script(*[mute] * 100)
    with pytest.raises(ModelReplyError, match=f"scripted did not speak in {steps} steps"):
        say(build(model, **config), "hi", **option)
    assert len(model.calls) == steps


def test_a_turn_that_has_spoken_ends_at_the_cap_and_its_message_is_answered(
    build: Build, script: Script, store: Store
) -> None:
    chatty = [ToolCall("send_message", {"message": "and"}), note(heartbeat=True)]
    agent = build(script(*[chatty] * 3))
    assert say(agent, "hi", max_steps=3) == ["and"] * 3
    assert all(message.answered for message in store.log.window(agent.id))


def test_replies_that_cannot_be_read_are_shown_to_the_model(build: Build, script: Script) -> None:
    model = script(ModelReplyError("not JSON"), ModelReplyError("still not"), "Hello.")
    assert say(build(model), "hi") == ["Hello."]
    assert "could not be read and was dropped: not JSON" in model.calls[1].messages[-1].content
    assert "still not" in model.calls[2].messages[-1].content


def test_a_model_that_cannot_be_read_three_times_in_a_row_is_given_up(
    build: Build, script: Script, store: Store
) -> None:
    nonsense = [ModelReplyError(f"nonsense {number}") for number in range(5)]
    model = script(*nonsense[:2], note(), *nonsense[2:])
    agent = build(model)
    with pytest.raises(ModelReplyError, match="nonsense 4"):
        say(agent, "hi")
    assert len(model.calls) == 6
    model.script = ["Here I am."]
    assert agent.run([]).said == ("Here I am.",)


@pytest.mark.parametrize("event", [events.timer("noon"), events.heartbeat("now"), events.login(None)])
def test_who_is_not_spoken_to_need_not_speak(build: Build, script: Script, store: Store, event: Message) -> None:
    agent = build(script(note()))
    turn = agent.run([event])
    assert (turn.said, turn.steps) == ((), 1)
    assert all(message.answered for message in store.log.window(agent.id))


def test_a_timer_s_turn_may_use_every_step_in_silence(build: Build, script: Script, store: Store) -> None:
    model = script(*[note(heartbeat=True)] * 4)
    agent = build(model)
    assert agent.run([events.timer("noon")], max_steps=4).said == ()
    assert model.calls[-1].only is None
    assert all(message.answered for message in store.log.window(agent.id))


def test_a_pause_holds_timers_back_but_not_people(build: Build, script: Script, store: Store) -> None:
    agent = build(script([ToolCall("send_message", {"message": "Good night."}), call("pause_heartbeats", minutes=60)]))
    say(agent, "sleep well")
    written = store.log.count(agent.id)
    for _ in range(3):
        assert agent.run([events.timer("noon")]).steps == 0
    assert store.log.count(agent.id) == written
    agent.model = script("I am awake.", [call("pause_heartbeats", minutes=0)], note())
    assert say(agent, "hello?") == ["I am awake."]
    agent.run([events.heartbeat("again")])
    assert agent.run([events.timer("noon")]).steps == 1


def test_an_inner_monologue_is_kept_with_its_call(build: Build, script: Script) -> None:
    model = script(Reply((note(),), "I should write that down."), "Noted.")
    say(build(model), "I like tea")
    assert model.calls[1].messages[2].content == "I should write that down."


def test_calls_of_one_id_are_told_apart(build: Build, script: Script, store: Store) -> None:
    """Servers that number calls from 0 in every reply."""
    first = [ToolCall("archival_memory_insert", {"content": word}, id="call_0") for word in ("one", "two")]
    model = script(first, ToolCall("fly", {}, id="call_0"), ToolCall("send_message", {"message": "ok"}, id="call_0"))
    agent = build(model)
    assert say(agent, "go") == ["ok"]
    assert store.passages.count(agent.id) == 2
    assert "There is no function" in results(model.calls[2].messages)[-1]


@pytest.mark.parametrize("evil", ["naïve 日本 🎈", "half \ud83d pair", "nul \x00 byte"])
def test_no_text_breaks_the_store(build: Build, script: Script, store: Store, evil: str) -> None:
    def echo(text: str) -> str:
        return text

    calls = (note(evil), call("archival_memory_insert", content=evil), call("echo", True, text=evil), ToolCall(evil))
    model: ScriptedModel = script(Reply(calls, evil), evil, evil)
    agent = build(model)
    agent.tools.add(echo)
    for _ in range(2):
        assert say(agent, evil)
    written = [message.content + message.text for message in store.log.window(agent.id)]
    assert all(text.encode() and "\x00" not in text for text in written)
    every = "".join(str(dict(one.arguments)) for message in store.log.window(agent.id) for one in message.tool_calls)
    assert every.encode() and "\x00" not in every
    assert evil.isprintable() <= (evil in written[0])
