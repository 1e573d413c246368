"""Archival memory as the ``Memory`` of agentchat's own assistants."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_core.memory import MemoryContent, MemoryMimeType
from autogen_core.model_context import UnboundedChatCompletionContext
from autogen_core.models import UserMessage

from memgpt_autogen.agentchat import MemGPTAssistant, MemGPTMemory
from memgpt_autogen.client import MemGPT
from memgpt_autogen.errors import ConfigError, SourceError
from memgpt_autogen.sources.directory import DirectoryLoader

from .conftest import FakeClient, say


def note(text: Any, kind: MemoryMimeType = MemoryMimeType.TEXT) -> MemoryContent:
    return MemoryContent(content=text, mime_type=kind)


def test_an_assistant_finds_what_was_written_down(memgpt: MemGPT) -> None:
    memory = MemGPTMemory(memgpt=memgpt)
    client = FakeClient(["7391."])
    assistant = AssistantAgent("kim", client, memory=[memory])

    async def talk() -> Any:
        await memory.add(note("Ann's locker code is 7391."))
        await memory.add(note("The kitchen is green."))
        return await assistant.run(task="What is Ann's locker code?")

    result = asyncio.run(talk())
    assert "Ann's locker code is 7391." in str(client.requests[0][0])
    found = next(message for message in result.messages if message.type == "MemoryQueryEvent")
    assert found.content[0].content == "Ann's locker code is 7391." and found.content[0].metadata["score"] > 0


def test_a_query_has_pages_and_documents_their_file(memgpt: MemGPT, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "lamp.txt").write_text("The lamp is filled with argon.", encoding="utf-8")
    memgpt.load_source("docs", DirectoryLoader(tmp_path / "docs"))
    memory = MemGPTMemory("kim", sources=["docs"], results=1, memgpt=memgpt)

    async def look() -> Any:
        await memory.add(note({"gas": "neon, not argon"}, MemoryMimeType.JSON))
        return [(await memory.query(note("lamp of argon or neon"), page=page)).results for page in (1, 2, 3)]

    first, second, third = asyncio.run(look())
    assert "lamp.txt" in first[0].metadata["uri"] and first[0].metadata["source"] == "docs"
    assert second[0].content == '{"gas": "neon, not argon"}' and third == []
    with pytest.raises(SourceError):
        MemGPTMemory("kim", sources=["papers"], memgpt=memgpt)


def test_clearing_leaves_documents(memgpt: MemGPT, tmp_path: Path) -> None:
    (tmp_path / "lamp.txt").write_text("The lamp is filled with argon.", encoding="utf-8")
    memgpt.load_source("docs", DirectoryLoader(tmp_path / "lamp.txt"))
    memory = MemGPTMemory("kim", sources=["docs"], memgpt=memgpt)

    async def clear() -> list[Any]:
        await memory.add(note("Neon beats argon."))
        await memory.clear()
        return [one.content for one in (await memory.query("argon")).results]

    assert asyncio.run(clear()) == ["The lamp is filled with argon."]


def test_nothing_found_leaves_the_context_alone(memgpt: MemGPT) -> None:
    memory = MemGPTMemory(memgpt=memgpt)

    async def update() -> list[Any]:
        context = UnboundedChatCompletionContext()
        await memory.update_context(context)
        await context.add_message(UserMessage(content="Anything?", source="user"))
        await memory.update_context(context)
        return await context.get_messages()

    assert len(asyncio.run(update())) == 1


def test_it_is_the_memory_of_the_agent_of_that_name(memgpt: MemGPT) -> None:
    memory = MemGPTMemory("sam", memgpt=memgpt)
    asyncio.run(memory.add(note("The gate is red.")))
    search = ("archival_memory_search", {"inner_thoughts": "?", "query": "gate"})
    client = FakeClient([search, say("Red.")])
    sam = MemGPTAssistant("sam", client, memgpt=memgpt)
    asyncio.run(sam.run(task="Which colour has the gate?"))
    assert "The gate is red." in str(client.requests[1][0])


def test_its_config_names_it_and_bytes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMGPT_HOME", str(tmp_path))

    async def through() -> Any:
        memory = MemGPTMemory("kim", results=2)
        await memory.add(note("It lasts."))
        written = memory.dump_component()
        await memory.close()
        again = MemGPTMemory.load_component(written)
        found = await again.query("lasts")
        with pytest.raises(ConfigError, match="text and JSON"):
            await again.add(note(b"x", MemoryMimeType.BINARY))
        await again.close()
        return found.results[0].content

    assert asyncio.run(through()) == "It lasts."
