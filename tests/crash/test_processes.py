"""Real processes that are killed, and two at once: whatever happens, whole steps are what is left."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from memgpt_autogen import events
from memgpt_autogen.client import MemGPT
from memgpt_autogen.config import Settings
from memgpt_autogen.errors import AgentBusy, ModelServerError
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.messages import ToolCall, ToolSchema
from memgpt_autogen.storage.sqlite import SQLiteStore
from tests.core.conftest import assert_sound, say
from tests.windows import open_calls

#: Talks to an agent until it is killed: each turn writes core memory twice, searches, and speaks.
CHAT = """
import os, sys, time
from memgpt_autogen.client import MemGPT
from memgpt_autogen.config import Settings
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.messages import ToolCall
from memgpt_autogen import events

home, name, turns, pause = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
asked = 0

def answer(messages, tools, only):
    global asked
    asked += 1
    time.sleep(pause)
    step = asked % 3
    if step == 0 or not tools:
        return f"answer {asked}"
    if step == 1:
        return [ToolCall("core_memory_append", {"name": "human", "content": f"+{asked}{part}"}) for part in "ab"]
    return [ToolCall("archival_memory_insert", {"content": f"fact {asked} of process {os.getpid()}"}),
            ToolCall("conversation_search", {"query": "message"})]

agents = MemGPT(Settings(home=__import__("pathlib").Path(home), environ={}), embedder=None)
agent = agents.create_agent({"name": name, "preset": "memgpt_chat", "human": "start of it"},
                            model=ScriptedModel([answer] * 10000, context_window=100_000))
print("ready", flush=True)
for number in range(turns):
    print(f"said {number}", flush=True)
    agent.run([events.user_message(f"message {number}")])
    print(f"done {number}", flush=True)
