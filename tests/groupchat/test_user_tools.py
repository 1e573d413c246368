"""The user's tools and their settings: names, schemas, tool_choice, parallel_tool_calls."""

from __future__ import annotations

import json
import logging
import re
from typing import Annotated, Any, Literal

import pytest

from memgpt_autogen.client import MemGPT
from memgpt_autogen.groupchat.agent import MemGPTAgent
from memgpt_autogen.groupchat.response_format import chosen_tools
from memgpt_autogen.llm.chat_format import to_chat_tools
from memgpt_autogen.messages import ToolCall, ToolSchema

from ..llm.conftest import Loopback
from .members import accepted, autogen, completion, llm_config, log, member, say, shown, talker, user

pytestmark = pytest.mark.groupchat

OWN = ["send_message", "conversation_search", "core_memory_append"]


def registered(agent: Any, executor: Any, name: str, ran: list[Any]) -> None:
    """A user's tool of that name."""

    def tool(to: str, message: str) -> str:
        ran.append((to, message))
        return "done, says the tool"

    tool.__name__ = name
    autogen.register_function(tool, caller=agent, executor=executor, name=name, description="Send an e-mail.")


@pytest.mark.contract("names of tools")
@pytest.mark.parametrize("name", OWN)
def test_a_tool_keeps_its_name_and_the_agent_s_function_makes_way(
    memgpt: MemGPT, loopback: Loopback, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    ran: list[Any] = []
    sam = MemGPTAgent("sam", llm_config=llm_config(loopback.address), memgpt=memgpt)
    ann = user(default_auto_reply="thanks")
    registered(sam, ann, name, ran)
    loopback.script = [
        completion((name, {"to": "ann@example.org", "message": "Hi."})),
        completion(text="It is sent."),
        completion((f"memgpt_{name}", {"message": "You are welcome.", "name": "human", "content": "x", "query": "x"})),
        completion(text="At your service."),
    ]
    with caplog.at_level(logging.WARNING):
        result = ann.initiate_chat(sam, message="Mail Ann.", max_turns=3, silent=True)
    assert ran == [("ann@example.org", "Hi.")]
    said = [message["content"] for message in result.chat_history if message.get("name") == "sam"]
    assert "It is sent." in said and len(said) >= 2
    called = [message["tool_calls"][0]["function"] for message in result.chat_history if message.get("tool_calls")]
    assert [one["name"] for one in called] == [name]
    for request in loopback.requests:
        names = [tool["function"]["name"] for tool in request.body["tools"]]
        assert names.count(name) == 1 and names.count(f"memgpt_{name}") == 1
        theirs = next(tool for tool in request.body["tools"] if tool["function"]["name"] == name)
        assert theirs["function"]["description"] == "Send an e-mail."
        assert not re.search(rf"\b{name}\b", request.body["messages"][0]["content"])
    assert caplog.text.count(f"which is called memgpt_{name} from now on") == 1
    assert not [one for one in log(sam) if one.content.startswith("Failed: There is no function")]


@pytest.mark.contract("names of tools")
def test_the_model_of_our_own_sees_the_same_names(memgpt: MemGPT) -> None:
    sam, model = member(memgpt, [ToolCall("send_message", {"to": "a", "message": "b"}), "It is sent."])
    model.script[1] = ToolCall("memgpt_send_message", {"message": "It is sent."})
    sam.llm_config = {"config_list": [{"model": "m", "api_key": "k"}]}
    ann, ran = user(), []  # type: ignore[var-annotated]
    registered(sam, ann, "send_message", ran)
    assert ann.initiate_chat(sam, message="Mail.", max_turns=2, silent=True).summary == "It is sent."
    names = [tool.name for tool in model.calls[0].tools]
    assert names.count("send_message") == 1 == names.count("memgpt_send_message") and ran == [("a", "b")]
    first = model.calls[1].messages[-2].tool_calls[0]
    assert first.name == "send_message" and "memgpt_send_message" in shown(model.calls[1])


@pytest.mark.contract("names of tools")
def test_functions_of_the_old_form_keep_their_names_too(memgpt: MemGPT) -> None:
    sam, _ = member(
        memgpt, [ToolCall("send_message", {"message": "b"}), ToolCall("memgpt_send_message", {"message": "ok"})]
    )
    spec = {"name": "send_message", "description": "Mail.", "parameters": {"type": "object", "properties": {}}}
    sam.llm_config = {"config_list": [{"model": "m", "api_key": "k"}], "functions": [spec]}
    ann = user()
    ann.register_function({"send_message": lambda message: f"mailed {message}"})
    result = ann.initiate_chat(sam, message="Mail.", max_turns=2, silent=True)
    assert result.chat_history[1]["function_call"]["name"] == "send_message" and result.summary == "ok"
    assert "mailed b" in [one.content for one in log(sam)] and "never came" not in str(log(sam))


@pytest.mark.contract("tool settings")
def test_schemas_go_out_as_they_are_and_arguments_come_back_whole(memgpt: MemGPT, loopback: Loopback) -> None:
    got: list[Any] = []
    sam = MemGPTAgent("sam", llm_config=llm_config(loopback.address), memgpt=memgpt)
    ann = user()

    @ann.register_for_execution()  # type: ignore[untyped-decorator]
    @sam.register_for_llm(description="Ship it.")  # type: ignore[untyped-decorator]
    def ship(
        inner_thoughts: Annotated[str, "why"], speed: Literal["slow", "fast"] = "slow", request_heartbeat: bool = False
    ) -> str:
        got.append((inner_thoughts, speed, request_heartbeat))
        return "shipped"

    given = {"inner_thoughts": "asked", "speed": "fast", "request_heartbeat": True}
    loopback.script = [completion(("ship", given)), say("ok")]
    ann.initiate_chat(sam, message="Ship.", max_turns=2, silent=True)
    sent = [tool for tool in loopback.requests[0].body["tools"] if tool["function"]["name"] == "ship"]
    assert sent == list(sam.llm_config["tools"]) and got == [("asked", "fast", True)]
    again = [one for one in loopback.requests[1].body["messages"] if one.get("tool_calls")][-1]
    assert json.loads(again["tool_calls"][0]["function"]["arguments"]) == given


@pytest.mark.contract("tool settings")
def test_further_fields_of_a_tool_reach_the_provider(memgpt: MemGPT, loopback: Loopback) -> None:
    parameters = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    tool = {"type": "function", "function": {"name": "z", "description": "z", "strict": True, "parameters": parameters}}
    loopback.script = [say("ok")]
    sam = MemGPTAgent("sam", llm_config={**llm_config(loopback.address), "tools": [tool]}, memgpt=memgpt)
    user().initiate_chat(sam, message="a", max_turns=1, silent=True)
    assert tool in loopback.requests[0].body["tools"]
    assert "inner_thoughts" in json.dumps(to_chat_tools([sam.core.tools.schemas()[0]]))


WEATHER = {"name": "weather", "description": "w", "parameters": {"type": "object", "properties": {}}}
NAMED = {"type": "function", "function": {"name": "weather"}}


@pytest.mark.contract("tool settings")
@pytest.mark.parametrize(
    ("choice", "sent", "offered", "missing"),
    [
        (None, "required", {"weather", "send_message"}, set()),
        ("auto", "auto", {"weather", "send_message"}, set()),
        ("none", "required", {"send_message"}, {"weather"}),
        ("required", "required", {"weather", "core_memory_append"}, {"send_message"}),
    ],
)
def test_tool_choice_means_what_it_can(
    memgpt: MemGPT, loopback: Loopback, choice: Any, sent: Any, offered: set[str], missing: set[str]
) -> None:
    config = accepted(llm_config(loopback.address, **({"tool_choice": choice} if choice else {})))
    config["tools"] = [{"type": "function", "function": WEATHER}]
    loopback.script = [completion(("weather", {}))] if "weather" in offered else [say("ok")]
    sam = MemGPTAgent("sam", llm_config=config, memgpt=memgpt)
    user().initiate_chat(sam, message="a", max_turns=1, silent=True)
    body = loopback.requests[0].body
    names = {tool["function"]["name"] for tool in body["tools"]}
    assert body["tool_choice"] == sent and names >= offered and not names & missing


def test_a_function_that_the_config_names_is_the_only_one() -> None:
    weather = ToolSchema("weather", "w", {}, caller=True)
    offered = [ToolSchema("send_message", "", {}), weather]
    assert chosen_tools(NAMED, offered) == ([weather], NAMED)
    assert chosen_tools(NAMED, offered, held=True) == (offered, "required")
    assert chosen_tools({"type": "function", "function": {"name": "x"}}, offered) == (offered, "required")
    assert chosen_tools("required", offered[:1]) == (offered[:1], "required")


@pytest.mark.contract("tool settings")
@pytest.mark.parametrize("place", ["entry", "top"])
def test_parallel_tool_calls_reaches_the_provider_where_there_are_tools(
    memgpt: MemGPT, loopback: Loopback, place: str
) -> None:
    given = {"parallel_tool_calls": False}
    config = llm_config(loopback.address, **(given if place == "entry" else {})) | (given if place == "top" else {})
    accepted(config)
    loopback.script = [say("ok"), completion(text="All about Ann.")]
    sam = MemGPTAgent("sam", llm_config=config, memgpt=memgpt)
    user().initiate_chat(sam, message="a", max_turns=1, silent=True)
    assert loopback.requests[0].body["parallel_tool_calls"] is False
    talker("bob").send("b", sam, request_reply=False, silent=True)
    sam.hear_all()
    sam.core.summarize()
    assert "tools" not in loopback.requests[1].body and "parallel_tool_calls" not in loopback.requests[1].body


@pytest.mark.contract("termination")
def test_words_about_a_warning_are_not_added_to_a_reply(memgpt: MemGPT, loopback: Loopback) -> None:
    loopback.script = [
        say("The report is ready.\nTERMINATE"),
        completion(("send_message", {"message": "I have saved it."})),
        say("Anything else?"),
    ]
    config = llm_config(loopback.address, context_window=4096)
    sam = MemGPTAgent("sam", llm_config=config, memgpt=memgpt)
    ann = user(is_termination_msg=lambda message: str(message["content"]).rstrip().endswith("TERMINATE"))
    result = ann.initiate_chat(sam, message="Report. " + "word " * 2000, silent=True)
    assert result.chat_history[-1]["content"] == "The report is ready.\nTERMINATE" and len(loopback.requests) == 2
    offered = {tool["function"]["name"] for tool in loopback.requests[1].body["tools"]}
    assert offered == {"core_memory_append", "core_memory_replace", "archival_memory_insert"}
