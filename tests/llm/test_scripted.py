"""The scripted model keeps the contract, and says so when a script does not."""

from __future__ import annotations

import pytest

from memgpt_autogen.errors import ModelServerError
from memgpt_autogen.llm.base import ChatModel
from memgpt_autogen.llm.scripted import Line, ScriptedModel, ScriptError
from memgpt_autogen.messages import Message, Reply, ToolCall

from .conftest import TOOLS

ASK = [Message("user", "x" * 40)]


def test_every_kind_of_line() -> None:
    call = ToolCall("core_memory_append", {"content": "x"})
    script: list[Line] = [
        "hi",
        call,
        [call, call],
        Reply((call,), "hm"),
        lambda messages, tools, only: f"saw {len(messages)}",
        ModelServerError("down"),
        "a summary",
    ]
    model: ChatModel = ScriptedModel(script, context_window=100)
    assert model.complete(ASK, TOOLS).tool_calls[0].arguments == {"message": "hi"}
    assert model.complete(ASK, TOOLS).tool_calls == (call,)
    assert model.complete(ASK, TOOLS).tool_calls == (call, call)
    assert model.complete(ASK, TOOLS).inner_thoughts == "hm"
    assert model.complete(ASK, TOOLS).tool_calls[0].arguments == {"message": "saw 1"}
    with pytest.raises(ModelServerError, match="down"):
        model.complete(ASK, TOOLS)
    assert model.complete(ASK, []).text == "a summary"
    assert model.context_window == 100 and model.count(ASK) == 14 and model.count_tokens("x" * 8) == 2
    with pytest.raises(ScriptError, match="run out at call 8"):
        model.complete(ASK, TOOLS)


def test_only_is_held_to_and_prompts_are_recorded() -> None:
    model = ScriptedModel(["hi", ToolCall("core_memory_append")])
    model.complete(ASK, TOOLS, only=["send_message"], max_tokens=5)
    with pytest.raises(ScriptError, match="allows only"):
        model.complete(ASK, TOOLS, only={"send_message"})
    first = model.calls[0]
    assert (first.messages, first.tools, first.only, first.max_tokens) == (
        tuple(ASK),
        tuple(TOOLS),
        frozenset({"send_message"}),
        5,
    )
