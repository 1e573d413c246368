"""Agents on a scripted model, and what must hold for every prompt that such a model is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from memgpt_autogen import events
from memgpt_autogen.agent import Agent
from memgpt_autogen.client import MemGPT
from memgpt_autogen.config import AgentConfig, Settings
from memgpt_autogen.llm.base import ChatModel
from memgpt_autogen.llm.scripted import Line, ScriptedModel
from memgpt_autogen.memory.vector_backfill import stop_backfill
from memgpt_autogen.messages import Message, ToolCall
from memgpt_autogen.storage.base import Store
from memgpt_autogen.storage.sqlite import SQLiteStore

from ..llm.conftest import loopback  # noqa: F401

Build = Callable[..., Agent]
Script = Callable[..., ScriptedModel]


def call(function: str, heartbeat: bool = False, /, **arguments: Any) -> ToolCall:
    """A call as a model writes it."""
    return ToolCall(function, {**arguments, **({"request_heartbeat": True} if heartbeat else {})})


def note(content: str = "x", heartbeat: bool = False) -> ToolCall:
    """A call that is no speech and no search."""
    return call("core_memory_append", heartbeat, name="human", content=content)


def say(agent: Agent, text: str, **options: Any) -> list[str]:
    """What the agent answers."""
    return list(agent.run([events.user_message(text)], **options).said)


def results(messages: Sequence[Message]) -> list[str]:
    """The contents of the function results among these, in order."""
    return [message.content for message in messages if message.role == "tool"]


def assert_sound(model: ScriptedModel) -> None:
    """Every prompt fits with its reply, and every call has its results directly behind it; no orphan."""
    for number, prompt in enumerate(model.calls):
        size = model.count(prompt.messages, prompt.tools) + (prompt.max_tokens or 0)
        assert size <= model.context_window, f"prompt {number}: {size} of {model.context_window} tokens"
        assert prompt.messages[0].role == "system"
        ids = [one.id for message in prompt.messages for one in message.tool_calls]
        assert len(ids) == len(set(ids)), f"prompt {number}: two calls of one id"
        open_calls: list[str] = []
        for message in prompt.messages:
            if message.role == "tool":
                assert open_calls and message.call_id == open_calls.pop(0), f"prompt {number}: a stray result"
            else:
                assert not open_calls, f"prompt {number}: a call without its result"
                open_calls = [one.id for one in message.tool_calls]
        assert not open_calls, f"prompt {number} ends in a call without its result"


@pytest.fixture
def script() -> Iterator[Script]:
    """Makes scripted models whose prompts are all checked at the end of the test."""
    made: list[ScriptedModel] = []

    def make(*lines: Line, window: int = 8192, **options: Any) -> ScriptedModel:
        made.append(ScriptedModel(lines, context_window=window, **options))
        return made[-1]

    yield make
    for model in made:
        assert_sound(model)


#: The tests of what has to do with vectors run wherever these may be.
WHEREVER_VECTORS_ARE = pytest.mark.parametrize("store", ["memory", "chroma", "chroma-server"], indirect=True)


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    place = getattr(request, "param", "memory")
    vectors = None
    if place != "memory":
        pytest.importorskip("chromadb")
        vectors = (tmp_path / "chroma").as_uri().replace("file:", "chroma:", 1)
    if place == "chroma-server":
        vectors = request.getfixturevalue("chroma_server")
    store = SQLiteStore(None, vectors=vectors)
    yield store
    stop_backfill(store)
    store.close()


@pytest.fixture
def build(store: Store, tmp_path: Path) -> Build:
    """Makes agents (and opens those there are) in one store, without embedder and environment."""
    home = MemGPT(Settings(home=tmp_path, environ={}), store=store, embedder=None)

    def make(model: ChatModel, name: str = "sam", preset: str = "memgpt_chat", **config: Any) -> Agent:
        return home.create_agent(AgentConfig(name=name, preset=preset, **config), model=model)

    return make
