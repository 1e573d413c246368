"""Words that appear while the model writes them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from memgpt_autogen.client import MemGPT
from memgpt_autogen.groupchat.agent import MemGPTAgent
from memgpt_autogen.groupchat.display import Display
from memgpt_autogen.messages import Message, ToolCall, ToolResult
from memgpt_autogen.observers import (
    Discarded,
    EventReceived,
    FunctionCalled,
    FunctionReturned,
    InnerThoughts,
    SpeechDelta,
)

from ..llm.conftest import Answer, Loopback
from .members import IOStream, Screen, llm_config, log, member, speech, talker, user

pytestmark = [pytest.mark.groupchat, pytest.mark.contract("streaming")]


class Watched(Screen):
    """Notes what comes while the reply is not yet committed."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.ahead = 0
        self.agent: Any = None

    def _part(self, text: str) -> None:
        self.parts.append(text)
        self.ahead += not any(message.kind == "reply" for message in log(self.agent))

    def print(self, *objects: Any, sep: str = " ", end: str = "\n", flush: bool = False) -> None:
        if end == "":
            self._part("".join(map(str, objects)))
        super().print(*objects, sep=sep, end=end, flush=flush)

    def send(self, message: Any) -> None:
        if getattr(message, "type", "") == "stream":
            self._part(getattr(message.content, "content", message.content))
        else:
            super().send(message)


WORDS = "The sky over the port is blue, and the tide is coming in."


def chunks(*pieces: str, text: str = "") -> Answer:
    """A streamed reply of the chat API that calls ``send_message``, its arguments cut into these pieces."""

    def lines() -> Iterator[str]:
        base = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o"}
        deltas: list[Any] = [{"role": "assistant", "content": text}] if text else []
        deltas += [
            {
                "tool_calls": [
                    {
                        "index": 0,
                        **({} if number else {"id": "call_1", "type": "function"}),
                        "function": {**({} if number else {"name": "send_message"}), "arguments": piece},
                    }
                ]
            }
            for number, piece in enumerate(pieces)
        ]
        for delta in deltas:
            yield json.dumps({**base, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
        yield json.dumps({**base, "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
        yield json.dumps({**base, "choices": [], "usage": usage})
        yield "[DONE]"

    return Answer("".join(f"data: {line}\n\n" for line in lines()), content_type="text/event-stream")


def cut(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


@pytest.mark.parametrize("by_loop", [False, True])
def test_words_of_a_hosted_model_appear_while_they_are_written(
    memgpt: MemGPT, loopback: Loopback, by_loop: bool
) -> None:
    arguments = json.dumps({"inner_thoughts": "A secret.", "message": WORDS})
    loopback.script = [chunks(*cut(arguments, 9), text="I wonder.")]
    try:
        sam = MemGPTAgent("sam", llm_config=llm_config(loopback.address, stream=True), memgpt=memgpt)
    except ValueError:  # pyautogen 0.9 has no stream in its config
        show = {"streaming": True}
        sam = MemGPTAgent("sam", llm_config=llm_config(loopback.address), memgpt=memgpt, interface_kwargs=show)
    with IOStream.set_default(Watched()):
        screen = IOStream.get_default()
        screen.agent = sam
        if by_loop:
            result = asyncio.run(user().a_initiate_chat(sam, message="The sky?", max_turns=1))
        else:
            result = user().initiate_chat(sam, message="The sky?", max_turns=1)
    assert result.summary == WORDS and loopback.requests[0].body["stream"] is True
    shown = "".join(screen.parts)
    assert WORDS in shown and "secret" not in shown and "wonder" not in shown
    assert len(screen.parts) > 3 and screen.ahead > 3
    assert sam.get_total_usage()["gpt-4o"]["completion_tokens"] > 0


def test_words_of_a_model_of_our_own_appear_while_they_are_written(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, [speech(WORDS, "Hm."), "Quiet.", "Unasked."], interface_kwargs={"streaming": True})
    with IOStream.set_default(Watched()):
        screen = IOStream.get_default()
        screen.agent = sam
        talker("ann").initiate_chat(sam, message="The sky?", max_turns=1)
        assert WORDS in "".join(screen.parts) and screen.ahead
        screen.parts.clear()
        talker("ann").initiate_chat(sam, message="Hush!", max_turns=1, silent=True)
        assert not screen.parts


def test_nothing_streams_unless_it_is_asked_for(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, [WORDS])
    with IOStream.set_default(Watched()):
        screen = IOStream.get_default()
        screen.agent = sam
        talker("ann").initiate_chat(sam, message="The sky?", max_turns=1)
        assert WORDS not in "".join(screen.parts) and WORDS in screen.text


def test_what_is_shown_beside_the_replies_cannot_steer_the_terminal() -> None:
    """Thoughts, results of functions and messages may hold what a stranger's document says."""
    evil = "\x1b[2Jred\u202e\x9b31m"
    call = ToolCall("archival_memory_search", {"query": evil})
    seen = [
        SpeechDelta(evil),
        InnerThoughts(evil),
        FunctionCalled(call),
        FunctionReturned(ToolResult(call.id, call.name, evil)),
        EventReceived(Message("user", evil)),
        Discarded(evil),
    ]
    with IOStream.set_default(Screen()):
        display = Display(SimpleNamespace(name="sam", silent=None), debug=True, streaming=True)
        for one in seen:
            display.watch(one)
        shown = IOStream.get_default().text
    shown = shown.replace("\x1b[32m", "").replace("\x1b[0m", "")  # AutoGen's own colour of words that stream
    assert shown.count("red") >= 5 and not {*"\x1b\u202e\x9b"} & {*shown}
