"""A client for agentchat's agents that answers from a list, and where memory agents live."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from memgpt_autogen.client import MemGPT
from memgpt_autogen.config import Settings
from memgpt_autogen.storage.sqlite import SQLiteStore

if importlib.util.find_spec("autogen_agentchat") is None:
    collect_ignore_glob = ["test_*.py"]
else:
    from autogen_core import Component, FunctionCall
    from autogen_core.models import ChatCompletionClient, CreateResult, LLMMessage, ModelInfo, RequestUsage
    from pydantic import BaseModel

    class FakeConfig(BaseModel):
        model: str = "fake"

    class FakeClient(ChatCompletionClient, Component[FakeConfig]):
        """Answers from ``script``: text, ``(function, arguments)`` or an exception; records what it is asked."""

        component_type = "model"
        component_config_schema = FakeConfig
        component_provider_override = "tests.agentchat.conftest.FakeClient"

        def __init__(self, script: Sequence[Any] = (), *, calls_functions: bool = True) -> None:
            self.script = list(script)
            self.requests: list[tuple[list[LLMMessage], list[Any], Any]] = []
            self._calls_functions = calls_functions

        async def create(self, messages: Sequence[LLMMessage], **kwargs: Any) -> CreateResult:
            self.requests.append((list(messages), list(kwargs.get("tools", [])), kwargs.get("tool_choice")))
            line = self.script.pop(0)
            if callable(line):
                line = await line()
            if isinstance(line, Exception):
                raise line
            usage = RequestUsage(prompt_tokens=100, completion_tokens=10)
            if isinstance(line, str):
                return CreateResult(finish_reason="stop", content=line, usage=usage, cached=False)
            name, arguments = line
            call = FunctionCall(id=f"call_{len(self.requests)}", name=name, arguments=json.dumps(arguments))
            return CreateResult(finish_reason="function_calls", content=[call], usage=usage, cached=False)

        async def create_stream(self, messages: Sequence[LLMMessage], **kwargs: Any) -> AsyncGenerator[Any, None]:
            yield await self.create(messages, **kwargs)

        async def close(self) -> None: ...

        def actual_usage(self) -> RequestUsage:
            return RequestUsage(0, 0)

        def total_usage(self) -> RequestUsage:
            return RequestUsage(0, 0)

        def count_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Any] = ()) -> int:
            return 0

        def remaining_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Any] = ()) -> int:
            return 8192

        @property
        def capabilities(self) -> Any:
            return self.model_info

        @property
        def model_info(self) -> ModelInfo:
            return ModelInfo(
                vision=False,
                function_calling=self._calls_functions,
                json_output=False,
                family="unknown",
                structured_output=False,
            )

        def _to_config(self) -> FakeConfig:
            return FakeConfig()

        @classmethod
        def _from_config(cls, config: FakeConfig) -> FakeClient:
            return cls()


def say(message: str, **more: Any) -> tuple[str, Mapping[str, Any]]:
    return "send_message", {"inner_thoughts": "Say it.", "message": message, **more}


@pytest.fixture
def memgpt(tmp_path: Path) -> Iterator[MemGPT]:
    home = MemGPT(Settings(home=tmp_path, environ={}), store=SQLiteStore(None), embedder=None)
    yield home
    home.close()
