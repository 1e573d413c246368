"""The configuration: by flags, by the arrow keys, and what is said of answers that cannot be."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from memgpt_autogen.cli.setup import questions
from memgpt_autogen.client import MemGPT
from memgpt_autogen.config import Settings
from memgpt_autogen.llm.scripted import ScriptedModel
from tests.cli.conftest import Program
from tests.cli.keys import CTRL_D, DOWN, ENTER, typed
from tests.cli.servers import LLAMACPP, OPENAI, serving

KEY = "mk_0123456789abcdef_not_a_key"


def filed(home: Path) -> Any:
    return json.loads((home / "config.json").read_text())


def test_flags_say_everything_and_the_file_has_it(memgpt: Program, home: Path) -> None:
    memgpt("add", "persona", "pirate", "--text", "I say arr.")
    with serving(LLAMACPP) as address:
        ran = memgpt(
            *("configure", "--provider", "local", "--model-endpoint-type", "llamacpp"),
            *("--model-endpoint", address, "--model-wrapper", "chatml", "--context-window", "4096"),
            *(
                "--embedding",
                "none",
                "--vectors",
                "chroma:///v",
                "--preset",
                "memgpt_docs",
                "--persona",
                "pirate",
                "--human",
                "basic",
                "--yes",
            ),
        )
    assert ran.code == 0, ran.err
    assert f"{address} is llamacpp" in ran.out and "8192" in ran.out
    assert str(home / "config.json") in ran.out
    assert filed(home) == {
        "model": {
            "model_endpoint_type": "llamacpp",
            "model_endpoint": address,
            "model_wrapper": "chatml",
            "context_window": 4096,
        },
        "embedding": {"kind": "none"},
        "vectors": "chroma:///v",
        "preset": "memgpt_docs",
        "persona": "pirate",
        "human": "basic",
    }
    if os.name != "nt":
        assert stat.S_IMODE((home / "config.json").stat().st_mode) == 0o600
    assert memgpt("configure", "--yes", "--vectors", "sqlite").code == 0
    assert "vectors" not in filed(home)
    agent = MemGPT(Settings.load()).create_agent("sam", model=ScriptedModel())
    assert agent.preset.name == "memgpt_docs"
    assert "I say arr." in agent.core.render()


def test_the_type_is_found_out_from_the_address(memgpt: Program, home: Path) -> None:
    with serving(LLAMACPP) as address:
        assert memgpt("configure", "--model-endpoint", address, "--yes").code == 0
    assert filed(home)["model"]["model_endpoint_type"] == "llamacpp"


def test_the_arrow_keys_and_the_defaults_answer(memgpt: Program, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(LLAMACPP) as address:
        from memgpt_autogen.llm.detect import DetectedServer

        found = [DetectedServer("llamacpp", address, "qwen", 8192)]
        monkeypatch.setattr(questions, "local_servers", lambda: found)
        keys = [
            DOWN * 2 + ENTER,  # provider: local
            ENTER,  # the server that answers comes first
            ENTER,  # prompt format: auto
            ENTER,  # window: what the server says
            DOWN + ENTER,  # embedding: bundled
            ENTER,  # vectors: in the file
            DOWN + ENTER,  # preset: the first by name
            ENTER,  # persona: the preset's
            DOWN + ENTER,  # human: the first by name
        ]
        with typed(monkeypatch, "".join(keys)):
            ran = memgpt("configure")
    assert ran.code == 0, ran.err
    assert filed(home) == {
        "model": {"model_endpoint_type": "llamacpp", "model_endpoint": address, "model_wrapper": "auto"},
        "embedding": {"kind": "bundled"},
        "preset": "memgpt_chat",
        "human": "basic",
    }
    before = (home / "config.json").read_bytes()
    with typed(monkeypatch, ENTER + CTRL_D):
        ran = memgpt("configure")
    assert (ran.code, ran.err.strip()) == (1, "Stopped.")
    assert (home / "config.json").read_bytes() == before


def test_what_is_not_asked_for_stays(memgpt: Program, home: Path) -> None:
    home.mkdir()
    kept = {"model_endpoint_type": "ollama", "timeout": 900.0, "settings": {"keep_alive": "1h"}}
    (home / "config.json").write_text(json.dumps({"model": kept, "human": "cs_phd"}))
    assert memgpt("configure", "--yes", "--persona", "sam_pov").code == 0
    written = filed(home)
    assert written["model"]["settings"] == {"keep_alive": "1h"}
    assert written["model"]["timeout"] == 900.0
    assert (written["human"], written["persona"]) == ("cs_phd", "sam_pov")


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ((), 2, "--provider"),
        (("--provider", "local"), 2, "--model-endpoint-type"),
        (("--provider", "grand"), 2, "azure"),
        (("--provider", "openai", "--yes"), 2, "--key-file"),
        (("--provider", "azure", "--yes"), 1, "--model-endpoint: An address is needed"),
        (("--provider", "openai", "--model-endpoint-type", "ollama"), 2, "does not go with"),
        (("--model-endpoint", "http://127.0.0.1:9", "--yes"), 1, "--model-endpoint-type"),
        (("--model-endpoint", "http://me:pass@127.0.0.1:9", "--yes"), 1, "out of the address"),
        (("--model-endpoint-type", "embedded", "--model", "no.gguf", "--yes"), 1, "There is no file"),
        (("--model-endpoint-type", "embedded", "--model-wrapper", "x", "--yes"), 1, "Unknown model wrapper 'x'"),
        (("--model-endpoint-type", "embedded", "--context-window", "9", "--yes"), 2, "--context-window"),
        (("--model-endpoint-type", "embedded", "--vectors", "http://x", "--yes"), 1, "chroma+http://host:port"),
        (("--model-endpoint-type", "embedded", "--preset", "memgpt_chta", "--yes"), 1, "Did you mean 'memgpt_chat'?"),
        (("--model-endpoint-type", "embedded", "--persona", "sam_pow", "--yes"), 1, "Did you mean 'sam_pov'?"),
    ],
)
def test_an_answer_that_cannot_be_is_told_and_nothing_is_written(
    memgpt: Program, home: Path, arguments: tuple[str, ...], code: int, told: str
) -> None:
    ran = memgpt("configure", *arguments)
    assert told in " ".join(ran.err.split())
    assert (ran.code, "Traceback" in ran.err, "me:pass" in ran.err) == (code, False, False)
    assert not (home / "config.json").exists()


def test_a_broken_file_is_told_with_its_line(memgpt: Program, home: Path) -> None:
    home.mkdir()
    (home / "config.json").write_text('{\n  "model": {},\n  oops\n}')
    for command in (("configure", "--yes"), ("list", "agents"), ("quickstart", "--backend", "local")):
        ran = memgpt(*command)
        assert (ran.code, "line 3" in ran.err) == (1, True), ran.err
    assert (home / "config.json").read_text() == '{\n  "model": {},\n  oops\n}'


def test_a_key_is_checked_and_stored_beside_the_config(memgpt: Program, home: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY + "\n")
    given = ("--key-file", str(tmp_path / "key"), "--keep-key-in", "file", "--model", "gpt-4o", "--yes")
    with serving(OPENAI, key=KEY) as address:
        ran = memgpt("configure", "--provider", "openai", "--model-endpoint", address, *given)
        assert ran.code == 0, ran.err
        assert json.loads((home / "credentials.json").read_text()) == {address.removeprefix("http://"): KEY}
        assert KEY not in (home / "config.json").read_text() + ran.out + ran.err
        again = memgpt("configure", "--yes", "--model", "gpt-9")
        assert again.code == 0 and "does not list gpt-9" in again.err
        (tmp_path / "key").write_text("another-key-that-is-wrong")
        refused = memgpt("configure", "--provider", "openai", "--model-endpoint", address, *given)
    assert refused.code == 1
    assert "does not accept this key. It was not stored." in refused.err
    assert "another-key" not in refused.err
    assert KEY in (home / "credentials.json").read_text()


def test_what_comes_before_the_file_is_told(memgpt: Program, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKEND_TYPE", "ollama")
    ran = memgpt("configure", "--model-endpoint-type", "embedded", "--yes")
    assert "BACKEND_TYPE is set and comes before the config file" in ran.err
