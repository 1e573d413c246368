"""What a user sees and types while the program is busy: a spinner, a quiet input line, and a clean end by Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

pytest.importorskip("pexpect")
if os.name == "nt":
    pytest.skip("pexpect needs a Unix terminal", allow_module_level=True)

from .talk_server import serving
from .typed import Terminal

Open = Callable[..., Terminal]
THINKING = "bo is thinking"


@pytest.fixture(scope="module")
def environ() -> Iterator[Mapping[str, str]]:
    with serving() as address:
        key = "sk-test-1234567890abcdefghij"
        yield {"BACKEND_TYPE": "openai", "OPENAI_API_BASE": address, "OPENAI_MODEL": "gpt-4o", "OPENAI_API_KEY": key}


@pytest.fixture
def chat(environ: Mapping[str, str], tmp_path: Path) -> Iterator[Open]:
    opened: list[Terminal] = []

    def run(*options: str) -> Terminal:
        opened.append(Terminal("run", "--agent", "bo", "--first", *options, home=tmp_path, environ=environ))
        return opened[-1]

    yield run
    for one in opened:
        one.child.close(force=True)


def test_the_spinner_stops_only_for_what_is_drawn_and_comes_back(chat: Open) -> None:
    terminal = chat()
    terminal.see("/help lists the commands")
    terminal.silence = 0.0
    terminal.type("ponder", "bo: You said: ponder")
    terminal.type("/exit", "Saved.")
    before, call, after = (terminal.raw.index(words) for words in ("core_memory_append(", "updated:", "You"))
    assert THINKING in terminal.raw[:before], "while the first reply is waited for"
    assert THINKING in terminal.raw[call:after], "again after the function call"
    assert re.search(r"[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]\S*\x08", terminal.raw[call:]), "in the middle of the streamed line"
    assert terminal.silence < 1
    assert THINKING not in terminal.text and terminal.end() == 0
    assert "bo: You said: ponder. I know" not in terminal.text and "bo: You said: ponder." in terminal.text


def test_plain_text_has_no_spinner(chat: Open) -> None:
    terminal = chat("--strip-ui")
    terminal.type("ponder", "You said: ponder.")
    assert THINKING not in terminal.raw


def test_what_is_typed_meanwhile_waits_in_the_input_line(chat: Open) -> None:
    terminal = chat()
    terminal.type("ponder")
    terminal.child.send("one\rtw")
    time.sleep(0.5)
    terminal.see("bo: You said: one.")
    terminal.see("> tw")
    assert terminal.text.count("one") == 2 and terminal.text.count("tw") == 1  # the input, and its answer
    terminal.child.send("o\r")
    terminal.see("bo: You said: two.")
    terminal.press("d", "Saved.")
    assert terminal.end() == 0 and terminal.echoes


@pytest.mark.parametrize("moment", [0.0, 0.7, 1.7])
def test_ctrl_c_in_a_turn_leaves_a_clean_prompt(chat: Open, moment: float) -> None:
    terminal = chat()
    terminal.type("ponder", THINKING)
    time.sleep(moment)
    terminal.press("c", "Stopped. What you said is kept", busy=True)
    terminal.type("hello", "bo: You said: hello.")
    assert "^C" not in terminal.text and "Traceback" not in terminal.text


@pytest.mark.parametrize("moment", [0.0, 0.3, 0.6])
def test_ctrl_c_while_it_starts_leaves_a_clean_prompt(chat: Open, moment: float) -> None:
    terminal = chat()
    terminal.see("starting")
    time.sleep(moment)
    terminal.child.sendcontrol("c")
    terminal.see_one_of("Stopped.", "Ctrl-C once more")
    if "Ctrl-C once more" in terminal.text:
        terminal.press("d", "Saved.")
    assert terminal.end() in (0, 1)
    assert "Stopped." in terminal.text or "Saved." in terminal.text
    assert "Traceback" not in terminal.raw and terminal.echoes


def test_ctrl_c_at_a_question_goes_back_to_the_chat(chat: Open) -> None:
    terminal = chat()
    terminal.type("/wipe", "for good?")
    terminal.press("c", "Stopped.", busy=True)
    terminal.type("hello", "bo: You said: hello.")


def test_a_terminated_program_leaves_a_terminal_that_echoes(chat: Open) -> None:
    terminal = chat()
    terminal.type("slowly")
    terminal.see(THINKING)
    terminal.child.kill(signal.SIGTERM)
    assert terminal.end() == 128 + signal.SIGTERM and terminal.echoes
