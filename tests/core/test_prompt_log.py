"""Past prompts are put together again, equal byte by byte to what was sent."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from memgpt_autogen import events
from memgpt_autogen.agent import Agent
from memgpt_autogen.client import MemGPT
from memgpt_autogen.config import LLMConfig, Settings
from memgpt_autogen.forget import forget
from memgpt_autogen.llm.base import ChatModel
from memgpt_autogen.llm.openai import OpenAIChat
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.memory.prompt_log import CHAIN, past_prompts
from memgpt_autogen.storage.sqlite import SQLiteStore
from tests.llm.conftest import Answer, Loopback
from tests.storage.other_process import files_holding

from .conftest import call, say
from .wanderer import Wanderer, as_json, wander


def opened(home: Path, model: ChatModel, **config: Any) -> Agent:
    """An agent in a file, opened as a process that begins anew does."""
    memgpt = MemGPT(Settings(home=home), store=SQLiteStore(home / "memgpt.db"), embedder=None)
    return memgpt.create_agent({"name": "sam", **config}, model=model)


def rebuilt(agent: Agent) -> list[str]:
    found = past_prompts(agent.store, agent.id)
    assert all(prompt.exact for prompt in found)
    return [prompt.sent.to_json() for prompt in found]


@pytest.mark.parametrize(
    ("preset", "window"),
    [("memgpt_chat", 3500), ("memgpt_compact", 2048), ("memgpt_docs", 8192), ("memgpt_local", 4096)],
)
def test_past_prompts_are_what_was_sent(tmp_path: Path, preset: str, window: int) -> None:
    model = Wanderer(1, context_window=window)
    agent = opened(tmp_path, model, preset=preset)
    wander(agent, 12, seed=2, undo_every=6)
    agent.store.close()
    agent = opened(tmp_path, model)  # another process goes on
    wander(agent, 8, seed=3)
    again, made = rebuilt(agent), {as_json(one) for one in model.calls}
    assert len(again) >= agent.store.turns(agent.id) > 10 and made.issuperset(again)
    agent.store.close()


def test_a_long_chain_of_copies_ends_somewhere(tmp_path: Path) -> None:
    model = ScriptedModel(["Yes."] * (CHAIN + 20), context_window=100_000)
    agent = opened(tmp_path, model)
    for number in range(CHAIN + 20):
        say(agent, f"Number {number}.")
    rows = agent.store.history.prompts(agent.id)
    assert [bool(row.base) for row in rows].count(False) == 2
    assert rebuilt(agent) == [as_json(one) for one in model.calls]
    assert max(len(json.dumps(row.parts)) for row in rows[1:CHAIN]) < 500
    agent.store.close()


@pytest.fixture
def zone() -> Iterator[None]:
    before = os.environ.get("TZ")
    yield
    os.environ.pop("TZ", None) if before is None else os.environ.update(TZ=before)
    time.tzset()


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone of a process cannot be changed here")
@pytest.mark.usefixtures("zone")
def test_a_prompt_keeps_the_local_time_in_which_it_was_sent(tmp_path: Path) -> None:
    model = ScriptedModel(["Yes.", "Yes."])
    agent = opened(tmp_path, model)
    for name in ("Asia/Tokyo", "America/Lima"):
        os.environ["TZ"] = name
        time.tzset()
        say(agent, "What time is it?")
    assert rebuilt(agent) == [as_json(one) for one in model.calls]
    agent.store.close()


def test_undone_turns_take_their_prompts_along(tmp_path: Path) -> None:
    note = call("core_memory_append", True, name="human", content="Keeps snails.")
    model = ScriptedModel(["One.", note, "Two.", "Three."])
    agent = opened(tmp_path, model)
    say(agent, "First.")
    say(agent, "I keep snails.")
    agent.undo()
    assert len(rebuilt(agent)) == 1
    assert b"snails" not in b"".join(row["text"].encode() for row in texts_of(agent))
    say(agent, "Third.")
    assert rebuilt(agent) == [as_json(model.calls[0]), as_json(model.calls[3])]
    agent.wipe()
    assert rebuilt(agent) == []
    agent.store.close()


def texts_of(agent: Agent) -> list[Any]:
    return agent.store._database.all("SELECT text FROM prompt_texts")  # type: ignore[attr-defined]


@pytest.mark.parametrize("words", ["snails", "Keeps snails", "Rosalind", "Ann"])
def test_what_is_forgotten_is_in_no_record_of_a_prompt(tmp_path: Path, words: str) -> None:
    line = f"{words} in the garden."
    model = ScriptedModel(
        [call("core_memory_append", True, name="human", content=line), "Good.", *["It was cut."] * 5],
        context_window=3000,
    )
    agent = opened(tmp_path, model)
    agent.run([events.user_message(f"I say: {line}", name=words)])
    say(agent, f"{line} " + "Much more of it. " * 600)  # cut to fit, so that the record holds its text
    say(agent, "Is it there?")
    before = rebuilt(agent)
    assert sum(words in prompt for prompt in before) >= 3
    forget(agent.store, "sam", words)
    agent.store.close()
    agent = opened(tmp_path, model)
    after = past_prompts(agent.store, agent.id)
    assert len(after) == len(before)
    assert not any(words in prompt.sent.to_json() for prompt in after)
    assert not after[-1].exact and after[-1].gone
    assert after[0].gone == 1 and not after[0].exact
    agent.store.close()
    if words.isalpha():
        assert not files_holding(tmp_path, [words.encode()])


def test_what_was_changed_by_hand_since_is_told(tmp_path: Path) -> None:
    model = ScriptedModel(["One.", "Two."])
    agent = opened(tmp_path, model)
    say(agent, "First.")
    say(agent, "Second.")
    agent.store.log.replace(found := agent.store.log.tail(agent.id, 9)[1], found)
    first, second = past_prompts(agent.store, agent.id)
    assert first.exact and not second.exact and second.gone == 1
    agent.store.close()


def test_what_a_server_received_can_be_sent_again(tmp_path: Path, loopback: Loopback) -> None:
    function = {"name": "send_message", "arguments": json.dumps({"message": "Good day «Ann»."})}
    message = {"role": "assistant", "content": None}
    message["tool_calls"] = [{"id": "c1", "type": "function", "function": function}]  # type: ignore[assignment]
    reply = {"choices": [{"index": 0, "finish_reason": "tool_calls", "message": message}], "usage": None}
    loopback.script = [Answer(reply)] * 3
    model = OpenAIChat(LLMConfig(model="gpt-4o", model_endpoint=loopback.address))
    agent = opened(tmp_path, model)
    for words in ("Hello.", "I am Ann.\n\nAnd 雪.", "Bye."):
        say(agent, words)
    received = [{key: one.body[key] for key in ("messages", "tools")} for one in loopback.requests]
    past = [prompt.sent for prompt in past_prompts(agent.store, agent.id)]
    again = [model.form.request(prompt.messages, prompt.tools, inner_thoughts=True) for prompt in past]
    assert [json.dumps(one) for one in again] == [json.dumps(one) for one in received]
    agent.store.close()
