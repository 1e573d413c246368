"""Three chats at once, in one event loop that stays free for other things.

    python examples/async_chats.py "What should I know before I come to your house?"

Each agent works in a thread of its own while the loop goes on: the clock below keeps ticking.

Which model: as in agent_groupchat.py.
"""

from __future__ import annotations

import asyncio
import sys
import time

from autogen import UserProxyAgent
from larger_model import need_larger_model

from memgpt_autogen import MemGPTError, create_memgpt_autogen_agent_from_config

HOUSES = {"Miller": "a mill by the river", "Keeper": "a lighthouse", "Baker": "a bakery with a cat"}


async def tick(started: float) -> None:
    """Whatever else your program has to do meanwhile."""
    while True:
        await asyncio.sleep(1)
        print(f"... {time.monotonic() - started:.0f} s", flush=True)


async def ask(name: str, house: str, question: str) -> str:
    agent = create_memgpt_autogen_agent_from_config(name, system_message=f"You live in {house}.")
    guest = UserProxyAgent("Guest", human_input_mode="NEVER", code_execution_config=False)
    result = await guest.a_initiate_chat(agent, message=question, max_turns=1, silent=True)
    return f"{name}: {result.summary}"


async def main() -> None:
    question = " ".join(sys.argv[1:]) or "What should I know before I come to your house?"
    started = time.monotonic()
    clock = asyncio.create_task(tick(started))
    for answer in await asyncio.gather(*(ask(name, house, question) for name, house in HOUSES.items())):
        print(answer)
    clock.cancel()
    print(f"All three answered after {time.monotonic() - started:.1f} s.")


if __name__ == "__main__":
    try:
        need_larger_model()
        asyncio.run(main())
    except MemGPTError as error:
        sys.exit(f"\n{error}")
