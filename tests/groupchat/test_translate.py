"""AutoGen's dicts and the core's events."""

from __future__ import annotations

from typing import Any

import pytest

from memgpt_autogen.agent.results import Turn
from memgpt_autogen.groupchat import translate
from memgpt_autogen.messages import ToolCall

pytestmark = pytest.mark.groupchat


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, ""),
        ("plain", "plain"),
        ([{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {}}], "look\n[image attached]"),
        (["a", {"type": "input_audio"}], "a\n[input_audio attached]"),
        (lambda context: f"for {context['who']}", "for you"),
        (17, "17"),
    ],
)
def test_any_content_has_a_text(content: Any, text: str) -> None:
    assert translate.content_text(content, {"who": "you"}) == text


def test_a_message_becomes_an_event_with_its_speaker() -> None:
    event = translate.to_event({"content": "hi", "name": "Ann", "role": "user"}, "chat", None)
    assert event is not None
    assert (event.kind, event.content, event.author) == ("user_message", "hi", "Ann")
    assert (event.text, event.author, event.conversation_id, event.answered) == ("hi", "Ann", "chat", False)


def test_what_the_manager_says_itself_comes_from_the_system() -> None:
    event = translate.to_event({"content": "Hello everyone.", "name": "chat_manager"}, "chat", "chat_manager")
    assert event is not None and event.kind == "system_alert"


def test_an_empty_message_is_no_event() -> None:
    assert translate.to_event({"content": None, "name": "Ann"}, "chat", None) is None
    assert translate.to_event({"content": "", "name": "Ann"}, "chat", None) is None


@pytest.mark.parametrize(
    ("message", "own"),
    [
        ({"role": "assistant", "name": "sam", "content": "x"}, True),
        ({"role": "user", "name": "sam", "content": "x"}, True),
        ({"role": "user", "name": "ann", "content": "x"}, False),
        ({"role": "assistant", "content": "x"}, True),
        ({"role": "user", "content": "x"}, False),
        ({"role": "assistant", "content": None, "tool_calls": [{"id": "mine"}]}, True),
        ({"role": "assistant", "content": None, "tool_calls": [{"id": "theirs"}]}, False),
        ({"role": "tool", "name": "sam", "content": "x", "tool_responses": []}, False),
    ],
)
def test_own_messages_are_known(message: dict[str, Any], own: bool) -> None:
    assert translate.is_own(message, "sam", {"mine"}) is own


def test_results_are_paired_with_the_calls_that_wait() -> None:
    call = ToolCall("add", {"a": 1}, id="c1")
    message = {
        "role": "tool",
        "content": "3\n4",
        "tool_responses": [
            {"tool_call_id": "c1", "role": "tool", "content": 3},
            {"tool_call_id": "other", "role": "tool", "content": "4"},
        ],
    }
    assert [(one.call_id, one.content) for one in translate.results_for(message, [call])] == [("c1", "3")]
    old = {"role": "function", "name": "add", "content": "3"}
    assert translate.results_for(old, [call])[0].content == "3"
    assert translate.results_for({"role": "user", "content": "hi"}, [call]) == []


def test_replies() -> None:
    assert translate.to_reply(Turn(said=("one", "two"))) == "one\ntwo"
    assert translate.to_reply(Turn()) is None
    pending = (ToolCall("add", {"a": "ü"}, id="c1"),)
    assert translate.to_reply(Turn(said=("wait",), pending=pending)) == {
        "content": "wait",
        "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": "ü"}'}}],
    }
    assert translate.to_reply(Turn(pending=pending), {"add"}) == {
        "content": None,
        "function_call": {"name": "add", "arguments": '{"a": "ü"}'},
    }


def test_calls_and_results_of_others_are_told_in_words() -> None:
    calls = {"content": None, "tool_calls": [{"id": "x", "function": {"name": "add", "arguments": "{}"}}]}
    assert translate.text_of(calls) == "(calls the function add with {})"
    results = {"role": "tool", "content": "3", "tool_responses": [{"tool_call_id": "x", "content": "3"}]}
    assert translate.text_of(results) == "(the function returned: 3)"
