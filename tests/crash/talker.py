"""Processes that talk until they are killed: ``python -m tests.crash.talker HOME STORAGE``, then a line for
each.

The program imports everything once, and forks for each line before anything is opened. The child opens two clients,
talks to an agent of each in a thread of its own, loads documents meanwhile, and opens and closes a third client now and
then. It prints what it has been told is done.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

from memgpt_autogen import MemGPT, Settings, events
from memgpt_autogen.agent import Agent
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.messages import Message, ToolCall
from memgpt_autogen.sources.base import Document
from memgpt_autogen.storage.engines import engine_of

NAMES = ("ann", "bob")


class Papers:
    """Three documents of an edition."""

    def __init__(self, edition: str) -> None:
        self._edition = edition

    def load(self) -> Iterator[Document]:
        for number in range(3):
            yield Document(f"paper {number} of edition {self._edition}", f"{number}.md")


def tell(words: str) -> None:
    os.write(1, f"{words}\n".encode())  # one write: lines of threads do not mix


def talking_agent(client: MemGPT, name: str) -> Agent:
    """An agent whose every turn edits core memory, inserts a note, searches, and answers; for ever."""
    asked = count()

    def answer(messages: Sequence[Message], tools: object, only: object) -> object:
        number = next(asked)
        step = number % 3
        if step == 0:
            block = next(one for one in agent.store.agents.blocks(agent.id) if one.label == "human")
            edit = {"name": "human", "old_content": block.value, "new_content": f"edit {block.version}"}
            return [ToolCall("core_memory_replace", {**edit, "request_heartbeat": True})]
        if step == 1:
            note = f"note {number} of process {os.getpid()}"  # one that is there already would not be written
            insert = ToolCall("archival_memory_insert", {"content": note, "request_heartbeat": True})
            return [insert, ToolCall("conversation_search", {"query": "message"})]
        return f"answer to {agent.store.log.tail(agent.id, 1)[0].id}"

    model = ScriptedModel([answer] * 100_000, context_window=32_000)  # type: ignore[list-item]
    agent = client.create_agent({"name": name, "preset": "memgpt_chat", "human": "edit 0"}, model=model)
    return agent


def talk(home: Path, storage: str, run: str) -> None:
    """Talk until killed."""
    settings = Settings(home=home, environ={"MEMGPT_STORAGE": storage})
    clients = [MemGPT(settings, embedder=None) for _ in NAMES]
    agents = [talking_agent(client, name) for client, name in zip(clients, NAMES, strict=True)]
    tell("ready")

    def turns(agent: Agent) -> None:
        for number in count():
            text = f"{agent.name} {run} {number}"
            agent.run([events.user_message(text)])
            tell(f"done {text}")
            if number % 3 == 0:
                MemGPT(settings, embedder=None).close()
                engine_of(storage).agents(storage)

    for agent in agents:
        threading.Thread(target=turns, args=(agent,), daemon=True).start()
    for number in count():
        edition = f"{run}-{number}"
        clients[0].load_source("papers", Papers(edition), replace=True)  # type: ignore[arg-type]
        tell(f"loaded {edition}")


def main() -> None:
    home, storage = Path(sys.argv[1]), sys.argv[2]
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            faulthandler.dump_traceback_later(100, exit=True)  # should it hang
            talk(home, storage, line.strip())
        tell(f"pid {child}")
        os.waitpid(child, 0)
        tell("over")


if __name__ == "__main__":
    main()
