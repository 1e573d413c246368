"""Fixtures of the group chat's tests. Without AutoGen, only those of its pure functions are collected."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ..llm.conftest import loopback  # noqa: F401

if TYPE_CHECKING:
    from memgpt_autogen.client import MemGPT

if importlib.util.find_spec("autogen") is None:
    pure = ("conversations", "entries", "translate")
    found = sorted(Path(__file__).parent.glob("test_*.py"))
    collect_ignore = [path.name for path in found if path.stem.removeprefix("test_") not in pure]


@pytest.fixture(autouse=True)
def no_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees the keys, the home folder or the cache of the machine it runs on."""
    for name in ("BACKEND_TYPE", "OPENAI_API_BASE", "OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MEMGPT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def memgpt(tmp_path: Path) -> Iterator[MemGPT]:
    from .members import open_memgpt

    home = open_memgpt(tmp_path)
    yield home
    home.close()


_outcomes: dict[str, str] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Notes how the tests come out that hold a row of the contract; one that fails once has failed."""
    path, _, name = report.nodeid.rpartition("/")[2].partition("::")
    test = f"{path}::{name.partition('[')[0]}"
    if report.failed:
        _outcomes[test] = "failed"
    elif report.skipped:
        _outcomes.setdefault(test, "skipped")
    elif report.when == "call" and _outcomes.get(test) != "failed":
        _outcomes[test] = "passed"


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Notes files that are skipped as a whole, since this AutoGen does not have what they test."""
    if report.skipped:
        _outcomes[f"{report.nodeid.rpartition('/')[2]}::*"] = "skipped"


def pytest_sessionfinish() -> None:
    """Writes the outcomes where ``CONTRACT_RESULTS`` says; see contract.py."""
    if place := os.environ.get("CONTRACT_RESULTS"):
        from memgpt_autogen.groupchat._autogen import owners

        Path(place).write_text(json.dumps({" + ".join(owners()): _outcomes}), encoding="utf-8")
