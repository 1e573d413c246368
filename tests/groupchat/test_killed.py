"""A process that is killed in the middle of a chat."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.windows import open_calls

from .members import heard, log, member, open_memgpt, talker, user

pytestmark = [pytest.mark.groupchat, pytest.mark.contract("crashes")]

HOUSE = Path(__file__).resolve().parents[2]
KILLED = """
import os, sys
import autogen
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.messages import ToolCall
from tests.groupchat.members import member, open_memgpt, user
from pathlib import Path

def add(a: int, b: int) -> int:
    os.kill(os.getpid(), 9) if hasattr(os, "kill") and sys.platform != "win32" else os._exit(9)

home = open_memgpt(Path(sys.argv[1]), Path(sys.argv[1]) / "memory.db")
remember = ToolCall("core_memory_append", {"name": "human", "content": "Likes sums."})
sam, model = member(home, [[remember, ToolCall("add", {"a": 2, "b": 3}, id="call_add")], "never said"])
executor = user()
autogen.register_function(add, caller=sam, executor=executor, name="add", description="Adds.")
executor.initiate_chat(sam, message="2 + 3?", max_turns=2, silent=True)
"""


@pytest.mark.parametrize("peer", ["user", "somebody"])
def test_a_turn_killed_between_a_call_and_its_result_goes_on_without_an_orphan(tmp_path: Path, peer: str) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=HOUSE, capture_output=True, timeout=120)
    assert done.returncode in (-9, 9), done.stderr.decode()
    home = open_memgpt(tmp_path, tmp_path / "memory.db")
    sam, model = member(home, ["Let me see.", "Here."])
    assert [call.id for call in open_calls(log(sam), log(sam)[1].conversation_id)] == ["call_add"]
    assert "Likes sums." in sam.core.core.render()  # what ran beside it is kept
    asker = user() if peer == "user" else talker(peer)
    assert asker.initiate_chat(sam, message="Are you there?", max_turns=1, silent=True).summary == "Let me see."
    prompt = model.calls[0].messages
    called = next(index for index, message in enumerate(prompt) if message.tool_calls)
    answers = {one.call_id: one.content for one in prompt[called + 1 : called + 3]}
    assert set(answers) == {call.id for call in prompt[called].tool_calls}
    assert "never came" in answers["call_add"]
    assert [text for _, text in heard(sam)] == ["2 + 3?", "Are you there?"]
    home.close()
