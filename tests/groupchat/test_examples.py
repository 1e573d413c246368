"""The examples, as they are, on scripted replies of a server."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
from autogen.io import IOStream

from ..llm.conftest import Answer, Loopback
from .members import Screen, completion, say

pytestmark = pytest.mark.groupchat

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def run(loopback: Loopback, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.syspath_prepend(EXAMPLES)
    monkeypatch.setenv("BACKEND_TYPE", "openai")
    monkeypatch.setenv("OPENAI_API_BASE", f"{loopback.address}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("AUTOGEN_USE_DOCKER", "False")

    def start(name: str, *words: str, script: list[Answer]) -> str:
        loopback.script = script
        monkeypatch.setattr(sys, "argv", [name, *words])
        screen = Screen()
        with IOStream.set_default(screen):
            runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        assert not loopback.script, f"{len(loopback.script)} replies were never asked for"
        return screen.text + capsys.readouterr().out

    return start


def test_a_group_chat(run: Any, loopback: Loopback) -> None:
    plain = completion(text="An app.")
    script = [plain, say("def f(): ..."), plain, say("Done.")]
    shown = run("agent_groupchat.py", "Write f.", script=script)
    assert "def f(): ..." in shown and "An app." in shown


def test_a_tool(run: Any, loopback: Loopback) -> None:
    call = ("ticket_price", {"inner_thoughts": "Look it up.", "place": "island"})
    shown = run("groupchat_with_tool.py", script=[completion(call), say("25 euros for two.")])
    assert "25 euros for two." in shown
    assert "costs 12.50 euros" in str(loopback.requests[1].body["messages"])


def test_code_is_run(run: Any, loopback: Loopback) -> None:
    program = say("```python\nprint(sum(range(5)) * 7)\n```")
    shown = run("coder_with_execution.py", script=[program, say("It is 70. TERMINATE")])
    assert "70" in str(loopback.requests[1].body["messages"][-1]) and "TERMINATE" in shown


def test_a_shared_block(run: Any, loopback: Loopback) -> None:
    note = {"inner_thoughts": "Note it.", "name": "plan", "content": "Party on Friday.", "request_heartbeat": True}
    for number in range(2):  # the second run finds the agents and their page again
        script = [completion(("core_memory_append", note)), say("Noted."), say("On Friday.")]
        shown = run("shared_block.py", script=script)
        assert shown.split("What both agents see:")[1].count("Party on Friday.") == number + 1
        assert "Party on Friday." in loopback.requests[-1].body["messages"][0]["content"]


def test_a_nested_chat(run: Any, loopback: Loopback) -> None:
    script = [say("The green one is Tom's."), completion(text="The green one, if you please, is Tom's.")]
    shown = run("nested_chat.py", script=script)
    assert "if you please" in shown
    assert "The green one is Tom's." in str(loopback.requests[1].body["messages"])


def test_async_chats(run: Any, loopback: Loopback) -> None:
    script = [say(f"Answer {number}.") for number in range(3)]
    for answer in script:
        answer.delay = 1.2
    shown = run("async_chats.py", script=script)
    assert all(f"Answer {number}." in shown for number in range(3))
    assert shown.index("... 1 s") < shown.index("Answer")


@pytest.mark.parametrize("example", sorted(path.name for path in EXAMPLES.glob("*.py") if path.stem != "larger_model"))
def test_every_example_says_how_it_is_run(example: str) -> None:
    text = (EXAMPLES / example).read_text(encoding="utf-8")
    assert f"    python examples/{example}" in text.split('"""')[1]


@pytest.mark.parametrize(
    "name",
    [
        path.name
        for path in sorted(EXAMPLES.glob("*.py"))
        if "  need_larger_model()" in path.read_text(encoding="utf-8")
    ],
)
def test_on_a_model_that_is_too_small_it_says_so_and_how_to_get_one(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(EXAMPLES)
    monkeypatch.setenv("MEMGPT_HOME", str(tmp_path))
    (tmp_path / "SmolLM2-135M.gguf").write_bytes(b"GGUF")
    monkeypatch.setenv("MEMGPT_EMBEDDED_MODEL", str(tmp_path / "SmolLM2-135M.gguf"))
    for other in ("OPENAI_API_KEY", "OPENAI_API_BASE", "BACKEND_TYPE"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setattr(sys, "argv", [name])
    with pytest.raises(SystemExit, match=f"(?s)SmolLM2-135M would .*hf download .*python .*{name}") as ended:
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    assert ended.value.code
