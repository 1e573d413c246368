"""Group chats, end to end: who is heard, how they end, and how they are resumed."""

from __future__ import annotations

import asyncio
import copy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from memgpt_autogen.client import MemGPT
from memgpt_autogen.groupchat.agent import MemGPTAgent
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.messages import ToolCall
from memgpt_autogen.storage.sqlite import SQLiteStore

from ..llm.conftest import Loopback
from .members import (
    completion,
    group,
    heard,
    llm_config,
    log,
    member,
    open_memgpt,
    shown,
    speech,
    spoken,
    talker,
)

pytestmark = pytest.mark.groupchat

HOUSE = Path(__file__).resolve().parent.parent.parent


@pytest.mark.contract("speaker selection: round_robin")
@pytest.mark.contract("group delivery")
def test_each_message_of_others_is_heard_once_with_its_speaker_in_order(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, [speech("s1", "Hm."), "s2"])
    bob, ann = talker("bob", ["b2"]), talker("ann", ["a1", "a2"])
    manager = group([bob, ann, sam], 6)
    bob.initiate_chat(manager, message="b1", silent=True)
    assert spoken(manager) == [("bob", "b1"), ("ann", "a1"), ("sam", "s1"), ("bob", "b2"), ("ann", "a2"), ("sam", "s2")]
    assert heard(sam) == [("bob", "b1"), ("ann", "a1"), ("bob", "b2"), ("ann", "a2")]
    assert "Hm." not in str(manager.groupchat.messages)


@pytest.mark.contract("own messages")
@pytest.mark.contract("several agents")
def test_two_memory_agents_hear_each_other_and_not_themselves(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, ["s1", "s2"])
    kim, _ = member(memgpt, ["k1", "k2"], "kim")
    bob = talker("bob", ["b2"])
    bob.initiate_chat(group([bob, sam, kim], 6), message="b1", silent=True)
    assert heard(sam) == [("bob", "b1"), ("kim", "k1"), ("bob", "b2")]
    assert heard(kim) == [("bob", "b1"), ("sam", "s1"), ("bob", "b2"), ("sam", "s2")]


@pytest.mark.contract("speaker selection: callable")
def test_speakers_chosen_by_a_function(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, ["s1", "s2"])
    bob, ann = talker("bob"), talker("ann", ["a1"])
    order = iter([ann, sam, sam])  # sam twice in a row
    manager = group([bob, ann, sam], 4, lambda last, chat: next(order))
    bob.initiate_chat(manager, message="b1", silent=True)
    assert [name for name, _ in spoken(manager)] == ["bob", "ann", "sam", "sam"]
    assert heard(sam) == [("bob", "b1"), ("ann", "a1")]


@pytest.mark.contract("speaker selection: auto")
def test_speakers_chosen_by_a_model_that_reads_descriptions(memgpt: MemGPT, loopback: Loopback) -> None:
    loopback.script = [completion(text=name) for name in ("sam", "ann")]
    sam, _ = member(memgpt, ["s1"], description="Remembers everything.")
    bob, ann = talker("bob"), talker("ann", ["a1"])
    manager = group([bob, ann, sam], 3, "auto", manager_llm_config=llm_config(loopback.address))
    bob.initiate_chat(manager, message="b1", silent=True)
    assert [name for name, _ in spoken(manager)] == ["bob", "sam", "ann"]
    assert "sam: Remembers everything." in str(loopback.requests[0].body["messages"])
    assert "core memory" not in str(loopback.requests[0].body)


@pytest.mark.contract("ingestion")
@pytest.mark.parametrize("clear", [True, False])
def test_two_group_chats_in_a_row_lose_nothing_and_repeat_nothing(memgpt: MemGPT, clear: bool) -> None:
    sam, model = member(memgpt, ["s1", "s2"])
    bob, ann = talker("bob", ["b2"]), talker("ann", ["a1", "a2"])
    manager = group([bob, sam, ann], 4)
    bob.initiate_chat(manager, message="b1", silent=True)  # sam has no turn after a1 and b2
    bob.initiate_chat(manager, message="b1", silent=True, clear_history=clear)
    assert heard(sam)[:4] == [("bob", "b1"), ("ann", "a1"), ("bob", "b2"), ("bob", "b1")]
    assert len(model.calls) == 2


