"""Many chats at once in one event loop: whether agents wait for each other, and how long the loop stands still.

    python benchmarks/async_chats.py [--slow 10] [--fast 0.5]

1. Eight chats on a model of half a second alone, then beside 32 chats on a model of ten seconds: at most 1.2 times as
   long.
2. A hundred chats on a model of two seconds, begun within one second: the loop stands still for at most 50 ms. Beside
   it the same with AutoGen's AssistantAgent, whose stub of a model only sleeps.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import logging
import time
from collections.abc import Sequence

from autogen import AssistantAgent, ConversableAgent, UserProxyAgent

from memgpt_autogen import MemGPT, MemGPTAgent
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.storage.sqlite import SQLiteStore

Pair = tuple[ConversableAgent, UserProxyAgent]


class Slow(ScriptedModel):
    """Answers after so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def complete(self, messages, tools, **options):
        time.sleep(self._seconds)
        self.script = ["Here I am."]
        return super().complete(messages, tools, **options)


def with_user(agent: ConversableAgent) -> Pair:
    return agent, UserProxyAgent("user", human_input_mode="NEVER", code_execution_config=False)


def assistant(name: str, seconds: float) -> ConversableAgent:
    agent = AssistantAgent(name, llm_config={"config_list": [{"model": "stub", "api_key": "none"}]})

    async def reply(*_: object, **__: object) -> tuple[bool, str]:
        await asyncio.sleep(seconds)
        return True, "Here I am."

    agent.replace_reply_func(ConversableAgent.a_generate_oai_reply, reply)
    return agent


async def chat(pair: Pair, after: float = 0.0) -> float:
    """Seconds that one exchange takes."""
    agent, user = pair
    await asyncio.sleep(after)
    before = time.perf_counter()
    await user.a_initiate_chat(agent, message="hi", max_turns=1, silent=True)
    return time.perf_counter() - before


async def chats(pairs: Sequence[Pair], within: float = 0.0) -> list[float]:
    """Seconds that a chat of each pair takes, all begun within so many seconds."""
    return [*await asyncio.gather(*(chat(one, within * at / len(pairs)) for at, one in enumerate(pairs)))]


async def beside(fast: Sequence[Pair], slow: Sequence[Pair]) -> list[float]:
    """Seconds that a chat with each of the fast ones takes while those with the slow ones run."""
    waiting = asyncio.create_task(chats(slow))
    await asyncio.sleep(0.3)
    took = await chats(fast)
    await waiting
    return took


async def longest_pause(pairs: Sequence[Pair]) -> float:
    """The longest time that the loop stands still while they all chat, in seconds."""
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            longest = max(longest, time.perf_counter() - before - 0.005)

    watching = asyncio.create_task(watch())
    await chats(pairs, within=1.0)
    watching.cancel()
    return longest


def quietly(work):
    """The result of a coroutine; AutoGen prints the end of every chat."""
    with contextlib.redirect_stdout(io.StringIO()):
        return asyncio.run(work)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slow", type=float, default=10.0, help="seconds of the slow model")
    parser.add_argument("--fast", type=float, default=0.5, help="seconds of the fast one")
    options = parser.parse_args()
    logging.getLogger("autogen.oai.client").setLevel(logging.ERROR)  # the key that is none
    home = MemGPT(store=SQLiteStore(None), embedder=None)

    def made(name: str, count: int, seconds: float) -> list[Pair]:
        names = [f"{name}{number}" for number in range(count)]
        return [with_user(MemGPTAgent(one, agent=home.create_agent(one, model=Slow(seconds)))) for one in names]

    fast, slow, many = made("fast", 8, options.fast), made("slow", 32, options.slow), made("many", 100, 2.0)
    quietly(chats(fast))  # the first turn imports what it needs
    alone = max(quietly(chats(fast)))
    both = max(quietly(beside(fast, slow)))
    print(f"8 chats on a model of {options.fast:g} s: {alone:.2f} s alone, {both:.2f} s beside 32 on one of", end=" ")
    print(f"{options.slow:g} s: {both / alone:.2f} times")
    others = [with_user(assistant(f"other{number}", 2.0)) for number in range(100)]
    for name, pairs in (("MemGPTAgent", many), ("AssistantAgent", others)):
        pauses = [1000 * quietly(longest_pause(pairs)) for _ in range(3)]
        told = ", ".join(f"{pause:.0f}" for pause in pauses)
        print(f"100 chats, {name}: the event loop stood still for {told} ms at most (three runs)")


if __name__ == "__main__":
    main()
