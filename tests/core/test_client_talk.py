"""Talking by way of the Python client, and what a program may say in place of a config file."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from memgpt_autogen import AgentConfig, LLMConfig, MemGPT, QuickstartChoice, Settings
from memgpt_autogen.errors import AgentNotFound, ConfigError, ModelServerError
from memgpt_autogen.llm.scripted import BreaksOff, ScriptedModel
from memgpt_autogen.messages import Reply, ToolCall
from memgpt_autogen.observers import SpeechDelta

NOTE = ToolCall("core_memory_append", {"name": "human", "content": "Likes tea.", "request_heartbeat": True})
HELLO = Reply((ToolCall("send_message", {"message": "Hello dear Chad."}),), "He is back.")
KEY = "sk-never-on-disk-1234"


def client(home: Path, environ: dict[str, str] | None = None, **options: Any) -> MemGPT:
    return MemGPT(Settings(home=home, environ=environ or {}), embedder=None, **options)


def test_a_turn_as_a_list_of_entries_whatever_names_the_agent(tmp_path: Path) -> None:
    memgpt = client(tmp_path)
    model = ScriptedModel([NOTE, HELLO, "2", "3", "4", "5"])
    agent = memgpt.create_agent(AgentConfig(name="sam"), model=model)
    call, returned, *rest = memgpt.user_message(agent_id=agent.id, message="Hi")
    assert call == {
        "function_call": 'core_memory_append({"name": "human", "content": "Likes tea.", "request_heartbeat": true})'
    }
    assert returned["status"] == "success" and "human" in returned["function_return"]
    assert rest == [{"internal_monologue": "He is back."}, {"assistant_message": "Hello dear Chad."}]
    state = SimpleNamespace(name="sam", id=agent.id)
    assert [memgpt.ask(who, "Hi") for who in (agent, "sam", agent.id, state)] == ["2", "3", "4", "5"]
    with pytest.raises(AgentNotFound, match="Did you mean 'sam'"):
        memgpt.user_message("sma", "Hi")
    with pytest.raises(ConfigError, match="text, not int"):
        memgpt.user_message(agent, 5)  # type: ignore[call-overload]


def test_entries_while_they_come(tmp_path: Path) -> None:
    memgpt = client(tmp_path)
    memgpt.create_agent("sam", model=ScriptedModel([HELLO, BreaksOff(HELLO, ModelServerError("It died."))]))
    entries = list(memgpt.user_message("sam", "Hi", stream=True))
    assert "".join(entry.get("assistant_message_part", "") for entry in entries) == "Hello dear Chad."
    assert "".join(entry.get("internal_monologue_part", "") for entry in entries) == "He is back."
    assert entries[-1] == {"assistant_message": "Hello dear Chad."}
    seen = []
    with pytest.raises(ModelServerError, match="It died"):
        for entry in memgpt.stream_message("sam", "Hi"):
            seen.append(entry)
    assert seen[-1] == {"discarded": "It died."} and not memgpt.agent("sam").observers


def test_leaving_a_stream_early_ends_the_turn_at_its_last_whole_step(tmp_path: Path) -> None:
    memgpt = client(tmp_path)
    agent = memgpt.create_agent("sam", model=ScriptedModel([NOTE, HELLO, "Good day."]))
    agent.observers.append(lambda sight: time.sleep(0.1 * isinstance(sight, SpeechDelta)))
    for entry in memgpt.stream_message("sam", "I like tea."):
        if "assistant_message_part" in entry:
            break
    assert memgpt.get_agent_memory("sam")["core_memory"]["human"].endswith("Likes tea.")
    assert [message.text for message in memgpt.store.log.window(agent.id) if not message.answered] == ["I like tea."]
    assert memgpt.ask("sam", "And?") == "Good day."


def test_awaited_turns(tmp_path: Path) -> None:
    memgpt = client(tmp_path)
    memgpt.create_agent("sam", model=ScriptedModel([HELLO, HELLO]))

    async def main() -> tuple[list[Any], list[Any]]:
        first = await memgpt.a_user_message("sam", "Hi")
        return first, [entry async for entry in memgpt.a_stream_message("sam", "Hi")]

    first, second = asyncio.run(main())
    assert first == [{"internal_monologue": "He is back."}, {"assistant_message": "Hello dear Chad."}]
    assert second[-1] == first[-1] and len(second) > 4


def test_commands_and_what_is_told_of_an_agent(tmp_path: Path) -> None:
    memgpt = client(tmp_path, config={"preset": "memgpt_chat", "persona": "I am Sam.", "human": "First name: Chad"})
    memgpt.create_agent("sam", model=ScriptedModel(["One.", "Two."]))
    assert memgpt.ask("sam", "Hi") == "One."
    assert "First name: Chad" in memgpt.run_command("sam", "/memory")
    assert memgpt.run_command("sam", "/retry") == "Two."
    assert memgpt.run_command("sam", "rewrite Three.") == 'sam had said: "Two."; now: "Three."'
    assert "Three." in memgpt.run_command("sam", "/recall")
    assert memgpt.run_command("sam", "/recall three --since 2026-01-01").startswith("Results 1 of 1")
    assert memgpt.run_command("sam", "/recall --until 1999-12-31") == "No messages from 1971-01-01 to 1999-12-31."
    assert memgpt.run_command("sam", "/pop").startswith('Undone: 1 turn, 3 messages, from "Hi" on.')
    for wrong, told in (
        ("/memroy", "Did you mean /memory"),
        ("/attach", "used as: /attach SOURCE"),
        ("/pop x", "NUMBER"),
        ("/recall tea --source x", "--source cannot be used so. The options are: --since DAY"),
        ("/archival --since lately", "YYYY-MM-DD"),
    ):
        with pytest.raises(ConfigError, match=told):
            memgpt.run_command("sam", wrong)
    for note in ("Likes tea.", "Has a boat."):
        memgpt.agent("sam").archival.insert(note)
    latest = memgpt.run_command("sam", "/archival").splitlines()
    assert latest[0] == "2 passages; sources attached: none." and latest[1].startswith("Results 1-2 of 2")
    assert [line.partition("] ")[2] for line in latest[2:]] == ["Has a boat.", "Likes tea."]
    assert "[20" in latest[2]
    assert memgpt.run_command("sam", f"/export {tmp_path / 'sam.json'}").startswith("Written: ")
    with pytest.raises(ConfigError, match="there already"):
        memgpt.run_command("sam", f"/export {tmp_path / 'sam.json'}")
    memgpt.save()
    told = memgpt.get_agent_memory("sam")
    assert told["core_memory"]["persona"] == "I am Sam." and (told["recall_memory"], told["archival_memory"]) == (0, 2)
    assert memgpt.get_agent_config("sam").preset == "memgpt_chat"
    assert "memgpt_chat" in memgpt.list_presets() and memgpt.list_personas() and memgpt.list_humans()


FLAT = {
    "model": "gpt-4o",
    "model_endpoint_type": "openai",
    "model_endpoint": "https://llm.example/v1",
    "openai_key": KEY,
    "context_window": 9000,
    "preset": "memgpt_docs",
    "embedding_endpoint_type": "openai",
    "embedding_endpoint": "https://emb.example/v1",
    "embedding_model": "small",
    "embedding_dim": 384,
}
NESTED = {
    "model": {"model": "gpt-4o", "model_endpoint": "https://llm.example/v1", "api_key": KEY, "context_window": 9000},
    "embedding": {"kind": "openai", "endpoint": "https://emb.example/v1", "model": "small"},
    "preset": "memgpt_docs",
}


@pytest.mark.parametrize("config", [FLAT, NESTED], ids=["flat", "nested"])
def test_a_config_in_code_wins_and_its_key_stays_off_the_disk(tmp_path: Path, config: dict[str, Any]) -> None:
    environ = {"BACKEND_TYPE": "llamacpp", "OPENAI_API_BASE": "http://127.0.0.1:9"}
    memgpt = client(tmp_path, environ, config=config)
    agent = memgpt.create_agent("sam")
    used = agent.model.config  # type: ignore[attr-defined]
    assert (used.model, used.address, used.api_key) == ("gpt-4o", "https://llm.example", KEY)
    assert agent.model.context_window == 9000 and agent.preset.name == "memgpt_docs"
    assert memgpt.overrides.embedding and memgpt.overrides.embedding.model == "small"
    memgpt.close()
    assert not any(KEY.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    again = client(tmp_path, {**environ, "OPENAI_API_KEY": "other"}).load_agent("sam")
    assert again.model.config.address == "https://llm.example"  # type: ignore[attr-defined]


def test_a_models_name_alone_goes_with_the_server_that_is_set(tmp_path: Path) -> None:
    environ = {"BACKEND_TYPE": "ollama", "OPENAI_API_BASE": "http://127.0.0.1:9", "OPENAI_API_KEY": "k"}
    memgpt = client(tmp_path, environ)
    for number, config in enumerate((AgentConfig(name="a", model="q05"), {"name": "b", "model": "q05"})):  # type: ignore[arg-type]
        memgpt.create_agent(config | {} if isinstance(config, dict) else config, model=ScriptedModel())
        saved = memgpt.get_agent_config("ab"[number]).model
        assert saved == LLMConfig("q05", "ollama", "http://127.0.0.1:9")


def test_quickstarts(tmp_path: Path) -> None:
    assert client(tmp_path, quickstart="embedded").overrides.model == LLMConfig(model_endpoint_type="embedded")
    assert client(tmp_path, quickstart=QuickstartChoice.openai).overrides.model == LLMConfig(model="gpt-4o-mini")
    assert client(tmp_path, {"BACKEND_TYPE": "vllm"}, quickstart="local").overrides.model is None
    for wrong, told in (
        ("local", "Where is the local server"),
        ("opnai", "Did you mean 'openai'"),
        ("memgpt", "no more"),
    ):
        with pytest.raises(ConfigError, match=told):
            client(tmp_path, quickstart=wrong)
    for config, told in (({"modle": "x"}, "Did you mean 'model'"), ({"context_window": "big"}, "must be int or None")):
        with pytest.raises(ConfigError, match=told):
            client(tmp_path, config=config)
