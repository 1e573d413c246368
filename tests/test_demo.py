"""`make demo`, as it is run: the real model on the real server, two processes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from memgpt_autogen.llm.embedded import EmbeddedServer

DEMO = Path(__file__).resolve().parent.parent / "examples" / "demo.py"
MODELS = ("OPENAI_API_KEY", "OPENAI_API_BASE", "OPENAI_BASE_URL", "BACKEND_TYPE", "MEMGPT_EMBEDDED_MODEL")


def run_demo(*arguments: str) -> str:
    environ = {name: value for name, value in os.environ.items() if name not in MODELS}
    done = subprocess.run(
        [sys.executable, DEMO, *arguments], env=environ, capture_output=True, encoding="utf-8", timeout=280
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.real_model
@pytest.mark.long
def test_the_demo_runs_to_its_end_and_the_fact_is_among_the_right_answers(embedded_server: EmbeddedServer) -> None:
    pytest.importorskip("autogen")
    shown = run_demo()
    right = re.fullmatch(r"(\d) of 6", shown.strip().splitlines()[-1])
    assert right and int(right[1]) >= 5, shown
    assert "right  What is my locker code?" in shown
    assert "the code is out" in shown, "the fact never left the window"
    assert "conversation_search" in shown.partition("(e)")[2]


@pytest.mark.real_model
@pytest.mark.long
def test_the_same_agent_answers_from_documents_of_one_s_own(embedded_server: EmbeddedServer, tmp_path: Path) -> None:
    pytest.importorskip("autogen")
    document = tmp_path / "harbour.md"
    document.write_text(
        "# The harbour\n\nThe ferry to Ulmsund leaves from pier 7 at dawn. Dogs travel free of charge.\n\n"
        "## Fees\n\nA berth for sailing boats costs 18 crowns a night. The harbour master is Berta Quist.\n",
        encoding="utf-8",
    )
    shown = run_demo("--docs", str(document), "--ask", "Who is the harbour master?")
    assert "Berta Quist" in shown.splitlines()[-1]
