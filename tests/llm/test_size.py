"""How large a model is, by its server or its name, and the preset that follows from it."""

from __future__ import annotations

import logging
import socket
from pathlib import Path
from typing import Any

import pytest

from memgpt_autogen import LLMConfig, MemGPT
from memgpt_autogen.config import Settings
from memgpt_autogen.llm.embedded import EmbeddedServer
from memgpt_autogen.llm.model_name import parameters_in
from memgpt_autogen.llm.model_size import ModelSize, size_of
from memgpt_autogen.prompts.presets import suited

from .conftest import Answer
from .replay import KINDS, LLAMACPP, OLD_VLLM, OLLAMA, OLLAMA_PAGES, Kind, Replay


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("SmolLM2-135M-Instruct.Q4_1", 135_000_000),
        ("smollm:360m", 360_000_000),
        ("models/qwen2.5-0.5b-instruct-q4_k_m.gguf", 500_000_000),
        ("airoboros-l2-70b-2.1", 70_000_000_000),
        ("Qwen2.5-7B-Instruct-1M", 7_000_000_000),
        ("mixtral-8x7b-instruct", None),
        ("tm05.gguf", None),
        ("gpt-4o-mini", None),
        ("", None),
    ],
)
def test_names_tell_how_many_weights_there_are(name: str, parameters: int | None) -> None:
    assert parameters_in(name) == parameters


@pytest.mark.parametrize(
    ("window", "parameters", "preset"),
    [
        (None, None, "memgpt_chat"),
        (8192, 7 * 10**9, "memgpt_local"),
        (8192, 70 * 10**9, "memgpt_chat"),
        (4096, None, "memgpt_chat"),
        (2048, 7 * 10**9, "memgpt_local"),
        (2048, 70 * 10**9, "memgpt_compact"),
        (2048, 135 * 10**6, "memgpt_tiny"),
        (None, 360 * 10**6, "memgpt_tiny"),
    ],
)
def test_the_preset_follows_window_and_size(window: int | None, parameters: int | None, preset: str) -> None:
    assert suited(window, parameters) == preset


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not OLD_VLLM], ids=lambda kind: kind.name)
def test_servers_are_asked(kind: Kind) -> None:
    server = Replay(kind)
    config = LLMConfig(model_endpoint_type=kind.name, model_endpoint=server.address + "/v1", api_key="k")
    told = {"llamacpp": 630167424}.get(kind.name)
    assert size_of(config) == ModelSize(kind.model, kind.window, told)
    assert not server.requests  # no reply was asked for
    server.close()


def of(server: Replay, **fields: Any) -> LLMConfig:
    return LLMConfig(model_endpoint_type=server.kind.name, model_endpoint=server.address, **fields)


def test_the_smaller_window_counts_and_weights_by_the_server_before_those_by_the_name() -> None:
    server = Replay(LLAMACPP)
    assert size_of(of(server, context_window=1000)).window == 1000
    assert size_of(of(server, model="my-500m")).parameters == 500_000_000  # embeddings counted twice
    assert size_of(of(server, model="context-1M")).parameters == 630167424
    # An old config names the prompt format as its model.
    assert size_of(of(server, model="airoboros-l2-70b-2.1")) == ModelSize("models/tm05.gguf", 4096, 630167424)
    server.pages["/v1/models"] = Answer({"error": "gone"}, 500)
    assert size_of(of(server, model="my-500m")).parameters == 500_000_000
    server.close()
    server = Replay(OLLAMA)
    shown = OLLAMA_PAGES["/api/show"]["model_info"] | {"general.parameter_count": 134515008}
    server.pages["/api/show"] = Answer({"model_info": shown})
    assert size_of(of(server)).parameters == 134515008
    server.close()


def home(tmp_path: Path) -> MemGPT:
    return MemGPT(Settings(tmp_path), embedder=None)


def test_agents_get_the_preset_that_suits_what_the_server_tells(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    memgpt, server = home(tmp_path), Replay(LLAMACPP)
    agent = memgpt.create_agent("sam", entry=of(server))
    assert agent.preset.name == "memgpt_local"
    assert memgpt.load_agent("sam", entry=of(server, context_window=2048)).preset.name == "memgpt_local"
    server.pages["/v1/models"] = Answer({"data": [{"meta": {"n_params": 70_553_706_496}}]})
    assert memgpt.load_agent("sam", entry=of(server)).preset.name == "memgpt_chat"
    server.pages["/props"] = Answer({"default_generation_settings": {"n_ctx": 2048}, "model_alias": "small.gguf"})
    assert memgpt.load_agent("sam", entry=of(server)).preset.name == "memgpt_compact"
    server.pages["/v1/models"] = Answer({"data": [{"meta": {"n_params": 134515008}}]})
    assert memgpt.load_agent("sam", entry=of(server)).preset.name == "memgpt_tiny"
    assert not caplog.messages
    # Who names a preset has it. An old config, which names its prompt format as the model, says nothing of the size.
    old = {"name": "eva", "preset": "memgpt_chat"}
    assert memgpt.create_agent(old, entry=of(server, model="airoboros-l2-70b-2.1")).preset.name == "memgpt_chat"
    assert "small.gguf is a very small model" in caplog.text
    server.close()


def test_a_server_that_is_down_or_hangs_keeps_no_agent_from_being_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memgpt_autogen.llm.model_size.TIMEOUT", 0.2)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{free.getsockname()[1]}"
    memgpt, server = home(tmp_path), Replay(LLAMACPP)
    agent = memgpt.create_agent("sam", entry=LLMConfig(model_endpoint_type="llamacpp", model_endpoint=dead))
    assert agent.preset.name == "memgpt_chat"
    server.pages["/props"] = Answer({}, delay=0.6)
    assert memgpt.create_agent("eva", entry=of(server)).preset.name == "memgpt_chat"
    server.close()


def test_a_very_small_model_under_a_preset_of_the_users_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    memgpt = home(tmp_path)
    small = LLMConfig("smollm2:135m", "ollama", "http://127.0.0.1:9")
    with caplog.at_level(logging.WARNING):
        assert memgpt.create_agent({"name": "sam", "preset": "memgpt_docs"}, entry=small).preset.name == "memgpt_docs"
        memgpt.create_agent({"name": "eva", "preset": "memgpt_tiny"}, entry=small)
    (warned,) = caplog.messages
    assert "smollm2:135m is a very small model" in warned and "memgpt_tiny" in warned


@pytest.mark.real_model
def test_the_real_server_tells_its_size(embedded_server: EmbeddedServer, tmp_path: Path) -> None:
    config = LLMConfig(model_endpoint_type="llamacpp", model_endpoint=embedded_server.address)
    size = size_of(config)
    assert size.window == 2048 and size.parameters is not None and 10**8 < size.parameters < 2 * 10**8
    assert home(tmp_path).create_agent("sam", entry=config).preset.name == "memgpt_tiny"
