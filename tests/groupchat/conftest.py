"""Fixtures of the group chat's tests. Without AutoGen, only those of its pure functions are collected."""

from __future__ import annotations

import importlib.util
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