"""


def chat(home: Path, name: str = "sam", turns: int = 1000, pause: float = 0.004) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CHAT, str(home), name, str(turns), str(pause)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])


def heard(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(word):
            return
    pytest.fail(f"the process ended before it printed {word!r}")


def open_home(home: Path) -> MemGPT:
    return MemGPT(Settings(home=home, environ={}), embedder=None)


def assert_whole(home: Path, agents: MemGPT, agent_id: str) -> None:
    """The database is sound, and what it holds is whole steps."""
    with sqlite3.connect(home / "memgpt.db") as raw:
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert not raw.execute("PRAGMA foreign_key_check").fetchall()
        steps = {row[0] for row in raw.execute("SELECT id FROM steps")}
        of_replies = {row[0] for row in raw.execute("SELECT step_id FROM messages WHERE role <> 'user'")}
        edits = {row[0] for row in raw.execute("SELECT step_id FROM block_versions WHERE version > 1")}
        notes = {row[0] for row in raw.execute("SELECT step_id FROM passages")}
        latest = raw.execute(
            "SELECT blocks.version, max(v.version), blocks.value = (SELECT value FROM block_versions AS w "
            "WHERE w.block_id = blocks.id ORDER BY version DESC LIMIT 1) "
            "FROM blocks JOIN block_versions AS v ON v.block_id = blocks.id GROUP BY blocks.id"
        ).fetchall()
    assert of_replies == steps and edits <= steps and notes <= steps
    assert all(version == last and same for version, last, same in latest)
    log = agents.store.log.tail(agent_id, 100_000)
    assert not open_calls(log)
    written = [c.arguments["content"] for m in log for c in m.tool_calls if c.name == "core_memory_append"]
    human = next(block for block in agents.store.agents.blocks(agent_id) if block.label == "human")
    assert human.value == "\n".join(["start of it", *written]) and human.version == 1 + len(written)
    stored = sum(c.name == "archival_memory_insert" for m in log for c in m.tool_calls)
    assert agents.store.passages.count(agent_id) == stored


#: Milliseconds between the first word of a process and its end.
MOMENTS = [3, 11, 17, 26, 38, 47, 59, 71, 88, 104]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield tmp_path_factory.mktemp("killed")


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_process_that_is_killed_leaves_whole_steps_and_every_word(home: Path, moment: int) -> None:
    """One database for all ten: each process goes on with what the one before it left."""
    process = chat(home, pause=0.004 * (moment % 2))  # with and without a wait for the model
    heard(process, "ready")
    time.sleep(moment / 1000)
    process.kill()
    output = process.communicate(timeout=10)[0].split("\n")
    finished = sum(line.startswith("done") for line in output)
    agents = open_home(home)
    row = agents.store.agents.get("sam")
    assert_whole(home, agents, row.id)
    log = agents.store.log.tail(row.id, 100_000)
    waiting = [message for message in log if not message.answered]
    assert len(waiting) <= 1
    said = [message.text for message in log if message.kind == "user_message"]
    start = len(said) - 1 - said[::-1].index("message 0") if "message 0" in said else len(said)
    assert said[start:] == [f"message {number}" for number in range(len(said) - start)]
    assert len(said) - start >= finished
    dead = agents.load_agent("sam", model=ScriptedModel([ModelServerError("down")], context_window=100_000))
    if waiting:
        with pytest.raises(ModelServerError):
            dead.run([])
        assert [message.id for message in agents.store.log.tail(row.id, 100_000) if not message.answered] == [
            waiting[0].id
        ]
        model = ScriptedModel([lambda messages, tools, only: "here again"], context_window=100_000)
        assert agents.load_agent("sam", model=model).run([]).said == ("here again",)
        assert waiting[0].text in [message.text for message in model.calls[0].messages]
        assert_sound(model)
    assert all(message.answered for message in agents.store.log.tail(row.id, 100_000))
    agents.close()


def test_a_call_that_was_pending_at_the_end_is_closed_at_the_next_message(tmp_path: Path) -> None:
    agents = open_home(tmp_path)
    asked = ToolCall("weather", {"town": "Rome"})
    agent = agents.create_agent({"name": "sam", "preset": "memgpt_chat"}, model=ScriptedModel([asked]))
    weather = ToolSchema("weather", "The weather.", {"type": "object", "properties": {}})
    agent.run([events.user_message("weather?")], tools=[weather])
    agents.close()
    model = ScriptedModel(["Hello again."])
    assert say(open_home(tmp_path).load_agent("sam", model=model), "hi") == ["Hello again."]
    assert_sound(model)


def test_two_processes_with_an_agent_each_lose_nothing(tmp_path: Path) -> None:
    names = ["sam", "eva", "tom"]
    running = [chat(tmp_path, name, turns=25, pause=0) for name in names]
    outputs = [process.communicate(timeout=60)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0]
    assert all(output.count("done") == 25 for output in outputs)
    agents = open_home(tmp_path)
    assert agents.list_agents() and set(agents.list_agents()) == set(names)
    for name in names:
        agent_id = agents.store.agents.get(name).id
        log = agents.store.log.tail(agent_id, 100_000)
        assert [m.text for m in log if m.kind == "user_message"] == [f"message {number}" for number in range(25)]
        assert sum(message.role == "assistant" for message in log) == 75
        assert len({message.step_id for message in log}) == 100


def test_of_two_processes_with_one_agent_one_is_told_that_it_is_busy(tmp_path: Path) -> None:
    process = chat(tmp_path, pause=5)
    try:
        heard(process, "said 0")
        agents = open_home(tmp_path)
        agent = agents.load_agent("sam", model=ScriptedModel(["hello"]))
        deadline = time.monotonic() + 10
        while not (log := agents.store.log.tail(agent.id, 10)):  # until the other is inside its turn
            assert time.monotonic() < deadline
            time.sleep(0.01)
        agent.busy_wait = 0.2
        with pytest.raises(AgentBusy, match="another process"):
            say(agent, "hi")
        assert [message.text for message in log] == ["message 0"]
    finally:
        process.kill()
        process.communicate(timeout=10)
    assert say(agent, "hi") == ["hello"]


def test_threads_do_not_mix_up_their_steps(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "memgpt.db")
    one, two = (store.agents.create(name, {}).id for name in ("one", "two"))
    thread = threading.Thread(target=lambda: store.log.append(two, [events.user_message("outside")]))
    with store.transaction("step"):
        store.log.append(one, [events.user_message("inside")])
        thread.start()
        thread.join(0.1)  # it waits for the end of the step
    thread.join()
    assert [store.log.window(agent)[0].step_id for agent in (one, two)] == ["step", None]


def test_threads_may_talk_to_agents_of_one_store_at_once(tmp_path: Path) -> None:
    agents = open_home(tmp_path)
    answer = [lambda messages, tools, only: "yes"] * 100
    made = [agents.create_agent({"name": name}, model=ScriptedModel(answer)) for name in ("one", "two")]
    said: list[str] = []

    def talk(number: int) -> None:
        for _ in range(5):
            said.extend(say(made[number % 2], f"from {number}"))

    threads = [threading.Thread(target=talk, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert said == ["yes"] * 20
    for agent in made:
        log = agents.store.log.window(agent.id)
        assert [message.role for message in log] == ["user", "assistant", "tool"] * 10
        assert all(message.answered for message in log)


def test_one_database_by_two_paths_is_one_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = SQLiteStore(tmp_path / "memgpt.db")
    agent = store.agents.create("sam", {}).id
    code = (
        "import sys; from memgpt_autogen.storage.sqlite import SQLiteStore\n"
        "from memgpt_autogen.errors import AgentBusy\n"
        "try:\n"
        "    with SQLiteStore('memgpt.db').lock(sys.argv[1]): print('free')\n"
        "except AgentBusy as error: print('busy')\n"
    )
    with store.lock(agent):
        with pytest.raises(AgentBusy), SQLiteStore("memgpt.db").lock(agent):
            pass
        environ = {"PYTHONPATH": str(Path(__file__).parents[2])}
        asked = subprocess.run([sys.executable, "-c", code, agent], capture_output=True, text=True, env=environ)
    assert asked.stdout == "busy\n", json.dumps(asked.stderr)
