"""Every example of docs/client.md runs, one after the other."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

import memgpt_autogen.client.opener
from memgpt_autogen.llm.scripted import ScriptedModel

ROOT = Path(__file__).parents[1]


def test_every_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    text = (ROOT / "docs" / "client.md").read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(examples) == 8
    model = ScriptedModel([f"Words number {number}." for number in range(20)])
    monkeypatch.setattr(memgpt_autogen.client.opener, "build_model", lambda *_, **__: model)
    for name in ("OPENAI_API_KEY", "OPENAI_API_BASE", "BACKEND_TYPE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MEMGPT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "examples" / "demo_documents", tmp_path / "examples" / "demo_documents")
    scope: dict[str, Any] = {}
    for example in examples:
        exec(compile(example, "docs/client.md", "exec"), scope)
    shown = capsys.readouterr().out
    for told in ("Words number 0.", "says: Words number 1.", "Words number 2.", "'assistant_message'", "Chad"):
        assert told in shown, told
    assert "sk-..." not in shown and scope["memgpt"].list_agents() == ["sam"]
