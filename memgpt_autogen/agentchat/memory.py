"""Archival memory as an autogen ``Memory``, for any of its assistants."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from autogen_core import CancellationToken, Component
from autogen_core.memory import Memory, MemoryContent, MemoryMimeType, MemoryQueryResult, UpdateContextResult
from autogen_core.model_context import ChatCompletionContext
from autogen_core.models import SystemMessage, UserMessage
from pydantic import BaseModel
from typing_extensions import Self

from ..client import MemGPT
from ..errors import ConfigError
from ..llm.scripted import ScriptedModel
from ..memory.archival import ArchivalMemory
from ..memory.results import quoted

T = TypeVar("T")


class MemGPTMemoryConfig(BaseModel):
    """Identifies the archival memory; its contents are in the store."""

    agent: str
    sources: list[str] = []
    results: int = 5


class MemGPTMemory(Memory, Component[MemGPTMemoryConfig]):
    """The archival memory of an agent, and the sources attached to it.

    Args:
        agent: the name of its owner in the store; a memory agent of that name shares it.
        sources: loaded documents to attach.
        results: how many hits an assistant gets.
        memgpt: the client whose store holds it; default: the one of the home folder.

    Raises:
        SourceError: there is no source of one of the names.
    """

    component_config_schema = MemGPTMemoryConfig
    component_provider_override = "memgpt_autogen.agentchat.MemGPTMemory"

    def __init__(
        self, agent: str = "memory", *, sources: Sequence[str] = (), results: int = 5, memgpt: MemGPT | None = None
    ) -> None:
        self._config = MemGPTMemoryConfig(agent=agent, sources=list(sources), results=results)
        self._own = memgpt is None
        self._memgpt = memgpt or MemGPT()
        # Its model is never called: only archival memory is used.
        keeper = self._memgpt.create_agent(agent, model=ScriptedModel(name="none"))
        for source in sources:
            keeper.attach(source)
        self._store, self._agent_id = keeper.store, keeper.id
        self._archival = ArchivalMemory(keeper.store, keeper.id, self._memgpt.embedder, results)

    async def query(
        self, query: str | MemoryContent, cancellation_token: CancellationToken | None = None, **kwargs: Any
    ) -> MemoryQueryResult:
        """The best hits, each with ``score``, ``relevance``, ``source``, ``uri`` and what else is known as metadata.

        Args:
            query: words.
            cancellation_token: gives up waiting.
            **kwargs: ``page``, from 1; behind the last there is nothing.
        """
        words = query if isinstance(query, str) else _text(query)
        page = int(kwargs.get("page", 1))
        found = await _in_thread(lambda: self._archival.find(words, page), cancellation_token)
        return MemoryQueryResult(
            results=[
                MemoryContent(
                    content=hit.item.text,
                    mime_type=MemoryMimeType.TEXT,
                    metadata={
                        **hit.item.metadata,
                        "score": hit.score,
                        "relevance": hit.relevance,
                        "source": hit.item.source,
                        "uri": hit.item.uri,
                    },
                )
                for hit in (found.hits if found.page == page else ())
            ]
        )

    async def update_context(self, model_context: ChatCompletionContext) -> UpdateContextResult:
        """Search for the last message and append the hits to the context."""
        messages = await model_context.get_messages()
        last = next((one for one in reversed(messages) if isinstance(one, UserMessage)), None)
        words = last.content if last and isinstance(last.content, str) else ""
        if last and not isinstance(last.content, str):
            words = " ".join(part for part in last.content if isinstance(part, str))
        found = await self.query(words) if words.strip() else MemoryQueryResult(results=[])
        if found.results:
            known = [quoted(_text(one), [(one.metadata or {}).get("uri")]) for one in found.results]
            await model_context.add_message(SystemMessage(content="\n".join(["From memory:", *known])))
        return UpdateContextResult(memories=found)

    async def add(self, content: MemoryContent, cancellation_token: CancellationToken | None = None) -> None:
        """Insert text; it is saved when this returns.

        Raises:
            ConfigError: it is not text.
        """
        await _in_thread(lambda: self._archival.insert(_text(content)), cancellation_token)

    async def clear(self) -> None:
        """Delete the inserted texts. Attached sources stay."""
        sources = self._store.sources
        await _in_thread(lambda: sources.clear(sources.own_source(self._agent_id)), None)

    async def close(self) -> None:
        """Close the store, unless it was passed in."""
        if self._own:
            self._memgpt.close()

    def _to_config(self) -> MemGPTMemoryConfig:
        return self._config

    @classmethod
    def _from_config(cls, config: MemGPTMemoryConfig) -> Self:
        return cls(**config.model_dump())


def _text(content: MemoryContent) -> str:
    if isinstance(content.content, str):
        return content.content
    if isinstance(content.content, dict):
        return json.dumps(content.content, ensure_ascii=False)
    raise ConfigError(f"This memory keeps text and JSON, not {content.mime_type}.")


async def _in_thread(call: Callable[[], T], cancellation_token: CancellationToken | None) -> T:
    running = asyncio.ensure_future(asyncio.to_thread(call))
    if cancellation_token is not None:
        cancellation_token.link_future(running)
    return await running
