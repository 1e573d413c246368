"""Strict providers behind autogen's clients: a refused request is sent once more in a form that suits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import pytest
from autogen_core.models import AssistantMessage, FunctionExecutionResultMessage, LLMMessage, SystemMessage, UserMessage

from memgpt_autogen.agentchat import MemGPTAssistant
from memgpt_autogen.client import MemGPT

from .conftest import FakeClient, say

Check = Callable[[Sequence[LLMMessage], Sequence[Any]], str]
IN_TEXT = '{"function": "send_message", "params": {"message": "Hello."}}'


class Refusal(Exception):
    status_code = 400


class StrictClient(FakeClient):
    """Refuses what breaks a check, in words that only an exception carries."""

    def __init__(self, check: Check) -> None:
        super().__init__()
        self.check = check
        self.refusals: list[str] = []

    async def create(self, messages: Sequence[LLMMessage], **kwargs: Any) -> Any:
        words = self.check(messages, kwargs.get("tools", ()))
        if words:
            self.refusals.append(words)
            raise Refusal(words)
        self.script = [say("Hello.") if kwargs.get("tools") else IN_TEXT]
        return await super().create(messages, **kwargs)


def order(messages: Sequence[LLMMessage], tools: Sequence[Any]) -> str:
    pairs = pairwise(messages)
    wrong = any(isinstance(a, FunctionExecutionResultMessage) and isinstance(b, UserMessage) for a, b in pairs)
    return "Unexpected role 'user' after role 'tool'" if wrong else ""


def content(messages: Sequence[LLMMessage], tools: Sequence[Any]) -> str:
    """autogen's client sends the thought of a message with calls as its content, null where there is none."""
    null = any(
        isinstance(one, AssistantMessage) and isinstance(one.content, list) and not one.thought for one in messages
    )
    return "invalid message content type: <nil>" if null else ""


def ids(messages: Sequence[LLMMessage], tools: Sequence[Any]) -> str:
    calls = [call for one in messages if isinstance(one, AssistantMessage) for call in one.content if one.content]
    wrong = any(len(getattr(call, "id", "")) not in (0, 9) for call in calls)
    return "Tool call id must be a-z, A-Z, 0-9, with a length of 9." if wrong else ""


def no_system(messages: Sequence[LLMMessage], tools: Sequence[Any]) -> str:
    return "System role not supported" if any(isinstance(one, SystemMessage) for one in messages) else ""


def no_tools(messages: Sequence[LLMMessage], tools: Sequence[Any]) -> str:
    return "This model does not support tools" if tools else ""


@pytest.mark.parametrize("check", [order, content, ids, no_system, no_tools])
def test_a_form_is_learned_from_one_refusal(memgpt: MemGPT, check: Check) -> None:
    client = StrictClient(check)
    agent = MemGPTAssistant("sam", client, memgpt=memgpt)
    for text in ("one", "two", "three"):
        assert asyncio.run(agent.run(task=text)).messages[-1].content == "Hello."
    assert len(client.refusals) == 1


def test_functions_are_described_where_a_client_says_that_its_model_has_none(memgpt: MemGPT) -> None:
    client = FakeClient([IN_TEXT], calls_functions=False)
    agent = MemGPTAssistant("sam", client, memgpt=memgpt)
    assert asyncio.run(agent.run(task="Hello?")).messages[-1].content == "Hello."
    prompt, tools, choice = client.requests[0]
    assert "archival_memory_search(" in str(prompt) and not tools and choice is None
