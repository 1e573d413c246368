"""A client on a scripted model, with the guides of the local preset."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from memgpt_autogen.agent import Agent
from memgpt_autogen.client import MemGPT
from memgpt_autogen.config import AgentConfig, Settings
from memgpt_autogen.guides.extract import SAVE_FACTS
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.messages import Reply, ToolCall, Usage


class Talker(ScriptedModel):
    """A model that answers speech from one script and extractions from another, in whatever order they are asked."""

    def __init__(self, said: list[str], facts: list[list[str]] | None = None, window: int = 8192) -> None:
        super().__init__([self._answer] * 100, context_window=window)
        self.said, self.facts = list(said), list(facts or [])
        self.extractions = 0

    def _answer(self, messages: object, tools: list[object], only: object) -> Reply | str:
        if [getattr(tool, "name", "") for tool in tools] == [SAVE_FACTS]:
            self.extractions += 1
            return Reply((ToolCall(SAVE_FACTS, {"facts": self.facts.pop(0)}),), usage=Usage(100, 10))
        return self.said.pop(0)

    @property
    def prompts(self) -> list[list[str]]:
        """The contents of each prompt for speech."""
        return [[one.content for one in call.messages] for call in self.calls if not call.tools]


Chat = Callable[..., Agent]


@pytest.fixture
def memgpt(tmp_path: Path) -> Iterator[MemGPT]:
    client = MemGPT(Settings(home=tmp_path, environ={}), embedder=None)
    yield client
    client.close()


@pytest.fixture
def chat(memgpt: MemGPT) -> Chat:
    """Makes an agent of the local preset."""

    def make(model: ScriptedModel, name: str = "sam", **config: object) -> Agent:
        return memgpt.create_agent(AgentConfig(name=name, preset="memgpt_local", **config), model=model)  # type: ignore[arg-type]

    return make


def human(agent: Agent) -> list[str]:
    """The lines of core memory about people."""
    return agent.core.block("human").value.splitlines()
