"""Who speaks next, and chats that follow from others."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from memgpt_autogen.client import MemGPT
from memgpt_autogen.messages import ToolCall

from .members import IOStream, autogen, group, heard, log, member, spoken, talker, user
from .test_people import Person

pytestmark = pytest.mark.groupchat


@pytest.mark.contract("speaker selection: random")
def test_speakers_by_chance(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, ["s"] * 6)
    kim, _ = member(memgpt, ["k"] * 6, "kim")
    bob = talker("bob", ["b"] * 6)
    manager = group([bob, sam, kim], 7, "random")
    bob.initiate_chat(manager, message="b", silent=True)
    names = [name for name, _ in spoken(manager)]
    assert len(names) == 7 and set(names) <= {"bob", "sam", "kim"}
    assert [name for name, _ in heard(sam)] == [n for n in names[: last(names, "sam")] if n != "sam"]


def last(names: list[str], name: str) -> int:
    return max((index for index, one in enumerate(names) if one == name), default=0)


@pytest.mark.contract("speaker selection: manual")
def test_speakers_named_by_a_person(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, ["s1", "s2"])
    bob, ann = talker("bob"), talker("ann", ["a1"])
    manager = group([bob, ann, sam], 4, "manual")
    with IOStream.set_default(Person("3", "2", "3")):
        bob.initiate_chat(manager, message="b1", silent=True)
    assert spoken(manager) == [("bob", "b1"), ("sam", "s1"), ("ann", "a1"), ("sam", "s2")]


@pytest.mark.contract("allowed transitions")
@pytest.mark.parametrize("kind", ["allowed", "disallowed"])
def test_only_allowed_speakers_follow(memgpt: MemGPT, kind: str) -> None:
    sam, _ = member(memgpt, ["s1", "s2"])
    bob, ann = talker("bob", ["b2"]), talker("ann", ["a1"])
    follows = {bob: [sam], sam: [ann], ann: [bob]}
    against = {one: [other for other in (bob, sam, ann) if other not in follows[one]] for one in follows}
    given = {
        "allowed_or_disallowed_speaker_transitions": follows if kind == "allowed" else against,
        "speaker_transitions_type": kind,
    }
    manager = group([bob, ann, sam], 5, "random", **given)
    bob.initiate_chat(manager, message="b1", silent=True)
    assert [name for name, _ in spoken(manager)] == ["bob", "sam", "ann", "bob", "sam"]
    assert heard(sam) == [("bob", "b1"), ("ann", "a1"), ("bob", "b2")]


@pytest.mark.contract("sequential chats")
def test_sequential_async_chats_carry_over(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, ["Blue."])
    kim, _ = member(memgpt, ["Blue, says Sam."], "kim")
    chat = {"max_turns": 1, "summary_method": "last_msg", "silent": True}
    queue = [
        {**chat, "chat_id": 1, "recipient": sam, "message": "The sky?"},
        {**chat, "chat_id": 2, "prerequisites": [1], "recipient": kim, "message": "And?"},
    ]
    results = asyncio.run(user().a_initiate_chats(queue))
    assert results[2].summary == "Blue, says Sam."
    assert heard(kim) == [("user", "And?\nContext: \nBlue.")]


@pytest.mark.contract("nested chats")
def test_a_nested_chat_asks_a_memory_agent(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, ["Seven.", "Eight."])
    outer = talker("ann")
    nested = {"recipient": sam, "message": "Which number?", "max_turns": 1, "summary_method": "last_msg"}
    asker = user()
    outer.register_nested_chats([nested], trigger=asker)
    results = [asker.initiate_chat(outer, message="hi", max_turns=1, silent=True).summary for _ in range(2)]
    assert results == ["Seven.", "Eight."] and [text for _, text in heard(sam)] == ["Which number?"] * 2


@pytest.mark.contract("summaries")
def test_a_summary_by_a_function_of_the_user_s(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, ["one"])

    def count(sender: Any, recipient: Any, given: Any) -> str:
        return f"{len(recipient.chat_messages[sender])} messages"

    result = user().initiate_chat(sam, message="a", max_turns=1, silent=True, summary_method=count)
    assert result.summary == "2 messages"


@pytest.mark.contract("termination")
def test_a_callable_sees_the_whole_message(memgpt: MemGPT) -> None:
    seen: list[Any] = []

    def over(message: dict[str, Any]) -> bool:
        seen.append(message)
        return message.get("name") == "sam" and "bye" in message["content"]

    sam, _ = member(memgpt, ["hello", "bye"])
    bob = talker("bob", ["b2", "never said"])
    manager = group([bob, sam], 9, manager_is_termination_msg=over)
    bob.initiate_chat(manager, message="b1", silent=True)
    assert spoken(manager)[-1] == ("sam", "bye") and {"content", "role", "name"} <= set(seen[-1])


@pytest.mark.contract("events")
@pytest.mark.contract("run")
def test_run_tells_of_each_message_as_an_event(memgpt: MemGPT) -> None:
    if not hasattr(autogen.ConversableAgent, "run"):
        pytest.skip("this AutoGen has no run()")
    sam, _ = member(memgpt, ["one", "two"], interface_kwargs={"show_inner_thoughts": True})
    response = talker("ann", ["b"]).run(sam, message="a", max_turns=2, user_input=False)
    kinds = [(event.type, getattr(event.content, "content", None)) for event in response.events]
    assert [text for kind, text in kinds if kind == "text"] == ["a", "one", "b", "two"]
    assert response.summary == "two" and len(list(response.messages)) == 4


@pytest.mark.contract("run")
def test_a_run_is_stepped_through(memgpt: MemGPT) -> None:
    if not hasattr(autogen.ConversableAgent, "run_iter"):
        pytest.skip("this AutoGen has no run_iter()")
    sam, _ = member(memgpt, ["one", "two"])
    texts = []
    for event in talker("ann", ["b"]).run_iter(sam, message="a", max_turns=2):
        if event.type == "text":
            texts.append(event.content.content)
    assert texts == ["a", "one", "b", "two"]


@pytest.mark.contract("run")
def test_an_agent_runs_alone_with_tools(memgpt: MemGPT) -> None:
    if not hasattr(autogen.ConversableAgent, "run"):
        pytest.skip("this AutoGen has no run()")
    tool = pytest.importorskip("autogen.tools").tool

    @tool(description="Adds.")
    def add(a: int, b: int) -> int:
        return a + b

    sam, model = member(memgpt, [ToolCall("add", {"a": 2, "b": 3}), "It is 5. TERMINATE"])
    response = sam.run(message="2 + 3?", tools=[add], max_turns=3, user_input=False)
    response.process()
    assert "It is 5." in response.summary and model.calls[1].messages[-1].content == "5"


@pytest.mark.contract("resume")
def test_resuming_asks_for_no_reply_and_stores_nothing_twice(memgpt: MemGPT) -> None:
    sam, model = member(memgpt, ["s1", "s2"])
    bob, ann = talker("bob"), talker("ann", ["a1", "a2"])
    manager = group([bob, ann, sam], 3)
    bob.initiate_chat(manager, message="b1", silent=True)
    before = len(log(sam))
    manager.resume(messages=[dict(message) for message in manager.groupchat.messages], silent=True)
    assert len(model.calls) == 1 and len(log(sam)) == before
