"""Two hundred agents of one process that talk at once share a pool of ten connections."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from memgpt_autogen import MemGPT, Settings, events
from memgpt_autogen.llm.scripted import ScriptedModel

from ...postgres import new_address

AGENTS, TURNS = 200, 2


@pytest.mark.long
def test_two_hundred_agents_at_once(tmp_path: Path) -> None:
    client = MemGPT(Settings(home=tmp_path, environ={}), store=new_address(pool_size=10), embedder=None)

    def talk(number: int) -> list[str]:
        model = ScriptedModel([f"hello {turn}" for turn in range(TURNS)], context_window=32_000)
        agent = client.create_agent({"name": f"agent {number}", "preset": "memgpt_chat"}, model=model)
        return [word for _ in range(TURNS) for word in agent.run([events.user_message("hi")]).said]

    with ThreadPoolExecutor(AGENTS) as threads:
        said = [*threads.map(talk, range(AGENTS))]
    assert said == [[f"hello {turn}" for turn in range(TURNS)]] * AGENTS
    assert len(client.store.agents.list()) == AGENTS
    client.close()
