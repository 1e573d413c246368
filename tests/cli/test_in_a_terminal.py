"""The questions in a real terminal, 40 columns wide, typed into by pexpect."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

pexpect = pytest.importorskip("pexpect")
pyte = pytest.importorskip("pyte")
if os.name == "nt":
    pytest.skip("pexpect needs a Unix terminal", allow_module_level=True)

HOUSE = Path(__file__).resolve().parent.parent.parent
DOWN, ENTER, CTRL_C, CTRL_D = "\x1b[B", "\r", "\x03", "\x04"


class Terminal:
    """A command in a terminal of 40 columns and 24 lines, and what is on its screen."""

    def __init__(self, home: Path, *arguments: str) -> None:
        environ = {**os.environ, "MEMGPT_HOME": str(home), "TERM": "xterm", "PYTHONPATH": str(HOUSE)}
        self._child = pexpect.spawn(
            sys.executable,
            ["-m", "memgpt_autogen.cli", *arguments],
            # pexpect sets the size only after the program has started; a busy machine reads it too early.
            env={**environ, "COLUMNS": "40", "LINES": "24"},
            dimensions=(24, 40),
            encoding="utf-8",
            timeout=60,
        )
        self._screen = pyte.Screen(40, 24)
        self._stream = pyte.Stream(self._screen)

    def until(self, words: str) -> None:
        self._child.expect_exact(words)
        self._stream.feed(self._child.before + self._child.after)

    def type(self, keys: str) -> None:
        self._child.send(keys)

    def end(self) -> int:
        self._child.expect(pexpect.EOF)
        self._stream.feed(self._child.before)
        self._child.close()
        return int(self._child.exitstatus)

    @property
    def screen(self) -> str:
        return "\n".join(line.rstrip() for line in self._screen.display).strip()


@pytest.fixture
def gguf(home: Path, tmp_path: Path) -> Any:
    (tmp_path / "own.gguf").write_bytes(b"GGUF")
    return tmp_path / "own.gguf"


def test_configure_by_the_arrow_keys_on_forty_columns(home: Path, gguf: Path) -> None:
    terminal = Terminal(home, "configure", "--model-endpoint-type", "embedded", "--model", str(gguf))
    terminal.until("Prompt format?")
    terminal.type(ENTER)
    terminal.until("Context window")
    terminal.type("4096" + ENTER)
    terminal.until("What finds by meaning?")
    terminal.type(DOWN * 4 + ENTER)
    terminal.until("Where are vectors kept?")
    terminal.type(ENTER)
    terminal.until("preset?")
    terminal.type(DOWN + ENTER)
    terminal.until("persona?")
    terminal.type(ENTER)
    terminal.until("human?")
    terminal.type(ENTER)
    terminal.until("Written:")
    assert terminal.end() == 0
    written = json.loads((home / "config.json").read_text())
    assert written["model"] == {
        "model_endpoint_type": "embedded",
        "model": str(gguf),
        "model_wrapper": "auto",
        "context_window": 4096,
    }
    assert (written["embedding"], written["preset"]) == ({"kind": "none"}, "memgpt_chat")
    assert "memgpt run" in terminal.screen


@pytest.mark.parametrize("key", [CTRL_C, CTRL_D])
def test_a_question_is_left_with_one_word(home: Path, key: str) -> None:
    terminal = Terminal(home, "configure")
    terminal.until("Who runs the model?")
    terminal.type(key)
    terminal.until("Stopped.")
    assert terminal.end() == 1
    assert "Traceback" not in terminal.screen
    assert not (home / "config.json").exists()


def test_tables_keep_to_forty_columns(home: Path) -> None:
    terminal = Terminal(home, "list", "presets")
    terminal.until("memgpt_docs_small")
    terminal.until("functions: 4")
    assert terminal.end() == 0
