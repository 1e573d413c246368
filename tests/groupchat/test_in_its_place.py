"""In a ConversableAgent's place: what stands in for AutoGen's client, forms of replies, AutoGen's subclasses."""

from __future__ import annotations

import copy
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from memgpt_autogen.client import MemGPT
from memgpt_autogen.groupchat.agent import MemGPTAgent
from memgpt_autogen.groupchat.assistant import MemGPTAssistantAgent
from memgpt_autogen.messages import ToolCall

from ..llm.conftest import Loopback
from .members import autogen, completion, heard, llm_config, log, member, say, talker, user

pytestmark = pytest.mark.groupchat

PLAIN = autogen.ConversableAgent
FORM = {
    "type": "object",
    "properties": {"answer": {"type": "string"}},
    "required": ["answer"],
    "additionalProperties": False,
}


class Client:
    """A stand-in for AutoGen's client that answers with whole messages, as the one in ``autogen.testing`` does."""

    total_usage_summary = actual_usage_summary = None

    def __init__(self, answers: Iterable[Any]) -> None:
        self.answers = iter(answers)
        self.requests: list[dict[str, Any]] = []

    def create(self, **request: Any) -> Any:
        self.requests.append(request)
        return next(self.answers)

    def extract_text_or_completion_object(self, response: Any) -> list[Any]:
        return [response]


def call(name: str, **arguments: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"content": None, "tool_calls": [{"id": f"call_{name}", "type": "function", "function": function}]}


def hosted(memgpt: MemGPT, answers: Iterable[Any], name: str = "sam") -> MemGPTAgent:
    agent = MemGPTAgent(name, llm_config=llm_config("http://127.0.0.1:9"), memgpt=memgpt)
    agent.client = Client(answers)
    return agent


@pytest.mark.contract("message dict")
@pytest.mark.parametrize(
    "answer", ["Hello.", {"content": "Hello."}, {"content": "Hello.", "role": "assistant"}, '{"a": [1]}']
)
def test_the_reply_has_the_form_that_the_client_gave(memgpt: MemGPT, answer: Any) -> None:
    sam = hosted(memgpt, [answer])
    assert sam.generate_reply([{"role": "user", "content": "Hi."}]) == answer
    assert len(sam.client.requests) == 1 and log(sam)[-2].text == (answer if isinstance(answer, str) else "Hello.")


@pytest.mark.contract("message dict")
def test_what_the_agent_says_by_a_function_is_text(memgpt: MemGPT) -> None:
    sam = hosted(memgpt, [{**call("send_message", message="Hello."), "role": "assistant"}])
    assert sam.generate_reply([{"role": "user", "content": "Hi."}]) == "Hello."


@pytest.mark.contract("message dict")
@pytest.mark.parametrize(
    "listed",
    [
        [{"role": "user", "content": "A"}],
        [{"role": "user", "content": "A", "name": "bob"}],
        [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "A"}],
        [{"role": "user", "content": "A"}, {"role": "assistant", "content": "B"}],
        [{"role": "user", "content": ""}],
    ],
)
def test_asked_directly_it_returns_what_an_assistant_does(memgpt: MemGPT, loopback: Loopback, listed: Any) -> None:
    names = ("add", "get", "put")
    tools = [
        {"type": "function", "function": {"name": name, "description": "", "parameters": {"type": "object"}}}
        for name in names
    ]
    config = {**llm_config(loopback.address), "tools": tools}
    answers = [completion(text="Words."), completion(("add", {"a": 1})), completion(("get", {}), ("put", {}))]
    replies = []
    for agent in (
        autogen.AssistantAgent("plain", llm_config=config),
        MemGPTAssistantAgent("sam", llm_config=config, memgpt=memgpt),
    ):
        loopback.script = [*answers, completion(text="More words.")]
        replies.append([agent.generate_reply(messages=copy.deepcopy(listed)) for _ in answers])
        replies[-1].append(agent.generate_oai_reply(copy.deepcopy(listed)))
    assert replies[0] == replies[1] and len(loopback.requests) == 8


