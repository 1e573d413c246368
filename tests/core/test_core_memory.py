"""Core memory: what is written there stands in the next prompt, of every agent that shares it."""

from __future__ import annotations

import pytest

from memgpt_autogen.messages import ToolCall
from memgpt_autogen.storage.base import Store

from .conftest import Build, Script, call, note, results, say


def test_core_memory_that_is_edited_stands_in_the_next_prompt(build: Build, script: Script) -> None:
    model = script(note("Ann likes tea", heartbeat=True), "Noted.", "Hi.")
    agent = build(model, human="nobody yet")
    say(agent, "I like tea")
    assert ["Ann likes tea" in prompt.messages[0].content for prompt in model.calls] == [False, True]
    assert '<human characters="24/2000">\nnobody yet\nAnn likes tea\n</human>' in model.calls[1].messages[0].content


def test_a_shared_block_is_seen_by_the_other_agent_at_once(build: Build, script: Script, store: Store) -> None:
    writer, reader = script(call("core_memory_append", name="plan", content="Meet at noon"), "ok"), script("noon")
    one, two = build(writer, "one", blocks={"plan": "What we do next."}), build(reader, "two")
    plan = next(block for block in store.agents.blocks(one.id) if block.label == "plan")
    store.agents.share_block(two.id, plan.id)
    say(one, "noon")
    say(two, "when?")
    assert "What we do next.\nMeet at noon" in reader.calls[0].messages[0].content


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (call("core_memory_replace", name="human", old_content="tea", new_content="x"), "'tea' is not in the block"),
        (call("core_memory_replace", name="human", old_content="", new_content="x"), "old_content is empty"),
        (note("y" * 2001), "would have 2"),
    ],
)
def test_an_edit_that_cannot_be_is_an_error_that_the_model_sees(
    build: Build, script: Script, edit: ToolCall, told: str
) -> None:
    model = script(edit, "Sorry.")
    say(build(model), "go")
    assert told in results(model.calls[1].messages)[-1]
