"""What a subclass of ConversableAgent must bear: inspection, patches, copies, and AutoGen's own errors."""

from __future__ import annotations

import copy
import inspect
from typing import Any
from unittest.mock import MagicMock, patch

import pytest

from memgpt_autogen.client import MemGPT
from memgpt_autogen.groupchat.agent import MemGPTAgent

from ..llm.conftest import Answer, Loopback
from .members import autogen, completion, heard, llm_config, log, member, say, shown, talker, user

pytestmark = pytest.mark.groupchat

PLAIN = autogen.ConversableAgent


def order(agent: Any) -> list[str]:
    return [entry["reply_func"].__name__ for entry in agent._reply_func_list]


@pytest.mark.contract("reply slot")
@pytest.mark.parametrize("code", [False, {"use_docker": False}])
def test_the_reply_functions_stand_in_autogen_s_order(memgpt: MemGPT, code: Any) -> None:
    given = {"llm_config": llm_config("http://127.0.0.1:9"), "code_execution_config": code}
    sam = MemGPTAgent("sam", memgpt=memgpt, **given)
    assert order(sam) == order(PLAIN("sam", **given))
    functions = [entry["reply_func"] for entry in sam._reply_func_list]
    for name in ("generate_oai_reply", "a_generate_oai_reply"):  # found by either name, and our own
        ours, plain = getattr(MemGPTAgent, name), getattr(PLAIN, name)
        assert functions.count(ours) == functions.count(plain) == 1 and {ours} == {plain} and ours is not plain
        assert functions[functions.index(plain)] is ours and repr(ours) != repr(plain) and name in str(ours)
        assert inspect.signature(ours).parameters.keys() == {"self", "messages", "sender", "config", "kwargs"}
    sam.register_nested_chats([{"recipient": PLAIN("kim", llm_config=False)}], trigger=PLAIN("bob", llm_config=False))
    assert len(order(sam)) == len(order(PLAIN("sam", **given))) + 1


@pytest.mark.contract("async pairing")
def test_sync_and_async_twins_are_a_pair(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, ["one"])
    by_name = {entry["reply_func"].__name__: entry for entry in sam._reply_func_list}
    assert by_name["a_generate_oai_reply"]["ignore_async_in_sync_chat"]
    assert inspect.iscoroutinefunction(by_name["a_generate_oai_reply"]["reply_func"])
    assert user().initiate_chat(sam, message="a", max_turns=1, silent=True).summary == "one"


@pytest.mark.contract("signatures")
def test_replies_are_asked_for_in_every_way(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, ["one", "two", "three", "four"])
    ann = talker("ann")
    ann.send("a", sam, request_reply=False, silent=True)
    assert sam.generate_reply(sender=ann) == "one"
    assert sam.generate_reply(messages=None, sender=ann, exclude=[]) == "two"
    assert sam.generate_oai_reply(sender=ann, an_argument_of_an_older_version=1) == (True, "three")
    assert sam.generate_oai_reply([{"role": "user", "content": "b"}]) == (True, "four")


@pytest.mark.contract("constructor")
def test_the_constructor_takes_what_autogen_s_takes(memgpt: MemGPT) -> None:
    config = llm_config("http://127.0.0.1:9")

    def stop(message: Any) -> bool:
        return True

    sam = MemGPTAgent("sam", "Be brief.", stop, 3, "TERMINATE", {"f": len}, False, config, memgpt=memgpt)
    assert (sam.system_message, sam.human_input_mode, sam.function_map["f"]) == ("Be brief.", "TERMINATE", len)
    assert sam.max_consecutive_auto_reply() == 3 and sam._is_termination_msg is stop and sam.llm_config
    with pytest.raises(TypeError):
        MemGPTAgent("sam", no_such_argument=1)
    assert isinstance(sam, PLAIN) and "llm_config" in inspect.getdoc(MemGPTAgent)


@pytest.mark.contract("llm_config")
@pytest.mark.parametrize(
    "wrong", ["x", 3, {"config_list": []}, {"config_list": [{"api_key": "k"}]}, {"config_list": [{"model": ""}]}]
)
def test_a_config_that_cannot_be_is_autogen_s_error(wrong: Any) -> None:
    with pytest.raises(Exception) as plain:
        agent = PLAIN("sam", llm_config=wrong)
        pytest.skip(f"this AutoGen takes it as {agent.llm_config}")
    with pytest.raises(Exception) as swapped:
        MemGPTAgent("sam", llm_config=wrong)
    assert isinstance(swapped.value, (type(plain.value), ValueError))


@pytest.mark.contract("llm_config")
def test_the_config_stays_on_the_agent(memgpt: MemGPT) -> None:
    given = llm_config("http://127.0.0.1:9")
    assert MemGPTAgent("sam", llm_config=given, memgpt=memgpt).llm_config == PLAIN("sam", llm_config=given).llm_config


@pytest.mark.contract("llm_config")
def test_a_config_around_the_agents_is_theirs(memgpt: MemGPT, loopback: Loopback) -> None:
    if not hasattr(getattr(autogen, "LLMConfig", None), "__enter__"):
        pytest.skip("this AutoGen has no with llm_config")
    loopback.script = [say("Here.")]
    with autogen.LLMConfig(config_list=llm_config(loopback.address)["config_list"]):
        sam = MemGPTAgent("sam", memgpt=memgpt)
    assert user().initiate_chat(sam, message="a", max_turns=1, silent=True).summary == "Here."


