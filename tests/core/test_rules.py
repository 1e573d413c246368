"""Tool rules: which functions may come first, which follow which, which end the turn; of a preset and of an agent."""

from __future__ import annotations

from pathlib import Path

import pytest

from memgpt_autogen import events
from memgpt_autogen.client import MemGPT
from memgpt_autogen.config import AgentConfig, Settings
from memgpt_autogen.errors import ConfigError
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.messages import ToolCall, ToolSchema
from memgpt_autogen.prompts.tool_rules import ToolRules
from memgpt_autogen.storage.sqlite import SQLiteStore

from .conftest import Build, Script, call, note, say

SEARCH = call("archival_memory_search", query="tea")


def test_the_first_function_and_what_follows_it(build: Build, script: Script) -> None:
    rules = {"first": ["archival_memory_search"], "after": {"archival_memory_search": ["send_message"]}}
    model = script(SEARCH, "Nothing there.")
    assert say(build(model, rules=rules), "tea?") == ["Nothing there."]
    assert [prompt.only for prompt in model.calls] == [{"archival_memory_search"}, {"send_message"}]
    assert {tool.name for tool in model.calls[0].tools} >= {"archival_memory_search", "send_message"}


def test_a_rule_holds_for_one_turn_and_begins_anew_with_the_next(build: Build, script: Script) -> None:
    model = script(SEARCH, "One.", SEARCH, "Two.")
    agent = build(model, rules={"first": ["archival_memory_search"]})
    assert say(agent, "a") + say(agent, "b") == ["One.", "Two."]
    assert [prompt.only for prompt in model.calls] == [{"archival_memory_search"}, None] * 2


def test_a_function_that_ends_the_turn_ends_it_whatever_the_model_asks(build: Build, script: Script) -> None:
    model = script([ToolCall("send_message", {"message": "Noted."}), note(heartbeat=True)])
    assert say(build(model, rules={"last": ["core_memory_append"]}), "I like tea") == ["Noted."]
    model = script([ToolCall("send_message", {"message": "Looking."}), SEARCH])
    assert say(build(model, name="kim", rules={"last": ["archival_memory_search"]}), "tea?") == ["Looking."]


def test_a_turn_that_owes_words_goes_on_for_those_alone(build: Build, script: Script) -> None:
    model = script(note(heartbeat=True), "Noted.")
    assert say(build(model, rules={"last": ["core_memory_append"]}), "I like tea") == ["Noted."]
    assert model.calls[1].only == {"send_message"}
    assert "Nobody has heard you yet" in model.calls[1].messages[-1].content


def test_one_that_fails_does_not_end_it(build: Build, script: Script) -> None:
    wrong = call("core_memory_append", name="cat", content="x")
    model = script([ToolCall("send_message", {"message": "a"}), wrong], note())
    turn = build(model, rules={"last": ["core_memory_append"]}).run([events.user_message("b")])
    assert turn.steps == 2 and model.calls[1].only is None


def test_of_several_calls_in_one_reply_each_must_be_allowed_after_the_one_before(build: Build, script: Script) -> None:
    rules = {"after": {"archival_memory_search": ["send_message"]}}
    told = ToolCall("send_message", {"message": "Nothing."})
    model = script([SEARCH, note("likes tea"), told], [SEARCH, told], "Nothing, really.")
    agent = build(model, rules=rules)
    assert say(agent, "tea?") == ["Nothing.", "Nothing, really."]
    assert "likes tea" not in agent.core.render()  # none of the first reply's calls ran, not even the first
    failed = [message for message in model.calls[1].messages if message.role == "tool"][-3:]
    assert ["Failed" in message.content for message in failed] == [True] * 3
    wrong = "core_memory_append may not follow archival_memory_search; only send_message may."
    assert [wrong in message.content for message in failed] == [False, True, False]
    assert all("No call of this reply was run" in message.content for message in failed)
    assert model.calls[1].only is None  # for the rules, nothing has been called yet


def test_a_first_function_twice_in_one_reply_does_not_come_first(build: Build, script: Script) -> None:
    rules = {"first": ["archival_memory_search"], "after": {"archival_memory_search": ["send_message"]}}
    model = script([SEARCH, SEARCH], SEARCH, "Nothing.")
    assert say(build(model, rules=rules), "tea?") == ["Nothing."]
    assert [prompt.only for prompt in model.calls] == [{"archival_memory_search"}] * 2 + [{"send_message"}]


def test_calls_out_of_order_of_the_caller_s_functions_are_not_left_pending(build: Build, script: Script) -> None:
    theirs = ToolSchema("weather", "", {"type": "object", "properties": {}})
    model = script([note("likes tea"), ToolCall("weather", {})], "Fine.")
    agent = build(model, rules={"after": {"core_memory_append": ["send_message"]}})
    turn = agent.run([events.user_message("?")], tools=[theirs])
    assert turn.said == ("Fine.",) and not turn.pending and "likes tea" not in agent.core.render()


def test_functions_without_a_rule_may_follow_one_another(build: Build, script: Script) -> None:
    model = script([note("likes tea"), note("likes cats"), ToolCall("send_message", {"message": "Noted."})])
    agent = build(model, rules={"after": {"archival_memory_search": ["send_message"]}})
    assert say(agent, "x") == ["Noted."] and "likes cats" in agent.core.render()


def test_a_timer_may_end_without_words(build: Build, script: Script) -> None:
    model = script(note(heartbeat=True))
    assert build(model, rules={"last": ["core_memory_append"]}).run([events.timer("tick")]).steps == 1


def test_an_agent_s_own_rules_replace_the_preset_s_and_are_remembered(tmp_path: Path) -> None:
    home = MemGPT(Settings(home=tmp_path, environ={}), store=SQLiteStore(None), embedder=None)
    config = AgentConfig(name="sam", preset="memgpt_tiny", rules={"prefetch": [], "last": ["conversation_search"]})
    made = home.create_agent(config, model=ScriptedModel())
    for agent in (made, home.load_agent("sam", model=ScriptedModel())):
        rules = agent.preset.rules
        assert (rules.prefetch, rules.last, rules.first) == ((), ("conversation_search",), ("send_message",))


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ({"frist": ["send_message"]}, "no tool rule 'frist'. Known: first, after, last, prefetch"),
        ({"first": "send_message"}, "first must be a list of functions"),
        ({"after": ["send_message"]}, "after must map a function"),
        ({"after": {"send_message": "x"}}, "after send_message must be a list"),
        ({"last": [1]}, "last must be a list"),
    ],
)
def test_a_rule_that_cannot_be_is_told(build: Build, script: Script, rules: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        build(script(), rules=rules)
    with pytest.raises(ConfigError, match=told):
        ToolRules().changed(rules)