@pytest.mark.contract("tools")
def test_a_remote_client_brings_its_own_tools(memgpt: MemGPT) -> None:
    sam = hosted(memgpt, [call("weather", place="Oslo"), call("weather", place="Oslo")])
    here = {"name": "weather", "description": "", "parameters": {"type": "object", "properties": {}}}
    tools = [{"type": "function", "function": here}]
    messages = [{"role": "user", "content": "Rain?"}]
    spoke, reply = sam.generate_oai_reply(messages, tools=tools)
    assert spoke and reply["tool_calls"][0]["function"]["name"] == "weather"
    offered = [tool["function"]["name"] for tool in sam.client.requests[0]["tools"]]
    assert offered.count("weather") == 1 and not sam.llm_config.get("tools")


@pytest.mark.contract("safeguards")
def test_safeguards_see_the_system_message_and_the_agent_does_not_hear_it(memgpt: MemGPT) -> None:
    sam = hosted(memgpt, ["Hello."])
    if "safeguard_llm_inputs" not in sam.hook_lists:
        pytest.skip("this AutoGen has no safeguards")
    seen: list[str] = []
    sam.register_hook("safeguard_llm_inputs", lambda listed: seen.extend(one["role"] for one in listed) or listed)
    user().initiate_chat(sam, message="Hi.", max_turns=1, silent=True)
    assert seen == ["system", "user"] and [text for _, text in heard(sam)] == ["Hi."]


@pytest.mark.contract("own messages")
def test_calls_carry_no_name_and_are_its_own_when_they_have_left_the_window(memgpt: MemGPT) -> None:
    tools = [{"type": "function", "function": {"name": "add", "description": "", "parameters": {"type": "object"}}}]
    sam, _ = member(memgpt, [ToolCall("add", {"a": 1}), "It is 1.", "Once more.", "A summary.", "Last."])
    sam.llm_config = {**dict(sam.llm_config), "tools": tools}
    ann = talker("ann", [{"role": "tool", "tool_responses": [], "content": "1"}])
    ann.register_function({"add": lambda **given: "1"})
    ann.initiate_chat(sam, message="Add.", max_turns=2, silent=True)
    listed = ann.chat_messages[sam]
    assert "name" not in next(message for message in listed if message.get("tool_calls"))
    ann.send("Again.", sam, request_reply=True, silent=True)
    sam.core.summarize()
    assert not any(message.tool_calls and message.tool_calls[0].name == "add" for message in log(sam))
    before = len(heard(sam))
    ann.send("And now?", sam, request_reply=True, silent=True)
    assert [text for _, text in heard(sam)[before:]] == ["And now?"]
    assert "calls the function add" not in "".join(message.text for message in log(sam))


@pytest.mark.contract("providers")
def test_what_is_said_has_the_form_that_the_config_asks_for(memgpt: MemGPT, loopback: Loopback) -> None:
    if not any("response_format" in inspect.getsource(one) for one in (autogen.OpenAIWrapper, autogen.oai.client)):
        pytest.skip("this AutoGen has no response_format")
    fact = {"inner_thoughts": "Keep.", "name": "human", "content": "Is Ann.", "request_heartbeat": True}
    loopback.script = [completion(("core_memory_append", fact)), completion(text='{"answer": "Oslo"}')]
    config = llm_config(loopback.address, response_format=FORM)
    sam = MemGPTAgent("sam", llm_config=config, memgpt=memgpt)
    assert (
        user().initiate_chat(sam, message="I am Ann. Where?", max_turns=1, silent=True).summary == '{"answer": "Oslo"}'
    )
    for request in loopback.requests:
        names = {tool["function"]["name"] for tool in request.body["tools"]}
        assert "core_memory_append" in names and "send_message" not in names and "tool_choice" not in request.body
        assert request.body["response_format"]["json_schema"]["schema"]["required"] == ["answer"]
    loopback.script = [completion(text='{"answer": "Rome"}'), completion(text="All about Ann.")]
    user().initiate_chat(sam, message="And where now?", max_turns=1, silent=True)
    assert sam.core.summarize()[1] == "All about Ann." and "response_format" not in loopback.requests[-1].body


