"""Functions, prompts and bookkeeping that the benchmarks of the prompt formats share."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from memgpt_autogen import LLMConfig, events
from memgpt_autogen.llm.completion import CompletionModel
from memgpt_autogen.llm.wrappers import AUTO, WRAPPERS
from memgpt_autogen.memory.archival import ArchivalMemory
from memgpt_autogen.memory.core import CoreMemory
from memgpt_autogen.memory.recall import RecallMemory
from memgpt_autogen.messages import Message, ToolSchema
from memgpt_autogen.storage.sqlite import SQLiteStore
from memgpt_autogen.tools.memory_tools import MemoryFunctions

FORMATS = tuple(f"{name}-grammar" for name in (*WRAPPERS, AUTO))
SYSTEM = (
    "You are Sam, an assistant with a memory. You act only by calling one function at a time.\n"
    "Answer, greet and ask with send_message. When the user tells a lasting fact about themselves, store it with "
    "core_memory_append; when they correct one that stands in core memory, use core_memory_replace. What was said "
    "earlier in the chat is found by conversation_search, or by conversation_search_date for a range of days. Notes "
    "and documents are stored with archival_memory_insert and found by archival_memory_search.\n"
    "Core memory, block human: Name: Ann. Works as a nurse. Lives in Leeds.\n"
    "Core memory, block persona: I am Sam. I like puns."
)


def functions() -> list[ToolSchema]:
    """An agent's own functions, as a model is told them."""
    store = SQLiteStore(None)
    row = store.agents.create("bench", {})
    for label in ("persona", "human"):
        store.agents.add_block(row.id, label, "", 2000)
    core, recall = CoreMemory(store, row.id), RecallMemory(store, row.id, 5)
    tools = MemoryFunctions(core, recall, ArchivalMemory(store, row.id, None, 5), lambda minutes: None).tools()
    return [tool.schema for tool in tools.values()]


def asked(words: str) -> Sequence[Message]:
    return [Message("system", SYSTEM), events.user_message(words, name="Ann")]


def model(path: str, wrapper: str, temperature: float, **options: object) -> CompletionModel:
    config = LLMConfig(
        model=path,
        model_endpoint_type="embedded",
        model_wrapper=wrapper,
        temperature=temperature,
        context_window=2048,
        settings={"seed": 1},
    )
    return CompletionModel(config, **options)  # type: ignore[arg-type]


def choices() -> Iterator[dict[str, object]]:
    """The written cases: ``say``, the functions that are right, and words that their arguments must hold."""
    for line in (Path(__file__).parent / "function_choice.jsonl").read_text(encoding="utf-8").splitlines():
        yield json.loads(line)