@pytest.mark.contract("reply slot")
def test_a_client_may_be_put_in_its_place_and_taken_away(memgpt: MemGPT, loopback: Loopback) -> None:
    hosted = MemGPTAgent("sam", llm_config=llm_config(loopback.address), memgpt=memgpt)
    local, _ = member(memgpt, [], "kim")
    for agent in (hosted, local, MemGPTAgent("bob", llm_config=False)):
        before = agent.client
        with patch.object(agent, "client") as fake:
            assert agent.client is fake
        assert agent.client is before
        agent.client = fake
        agent.reset()
        fake.clear_usage_summary.assert_called_once()


@pytest.mark.contract("reply slot")
def test_another_client_given_with_the_call_is_asked(memgpt: MemGPT, loopback: Loopback) -> None:
    sam = MemGPTAgent("sam", llm_config=llm_config(loopback.address), memgpt=memgpt)
    fake = MagicMock()
    fake.extract_text_or_completion_object.return_value = ["Plain words."]
    assert sam.generate_oai_reply([{"role": "user", "content": "a"}], config=fake) == (True, "Plain words.")
    assert fake.create.call_count == 1 and not loopback.requests
    sam.client = None
    assert sam.generate_oai_reply([{"role": "user", "content": "a"}]) == (False, None)


@pytest.mark.contract("reply slot")
def test_a_model_that_only_writes_words_is_heard(memgpt: MemGPT, loopback: Loopback) -> None:
    loopback.script = [completion(text="Plain words.")]
    sam = MemGPTAgent("sam", llm_config=llm_config(loopback.address), memgpt=memgpt)
    assert user().initiate_chat(sam, message="a", max_turns=1, silent=True).summary == "Plain words."
    assert len(loopback.requests) == 1


@pytest.mark.contract("reply slot")
def test_what_the_client_raises_is_raised(memgpt: MemGPT) -> None:
    sam = MemGPTAgent("sam", llm_config=llm_config("http://127.0.0.1:9"), memgpt=memgpt)
    with patch.object(sam.client, "create", side_effect=RuntimeError("out of order")), pytest.raises(RuntimeError):
        user().initiate_chat(sam, message="a", max_turns=1, silent=True)
    assert [text for _, text in heard(sam)] == ["a"]


@pytest.mark.contract("copies")
def test_a_copy_goes_on_with_the_same_memory(memgpt: MemGPT) -> None:
    sam, model = member(memgpt, ["one", "two", "three"])
    ann = talker("ann")
    ann.initiate_chat(sam, message="My cat is Tom.", max_turns=1, silent=True)
    for twin in (copy.deepcopy(sam), copy.copy(sam)):
        assert twin.name == "sam" and twin.core is sam.core and twin is not sam
        talker("bob").initiate_chat(twin, message="Whose cat?", max_turns=1, silent=True)
    assert "My cat is Tom." in shown(model.calls[2]) and len(heard(sam)) == 3
    plain = copy.deepcopy(MemGPTAgent("kim", llm_config=False, default_auto_reply="plain"))
    assert user().initiate_chat(plain, message="a", max_turns=1, silent=True).summary == "plain"


@pytest.mark.contract("copies")
def test_it_says_what_it_is(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, [])
    assert repr(sam) == "<MemGPTAgent 'sam': memory agent 'sam'>"
    assert "plain" in repr(MemGPTAgent("kim", llm_config=False))


@pytest.mark.contract("constructor")
def test_settings_that_come_too_late_are_told_of(
    memgpt: MemGPT, loopback: Loopback, caplog: pytest.LogCaptureFixture
) -> None:
    loopback.script = [say("one"), say("two"), say("three")]
    for human in ("Ann.", "Ann.", "Bob."):
        caplog.clear()
        sam = MemGPTAgent("sam", llm_config=llm_config(loopback.address), human=human, memgpt=memgpt)
        user().initiate_chat(sam, message="a", max_turns=1, silent=True)
        assert ("human is ignored" in caplog.text) is (human == "Bob.")
    MemGPTAgent("kim", agent=sam.core, persona="A poet.")
    assert "persona is ignored" in caplog.text


@pytest.mark.contract("safeguards")
def test_safeguards_see_what_goes_in_and_comes_out(memgpt: MemGPT) -> None:
    sam, model = member(memgpt, ["The code is 4711.", "never said"])
    if "safeguard_llm_inputs" not in sam.hook_lists:
        pytest.skip("this AutoGen has no safeguards")
    sam.register_hook("safeguard_llm_outputs", lambda reply: reply.replace("4711", "****"))
    ann = talker("ann")
    result = ann.initiate_chat(sam, message="The code?", max_turns=1, silent=True)
    assert result.summary == "The code is ****."
    sam.register_hook("safeguard_llm_inputs", lambda messages: None)
    result = ann.initiate_chat(sam, message="Again?", max_turns=1, silent=True)
    assert "blocked" in result.summary and len(model.calls) == 1


@pytest.mark.contract("message dict")
def test_a_provider_s_refusal_is_not_swallowed(memgpt: MemGPT, loopback: Loopback) -> None:
    openai = pytest.importorskip("openai")
    loopback.script = [Answer({"error": {"message": "no such model"}}, 404)]
    sam = MemGPTAgent("sam", llm_config=llm_config(loopback.address), memgpt=memgpt)
    with pytest.raises(openai.NotFoundError):
        user().initiate_chat(sam, message="a", max_turns=1, silent=True)
    assert [message.kind for message in log(sam)] == ["user_message"]