@pytest.mark.contract("reply slot")
def test_autogen_s_own_subclasses_replace_its_reply_by_either_name(memgpt: MemGPT) -> None:
    for base, name in ((MemGPTAgent, PLAIN), (MemGPTAgent, MemGPTAgent), (PLAIN, MemGPTAgent)):

        class Remote(base):  # type: ignore[misc, valid-type]
            def __init__(self, *args: Any, known_by: Any = name, **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
                if not isinstance(self, MemGPTAgent):
                    self.replace_reply_func(PLAIN.generate_oai_reply, MemGPTAgent.generate_oai_reply)
                self.replace_reply_func(known_by.generate_oai_reply, Remote.generate_remote_reply)

            def generate_remote_reply(self, messages: Any = None, sender: Any = None, config: Any = None) -> Any:
                return True, "from afar"

        remote = Remote("remote", llm_config=False, human_input_mode="NEVER")
        assert user().initiate_chat(remote, message="a", max_turns=1, silent=True).summary == "from afar"
        assert copy.deepcopy(remote._reply_func_list[-1]["reply_func"]) is not None


@pytest.mark.contract("reply slot")
def test_registered_with_an_agent_of_another_class_it_is_autogen_s_reply(loopback: Loopback) -> None:
    loopback.script = [completion(text="Plain words.")]
    kim = PLAIN("kim", llm_config=llm_config(loopback.address), human_input_mode="NEVER")
    kim.replace_reply_func(PLAIN.generate_oai_reply, MemGPTAgent.generate_oai_reply)
    assert user().initiate_chat(kim, message="a", max_turns=1, silent=True).summary == "Plain words."
    assert "tools" not in loopback.requests[0].body


@pytest.mark.contract("constructor")
def test_autogen_s_agents_can_derive_from_it(tmp_path: Path) -> None:
    script = """
import autogen
from memgpt_autogen import MemGPTAgent
from memgpt_autogen.llm.scripted import ScriptedModel
for kind in (autogen.AssistantAgent, autogen.UserProxyAgent, autogen.GroupChatManager):
    kind.__bases__ = (MemGPTAgent,)
sam = autogen.AssistantAgent("sam", llm_config={"config_list": [{"model": None}]})
sam._core = sam.home.create_agent({"name": "sam"}, model=ScriptedModel(["Hello.", "Bye."]))
user = autogen.UserProxyAgent("user", human_input_mode="NEVER", code_execution_config=False, default_auto_reply="And?")
chat = autogen.GroupChat([user, sam], [], max_round=4, speaker_selection_method="round_robin")
user.initiate_chat(autogen.GroupChatManager(chat, llm_config=False), message="Hi.", silent=True)
print([(message["name"], message["content"]) for message in chat.messages])
"""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, env=_home(tmp_path), timeout=120
    )
    assert run.stdout.strip().splitlines()[-1:] == [
        "[('user', 'Hi.'), ('sam', 'Hello.'), ('user', 'And?'), ('sam', 'Bye.')]"
    ], run.stderr


def _home(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "MEMGPT_HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).resolve().parents[2])}


@pytest.mark.contract("ingestion")
def test_another_process_s_agent_of_the_same_name_has_left_a_call_open(memgpt: MemGPT) -> None:
    tool = {"type": "function", "function": {"name": "look", "description": "", "parameters": {"type": "object"}}}
    sam = hosted(memgpt, [call("look")])
    sam.llm_config = {**dict(sam.llm_config), "tools": [tool]}
    assert "tool_calls" in sam.generate_reply([{"role": "user", "content": "Look."}])
    again = hosted(memgpt, ["Hello."])
    assert user().initiate_chat(again, message="Hi.", max_turns=1, silent=True).summary == "Hello."
    loud = hosted(memgpt, ["Hello."])
    assert user().initiate_chat(loud, message="Hi.", max_turns=1, silent=True).summary == "Hello."


def test_an_answer_by_words_stays_one_call(memgpt: MemGPT, loopback: Loopback) -> None:
    loopback.script = [say("one")]
    sam = MemGPTAgent("sam", llm_config=llm_config(loopback.address), memgpt=memgpt)
    assert user().initiate_chat(sam, message="a", max_turns=1, silent=True).summary == "one"
    assert len(loopback.requests) == 1 and loopback.requests[0].body["tool_choice"] == "required"
