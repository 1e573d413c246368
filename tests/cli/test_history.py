"""``memgpt log``, ``diff``, ``blame``, ``revert`` and ``show``."""

from __future__ import annotations

from pathlib import Path

import pytest

from memgpt_autogen import MemGPT, Settings
from memgpt_autogen.llm.scripted import Call, ScriptedModel
from memgpt_autogen.memory.prompt_parts import SentPrompt
from memgpt_autogen.messages import Reply, ToolCall
from tests.cli.conftest import Program

HEARTBEAT = {"request_heartbeat": True}
NOTE = ToolCall("core_memory_append", {"name": "human", "content": "Likes tea. \x1b[31m\u202e", **HEARTBEAT})


@pytest.fixture
def sent(home: Path) -> tuple[Call, ...]:
    """An agent of three turns; the prompts that its model was sent."""
    model = ScriptedModel([NOTE, Reply((ToolCall("send_message", {"message": "Noted."}),), "Tea!"), "Two.", "Three."])
    memgpt = MemGPT(Settings(home=home), embedder=None)
    agent = memgpt.create_agent({"name": "sam"}, model=model)
    for words in ("I like tea.", "Hello.", "Bye."):
        memgpt.user_message(agent, words, "Ann")
    memgpt.close()
    return tuple(model.calls)


@pytest.mark.usefixtures("sent")
def test_the_log_tells_turns_and_changes(memgpt: Program) -> None:
    out = memgpt("log", "sam").out
    assert (
        out.index("turn 1") < out.index('Ann: "I like tea."') < out.index("human  + Likes tea.") < out.index("turn 2")
    )
    assert "\x1b" not in out and "\u202e" not in out and "2 model calls" in out
    assert "turn 1" not in memgpt("log", "sam", "--last", "2").out
    assert "turn 2" not in memgpt("log", "sam", "--memory").out


@pytest.mark.usefixtures("sent")
def test_changes_since_a_turn_or_a_day(memgpt: Program) -> None:
    assert "+Likes tea." in memgpt("diff", "sam", "--since", "0").out
    assert "+Likes tea." in memgpt("diff", "sam", "--since", "2020-01-01").out
    same = memgpt("diff", "sam", "--since", "1")
    assert same.code == 0 and not same.out and "Nothing has changed since turn 1" in same.err
    for wrong in ("9", "soon", "2026-13-01"):
        done = memgpt("diff", "sam", "--since", wrong)
        assert done.code == 1 and ("turn 9" in done.err or "neither a turn's number nor a day" in done.err)


@pytest.mark.usefixtures("sent")
def test_a_line_is_blamed_on_its_message_and_its_turn_reverted(memgpt: Program) -> None:
    assert "turn 1" in (out := memgpt("blame", "sam").out) and 'Ann: "I like tea."' in out
    asked = memgpt("revert", "sam", "1")
    assert asked.code == 2 and "--yes" in asked.err and "+ Likes tea." in asked.out
    assert "1 line of turn 1" in memgpt("revert", "sam", "1", "--yes").out
    assert "Likes tea" not in memgpt("blame", "sam").out
    assert memgpt("revert", "sam", "1", "--yes").code == 1
    assert "wrote nothing" in memgpt("revert", "sam", "2", "--yes").err


def test_a_past_prompt_is_printed_as_it_was_sent(memgpt: Program, sent: tuple[Call, ...]) -> None:
    made = [SentPrompt(call.messages, call.tools, call.only, call.max_tokens).to_json() for call in sent]
    first = memgpt("show", "sam", "--turn", "1", "--prompt")
    assert first.out.splitlines() == made[:2]
    assert first.err.count("equal to what was sent") == 2
    assert memgpt("show", "sam", "--turn", "1", "--prompt", "--call", "2").out.rstrip("\n") == made[1].replace(
        "\x1b", "\\x1b"
    )
    assert memgpt("show", "sam", "--prompt").out.rstrip("\n") == made[3]
    assert "there is no call 3" in memgpt("show", "sam", "--turn", "1", "--prompt", "--call", "3").err
    shown = memgpt("show", "sam", "--turn", "1").out
    assert "(Tea!)" in shown and "core_memory_append(" in shown and "Ann: I like tea." in shown
    assert "There is no turn 4" in memgpt("show", "sam", "--turn", "4").err
