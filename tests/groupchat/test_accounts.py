"""What AutoGen counts, caches and logs of a memory agent's model."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from memgpt_autogen import events
from memgpt_autogen.client import MemGPT
from memgpt_autogen.groupchat.agent import MemGPTAgent
from memgpt_autogen.llm.scripted import ScriptedModel

from ..llm.conftest import Loopback
from .members import IOStream, Screen, autogen, llm_config, log, member, open_memgpt, say, talker, user

pytestmark = pytest.mark.groupchat


@pytest.mark.contract("cost")
def test_a_memory_agent_in_hand_is_counted_beside_a_hosted_config(memgpt: MemGPT, loopback: Loopback) -> None:
    core = memgpt.create_agent("sam", model=ScriptedModel(["one", "two"], name="local"))
    sam = MemGPTAgent("sam", agent=core, llm_config=llm_config(loopback.address))
    for _ in range(2):
        user().initiate_chat(sam, message="a", max_turns=1, silent=True)
    assert sam.get_total_usage()["local"]["completion_tokens"] == 20
    assert sam.get_actual_usage()["local"]["prompt_tokens"] > 100 and not loopback.requests
    told = autogen.gather_usage_summary([sam])
    assert told["usage_including_cached_inference"]["local"]["completion_tokens"] == 20


@pytest.mark.contract("cost")
def test_the_cost_of_a_chat_and_the_printed_summary(memgpt: MemGPT, loopback: Loopback) -> None:
    loopback.script = [say("one"), say("two")]
    sam = MemGPTAgent("sam", llm_config=llm_config(loopback.address, model="gpt-4o"), memgpt=memgpt)
    local, _ = member(memgpt, ["three"], "kim")
    result = user().initiate_chat(sam, message="a", max_turns=1, silent=True)
    user().initiate_chat(local, message="a", max_turns=1, silent=True)
    assert result.cost["usage_including_cached_inference"]["gpt-4o"]["prompt_tokens"] == 100
    assert result.cost["usage_including_cached_inference"]["total_cost"] > 0
    with IOStream.set_default(Screen()):
        sam.print_usage_summary()
        local.print_usage_summary()
        printed = IOStream.get_default().text
    assert "gpt-4o" in printed and "scripted" in printed


@pytest.mark.contract("cache")
def test_a_cache_answers_what_was_asked_before(
    tmp_path: Path, loopback: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "utc_now", lambda: datetime(2024, 1, 1, tzinfo=timezone.utc))  # prompts hold the time
    loopback.script = [say("one"), say("another")]
    answers = []
    with autogen.Cache.disk(cache_seed=7, cache_path_root=str(tmp_path / "cache")) as cache:
        for number in range(2):
            home = open_memgpt(tmp_path / str(number))
            sam = MemGPTAgent("sam", llm_config=llm_config(loopback.address), memgpt=home)
            answers.append(user().initiate_chat(sam, message="a", max_turns=1, silent=True, cache=cache).summary)
            home.close()
    assert answers == ["one", "one"] and len(loopback.requests) == 1


@pytest.mark.contract("logging")
def test_runtime_logging_has_the_agent_and_its_calls(
    memgpt: MemGPT, loopback: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loopback.script = [say("one")]
    monkeypatch.setenv("OPENAI_BASE_URL", f"{loopback.address}/v1")  # AutoGen 0.14 cannot log a base_url
    config = {"config_list": [{"model": "gpt-4o", "api_key": "sk-test"}], "cache_seed": None}
    database = tmp_path / "logs.db"
    autogen.runtime_logging.start(logger_type="sqlite", config={"dbname": str(database)})
    try:
        sam = MemGPTAgent("sam", llm_config=config, memgpt=memgpt)
        user().initiate_chat(sam, message="a", max_turns=1, silent=True)
    finally:
        autogen.runtime_logging.stop()
    with sqlite3.connect(database) as found:
        assert ("sam",) in found.execute("SELECT name FROM agents").fetchall()
        assert found.execute("SELECT source_name FROM chat_completions").fetchall() == [("sam",)]
    found.close()


@pytest.mark.contract("silent chats")
@pytest.mark.parametrize("silent", [True, False])
def test_what_is_printed_goes_through_autogen_s_stream(memgpt: MemGPT, silent: bool, capsys: Any) -> None:
    sam, _ = member(memgpt, ["one"], interface_kwargs={"debug": True})
    with IOStream.set_default(Screen()):
        talker("ann").initiate_chat(sam, message="a", max_turns=1, silent=silent)
        printed = IOStream.get_default().text
    assert ("one" in printed) is not silent
    assert "one" not in capsys.readouterr().out and [entry.text for entry in log(sam)][-2:] == ["one", ""]
