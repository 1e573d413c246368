"""``memgpt inspect`` as a program."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from memgpt_autogen import MemGPT, Settings
from memgpt_autogen.llm.scripted import ScriptedModel

from .conftest import HOUSE


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_the_page_is_served_until_ctrl_c(tmp_path: Path) -> None:
    memgpt = MemGPT(Settings(home=tmp_path, environ={}), embedder=None)
    memgpt.create_agent("sam", model=ScriptedModel())
    memgpt.close()
    environ = {**os.environ, "MEMGPT_HOME": str(tmp_path), "PYTHONPATH": str(HOUSE)}
    command = [sys.executable, "-m", "memgpt_autogen.cli", "inspect", "sam", "--no-browser"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        assert program.stdout
        found = re.search(r"http://127\.0\.0\.1:\d+/\S+/memory", program.stdout.readline())
        assert found
        with urllib.request.urlopen(found[0], timeout=90) as answer:
            assert "Core memory" in answer.read().decode()
        program.send_signal(signal.SIGINT)
        _, errors = program.communicate(timeout=90)
    assert program.returncode == 0 and "Traceback" not in errors and "Whoever has this address" in errors


def test_a_wrong_agent_is_told_at_once(tmp_path: Path) -> None:
    environ = {**os.environ, "MEMGPT_HOME": str(tmp_path), "PYTHONPATH": str(HOUSE)}
    command = [sys.executable, "-m", "memgpt_autogen.cli", "inspect", "smam", "--no-browser"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 1 and "There is no agent named" in done.stderr