@pytest.mark.contract("clear_history")
def test_what_was_said_before_its_first_turn_ever_is_not_lost(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, ["s1"])
    bob, ann = talker("bob", []), talker("ann", ["a1"])
    order = iter([ann, sam])
    manager = group([bob, ann, sam], 2, lambda last, chat: next(order))
    for text in ("b1", "b2"):
        bob.initiate_chat(manager, message=text, silent=True)
    assert heard(sam) == [("bob", "b1"), ("ann", "a1"), ("bob", "b2")]


LINES = [("bob", "b1"), ("ann", "a1"), ("sam", "s1"), ("bob", "b2"), ("ann", "a2"), ("sam", "s2")]


@pytest.mark.contract("resume")
@pytest.mark.parametrize("where", ["same manager", "new manager", "new process"])
@pytest.mark.parametrize("rounds", [2, 3, 4, 5])
def test_a_resumed_chat_goes_on_and_repeats_nothing(tmp_path: Path, rounds: int, where: str) -> None:
    def order(last: Any, chat: Any) -> Any:
        """In turn; nobody, which ends the chat, after the first rounds and after the last line."""
        said = len(chat.messages)
        stop = said == len(LINES) or (said == rounds and not resuming)
        return None if stop else chat.agent_by_name(LINES[said][0])

    def cast(lines: list[tuple[str, str]]) -> tuple[Any, Any, Any]:
        bob, ann, script = ([text for name, text in lines if name == who] for who in ("bob", "ann", "sam"))
        return talker("bob", bob), talker("ann", ann), member(home, script)[0]

    resuming = False
    home = open_memgpt(tmp_path, tmp_path / "memory.db")
    agents = cast(LINES[1:])
    manager = group(agents, 20, order)
    agents[0].initiate_chat(manager, message="b1", silent=True)
    messages = copy.deepcopy(manager.groupchat.messages)
    assert spoken(manager) == LINES[:rounds]

    resuming = True
    if where == "new process":
        home.close()
        home = open_memgpt(tmp_path, tmp_path / "memory.db")
        agents = cast(LINES[rounds:])
    first = manager  # a manager that is still there
    if where != "same manager":
        manager = group(agents, 20, order)
    last, message = manager.resume(messages=messages, silent=True)
    last.initiate_chat(manager, message=message, clear_history=False, silent=True)

    sam = agents[2]
    assert spoken(manager) == LINES and first is not None
    assert heard(sam) == [pair for pair in LINES if pair[0] != "sam"]
    assert [message.text for message in log(sam) if message.kind == "reply"] == ["s1", "s2"]
    assert not [message for message in log(sam) if message.kind == "system_alert"]
    home.close()


def test_a_new_chat_in_another_process_that_begins_like_the_old_one_is_all_new(tmp_path: Path) -> None:
    for _ in range(2):
        home = open_memgpt(tmp_path, tmp_path / "memory.db")
        sam, _ = member(home, ["s1"])
        bob, ann = talker("bob"), talker("ann", ["a1"])
        bob.initiate_chat(group([bob, ann, sam], 3), message="b1", silent=True)
        said = heard(sam)
        home.close()
    assert said == [("bob", "b1"), ("ann", "a1")] * 2


@pytest.mark.contract("introductions")
def test_introductions_come_from_the_system(memgpt: MemGPT) -> None:
    sam, model = member(memgpt, ["s1"])
    bob = talker("bob")
    manager = group([bob, sam], 2, send_introductions=True)
    bob.initiate_chat(manager, message="b1", silent=True)
    assert heard(sam) == [("bob", "b1")]
    alerts = [message.content for message in log(sam) if message.kind == "system_alert"]
    assert len(alerts) == 1 and "bob" in alerts[0] and alerts[0] in shown(model.calls[0])


