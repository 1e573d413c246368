"""MemGPTAssistantAgent is an AssistantAgent: its defaults, its order of arguments, with and without a model."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import memgpt_autogen
from memgpt_autogen.client import MemGPT
from memgpt_autogen.groupchat.agent import MemGPTAgent
from memgpt_autogen.groupchat.assistant import _ORDER, MemGPTAssistantAgent

from ..llm.conftest import Loopback
from .members import autogen, llm_config, say, user

pytestmark = [pytest.mark.groupchat, pytest.mark.contract("assistant agent")]


@pytest.mark.parametrize("config", [None, False, "hosted"])
def test_it_has_an_assistant_s_defaults(memgpt: MemGPT, config: Any) -> None:
    given = llm_config("http://127.0.0.1:9") if config == "hosted" else config
    mine = MemGPTAssistantAgent("sam", llm_config=given, memgpt=memgpt)
    plain = autogen.AssistantAgent("sam", llm_config=given)
    assert isinstance(mine, autogen.AssistantAgent) and isinstance(mine, MemGPTAgent)
    for name in ("system_message", "description", "human_input_mode"):
        assert getattr(mine, name) == getattr(plain, name)
    assert mine._is_termination_msg({"content": "TERMINATE"}) == plain._is_termination_msg({"content": "TERMINATE"})
    assert memgpt_autogen.MemGPTAssistantAgent is MemGPTAssistantAgent


def test_its_arguments_have_an_assistant_s_order() -> None:
    listed = [name for name in inspect.signature(autogen.AssistantAgent.__init__).parameters if name != "kwargs"]
    assert tuple(listed[3:]) == _ORDER
    agent = MemGPTAssistantAgent("sam", "Be brief.", False, None, 3, "ALWAYS", "A sage.")
    assert (agent.system_message, agent.human_input_mode, agent.description) == ("Be brief.", "ALWAYS", "A sage.")
    assert agent.max_consecutive_auto_reply() == 3


def test_without_a_model_nobody_is_asked(memgpt: MemGPT) -> None:
    agent = MemGPTAssistantAgent("sam", is_termination_msg=lambda message: True)
    assert user().initiate_chat(agent, message="x", max_turns=1, silent=True).chat_history[0]["content"] == "x"


def test_its_default_system_message_reaches_the_model(memgpt: MemGPT, loopback: Loopback) -> None:
    loopback.script = [say("```python\nprint(6 * 7)\n```")]
    agent = MemGPTAssistantAgent("sam", llm_config=llm_config(loopback.address), memgpt=memgpt)
    user().initiate_chat(agent, message="6 times 7?", max_turns=1, silent=True)
    assert "suggest python code" in loopback.requests[0].body["messages"][0]["content"]


@pytest.mark.parametrize("method", ["round_robin", "auto"])
def test_it_is_found_where_autogen_looks_for_assistants(memgpt: MemGPT, method: str) -> None:
    one = MemGPTAssistantAgent("one", "I code.", llm_config("http://127.0.0.1:9"), memgpt=memgpt)
    chat = autogen.GroupChat([user(), one], [], speaker_selection_method=method)
    assert chat.agent_by_name("one") is one and one.description == "I code."
