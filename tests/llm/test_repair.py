"""Reading calls out of free text."""

from __future__ import annotations

import json
from typing import Any

import pytest

from memgpt_autogen.errors import ModelReplyError
from memgpt_autogen.llm.repair import check_calls, parse_calls, to_call
from memgpt_autogen.messages import ToolCall

from .conftest import SEARCH, TOOLS

HI = ("send_message", {"message": "hi"})


def call(message: str = "hi", **more: Any) -> str:
    return json.dumps({"function": "send_message", "params": {"message": message, **more}})


@pytest.mark.parametrize(
    "text",
    [
        call(),
        '{"name": "send_message", "arguments": {"message": "hi"}}',
        '{"name": "send_message", "parameters": {"message": "hi"}}',
        '{"name": "send_message", "arguments": "{\\"message\\": \\"hi\\"}"}',
        '{"id": 1, "function": {"name": "send_message", "arguments": "{\\"message\\": \\"hi\\"}"}}',
        '{"tool_calls": [{"function": {"name": "send_message", "arguments": {"message": "hi"}}}]}',
        '[{"name": "send_message", "arguments": {"message": "hi"}}]',
        f"```json\n{call()}\n```",
        f"Sure, I will do that:\n\n{call()}\n\nI hope that helps.",
        f"<tool_call>\n{call()}\n</tool_call>",
        call().replace("send_message", "Send_Message"),
        call().replace("send_message", "functions.send_message"),
        "{'function': 'send_message', 'params': {'message': 'hi'}}",
        '{function: "send_message", params: {message: "hi",},}',
        '{"function": "send_message", "params": {"message": "hi"}',
        '{"function": "send_message", "params": {"message": "hi"',
        '```\n{"function": "send_message", "params": {"message": "hi"}\n```',
    ],
)
def test_a_call_is_read_in_any_dress(text: str) -> None:
    calls, thoughts = parse_calls(text, TOOLS)
    assert [(c.name, dict(c.arguments)) for c in calls] == [HI]
    assert all(c.error is None for c in calls) and thoughts == ""


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ('"He said "hi" to me"', 'He said "hi" to me'),
        ('"a 5" pipe"', 'a 5" pipe'),
        ('"two\nlines"', "two\nlines"),
        ('"braces } { in text"', "braces } { in text"),
        ('"lone \\ud83d half, whole \\ud83d\\ude00"', "lone ? half, whole 😀"),
    ],
)
def test_broken_strings_are_mended(broken: str, message: str) -> None:
    calls, _ = parse_calls('{"function": "send_message", "params": {"message": ' + broken + "}}", TOOLS)
    assert calls[0].arguments == {"message": message}
    calls[0].arguments["message"].encode("utf-8")


def test_several_calls_in_a_row_keep_their_order() -> None:
    text = f'{call("one")}\n{call("two")} {{"function": "nope", "params": {{}}}}'
    calls, _ = parse_calls(text, TOOLS)
    assert [(c.name, c.arguments.get("message")) for c in calls] == [
        ("send_message", "one"),
        ("send_message", "two"),
        ("nope", None),
    ]
    assert len({c.id for c in calls}) == 3


def test_inner_thoughts_are_taken_out_wherever_they_stand() -> None:
    assert parse_calls(call(inner_thoughts="hm"), TOOLS)[1] == "hm"
    calls, thoughts = parse_calls('{"inner_thoughts": "so", ' + call()[1:], TOOLS)
    assert thoughts == "so" and calls[0].arguments == {"message": "hi"}


WHOLE = json.dumps({"function": "send_message", "params": {"inner_thoughts": "a {b}", "message": 'say "x", done'}})


@pytest.mark.parametrize("length", range(1, len(WHOLE) - 2))
def test_a_call_cut_anywhere_is_never_taken_for_a_whole_one(length: int) -> None:
    try:
        calls, _ = parse_calls(WHOLE[:length], TOOLS)
        check_calls(calls, TOOLS, None, WHOLE[:length])
    except ModelReplyError as error:
        assert error.text == WHOLE[:length]
    else:
        pytest.fail(f"{WHOLE[:length]!r} gave {calls}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello there!",
        '{"function": "other", "params": {}}',
        '{"message": "hi"}',
        '{"function": "send_message", "params": {"message": "hi", "request_heartbeat"',
        '{"function": "send_message", "params": {"message": "hi", "page": 1',
    ],
)
def test_what_is_no_call_is_an_error_with_the_text(text: str) -> None:
    with pytest.raises(ModelReplyError) as caught:
        parse_calls(text, TOOLS)
    assert caught.value.text == text and caught.value.retry and caught.value.fault == "model"


def test_hopeless_arguments_give_a_call_with_an_error() -> None:
    for arguments in ("garbage", [1, 2], '{"message": "hal'):
        made, thoughts = to_call("send_message", arguments, "call_1")
        assert made.error and made.arguments == {} and made.id == "call_1" and thoughts == ""
    assert to_call("f", "")[0].arguments == {} and to_call("f", None)[0].error is None


def test_calls_are_checked_against_what_is_on_offer() -> None:
    good = ToolCall(SEARCH.name, {"query": "x"})
    check_calls([good], TOOLS, {SEARCH.name})
    for bad, only, words in (
        (good, {"send_message"}, "cannot be called now"),
        (ToolCall("nope"), None, "cannot be called now"),
        (ToolCall(SEARCH.name, {"page": 1}), None, "lacks query"),
        (ToolCall(SEARCH.name, error="broken"), None, "broken"),
    ):
        with pytest.raises(ModelReplyError, match=words):
            check_calls([bad], TOOLS, only)
