"""One of several machines that talk to the same agents: ``python -m tests.crash.machines HOME STORAGE NAME SECONDS``.

Prints what it has been told is done.
"""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from memgpt_autogen import MemGPT, Settings, events
from memgpt_autogen.errors import StoreError
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.messages import Message

AGENTS, THREADS = 50, 4


def answering() -> ScriptedModel:
    def answer(messages: Sequence[Message], tools: object, only: object) -> str:
        return f"answered {sum(message.role == 'user' for message in messages)}"

    return ScriptedModel([answer] * 10_000, context_window=32_000)


def name_of(number: int) -> str:
    return f"agent {number}"


def talk(client: MemGPT, name: str, thread: int, until: float) -> None:
    """Talk to agents by turns; what fails is left for whoever talks to that agent next."""
    chosen = random.Random(f"{name} {thread}")
    for number in count():
        if time.monotonic() > until:
            return
        text = f"{name} {thread} {number}"
        try:
            agent = client.load_agent(name_of(chosen.randrange(AGENTS)), model=answering())
            agent.run([events.user_message(text)])
        except StoreError as error:
            os.write(1, f"failed {type(error).__name__}\n".encode())
            time.sleep(0.2)
        else:
            os.write(1, f"done {text}\n".encode())


def main() -> None:
    home, storage, name, seconds = Path(sys.argv[1]), sys.argv[2], sys.argv[3], float(sys.argv[4])
    client = MemGPT(Settings(home=home, environ={}), store=storage, embedder=None)
    os.write(1, b"ready\n")
    until = time.monotonic() + seconds
    threads = [threading.Thread(target=talk, args=(client, name, number, until)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client.close()


if __name__ == "__main__":
    main()