@pytest.mark.contract("termination")
def test_terminate_in_the_reply_ends_the_group_chat(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, ["Done. TERMINATE", "never said"])
    bob = talker("bob", ["never said"])
    manager = group([bob, sam], 10, manager_is_termination_msg=lambda one: "TERMINATE" in (one["content"] or ""))
    bob.initiate_chat(manager, message="b1", silent=True)
    assert spoken(manager) == [("bob", "b1"), ("sam", "Done. TERMINATE")]


@pytest.mark.contract("summaries")
def test_the_last_words_are_the_summary(memgpt: MemGPT) -> None:
    remember = ToolCall("core_memory_append", {"name": "human", "content": "b"})
    sam, _ = member(memgpt, [[remember, *speech("s1").tool_calls]])
    bob = talker("bob")
    result = bob.initiate_chat(group([bob, sam], 2), message="b1", silent=True, summary_method="last_msg")
    assert result.summary == "s1"


@pytest.mark.contract("async")
def test_an_async_group_chat_hears_the_same(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, ["s1", "s2"])
    bob, ann = talker("bob", ["b2"]), talker("ann", ["a1", "a2"])
    asyncio.run(bob.a_initiate_chat(group([bob, ann, sam], 6), message="b1", silent=True))
    assert heard(sam) == [("bob", "b1"), ("ann", "a1"), ("bob", "b2"), ("ann", "a2")]


@pytest.mark.contract("several chats")
def test_a_group_inside_a_nested_chat_and_a_direct_chat_do_not_mix(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, ["direct one", "in the group", "direct two"])
    bob, ann = talker("bob", ["second"]), talker("ann")
    bob.initiate_chat(sam, message="first", max_turns=1, silent=True)
    bob.initiate_chat(group([bob, sam, ann], 2), message="all together", silent=True, clear_history=False)
    bob.initiate_chat(sam, message="second", max_turns=1, silent=True, clear_history=False)
    assert [text for _, text in heard(sam)] == ["first", "all together", "second"]


@pytest.mark.contract("crashes")
def test_what_was_said_last_is_in_memory_when_the_process_has_ended(tmp_path: Path) -> None:
    code = """
import sys
from memgpt_autogen import MemGPT, MemGPTAgent, Settings
from memgpt_autogen.llm.scripted import ScriptedModel
from autogen import ConversableAgent, GroupChat, GroupChatManager
memgpt = MemGPT(Settings.load({"MEMGPT_HOME": sys.argv[1]}), embedder=None)
core = memgpt.create_agent({"name": "sam"}, model=ScriptedModel(["Hello Ann."]))
sam = MemGPTAgent("sam", agent=core)
others = [ConversableAgent(n, llm_config=False, default_auto_reply=f"{n} was here") for n in ("ann", "bob")]
for one in others:
    one.human_input_mode = "NEVER"
group = GroupChat([others[0], sam, others[1]], [], max_round=3, speaker_selection_method="round_robin")
others[0].initiate_chat(GroupChatManager(group, llm_config=False), message="Hi all", silent=True)
"""
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True, capture_output=True, cwd=HOUSE)
    store = SQLiteStore(tmp_path / "memgpt.db")
    said = [message.text for message in store.log.tail(store.agents.get("sam").id, 10) if message.text]
    assert said == ["Hi all", "Hello Ann.", "bob was here"]


@pytest.mark.contract("several agents")
def test_a_block_that_two_agents_share_is_in_the_next_prompt_of_both(memgpt: MemGPT) -> None:
    note = ToolCall("core_memory_append", {"name": "plan", "content": "Meet at eight.", "request_heartbeat": True})
    models = ScriptedModel([note, "s1", "s2"]), ScriptedModel(["k1"])
    cores = [
        memgpt.create_agent({"name": "sam", "blocks": {"plan": "The plan:"}}, model=models[0]),
        memgpt.create_agent({"name": "kim"}, model=models[1]),
    ]
    memgpt.share_block("plan", "sam", "kim")
    sam, kim = (MemGPTAgent(core.name, agent=core) for core in cores)
    bob = talker("bob")
    bob.initiate_chat(group([bob, sam, kim], 3), message="When?", silent=True)
    assert "Meet at eight." in models[1].calls[0].messages[0].content
    assert "Meet at eight." in kim.core.core.render()
