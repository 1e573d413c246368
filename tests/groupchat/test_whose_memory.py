"""Whose memory an agent has: by name, for each user, fresh; what is shared by accident is warned of."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from memgpt_autogen.client import MemGPT
from memgpt_autogen.errors import AgentBusy, ConfigError
from memgpt_autogen.groupchat.agent import MemGPTAgent
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.storage.sqlite import SQLiteStore

from ..llm.conftest import Loopback
from .members import autogen, llm_config, open_memgpt, say, user

pytestmark = [pytest.mark.groupchat, pytest.mark.contract("whose memory")]


def told(loopback: Loopback, home: MemGPT, words: str, name: str = "sam", **given: Any) -> str:
    """The prompt of a new AutoGen agent about a message."""
    loopback.script = [say("ok")]
    agent = MemGPTAgent(name, llm_config=llm_config(loopback.address), memgpt=home, **given)
    user().initiate_chat(agent, message=words, max_turns=1, silent=True)
    return str(loopback.requests[-1].body["messages"])


@pytest.mark.parametrize("ids", [("ann", "bob"), (1, 2), ("a (user b)", "b"), ("x/../y", "x"), ("安", "宁")])
def test_each_user_has_a_memory_of_their_own_that_lasts(
    memgpt: MemGPT, loopback: Loopback, ids: tuple[Any, ...]
) -> None:
    one, other = ids
    told(loopback, memgpt, "my PIN is 1234", user_id=one)
    assert "1234" not in told(loopback, memgpt, "what do you know?", user_id=other)
    assert "1234" not in told(loopback, memgpt, "what do you know?")
    assert "1234" in told(loopback, memgpt, "what do you know?", user_id=one)
    assert len(memgpt.list_agents()) == 3


@pytest.mark.parametrize("user_id", ["", "  ", "\n"])
def test_a_service_that_does_not_say_whom_it_serves_is_stopped(memgpt: MemGPT, user_id: str) -> None:
    with pytest.raises(ConfigError, match="user_id is empty"):
        MemGPTAgent("sam", llm_config=llm_config("http://127.0.0.1:9"), memgpt=memgpt, user_id=user_id)


def test_a_fresh_memory_keeps_nothing(memgpt: MemGPT, loopback: Loopback) -> None:
    for _ in range(2):
        assert "1234" not in told(loopback, memgpt, "hi", memory="fresh")
        told(loopback, memgpt, "my PIN is 1234", memory="fresh")
    assert memgpt.list_agents() == []


def test_with_a_fresh_memory_a_rerun_costs_nothing(memgpt: MemGPT, loopback: Loopback, tmp_path: Path) -> None:
    counts = []
    config = {**llm_config(loopback.address), "cache_seed": 42}
    with autogen.Cache.disk(cache_seed=42, cache_path_root=str(tmp_path / "cache")) as cache:
        for run in range(3):
            time.sleep(1.1 * (run == 1))  # no time of day may be in the prompt
            loopback.script = [say("one"), say("two")]
            agent = MemGPTAgent("sam", llm_config=config, memgpt=memgpt, memory="fresh")
            user(default_auto_reply="go on").initiate_chat(agent, message="q", max_turns=2, silent=True, cache=cache)
            counts.append(len(loopback.requests))
    assert counts == [2, 2, 2]


def test_a_named_memory_is_shared_on_purpose(
    memgpt: MemGPT, loopback: Loopback, caplog: pytest.LogCaptureFixture
) -> None:
    told(loopback, memgpt, "the code word is swordfish", "one", memory="team")
    with caplog.at_level(logging.WARNING):
        assert "swordfish" in told(loopback, memgpt, "what is it?", "two", memory="team")
    assert memgpt.list_agents() == ["team"] and "one memory" not in caplog.text


def test_sharing_by_accident_is_warned_of_once(
    memgpt: MemGPT, loopback: Loopback, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        told(loopback, memgpt, "hi", "sam")
        told(loopback, memgpt, "hi", "zoe")
        assert "one memory" not in caplog.text
        for _ in range(3):
            told(loopback, memgpt, "hi", "sam")
    assert caplog.text.count("have one memory") == 1 and "user_id=" in caplog.text


def test_a_nested_chat_that_opens_the_memory_by_accident_is_warned_of(
    memgpt: MemGPT, loopback: Loopback, caplog: pytest.LogCaptureFixture
) -> None:
    config = llm_config(loopback.address)
    outer, inner, other = (MemGPTAgent(name, llm_config=config, memgpt=memgpt) for name in ("sam", "sam", "kim"))
    asker = user()
    for agent, recipient, warned in ((outer, other, False), (outer, inner, True)):
        loopback.script = [say("Before."), say("Inside.")]
        asker.initiate_chat(agent, message="hi", max_turns=1, silent=True)
        desk = autogen.ConversableAgent("desk", llm_config=False, human_input_mode="NEVER")
        desk.register_nested_chats(
            [{"recipient": recipient, "max_turns": 1, "summary_method": "last_msg"}], trigger=asker
        )
        with caplog.at_level(logging.WARNING):
            assert asker.initiate_chat(desk, message="Ask inside.", max_turns=1, silent=True).summary == "Inside."
        assert ("have one memory" in caplog.text) is warned


@pytest.mark.parametrize("given", [{"user_id": "ann"}, {"memory": "team"}])
def test_who_says_whose_memory_it_is_is_not_warned(
    memgpt: MemGPT, loopback: Loopback, caplog: pytest.LogCaptureFixture, given: dict[str, str]
) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(2):  # as a service that makes an agent for each request
            told(loopback, memgpt, "hi", "sam", **given)
    assert "one memory" not in caplog.text


def hold_elsewhere(home: Path, agent: str, seconds: float) -> subprocess.Popen[str]:
    script = (
        "import sys, time\n"
        "from memgpt_autogen.storage.sqlite import SQLiteStore\n"
        "with SQLiteStore(sys.argv[1]).lock(sys.argv[2]):\n"
        "    print('held', flush=True)\n"
        "    time.sleep(float(sys.argv[3]))\n"
    )
    command = [sys.executable, "-c", script, str(home), agent, str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize(("busy_wait", "waits"), [(None, True), (20, True), (0.2, False), (0, False)])
def test_an_agent_that_another_process_runs_is_waited_for(
    tmp_path: Path, loopback: Loopback, busy_wait: float | None, waits: bool
) -> None:
    home = open_memgpt(tmp_path, tmp_path / "memory.db")
    agent = home.create_agent({"name": "sam"}, model=ScriptedModel(["Hello."]))
    sam = MemGPTAgent("sam", agent=agent, busy_wait=busy_wait)
    other = hold_elsewhere(tmp_path / "memory.db", agent.id, 1.0 if waits else 30.0)
    try:
        assert other.stdout and other.stdout.readline() == "held\n"
        if waits:
            assert user().initiate_chat(sam, message="Hi.", max_turns=1, silent=True).summary == "Hello."
        else:
            with pytest.raises(AgentBusy, match="another process"):
                user().initiate_chat(sam, message="Hi.", max_turns=1, silent=True)
    finally:
        other.kill()
        other.wait()
        home.close()


def test_the_store_itself_does_not_wait_unless_told_to(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "memory.db")
    other = hold_elsewhere(tmp_path / "memory.db", "one", 30.0)
    try:
        assert other.stdout and other.stdout.readline() == "held\n"
        started = time.monotonic()
        with pytest.raises(AgentBusy), store.lock("one"):
            pass
        assert time.monotonic() - started < 5
    finally:
        other.kill()
        other.wait()
        store.close()
