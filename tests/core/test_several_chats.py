"""One agent in several conversations, and what asks it for a turn while it is in one."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from memgpt_autogen import events
from memgpt_autogen.agent import Agent
from memgpt_autogen.agent.results import Turn
from memgpt_autogen.errors import AgentBusy
from memgpt_autogen.messages import ToolResult, ToolSchema
from memgpt_autogen.storage import locks
from memgpt_autogen.storage.base import Store
from tests.windows import open_calls

from .conftest import Build, Script, call, results, say

WEATHER = ToolSchema("weather", "The weather.", {"type": "object", "properties": {"town": {"type": "string"}}})


def said_in(agent: Agent, chat: str, text: str) -> Turn:
    message = events.user_message(text, conversation_id=chat)
    return agent.run([message], tools=[WEATHER], must_speak=True, conversation=chat)


def test_a_pending_call_outlives_a_turn_in_another_conversation(build: Build, script: Script, store: Store) -> None:
    first, second = call("weather", town="Rome"), call("weather", town="Oslo")
    model = script(first, second, "Hello.", "Sunny in Rome.", "Grey in Oslo.")
    agent = build(model)
    assert said_in(agent, "ann", "Rome?").pending == (first,)
    assert said_in(agent, "bob", "Oslo?").pending == (second,)
    assert said_in(agent, "cem", "Hi.").said == ("Hello.",)
    window = store.log.window(agent.id)
    assert (open_calls(window, "ann"), open_calls(window, "bob"), open_calls(window, "cem")) == ([first], [second], [])
    assert all("Still running" in text for text in results(model.calls[2].messages)[:2])
    for chat, asked, found in (("ann", first, "sunny"), ("bob", second, "grey")):
        agent.run(results=[ToolResult(asked.id, "weather", found)], must_speak=True, conversation=chat)
    assert ["sunny" in results(model.calls[3].messages)[0], "grey" in results(model.calls[4].messages)[1]] == [True] * 2
    assert "The result of weather has come" in model.calls[3].messages[-1].content
    assert not open_calls(store.log.window(agent.id), "ann") and not open_calls(store.log.window(agent.id), "bob")


def test_a_pending_call_is_closed_by_its_own_conversation_only(build: Build, script: Script, store: Store) -> None:
    asked = call("weather", town="Rome")
    model = script(asked, "Hello.", "Never mind then.")
    agent = build(model)
    said_in(agent, "ann", "Rome?")
    said_in(agent, "bob", "Hi.")
    assert said_in(agent, "ann", "Forget it.").said == ("Never mind then.",)
    assert "never came" in results(model.calls[2].messages)[0]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("by_pool", [False, True])
def test_a_function_whose_own_thread_asks_the_agent_is_told_so(
    build: Build, script: Script, monkeypatch: pytest.MonkeyPatch, by_pool: bool
) -> None:
    monkeypatch.setattr(locks, "WAIT_OF_NEW_THREADS", 0.2)
    agent = build(script(call("ask_myself", True), "So be it."))
    caught: list[AgentBusy] = []

    def ask() -> None:
        try:
            say(agent, "you there?")
        except AgentBusy as error:
            caught.append(error)

    def ask_myself() -> str:
        if by_pool:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(ask).result()
        else:
            thread = threading.Thread(target=ask)
            thread.start()
            thread.join()
        return "done"

    agent.tools.add(ask_myself)
    assert say(agent, "ask yourself") == ["So be it."]
    assert len(caught) == 1 and "its function ask_myself has been running" in str(caught[0])


def test_a_thread_that_was_there_before_waits_its_turn(
    build: Build, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "WAIT_OF_NEW_THREADS", 0.2)
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> str:
        begun.set()
        go_on.wait(10)
        return "done"

    agent = build(script(call("slow", True), "first", "second"))
    agent.tools.add(slow)
    with ThreadPoolExecutor(2) as pool:

        def other() -> list[str]:
            begun.wait(10)
            threading.Timer(0.8, go_on.set).start()
            return say(agent, "two")

        waiting = pool.submit(other)
        assert pool.submit(say, agent, "one").result() == ["first"]
        assert waiting.result() == ["second"]
