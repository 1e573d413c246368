"""What the doctor finds, what it advises, and when its exit code is 1."""

from __future__ import annotations

import importlib.metadata
import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from memgpt_autogen.cli.setup import model_wheel
from memgpt_autogen.storage.sqlite import SQLiteStore
from tests.cli.conftest import Program
from tests.cli.servers import LLAMACPP, OPENAI, serving

KEY = "mk_0123456789abcdef_not_a_key"


@pytest.fixture(autouse=True)
def model_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A model on this machine, whatever is installed."""
    (tmp_path / "own.gguf").write_bytes(b"GGUF")
    monkeypatch.setenv("MEMGPT_EMBEDDED_MODEL", str(tmp_path / "own.gguf"))
    monkeypatch.setattr(model_wheel, "missing_runner", list)


def configure(home: Path, **settings: Any) -> None:
    home.mkdir(exist_ok=True, mode=0o700)
    (home / "config.json").write_text(json.dumps(settings))
    (home / "config.json").chmod(0o600)


def findings(memgpt: Program, *arguments: str) -> tuple[dict[str, tuple[str, str]], dict[str, tuple[Any, str]]]:
    """What was found (state and all that is said), and the values (value and where from)."""
    told = json.loads(memgpt("doctor", "--json", *arguments).out)[0]
    found = {one["about"]: (one["state"], f"{one['found']} {one['todo']}") for one in told["findings"]}
    return found, {one["setting"]: (one["value"], one["from"]) for one in told["values"]}


def test_where_nothing_is_set_up_nothing_is_broken_and_nothing_is_made(memgpt: Program, home: Path) -> None:
    ran = memgpt("doctor")
    assert ran.code == 0, ran.out
    assert "Nothing is broken." in ran.out
    assert "model_endpoint_type\tembedded\tdefault" in ran.out
    assert not home.exists()


def test_each_value_is_told_with_where_it_is_from(memgpt: Program, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(home, model={"model": "m", "model_endpoint_type": "ollama"}, human="cs_phd")
    store = SQLiteStore(home / "memgpt.db")
    own = {"model_endpoint_type": "embedded", "context_window": 4096}
    store.agents.create("sam", {"name": "sam", "model": own, "persona": "coder"})
    _, values = findings(memgpt)
    assert values["model"] == ("m", "config file") and values["human"] == ("cs_phd", "config file")
    assert values["timeout"] == ("300.0", "default")
    _, values = findings(memgpt, "--agent", "sam")
    assert values["context_window"] == ("4096", "the agent") and values["persona"] == ("coder", "the agent")
    monkeypatch.setenv("BACKEND_TYPE", "llamacpp")
    _, values = findings(memgpt)
    assert values["model_endpoint_type"] == ("llamacpp", "environment")
    assert "Did you mean 'sam'?" in memgpt("doctor", "--agent", "sma").err


def test_a_broken_config_file_is_found_and_the_rest_is_still_checked(memgpt: Program, home: Path) -> None:
    configure(home)
    (home / "config.json").write_text('{"modle": {}}')
    found, _ = findings(memgpt)
    assert found["config file"][0] == "bad" and "line 1" in found["config file"][1]
    assert found["model"][0] == "ok"
    assert memgpt("doctor").code == 1


def test_a_hosted_model_is_asked_with_the_key_which_is_never_shown(
    memgpt: Program, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(OPENAI, key=KEY) as address:
        configure(home, model={"model": "gpt-4o", "model_endpoint": address})
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("OPENAI_API_BASE", address)
        monkeypatch.setenv("BACKEND_TYPE", "openai")
        monkeypatch.setenv("OPENAI_MODEL", "gpt-4o")
        found, _ = findings(memgpt)
        assert found["model"] == ("ok", f"gpt-4o at {address} ")
        assert "OPENAI_API_KEY" in found["key"][1]
        monkeypatch.setenv("OPENAI_MODEL", "gpt-9")
        assert "gpt-4o-mini" in findings(memgpt)[0]["model"][1]
        monkeypatch.setenv("OPENAI_API_KEY", "some-wrong-key")
        found, _ = findings(memgpt)
        assert found["model"][0] == "bad" and "does not accept" in found["model"][1]
        shown = memgpt("doctor")
    assert KEY not in shown.out + shown.err and "some-wrong-key" not in shown.out + shown.err


def test_a_missing_key_a_dead_server_and_another_kind_of_server(memgpt: Program, home: Path) -> None:
    configure(home, model={"model": "gpt-4o"})
    assert findings(memgpt)[0]["key"][0] == "bad"
    configure(home, model={"model_endpoint_type": "vllm", "model_endpoint": "http://127.0.0.1:9"})
    assert "Cannot reach" in findings(memgpt)[0]["model"][1]
    with serving(LLAMACPP) as address:
        configure(home, model={"model_endpoint_type": "vllm", "model_endpoint": address})
        assert "--model-endpoint-type llamacpp" in findings(memgpt)[0]["model"][1]
        configure(home, model={"model_endpoint_type": "llamacpp", "model_endpoint": address})
        assert findings(memgpt)[0]["model"][0] == "ok"


def test_a_store_is_read_and_a_damaged_or_newer_one_found(memgpt: Program, home: Path) -> None:
    configure(home)
    path = home / "memgpt.db"
    store = SQLiteStore(path)
    store.agents.create("sam", {"name": "sam"})
    store.close()
    assert "1 agents, 0 messages" in findings(memgpt)[0]["store"][1]
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 999")
    database.close()
    assert "Upgrade" in findings(memgpt)[0]["store"][1]
    path.write_bytes(b"no database" * 100)
    assert findings(memgpt)[0]["store"][0] == "bad"


@pytest.mark.skipif(os.name == "nt", reason="no modes there")
def test_what_others_may_read_is_told(memgpt: Program, home: Path) -> None:
    configure(home)
    home.chmod(0o755)
    (home / "config.json").chmod(0o644)
    found, _ = findings(memgpt)
    assert found["home"] == ("note", f"{home}, by MEMGPT_HOME: others may enter it chmod 700 {home}")
    assert found["config.json"][0] == "note"


def test_two_autogens_in_one_folder_are_found(memgpt: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "packages_distributions", lambda: {"autogen": ["ag2", "pyautogen"]})
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "1")
    found, _ = findings(memgpt)
    assert found["AutoGen"][0] == "bad" and "pip uninstall ag2 pyautogen" in found["AutoGen"][1]
