"""Group chats by patterns, handoffs and context variables, as in AutoGen 0.9 and later."""

from __future__ import annotations

from typing import Any

import pytest

from memgpt_autogen.client import MemGPT
from memgpt_autogen.groupchat.agent import MemGPTAgent
from memgpt_autogen.messages import ToolCall

from ..llm.conftest import Loopback
from .members import completion, heard, llm_config, member, say, shown, talker

patterns = pytest.importorskip("autogen.agentchat.group.patterns", reason="this AutoGen has no patterns")
chats = pytest.importorskip("autogen.agentchat.group")
agentchat = pytest.importorskip("autogen.agentchat")

pytestmark = [pytest.mark.groupchat, pytest.mark.contract("patterns and handoffs")]


def named(tools: Any, word: str) -> str:
    return next(tool.name for tool in tools if word in f"{tool.name} {tool.description}")


def test_round_robin(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, ["s1", "s2"])
    kim, _ = member(memgpt, ["k1", "k2"], "kim")
    pattern = patterns.RoundRobinPattern(initial_agent=sam, agents=[sam, kim])
    result, _, _ = agentchat.initiate_group_chat(pattern=pattern, messages="Begin.", max_rounds=5)
    assert [one["content"] for one in result.chat_history if one.get("name") in ("sam", "kim")] == [
        "s1",
        "k1",
        "s2",
        "k2",
    ]
    assert ("sam", "s1") in heard(kim) and ("kim", "k1") in heard(sam)


def test_auto(memgpt: MemGPT, loopback: Loopback) -> None:
    loopback.script = [completion(text="kim")]
    sam, _ = member(memgpt, ["s1"], description="Remembers.")
    kim, _ = member(memgpt, ["k1"], "kim", description="Writes poems.")
    manager = {"llm_config": llm_config(loopback.address)}
    pattern = patterns.AutoPattern(initial_agent=sam, agents=[sam, kim], group_manager_args=manager)
    result, _, last = agentchat.initiate_group_chat(pattern=pattern, messages="Begin.", max_rounds=3)
    assert result.chat_history[-1]["content"] == "k1" and last is kim
    assert "Writes poems." in str(loopback.requests[0].body)


@pytest.mark.contract("context variables")
def test_a_tool_changes_context_and_hands_over(memgpt: MemGPT) -> None:
    kim, other = member(memgpt, ["k1"], "kim")

    def book(town: str, context_variables: Any) -> Any:
        """Book a trip."""
        context_variables["town"] = town
        return chats.ReplyResult(
            message=f"Booked {town}.", target=chats.AgentTarget(kim), context_variables=context_variables
        )

    sam, model = member(memgpt, [lambda _, tools, __: ToolCall(named(tools, "Book a trip"), {"town": "Rome"})])
    sam._add_single_function(book, "book", "Book a trip.")  # as functions=[book] does
    kim.handoffs.set_after_work(chats.TerminateTarget())
    pattern = patterns.DefaultPattern(
        initial_agent=sam, agents=[sam, kim], context_variables=chats.ContextVariables(data={"town": ""})
    )
    result, context, last = agentchat.initiate_group_chat(pattern=pattern, messages="To Rome!", max_rounds=6)
    assert context.get("town") == "Rome" and last is kim and result.chat_history[-1]["content"] == "k1"
    assert "context_variables" not in str(next(one for one in model.calls[0].tools if one.name == "book").parameters)
    assert "Booked Rome." in shown(other.calls[0])


@pytest.mark.contract("context variables")
def test_a_condition_on_context_hands_over_without_a_model(memgpt: MemGPT) -> None:
    sam, model = member(memgpt, ["never said"])
    kim, _ = member(memgpt, ["k1"], "kim")
    sam.handoffs.add_context_condition(
        chats.OnContextCondition(
            target=chats.AgentTarget(kim), condition=chats.StringContextCondition(variable_name="poems")
        )
    )
    kim.handoffs.set_after_work(chats.TerminateTarget())
    pattern = patterns.DefaultPattern(
        initial_agent=sam, agents=[sam, kim], context_variables=chats.ContextVariables(data={"poems": True})
    )
    result, _, last = agentchat.initiate_group_chat(pattern=pattern, messages="Hm.", max_rounds=6)
    assert last is kim and result.chat_history[-1]["content"] == "k1" and not model.calls


def test_the_system_message_may_have_context_in_it(memgpt: MemGPT, loopback: Loopback) -> None:
    update = getattr(pytest.importorskip("autogen"), "UpdateSystemMessage", None)
    if update is None:
        pytest.skip("this AutoGen has no UpdateSystemMessage")
    loopback.script = [say("Ciao.")]
    sam = MemGPTAgent(
        "sam",
        llm_config=llm_config(loopback.address),
        memgpt=memgpt,
        update_agent_state_before_reply=[update("You are in {town}.")],
        context_variables=chats.ContextVariables(data={"town": "Rome"}),
    )
    assert talker("ann").initiate_chat(sam, message="Where?", max_turns=1, silent=True).summary == "Ciao."
    assert "You are in Rome." in loopback.requests[0].body["messages"][0]["content"]
