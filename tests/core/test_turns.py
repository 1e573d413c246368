"""What lasts beyond a turn: messages that wait for a dead server, functions of the caller's, sessions, observers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from memgpt_autogen import events
from memgpt_autogen.errors import AgentBusy, ConfigError, ModelServerError
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.messages import Message, Reply, ToolCall, ToolResult, ToolSchema, utc_now
from memgpt_autogen.observers import AgentEvent, EventReceived, FunctionCalled, FunctionReturned, InnerThoughts, Said
from memgpt_autogen.storage.base import Store
from tests.windows import open_calls

from .conftest import Build, Script, call, note, results, say

WEATHER = ToolSchema(
    "weather", "The weather.", {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]}
)


class DeadServer(ScriptedModel):
    """As a llama.cpp server that is down: it cannot even count."""

    alive = False

    def count_tokens(self, text: str) -> int:
        if not self.alive:
            raise ModelServerError("connection refused")
        return super().count_tokens(text)


# -- nothing is lost ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [ModelServerError("down"), KeyboardInterrupt(), MemoryError()], ids=repr)
def test_what_was_said_to_a_dead_server_is_answered_when_it_is_back(
    build: Build, script: Script, store: Store, fault: BaseException
) -> None:
    model = script(fault, "You asked for the time.")
    agent = build(model)
    with pytest.raises(type(fault)):
        say(agent, "What time is it?")
    assert [(message.text, message.answered) for message in store.log.window(agent.id)] == [("What time is it?", False)]
    assert agent.run([]).said == ("You asked for the time.",)
    assert all(message.answered for message in store.log.window(agent.id))


def test_two_messages_that_waited_are_answered_together(build: Build, script: Script) -> None:
    model = script(ModelServerError("down"), "Both heard.")
    agent = build(model)
    with pytest.raises(ModelServerError):
        say(agent, "first")
    assert say(agent, "second") == ["Both heard."]
    assert ["first" in model.calls[1].messages[1].content, "second" in model.calls[1].messages[2].content] == [True] * 2


def test_a_server_that_dies_in_the_middle_of_a_turn_keeps_the_steps_before(
    build: Build, script: Script, store: Store
) -> None:
    model = script(note("likes tea", heartbeat=True), ModelServerError("down"), "Noted.")
    agent = build(model)
    with pytest.raises(ModelServerError):
        say(agent, "I like tea")
    assert agent.run([]).said == ("Noted.",)
    assert results(model.calls[2].messages)[-1].startswith("Core memory human updated")
    assert store.agents.blocks(agent.id)[1].version == 2


def test_a_message_is_kept_by_a_server_that_cannot_even_count(build: Build, store: Store) -> None:
    model = DeadServer(["Here again."])
    agent = build(model)
    with pytest.raises(ModelServerError):
        say(agent, "hello " * 50)
    assert [message.answered for message in store.log.window(agent.id)] == [False]
    model.alive = True
    assert agent.run([]).said == ("Here again.",)


def test_a_message_is_kept_by_a_window_too_small(build: Build, script: Script, store: Store) -> None:
    agent = build(script("Now I can hear you."))
    with pytest.raises(ConfigError):
        say(agent, "hello", model=ScriptedModel(["never"], context_window=1024))
    assert agent.run([]).said == ("Now I can hear you.",)


def test_the_caller_s_own_record_is_kept_or_lost_with_the_events(build: Build, script: Script, store: Store) -> None:
    def fail() -> None:
        raise RuntimeError("no")

    agent = build(script("hi"))
    with pytest.raises(RuntimeError):
        say(agent, "hello", on_commit=fail)
    assert store.log.count(agent.id) == 0
    seen: list[int] = []
    assert say(agent, "hello", on_commit=lambda: seen.append(store.log.count(agent.id))) == ["hi"]
    assert seen == [1]


def test_an_agent_that_is_asked_from_within_its_own_turn_refuses(build: Build, script: Script) -> None:
    agent = build(script(call("ask_myself", True), "Here."))

    def ask_myself() -> str:
        return say(agent, "you there?")[0]

    agent.tools.add(ask_myself)
    with pytest.raises(AgentBusy, match="nested chat"):
        say(agent, "ask yourself")
    assert agent.run([]).said == ("Here.",)
    other = build(script("free"), "other")
    with agent.store.lock(agent.id), pytest.raises(AgentBusy):
        say(agent, "hi")
    assert say(other, "hi") == ["free"]


# -- functions of the caller's --------------------------------------------------------------------------------------


def test_a_call_of_the_caller_s_function_waits_and_memory_is_written_at_once(
    build: Build, script: Script, store: Store
) -> None:
    asked = call("weather", town="Rome")
    model = script([note("travels to Rome"), asked], "Sunny.")
    agent = build(model)
    turn = agent.run([events.user_message("And the weather?")], tools=[WEATHER])
    assert (turn.said, turn.pending) == ((), (asked,))
    assert "weather" in [tool.name for tool in model.calls[0].tools]
    assert "travels to Rome" in store.agents.blocks(agent.id)[1].value
    assert open_calls(store.log.window(agent.id)) == [asked]
    again = build(model)  # as after a restart: the pending call is in the store
    turn = again.run(results=[ToolResult(asked.id, "weather", "25 degrees")], tools=[WEATHER])
    assert turn.said == ("Sunny.",)
    assert "25 degrees" in model.calls[1].messages[-1].content
    assert all(message.answered for message in store.log.window(agent.id))


def test_several_pending_calls_get_their_own_results_whatever_the_order(build: Build, script: Script) -> None:
    asked = [call("weather", town=town) for town in ("Rome", "Oslo")]
    model = script(asked, "Sunny and grey.")
    agent = build(model)
    agent.run([events.user_message("weather?")], tools=[WEATHER])
    came = [ToolResult(asked[1].id, "weather", "grey"), ToolResult(asked[0].id, "weather", "sunny", failed=False)]
    assert agent.run(results=came, tools=[WEATHER]).said == ("Sunny and grey.",)
    assert ["sunny" in results(model.calls[1].messages)[0], "grey" in results(model.calls[1].messages)[1]] == [True] * 2


def test_a_pending_call_is_closed_when_a_new_message_comes(build: Build, script: Script, store: Store) -> None:
    asked = call("weather", town="Rome")
    model = script(asked, "Never mind then.", "Still here.")
    agent = build(model)
    agent.run([events.user_message("weather?")], tools=[WEATHER])
    assert say(agent, "forget it") == ["Never mind then."]
    assert "The result never came" in results(model.calls[1].messages)[-1]
    late = ToolResult(asked.id, "weather", "25 degrees")
    assert agent.run([events.user_message("hm")], results=[late]).said == ("Still here.",)
    assert not open_calls(store.log.window(agent.id))


def test_one_result_of_two_closes_the_other(build: Build, script: Script) -> None:
    asked = [call("weather", town=town) for town in ("Rome", "Oslo")]
    model = script(asked, "Half of it.")
    agent = build(model)
    agent.run([events.user_message("weather?")], tools=[WEATHER])
    assert agent.run(results=[ToolResult(asked[0].id, "weather", "sunny")]).said == ("Half of it.",)
    assert "never came" in results(model.calls[1].messages)[1]


def test_results_are_kept_by_a_dead_server(build: Build, script: Script) -> None:
    asked = call("weather", town="Rome")
    agent = build(script(asked, ModelServerError("down"), "Sunny."))
    agent.run([events.user_message("weather?")], tools=[WEATHER])
    with pytest.raises(ModelServerError):
        agent.run(results=[ToolResult(asked.id, "weather", "sunny")], tools=[WEATHER])
    assert agent.run([], tools=[WEATHER]).said == ("Sunny.",)


def test_a_call_of_the_caller_s_function_that_cannot_be_read_fails_at_once(build: Build, script: Script) -> None:
    model = script(ToolCall("weather", {}, error="cut off"), "Sorry.")
    assert build(model).run([events.user_message("weather?")], tools=[WEATHER]).said == ("Sorry.",)
    assert "cut off" in results(model.calls[1].messages)[-1]


def test_instructions_of_the_caller_s_stand_in_the_system_prompt_of_that_turn_alone(
    build: Build, script: Script
) -> None:
    model = script("a", "b")
    agent = build(model)
    say(agent, "hi", instructions="Answer in one letter.")
    say(agent, "hi")
    assert ["one letter" in prompt.messages[0].content for prompt in model.calls] == [True, False]


# -- heard without a turn ---------------------------------------------------------------------------------------------


def test_what_was_only_heard_is_answered_with_the_next_turn(build: Build, script: Script, store: Store) -> None:
    model = script("Both of you are right.")
    agent = build(model)
    agent.hear([events.user_message("It is green.", name="Ann")])
    agent.hear([events.user_message("It is blue.", name="Bob")])
    assert [message.answered for message in store.log.window(agent.id)] == [False, False] and not model.calls
    assert agent.run([]).said == ("Both of you are right.",)


def test_an_agent_hears_with_a_dead_server_too(build: Build, script: Script) -> None:
    agent = build(DeadServer(), "sam")
    agent.hear([events.user_message("It is green.")])
    assert agent.run([], model=script("Indeed.")).said == ("Indeed.",)


def test_a_caller_may_wait_for_words_that_nobody_asked_for(build: Build, script: Script) -> None:
    model = script(note(), "I am here.")
    assert build(model).run([events.heartbeat("go on")], must_speak=True).said == ("I am here.",)


def test_a_function_that_fails_time_and_again_is_not_offered_any_more(build: Build, script: Script) -> None:
    bad = [call("core_memory_append", name="pets", content=str(number)) for number in range(3)]
    model = script(*bad, "Sorry.")
    assert say(build(model), "go") == ["Sorry."]
    assert [prompt.only is None for prompt in model.calls] == [True, True, True, False]
    assert model.calls[3].only and "core_memory_append" not in model.calls[3].only


# -- sessions and observers -----------------------------------------------------------------------------------------


def sessions(store: Store, agent_id: str) -> list[str | None]:
    return [message.session_id for message in store.log.window(agent_id) if message.kind == "user_message"]


def test_a_pause_opens_a_new_session(build: Build, script: Script, store: Store) -> None:
    agent = build(script("a", "b", "c"))
    say(agent, "one")
    say(agent, "two")
    store.log.append(agent.id, [events.system_alert("old", at=utc_now() - timedelta(minutes=31))])
    say(agent, "three")
    one, two, three = sessions(store, agent.id)
    assert one and three and one == two != three


def test_a_new_agent_object_opens_a_new_session(build: Build, script: Script, store: Store) -> None:
    model = script("a", "b")
    say(build(model), "one")
    agent = build(model)
    say(agent, "two")
    first, second = sessions(store, agent.id)
    assert first and second and first != second
    assert len({message.session_id for message in store.log.window(agent.id)}) == 2


def test_observers_see_what_happens_in_its_order(build: Build, script: Script) -> None:
    seen: list[AgentEvent] = []
    writes, speaks = note(), ToolCall("send_message", {"message": "Hi."})
    event = events.user_message("hello")
    agent = build(script(Reply((writes, speaks), "be brief")))
    agent.observers.append(seen.append)
    agent.run([event])
    kinds = [EventReceived, InnerThoughts, FunctionCalled, FunctionCalled, FunctionReturned, FunctionReturned, Said]
    assert [type(sight) for sight in seen] == kinds
    assert seen[0] == EventReceived(event) and seen[1] == InnerThoughts("be brief")
    assert seen[2] == FunctionCalled(writes) and seen[-1] == Said("Hi.")


def test_what_an_observer_hears_is_in_the_store_already(build: Build, script: Script, store: Store) -> None:
    heard: list[Sequence[Message]] = []
    agent = build(script("Hi."))
    agent.observers.append(lambda sight: heard.append(store.log.tail(agent.id, 9)) if isinstance(sight, Said) else None)
    say(agent, "hello")
    assert [message.text for message in heard[0]] == ["hello", "Hi.", ""]


def test_pausing_timers_is_offered_once_timers_wake_the_agent(build: Build, script: Script) -> None:
    model = script("Hi.", "Tick.", "Hi again.", "Still here.")
    agent = build(model)
    say(agent, "hello")
    agent.run([events.timer("hourly")], must_speak=True)
    say(agent, "hello")
    build(model).run([events.user_message("hello")])  # opened anew: the log knows of the timer
    offered = ["pause_heartbeats" in [tool.name for tool in call.tools] for call in model.calls]
    assert offered == [False, True, True, True]
