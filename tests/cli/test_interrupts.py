"""Ctrl-C during an import waits for its end."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from memgpt_autogen.cli.interrupts import interrupts_between_imports


@pytest.fixture
def slow_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package that is interrupted while it is imported, by its own first line."""
    folder = tmp_path / "slow_package"
    folder.mkdir()
    lines = ["import os, signal, time", "os.kill(os.getpid(), signal.SIGINT)", "time.sleep(0.1)", "whole = True"]
    (folder / "__init__.py").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "slow_package", raising=False)
    return "slow_package"


@pytest.mark.skipif(os.name == "nt", reason="os.kill ends the process on Windows")
def test_an_interrupted_import_is_finished_first(slow_package: str) -> None:
    begun = time.monotonic()
    with interrupts_between_imports(), pytest.raises(KeyboardInterrupt):
        __import__(slow_package)
        time.sleep(5)
    assert time.monotonic() - begun < 5
    assert sys.modules[slow_package].whole


@pytest.mark.skipif(os.name == "nt", reason="os.kill ends the process on Windows")
def test_anything_else_is_interrupted_at_once() -> None:
    begun = time.monotonic()
    with interrupts_between_imports(), pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)
    assert time.monotonic() - begun < 5


def test_a_handler_of_somebody_else_stays() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interrupts_between_imports():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
