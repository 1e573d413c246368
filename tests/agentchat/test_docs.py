"""The page about agentchat: its programs run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from memgpt_autogen.client import MemGPT

from ..llm.conftest import Answer, Loopback, loopback  # noqa: F401

PAGE = (Path(__file__).parents[2] / "docs" / "agentchat.md").read_text(encoding="utf-8")


def test_every_program_of_the_page_runs(
    loopback: Loopback,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MEMGPT_HOME", str(tmp_path))
    monkeypatch.setenv("BACKEND_TYPE", "openai")
    monkeypatch.setenv("OPENAI_API_BASE", loopback.address)
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    call = {"name": "send_message", "arguments": '{"inner_thoughts": "?", "message": "Nothing yet."}'}
    message = {"role": "assistant", "tool_calls": [{"id": "1", "type": "function", "function": call}]}
    choice = {"index": 0, "finish_reason": "tool_calls", "message": message}
    loopback.script = [Answer({"id": "1", "object": "chat.completion", "created": 1, "choices": [choice]})]
    for program in re.findall(r"```python\n(.*?)```", PAGE, flags=re.S):
        exec(compile(program, "agentchat.md", "exec"), {})
    assert capsys.readouterr().out == "Nothing yet.\nAnn's locker code is 7391.\n"
    assert MemGPT().list_agents() == ["sam", "notes"]
