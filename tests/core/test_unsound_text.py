"""Half an emoji, bytes of a file name, NUL: text that no database takes comes in by no door, and stops nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from memgpt_autogen import events
from memgpt_autogen.client import MemGPT
from memgpt_autogen.config import Settings
from memgpt_autogen.errors import ConfigError
from memgpt_autogen.forget import forget
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.memory.archival import ArchivalMemory
from memgpt_autogen.messages import ToolResult, ToolSchema
from memgpt_autogen.storage.base import Store
from memgpt_autogen.storage.records import Passage, Vectors

from .conftest import Build, Script, call, results, say
from .test_searches import Letters

BAD = {"half an emoji": "cut here \ud83d end", "a byte of a file name": "caf\udce9 end", "NUL": "nul \x00 end"}
every = pytest.mark.parametrize("text", BAD.values(), ids=BAD)


def sound(text: str) -> bool:
    text.encode()
    return "\x00" not in text


@every
def test_a_turn_with_it_in_every_place(build: Build, script: Script, store: Store, text: str) -> None:
    model = script(
        [call("archival_memory_insert", content=text), call("core_memory_append", name="human", content=text)],
        call("lookup", heartbeat=True),
        call("archival_memory_search", query=text),
        text,
        "Fine.",
    )
    agent = build(model)
    tool = ToolSchema("lookup", text, {"type": "object", "properties": {"a": {"type": "string", "description": text}}})
    turn = agent.run([events.user_message(text, name=text)], tools=[tool], instructions=text)
    (pending,) = turn.pending
    turn = agent.run(results=[ToolResult(pending.id, "lookup", text)], tools=[tool], instructions=text)
    assert len(turn.said) == 1 and sound(turn.said[0])
    assert say(agent, "and now?") == ["Fine."], "the next turn goes on"
    for prompt in model.calls:
        assert all(sound(message.content) for message in prompt.messages)
        assert all(sound(json.dumps([one.description, one.parameters], ensure_ascii=False)) for one in prompt.tools)
    assert "end" in results(model.calls[-1].messages)[-2]
    assert all(sound(message.content + message.text) for message in store.log.tail(agent.id, 50))


@every
def test_memory_and_search_by_hand(build: Build, script: Script, store: Store, text: str) -> None:
    agent = build(script("ok"))
    agent.archival.insert(text)
    store.passages.add(store.sources.own_source(agent.id), [Passage("x", text, {"file": text})])
    assert "end" in agent.archival.search(text, 0) and sound(agent.archival.search(text, 0))
    assert agent.recall.search(text, 0)
    agent.core.append("human", text)
    assert sound(agent.core.render())
    assert forget(store, agent.name, text)
    assert "end" not in agent.archival.search("end", 0)


@every
def test_settings_of_an_agent(tmp_path: Path, text: str) -> None:
    memgpt = MemGPT(Settings(home=tmp_path, environ={}), embedder=None)
    made = memgpt.create_agent({"name": "sam", "persona": text, "human": text}, model=ScriptedModel(["ok"]))
    assert memgpt.ask(made, text) == "ok" and sound(made.core.render())
    with pytest.raises(ConfigError, match="cannot be a name"):
        memgpt.create_agent({"name": text})
    memgpt.close()


class Careful(Letters):
    """An embedder that fails on text that cannot be encoded, as tokenizers do."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        assert all(map(sound, texts))
        return super().embed(texts)


@every
def test_an_embedder_is_never_given_it(build: Build, script: Script, store: Store, text: str) -> None:
    agent = build(script("ok"))
    memory = ArchivalMemory(store, agent.id, Careful(8))
    memory.insert(text)
    assert "end" in memory.search(text, 0)
