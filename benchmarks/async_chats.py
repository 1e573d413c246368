"""Ten chats at once in one event loop, with a model that takes a second: how long they take, and if the loop waits.

python benchmarks/async_chats.py
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from autogen import UserProxyAgent

from memgpt_autogen import MemGPT, MemGPTAgent
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.storage.sqlite import SQLiteStore

CHATS, SLOW = 10, 1.0


def slowly(*_: Any) -> str:
    time.sleep(SLOW)
    return "Here I am."


async def chats(agents: list[MemGPTAgent]) -> tuple[float, float]:
    """Seconds that a chat with each of them took, and the longest that the loop stood still."""
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            longest = max(longest, time.perf_counter() - before - 0.005)

    async def chat(agent: MemGPTAgent) -> None:
        user = UserProxyAgent("user", human_input_mode="NEVER", code_execution_config=False)
        await user.a_initiate_chat(agent, message="hi", max_turns=1, silent=True)

    watching = asyncio.create_task(watch())
    before = time.perf_counter()
    await asyncio.gather(*map(chat, agents))
    took = time.perf_counter() - before
    watching.cancel()
    return took, longest


def main() -> None:
    home = MemGPT(store=SQLiteStore(None), embedder=None)
    agents = [
        MemGPTAgent(name, agent=home.create_agent(name, model=ScriptedModel([slowly] * 3)))
        for name in (f"agent{number}" for number in range(CHATS))
    ]
    asyncio.run(chats(agents))  # the first turn imports what it needs
    one, _ = asyncio.run(chats(agents[:1]))
    many, longest = asyncio.run(chats(agents[1:] + agents[:1]))
    print(
        f"a model that takes {SLOW:.0f} s: one chat {one:.2f} s, {CHATS} at once {many:.2f} s: {many / one:.2f} times"
    )
    print(f"the event loop stood still for {1000 * longest:.0f} ms at most")


if __name__ == "__main__":
    main()
