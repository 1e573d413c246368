"""Many chats in one event loop."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from memgpt_autogen.client import MemGPT
from memgpt_autogen.events import split_header
from memgpt_autogen.messages import ToolCall

from .members import member, shown, talker, user

pytestmark = [pytest.mark.groupchat, pytest.mark.contract("async")]

SLOW = 0.5


def slowly(*_: Any) -> str:
    time.sleep(SLOW)
    return "Here I am."


def test_ten_chats_take_little_more_than_one_and_the_loop_goes_on(memgpt: MemGPT) -> None:
    agents = [member(memgpt, [slowly], f"agent{number}")[0] for number in range(10)]
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.01)
            longest = max(longest, time.perf_counter() - before)

    async def chats() -> tuple[float, list[Any]]:
        watching = asyncio.create_task(watch())
        before = time.perf_counter()
        running = [user().a_initiate_chat(agent, message="hi", max_turns=1, silent=True) for agent in agents]
        results = await asyncio.gather(*running)
        watching.cancel()
        return time.perf_counter() - before, results

    took, results = asyncio.run(chats())
    assert [result.summary for result in results] == ["Here I am."] * 10
    assert took < 10 * SLOW / 2, f"ten chats took {took:.2f} s"
    assert longest < SLOW, f"the loop stood still for {longest:.2f} s"


@pytest.mark.contract("several chats")
def test_one_agent_in_many_chats_at_once_never_mixes_two_turns(memgpt: MemGPT) -> None:
    def answer(messages: Any, tools: Any, only: Any) -> Any:
        time.sleep(0.01)
        last = messages[-1]
        if last.kind == "user_message":
            name = split_header(last.content)[0]
            return [ToolCall("core_memory_append", {"name": "human", "content": name, "request_heartbeat": True})]
        return "noted: " + [one for one in messages if one.kind == "user_message"][-1].text

    sam, model = member(memgpt, [answer] * 12)
    peers = [talker(f"peer{number}") for number in range(6)]

    async def chats() -> list[Any]:
        running = [peer.a_initiate_chat(sam, message=peer.name, max_turns=1, silent=True) for peer in peers]
        return await asyncio.gather(*running)

    results = asyncio.run(chats())
    assert [result.summary for result in results] == [f"noted: {peer.name}" for peer in peers]
    assert len(model.calls) == 12 and all(peer.name in sam.core.core.render() for peer in peers)
    assert "never came" not in "".join(shown(call) for call in model.calls)
