"""Functions that AutoGen runs, beside the memory functions that run inside."""

from __future__ import annotations

import asyncio
import threading
import warnings
from typing import Annotated, Any

import pytest

from memgpt_autogen.client import MemGPT
from memgpt_autogen.messages import ToolCall
from memgpt_autogen.observers import EventReceived

from ..llm.conftest import Loopback
from .members import MemGPTAgent, autogen, completion, group, heard, llm_config, log, member, say, shown, talker, user

pytestmark = pytest.mark.groupchat

REMEMBER = ToolCall("core_memory_append", {"name": "human", "content": "Likes sums."})
ADD = ToolCall("add", {"a": 2, "b": 3})


def add(a: Annotated[int, "first"], b: Annotated[int, "second"]) -> int:
    return a + b


def offered(call: Any) -> set[str]:
    return {tool.name for tool in call.tools}


def results(call: Any) -> dict[str, str]:
    """The results in a prompt, by the call's id."""
    return {one.call_id: one.content for one in call.messages if one.role == "tool"}


@pytest.mark.contract("tools")
def test_a_registered_function_is_called_beside_a_memory_function(memgpt: MemGPT) -> None:
    sam, model = member(memgpt, [[REMEMBER, ADD], "It is 5."])
    executor = user()
    autogen.register_function(add, caller=sam, executor=executor, name="add", description="Adds.")
    result = executor.initiate_chat(sam, message="2 + 3?", max_turns=2, silent=True)
    assert {"add", "send_message", "core_memory_append", "archival_memory_search"} <= offered(model.calls[0])
    assert [call["function"]["name"] for call in result.chat_history[1]["tool_calls"]] == ["add"]
    assert "Likes sums." in model.calls[1].messages[0].content
    assert results(model.calls[1])[ADD.id] == "5"
    assert result.summary == "It is 5."
    assert heard(sam) == [("user", "2 + 3?")]


@pytest.mark.contract("tools")
def test_the_decorators_register_too(memgpt: MemGPT) -> None:
    sam, model = member(memgpt, [ADD, "It is 5."])
    executor = user()
    executor.register_for_execution()(sam.register_for_llm(name="add", description="Adds.")(add))
    result = executor.initiate_chat(sam, message="2 + 3?", max_turns=2, silent=True)
    assert result.summary == "It is 5." and results(model.calls[1])[ADD.id] == "5"
    assert next(tool for tool in model.calls[0].tools if tool.name == "add").parameters["required"] == ["a", "b"]


def test_words_beside_a_call_reach_the_others(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, [[ToolCall("send_message", {"message": "Let me see."}), ADD], "It is 5."])
    executor = user()
    autogen.register_function(add, caller=sam, executor=executor, name="add", description="Adds.")
    result = executor.initiate_chat(sam, message="2 + 3?", max_turns=2, silent=True)
    assert result.chat_history[1]["content"] == "Let me see." and result.summary == "It is 5."


@pytest.mark.contract("tool results")
def test_several_calls_and_one_that_fails_all_come_back(memgpt: MemGPT) -> None:
    calls = [ADD, ToolCall("add", {"a": 1, "b": "x"}), ToolCall("add", {"a": 1})]
    sam, model = member(memgpt, [calls, "Done."])
    executor = user()
    autogen.register_function(add, caller=sam, executor=executor, name="add", description="Adds.")
    executor.initiate_chat(sam, message="sums", max_turns=2, silent=True)
    came = results(model.calls[1])
    assert came[ADD.id] == "5" and all("rror" in came[call.id] for call in calls[1:])


@pytest.mark.contract("tools")
def test_a_group_chat_gives_the_call_to_who_can_run_it(memgpt: MemGPT) -> None:
    sam, model = member(memgpt, [ADD, "It is 5."])
    kim, other = member(memgpt, ["I saw it."], "kim")
    bob, executor = talker("bob"), user()
    autogen.register_function(add, caller=sam, executor=executor, name="add", description="Adds.")
    order = iter([sam, executor, sam, kim])
    manager = group([bob, sam, executor, kim], 5, lambda last, chat: next(order))
    bob.initiate_chat(manager, message="2 + 3?", silent=True)
    assert manager.groupchat.messages[-2]["content"] == "It is 5." and results(model.calls[1])[ADD.id] == "5"
    assert heard(sam) == [("bob", "2 + 3?")]
    assert "calls the function add" in heard(kim)[1][1] and heard(kim)[1][0] == "sam"
    assert "the function returned: 5" in heard(kim)[2][1]
    assert "calls the function add" in shown(other.calls[0])


@pytest.mark.contract("tools")
def test_the_agent_may_be_its_own_executor(memgpt: MemGPT) -> None:
    sam, model = member(memgpt, [ADD, "It is 5."])
    bob = talker("bob")
    sam.register_for_execution()(sam.register_for_llm(name="add", description="Adds.")(add))
    manager = group([bob, sam], 4, lambda last, chat: sam)
    bob.initiate_chat(manager, message="2 + 3?", silent=True)
    assert results(model.calls[1])[ADD.id] == "5"
    assert manager.groupchat.messages[-1]["content"] == "It is 5." and heard(sam) == [("bob", "2 + 3?")]


