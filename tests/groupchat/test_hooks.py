"""AutoGen's own ways of reaching into an agent: hooks, patterns and handoffs."""

from __future__ import annotations

from typing import Any

import pytest

from memgpt_autogen.client import MemGPT
from memgpt_autogen.messages import ToolCall

from .members import group, heard, member, shown, talker

pytestmark = pytest.mark.groupchat


@pytest.mark.contract("hooks")
def test_a_hook_that_edits_the_last_message_does_not_make_it_new_again(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, ["one", "two", "three"])
    sam.register_hook("process_last_received_message", lambda text: f"{text} (hint)")
    talker("ann", ["b", "c"]).initiate_chat(sam, message="a", max_turns=3, silent=True)
    assert [text for _, text in heard(sam)] == ["a (hint)", "b (hint)", "c (hint)"]


@pytest.mark.contract("hooks")
def test_a_hook_that_keeps_only_the_newest_messages_repeats_nothing(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, ["one", "two", "three"])
    sam.register_hook("process_all_messages_before_reply", lambda messages: messages[-2:])
    talker("ann", ["b", "c"]).initiate_chat(sam, message="a", max_turns=3, silent=True)
    assert [text for _, text in heard(sam)] == ["a", "b", "c"]


@pytest.mark.contract("hooks")
def test_a_hook_that_rewrites_what_the_agent_hears_is_honoured(memgpt: MemGPT) -> None:
    def hide(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**message, "content": message["content"].replace("4711", "****")} for message in messages]

    sam, model = member(memgpt, ["one", "two"])
    sam.register_hook("process_all_messages_before_reply", hide)
    talker("ann", ["b"]).initiate_chat(sam, message="The code is 4711.", max_turns=2, silent=True)
    assert [text for _, text in heard(sam)] == ["The code is ****.", "b"]
    assert "4711" not in shown(model.calls[1])


@pytest.mark.contract("hooks")
@pytest.mark.parametrize("in_a_group", [False, True])
@pytest.mark.parametrize("sent", ["{} -- sam", "Nobody knows.", "**{}**"])
def test_what_a_hook_makes_of_a_reply_is_not_news_to_the_agent(memgpt: MemGPT, sent: str, in_a_group: bool) -> None:
    sam, model = member(memgpt, ["one", "two", "three"])
    sam.register_hook("process_message_before_send", lambda sender, message, recipient, silent: sent.format(message))
    ann = talker("ann", ["b", "c"])
    peer = group([ann, sam], 6) if in_a_group else sam
    history = ann.initiate_chat(peer, message="a", silent=True, max_turns=1 if in_a_group else 3).chat_history
    assert [message["content"] for message in history][1::2] == [sent.format(word) for word in ("one", "two", "three")]
    assert [text for _, text in heard(sam)] == ["a", "b", "c"]
    assert "you said" not in "".join(shown(prompt) for prompt in model.calls)


@pytest.mark.contract("safeguards")
def test_what_a_safeguard_makes_of_a_reply_is_not_news_to_the_agent(memgpt: MemGPT) -> None:
    sam, model = member(memgpt, ["The code is 4711.", "two"])
    if "safeguard_llm_outputs" not in sam.hook_lists:
        pytest.skip("this AutoGen has no safeguards")
    sam.register_hook("safeguard_llm_outputs", lambda reply: reply.replace("4711", "****"))
    talker("ann", ["b"]).initiate_chat(sam, message="a", max_turns=2, silent=True)
    assert "you said" not in "".join(shown(prompt) for prompt in model.calls)


@pytest.mark.contract("reply slot")
def test_a_reply_function_of_the_user_s_own_goes_first(memgpt: MemGPT) -> None:
    sam, model = member(memgpt, ["from memory"])
    ann = talker("ann", ["b"])
    turns = iter([(True, "from a function"), (False, None)])
    sam.register_reply([type(ann), None], lambda *_, **__: next(turns))
    result = ann.initiate_chat(sam, message="a", max_turns=2, silent=True)
    assert [message["content"] for message in result.chat_history] == ["a", "from a function", "b", "from memory"]
    assert [text for _, text in heard(sam)] == ["a", "b"] and "from a function" in shown(model.calls[0])


@pytest.mark.contract("patterns and handoffs")
def test_an_agent_in_a_pattern_hands_over(memgpt: MemGPT) -> None:
    patterns = pytest.importorskip("autogen.agentchat.group.patterns", reason="this AutoGen has no patterns")
    chats = pytest.importorskip("autogen.agentchat.group")
    from autogen.agentchat import initiate_group_chat

    sam, model = member(memgpt, [lambda _, tools, __: ToolCall(handover(tools)), "s2"])
    kim, other = member(memgpt, ["k1"], "kim")
    sam.handoffs.add_llm_condition(
        chats.OnCondition(target=chats.AgentTarget(kim), condition=chats.StringLLMCondition(prompt="For poems."))
    )
    kim.handoffs.set_after_work(chats.TerminateTarget())
    pattern = patterns.DefaultPattern(initial_agent=sam, agents=[sam, kim], user_agent=talker("ann"))
    result, _, last = initiate_group_chat(pattern=pattern, messages="A poem, please.", max_rounds=6)
    assert last is kim and result.chat_history[-1]["content"] == "k1"
    assert ("A poem, please." in shown(other.calls[0])) and len(model.calls) == 1


def handover(tools: Any) -> str:
    return next(tool.name for tool in tools if "poems" in tool.description)


def test_an_old_member_s_words_are_told_apart_from_those_of_a_namesake_s_manager(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, ["s1", "s2"])
    for word in ("red", "blue"):  # two groups, both managers are called chat_manager
        bob = talker("bob")
        bob.initiate_chat(group([bob, sam], 2), message=word, silent=True)
    assert [text for _, text in heard(sam)] == ["red", "blue"]
