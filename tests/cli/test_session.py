"""A whole session, typed in a real terminal, on the small model that comes as a package."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest.importorskip("xllamacpp")
pytest.importorskip("pexpect")
if os.name == "nt":
    pytest.skip("pexpect needs a Unix terminal", allow_module_level=True)

from memgpt_autogen.llm.embedded import EmbeddedServer

from .typed import Terminal

FACT = "The code word of the harbour is Walrus."
QUESTION = "What is the code word of the harbour?"


@pytest.mark.real_model
@pytest.mark.slow
def test_a_whole_session(embedded_server: EmbeddedServer, tmp_path: Path) -> None:
    def memgpt(*arguments: str) -> Terminal:
        return Terminal(*arguments, home=tmp_path, patience=90)

    setting_up = memgpt("quickstart", "--backend", "embedded", "--yes")
    setting_up.see("memgpt run")
    assert setting_up.end() == 0

    chat = memgpt("run", "--agent", "sam", "--first")
    chat.see("starting")
    started, chat.silence = chat.silence, 0.0  # the interpreter and its first imports
    chat.see("/help lists the commands")
    assert "opening the agent" in chat.raw and "loading SmolLM2-135M-Instruct" in chat.raw and ", 98 MB" in chat.raw
    chat.type(FACT, "sam:", times=2)
    chat.type("/memory", "Archival memory:")
    chat.type("The weather is dull today.", "sam:", times=3)
    chat.type("/pop", 'from "The weather is dull today." on')
    chat.type("/retry", "sam:", times=4)
    chat.type("/recall dull")
    chat.type("/exit", "Go on with: memgpt run --agent sam")
    assert chat.end() == 0
    assert "you: The weather is dull" not in chat.words
    assert started < 5 and chat.silence < 1, "a second without a sign of life"

    again = memgpt("run", "--agent", "sam")
    again.see("messages so far")
    again.type(QUESTION, "-> conversation_search")
    again.see("sam:", times=2)
    again.type("/exit", "Saved.")
    assert again.end() == 0
    assert "Walrus" in again.words.partition(QUESTION)[2]
