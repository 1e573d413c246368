"""What docs/migrating.md promises exists."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parent.parent / "docs" / "migrating.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading, without its head."""
    part = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def find(dotted: str) -> object:
    """What a dotted name stands for, importing as far as there are modules."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for name in parts[length:]:
            found = getattr(found, name)
        return found
    raise AssertionError(dotted)


@pytest.mark.groupchat
@pytest.mark.parametrize("cell", [row[1] for row in rows("Imports")])
def test_every_import_has_something_to_take_its_place(cell: str) -> None:
    pytest.importorskip("autogen")
    names = re.findall(r"`(memgpt_autogen[\w.]*)`", cell)
    assert names
    for name in names:
        assert find(name) is not None


@pytest.mark.groupchat
def test_every_method_and_function_is_there() -> None:
    pytest.importorskip("autogen")
    import memgpt_autogen
    from memgpt_autogen import MemGPTAgent, presets

    for cell, _ in rows("Functions and methods"):
        name = re.match(r"`\.?([\w.]+)", cell).group(1)  # type: ignore[union-attr]
        owner = MemGPTAgent if cell.startswith("`.") else memgpt_autogen
        assert callable(presets.use_preset if name == "presets.use_preset" else getattr(owner, name)), name


@pytest.mark.groupchat
def test_every_option_is_accepted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("autogen")
    from memgpt_autogen import (
        InMemoryStateManager,
        create_autogen_memgpt_agent,
        create_memgpt_autogen_agent_from_config,
    )

    monkeypatch.setenv("MEMGPT_HOME", str(tmp_path))
    named = inspect.signature(create_memgpt_autogen_agent_from_config).parameters
    for cell, _ in rows("Options"):
        for option in re.findall(r"`(\w+)`", cell):
            if option not in named:  # taken by the agent itself
                store = InMemoryStateManager()
                given = {"persistence_manager": store, option: store if option == "persistence_manager" else None}
                assert create_autogen_memgpt_agent("sam", **given).name == "sam", option


def test_every_key_of_an_entry_is_read_or_left_out() -> None:
    from memgpt_autogen.compat import is_memgpt_key
    from memgpt_autogen.groupchat.llm_config import read_llm_config

    values = {"context_window": 4096}
    for cell, _ in rows("Keys of a config entry"):
        for key in re.findall(r"`(\w+)", cell):
            if key.startswith("azure_") or is_memgpt_key(key):
                entry = read_llm_config([{"model": "m", "model_endpoint_type": "azure", key: values.get(key, "azure")}])
                assert key not in entry.autogen["config_list"][0], key  # type: ignore[index]
