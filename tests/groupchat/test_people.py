"""People and code in a chat with a memory agent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from memgpt_autogen.client import MemGPT

from .members import IOStream, Screen, autogen, heard, log, member, shown, talker, user

pytestmark = pytest.mark.groupchat


class Person(Screen):
    """Someone at the keyboard, with lines to type."""

    def __init__(self, *lines: str) -> None:
        super().__init__()
        self.lines = list(lines)

    def input(self, prompt: str = "", *, password: bool = False) -> str:
        return self.lines.pop(0)


def said(result: Any) -> list[str]:
    return [message["content"] for message in result.chat_history]


@pytest.mark.contract("human input")
def test_always_asks_the_person_who_may_speak_in_the_agent_s_place(memgpt: MemGPT) -> None:
    sam, model = member(memgpt, ["from memory"], human_input_mode="ALWAYS")
    person = Person("from the person", "", "exit")
    with IOStream.set_default(person):
        result = talker("ann", ["b", "c"]).initiate_chat(sam, message="a", silent=True)
    assert said(result) == ["a", "from the person", "b", "from memory", "c"] and not person.lines
    assert "In this chat, you said: from the person" in shown(model.calls[0])
    assert [text for _, text in heard(sam)][:2] == ["a", "b"]


@pytest.mark.contract("human input")
def test_terminate_asks_the_person_only_at_the_end(memgpt: MemGPT) -> None:
    sam, model = member(memgpt, ["one", "two"], human_input_mode="TERMINATE", max_consecutive_auto_reply=1)
    person = Person("go on", "exit")
    with IOStream.set_default(person):
        result = talker("ann", ["b", "c"]).initiate_chat(sam, message="a", silent=True)
    assert said(result) == ["a", "one", "b", "go on", "c", "two", ""] and not person.lines
    assert len(model.calls) == 2


@pytest.mark.contract("human input")
def test_never_asks_nobody_and_is_the_default(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, ["one", "two"])
    assert sam.human_input_mode == "NEVER"
    with IOStream.set_default(Screen()):  # it fails the test when somebody is asked
        result = talker("ann", ["b"]).initiate_chat(sam, message="a", max_turns=2, silent=True)
    assert said(result) == ["a", "one", "b", "two"]


SUM = "```python\nprint(2 + 3)\n```"


@pytest.mark.contract("code execution")
def test_code_that_the_agent_writes_is_run_by_the_user_proxy(memgpt: MemGPT, tmp_path: Path) -> None:
    sam, model = member(memgpt, [f"Run this:\n{SUM}", "It is 5. TERMINATE"])
    runner = user(
        code_execution_config={"work_dir": str(tmp_path), "use_docker": False},
        is_termination_msg=lambda message: "TERMINATE" in (message["content"] or ""),
    )
    result = runner.initiate_chat(sam, message="2 + 3?", silent=True)
    assert "exitcode: 0" in said(result)[2] and said(result)[3] == "It is 5. TERMINATE"
    assert "exitcode: 0" in heard(sam)[1][1] and "5" in heard(sam)[1][1] and heard(sam)[1][0] == "user"
    assert "exitcode: 0" in shown(model.calls[1])


@pytest.mark.contract("code execution")
@pytest.mark.parametrize("executor", [False, True], ids=["old form", "executor"])
def test_the_agent_itself_runs_code_where_it_is_told_to(memgpt: MemGPT, tmp_path: Path, executor: bool) -> None:
    config: dict[str, Any] = {"work_dir": str(tmp_path), "use_docker": False}
    if executor:
        coding = pytest.importorskip("autogen.coding")
        config = {"executor": coding.LocalCommandLineCodeExecutor(work_dir=str(tmp_path))}
    sam, model = member(memgpt, ["No code there."], code_execution_config=config)
    ann = talker("ann", ["Thanks."])
    result = ann.initiate_chat(sam, message=SUM, max_turns=2, silent=True)
    assert "exitcode: 0" in said(result)[1] and "5" in said(result)[1]
    assert said(result)[3] == "No code there." and len(model.calls) == 1
    assert "In this chat, you said: exitcode: 0" in shown(model.calls[0])


@pytest.mark.contract("termination")
def test_the_original_s_default_reply_is_used_where_there_is_no_memory(memgpt: MemGPT) -> None:
    plain = autogen.ConversableAgent("ann", llm_config=False, human_input_mode="NEVER", default_auto_reply="Hm.")
    sam, _ = member(memgpt, ["one", "two"], default_auto_reply="never said")
    result = plain.initiate_chat(sam, message="a", max_turns=2, silent=True)
    assert said(result) == ["a", "one", "Hm.", "two"]
    assert [message.kind for message in log(sam)].count("reply") == 2
