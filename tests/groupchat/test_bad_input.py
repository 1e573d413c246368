"""What should not come, and does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from memgpt_autogen.client import MemGPT
from memgpt_autogen.messages import ToolCall

from .members import group, heard, log, member, shown, spoken, talker

pytestmark = pytest.mark.groupchat

HOUSE = Path(__file__).resolve().parents[2]
WITHOUT_AUTOGEN = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "autogen":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
import memgpt_autogen, memgpt_autogen.client
try:
    import memgpt_autogen.groupchat.agent
except ImportError as error:
    print(type(error).__name__, error)
"""


def test_without_autogen_the_error_names_the_extra() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_AUTOGEN], cwd=HOUSE, capture_output=True, text=True, timeout=60, check=True
    )
    assert "MissingDependency" in done.stdout and "pip install 'memgpt-autogen[autogen]'" in done.stdout


PICTURE = [{"type": "text", "text": "Look:"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]


@pytest.mark.contract("message dict")
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, []),
        ("", []),
        (PICTURE, [("ann", "Look:\n[image attached]")]),
        (lambda context: f"For {context['who']}.", [("ann", "For you.")]),
    ],
    ids=["none", "empty", "picture", "callable"],
)
def test_content_of_any_kind_gets_a_reply(memgpt: MemGPT, content: Any, told: list[tuple[str, str]]) -> None:
    sam, model = member(memgpt, ["one"], is_termination_msg=lambda _: False)  # AutoGen's own wants text
    message = {"role": "user", "name": "ann", "content": content, "context": {"who": "you"}}
    assert sam.generate_reply(messages=[message], sender=talker("ann")) == "one"
    assert heard(sam) == told
    assert model.calls[0].messages[-1].role == "user"  # providers refuse a prompt of a system message alone


@pytest.mark.contract("message dict")
def test_an_empty_message_in_a_chat_gets_a_reply(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, ["one"])
    result = talker("ann").initiate_chat(sam, message="", max_turns=1, silent=True)
    assert result.chat_history[-1]["content"] == "one" and heard(sam) == []


@pytest.mark.contract("pictures")
def test_a_picture_in_a_chat_is_named(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, ["one"])
    talker("ann").initiate_chat(sam, message={"content": PICTURE}, max_turns=1, silent=True)
    assert heard(sam) == [("ann", "Look:\n[image attached]")]


def test_a_model_that_calls_what_is_not_there_is_told_and_the_chat_goes_on(memgpt: MemGPT) -> None:
    wrong = [
        ToolCall("fly", {"to": "the moon"}),
        ToolCall("core_memory_append", {"name": "human", "content": 7, "nonsense": True}),
        ToolCall("archival_memory_search", {"query": "x", "page": "second"}),
        ToolCall("send_message", {}),
    ]
    sam, model = member(memgpt, [*wrong, "s1"])
    bob = talker("bob")
    manager = group([bob, sam], 2)
    bob.initiate_chat(manager, message="b1", silent=True)
    assert spoken(manager) == [("bob", "b1"), ("sam", "s1")]
    assert len(model.calls) == 5
    assert "no function 'fly'" in shown(model.calls[1]) and shown(model.calls[4]).count("Failed: ") == 4


def test_a_model_that_never_speaks_is_made_to(memgpt: MemGPT) -> None:
    def answer(messages: Any, tools: Any, only: Any) -> Any:
        return "At last." if only else ToolCall("archival_memory_search", {"query": "x"})

    sam, model = member(memgpt, [answer] * 12)
    result = talker("ann").initiate_chat(sam, message="a", max_turns=1, silent=True)
    assert result.summary == "At last." and len(model.calls) == 12


@pytest.mark.contract("crashes")
def test_an_interrupt_in_the_middle_of_a_turn_loses_nothing(memgpt: MemGPT) -> None:
    remember = ToolCall("core_memory_append", {"name": "human", "content": "Is Ann.", "request_heartbeat": True})
    sam, model = member(memgpt, [remember, KeyboardInterrupt(), "Hello Ann.", "two"])
    ann = talker("ann")
    with pytest.raises(KeyboardInterrupt):
        ann.initiate_chat(sam, message="I am Ann.", max_turns=1, silent=True)
    ann.initiate_chat(sam, message="Still there?", max_turns=1, silent=True)
    ann.initiate_chat(sam, message="Good.", max_turns=1, silent=True, clear_history=False)
    assert heard(sam) == [("ann", "I am Ann."), ("ann", "Still there?"), ("ann", "Good.")]
    assert "Is Ann." in model.calls[2].messages[0].content


@pytest.mark.contract("crashes")
def test_an_interrupt_in_a_group_chat_loses_nothing(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, [KeyboardInterrupt(), "s1"])
    bob, ann = talker("bob"), talker("ann", ["a1"])
    manager = group([bob, ann, sam], 3)
    with pytest.raises(KeyboardInterrupt):
        bob.initiate_chat(manager, message="b1", silent=True)
    assert heard(sam) == [("bob", "b1"), ("ann", "a1")]
    last, message = manager.resume(messages=manager.groupchat.messages, silent=True)
    last.initiate_chat(manager, message=message, clear_history=False, silent=True)
    assert spoken(manager)[:3] == [("bob", "b1"), ("ann", "a1"), ("sam", "s1")]
    assert heard(sam)[:2] == [("bob", "b1"), ("ann", "a1")]
    assert [message.text for message in log(sam) if message.kind == "reply"] == ["s1"]


@pytest.mark.contract("tool results")
def test_a_scripted_error_of_autogen_s_tools_is_a_result_like_any_other(memgpt: MemGPT) -> None:
    sam, model = member(memgpt, [ToolCall("add", {"a": 1}), "It cannot be done."])
    ann = talker("ann")
    sam.update_tool_signature(
        {"type": "function", "function": {"name": "add", "description": "", "parameters": {"type": "object"}}},
        is_remove=False,
    )
    result = ann.initiate_chat(sam, message="a", max_turns=2, silent=True)
    assert "not found" in shown(model.calls[1])
    assert result.summary == "It cannot be done."


@pytest.mark.parametrize("text", ["cut here \ud83d", "caf\udce9", "nul \x00 here"])
def test_text_that_no_store_takes_does_not_cost_the_words_of_others(memgpt: MemGPT, text: str) -> None:
    sam, _ = member(memgpt, ["Hello.", "Still here."])
    ann, bob, eve = talker("ann"), talker("bob"), talker("eve")
    assert ann.initiate_chat(sam, message="Hi", max_turns=1, silent=True).summary == "Hello."
    bob.send({"content": text, "name": text}, sam, request_reply=False, silent=True)
    bob.send(text, sam, request_reply=False, silent=True)
    eve.send("my code is 7391", sam, request_reply=False, silent=True)
    sam.save()
    assert "my code is 7391" in [words for _, words in heard(sam)]
    assert (
        bob.initiate_chat(sam, message="Well?", max_turns=1, silent=True, clear_history=False).summary == "Still here."
    )