@pytest.mark.contract("tool results")
def test_a_call_whose_result_never_comes_is_closed(memgpt: MemGPT) -> None:
    sam, model = member(memgpt, [ADD, "Never mind."])
    executor = user()
    autogen.register_function(add, caller=sam, executor=executor, name="add", description="Adds.")
    executor.initiate_chat(sam, message="2 + 3?", max_turns=1, silent=True)
    result = executor.initiate_chat(sam, message="Forget it.", max_turns=1, silent=True)
    assert "never came" in results(model.calls[1])[ADD.id]
    assert result.summary == "Never mind."
    assert [text for _, text in heard(sam)] == ["2 + 3?", "Forget it."]


@pytest.mark.contract("tool results")
def test_calls_that_have_left_the_window_are_still_its_own(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, [ADD, "It is 5.", *["Yes."] * 40])
    executor = user()
    autogen.register_function(add, caller=sam, executor=executor, name="add", description="Adds.")
    executor.initiate_chat(sam, message="2 + 3?", max_turns=2, silent=True)
    told = ["2 + 3?"]
    came: list[str] = []

    def watch(sight: Any) -> None:
        if isinstance(sight, EventReceived):
            came.append(sight.message.text)

    sam.core.observers.append(watch)
    for number in range(20):
        told.append(f"{number} " + "long " * 300)
        executor.initiate_chat(sam, message=told[-1], max_turns=1, silent=True, clear_history=False)
    assert ADD.id not in {call.id for message in log(sam) for call in message.tool_calls}
    assert came == told[1:]


@pytest.mark.contract("tools")
def test_functions_of_the_old_form_work(memgpt: MemGPT) -> None:
    sam, model = member(memgpt, [ADD, "It is 5."])
    schema = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}}
    sam.update_function_signature({"name": "add", "description": "Adds.", "parameters": schema}, is_remove=False)
    executor = user(function_map={"add": lambda a, b: str(a + b)})  # AutoGen's old form wants text
    result = executor.initiate_chat(sam, message="2 + 3?", max_turns=2, silent=True)
    assert result.chat_history[1]["function_call"]["name"] == "add"
    assert {"add", "send_message"} <= offered(model.calls[0])
    assert results(model.calls[1])[ADD.id] == "5" and result.summary == "It is 5."


@pytest.mark.contract("tools")
def test_a_function_given_as_a_tool_runs_inside(memgpt: MemGPT, loopback: Loopback) -> None:
    call = ("lucky_number", {"inner_thoughts": "?", "of": "Ann", "request_heartbeat": True})
    loopback.script = [completion(call), say("7")]

    def lucky_number(of: str) -> int:
        """Looks a lucky number up.

        Args:
            of: whose.
        """
        return 7 if of == "Ann" else 0

    sam = MemGPTAgent("sam", llm_config=llm_config(loopback.address), tools=[lucky_number], memgpt=memgpt)
    result = user().initiate_chat(sam, message="My lucky number?", max_turns=1, silent=True)
    assert [message.get("tool_calls") for message in result.chat_history] == [None, None] and result.summary == "7"
    assert loopback.requests[1].body["messages"][-2]["content"] == "7"


@pytest.mark.contract("tool results")
@pytest.mark.contract("several chats")
def test_chats_at_once_with_functions_get_their_own_results(memgpt: MemGPT) -> None:
    """Both calls wait at the same time; neither chat closes the other's."""
    both = threading.Barrier(2, timeout=20)

    def answer(messages: Any, tools: Any, only: Any) -> Any:
        last = messages[-1]
        if last.kind in ("result", "heartbeat"):
            done = [one.content for one in messages if one.role == "tool"]
            return f"I know {sorted(text for text in done if text.isdigit())}."
        return ToolCall("add", {"a": 10, "b": 1 if last.author == "ann" else 2})

    sam, model = member(memgpt, [answer] * 4)

    async def wait_and_add(a: int, b: int) -> str:
        await asyncio.to_thread(both.wait)
        return str(a + b)

    peers = [talker(name) for name in ("ann", "bob")]
    for peer in peers:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # AutoGen warns of a name that is registered once more
            sam.register_for_llm(name="add", description="Adds.")(wait_and_add)
        peer.register_for_execution(name="add")(wait_and_add)

    async def chats() -> list[Any]:
        running = [peer.a_initiate_chat(sam, message="Sum?", max_turns=2, silent=True) for peer in peers]
        return await asyncio.gather(*running)

    first, second = asyncio.run(chats())
    assert first.chat_history[2]["content"] == "11" and second.chat_history[2]["content"] == "12"
    assert "I know ['11', '12']." in (first.summary, second.summary)
    assert "never came" not in "".join(shown(call) for call in model.calls)
