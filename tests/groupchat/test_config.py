"""Which model an agent of a chat calls, and what becomes of AutoGen's settings."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from memgpt_autogen.client import MemGPT
from memgpt_autogen.errors import ConfigError
from memgpt_autogen.groupchat.factory import create_memgpt_autogen_agent_from_config

from ..llm.conftest import Answer, Loopback
from .members import (
    MemGPTAgent,
    autogen,
    completion,
    heard,
    llm_config,
    member,
    open_memgpt,
    say,
    shown,
    talker,
    user,
)

pytestmark = pytest.mark.groupchat

DEAD = "http://127.0.0.1:9"


def ask(agent: Any, text: str = "hi", **kwargs: Any) -> str:
    return user().initiate_chat(agent, message=text, max_turns=1, silent=True, **kwargs).chat_history[-1]["content"]


def key(request: Any) -> str | None:
    return {name.lower(): value for name, value in request.headers.items()}.get("authorization")


def functions(request: Any) -> set[str]:
    return {tool["function"]["name"] for tool in request.body["tools"]}


@pytest.mark.contract("plain agent")
@pytest.mark.parametrize("nothing", [False, None])
def test_without_a_model_it_is_a_plain_agent(nothing: Any) -> None:
    sam = MemGPTAgent("sam", llm_config=nothing, default_auto_reply="plain", human_input_mode="NEVER")
    assert ask(sam) == "plain"
    plain = autogen.ConversableAgent("sam", llm_config=nothing)
    assert sam.client == plain.client and sam.llm_config == plain.llm_config
    assert MemGPTAgent("sam", llm_config=nothing).human_input_mode == plain.human_input_mode
    with pytest.raises(ConfigError):
        _ = MemGPTAgent("sam", llm_config=nothing).core


@pytest.mark.contract("reset")
@pytest.mark.contract("providers")
def test_a_plain_config_is_called_through_autogen_s_client(memgpt: MemGPT, loopback: Loopback) -> None:
    fact = {"inner_thoughts": "Keep.", "name": "human", "content": "Is Ann.", "request_heartbeat": True}
    remember = ("core_memory_append", fact)
    loopback.script = [completion(remember), say("Hello Ann.")]
    sam = MemGPTAgent("sam", llm_config=llm_config(loopback.address), memgpt=memgpt)
    assert ask(sam, "I am Ann.") == "Hello Ann."
    first, second = loopback.requests
    assert first.path == "/v1/chat/completions" and key(first) == "Bearer sk-test"
    assert first.body["model"] == "gpt-4o" and first.body["tool_choice"] == "required"
    assert "Is Ann." in second.body["messages"][0]["content"]
    assert sam.get_total_usage()["gpt-4o"]["prompt_tokens"] == 200 and sam.get_total_usage()["total_cost"] > 0
    sam.reset()
    assert not sam.get_total_usage()


@pytest.mark.contract("providers")
def test_a_server_that_refuses_a_required_call_is_asked_without(memgpt: MemGPT, loopback: Loopback) -> None:
    refusal = Answer({"error": {"message": "tool_choice 'required' is not supported"}}, status=400)
    loopback.script = [refusal, say("Hello."), say("Again.")]
    sam = MemGPTAgent("sam", llm_config=llm_config(loopback.address), memgpt=memgpt)
    assert ask(sam) == "Hello." and ask(sam, "more") == "Again."
    assert [request.body.get("tool_choice") for request in loopback.requests] == ["required", None, None]


@pytest.mark.contract("tools")
def test_registered_functions_stand_beside_the_memory_functions(memgpt: MemGPT, loopback: Loopback) -> None:
    loopback.script = [completion(("double", {"inner_thoughts": "?", "number": 4})), say("8")]
    sam = MemGPTAgent("sam", llm_config=llm_config(loopback.address), memgpt=memgpt)
    executor = user()

    def double(number: int) -> int:
        return 2 * number

    autogen.register_function(double, caller=sam, executor=executor, name="double", description="Doubles.")
    result = executor.initiate_chat(sam, message="Twice 4?", max_turns=2, silent=True)
    assert result.summary == "8"
    for request in loopback.requests:
        assert {"double", "send_message", "archival_memory_search"} <= functions(request)
    called = result.chat_history[1]["tool_calls"][0]["function"]
    assert json.loads(called["arguments"]) == {"number": 4}  # AutoGen 0.2 refuses arguments that it does not know
    answer = loopback.requests[1].body["messages"][-1]
    assert answer["role"] == "tool" and answer["content"] == "8"
    assert sam.get_total_usage()["gpt-4o"]["completion_tokens"] == 20


@pytest.mark.contract("providers")
def test_a_second_entry_stands_in_for_a_dead_server(memgpt: MemGPT, loopback: Loopback) -> None:
    loopback.script = [say("Here.")]
    sam = MemGPTAgent("sam", llm_config=llm_config(DEAD, loopback.address), memgpt=memgpt)
    assert ask(sam) == "Here."


@pytest.mark.contract("crashes")
@pytest.mark.contract("providers")
def test_a_wrong_key_is_autogen_s_error_and_the_message_is_answered_later(memgpt: MemGPT, loopback: Loopback) -> None:
    openai = pytest.importorskip("openai")
    loopback.script = [Answer({"error": {"message": "Incorrect API key", "code": "invalid_api_key"}}, 401)]
    sam = MemGPTAgent("sam", llm_config=llm_config(loopback.address), memgpt=memgpt)
    ann = talker("ann")
    with pytest.raises(openai.AuthenticationError):
        ann.initiate_chat(sam, message="My cat is Tom.", max_turns=1, silent=True)
    assert heard(sam) == [("ann", "My cat is Tom.")]
    loopback.script = [say("Hello to Tom.")]
    assert sam.generate_reply(sender=ann) == "Hello to Tom."
    assert heard(sam) == [("ann", "My cat is Tom.")]
    loopback.script = [say("Still Tom.")]
    ann.initiate_chat(sam, message="And now?", max_turns=1, silent=True)
    assert [text for _, text in heard(sam)] == ["My cat is Tom.", "And now?"]


@pytest.mark.contract("config forms")
def test_an_entry_that_only_names_a_wrapper_falls_through_to_the_environment(
    tmp_path: Path, loopback: Loopback
) -> None:
    loopback.script = [say("Here.")]
    home = open_memgpt(tmp_path, BACKEND_TYPE="openai", OPENAI_API_BASE=loopback.address, OPENAI_API_KEY="sk-from-env")
    config = {"config_list": [{"model": "airoboros", "model_wrapper": "chatml", "context_window": 8192}]}
    sam = MemGPTAgent("sam", llm_config=config, memgpt=home)
    assert ask(sam) == "Here."
    assert key(loopback.requests[0]) == "Bearer sk-from-env"
    assert loopback.requests[0].body["model"] == "airoboros"


def test_a_local_server_from_the_environment_is_called_with_the_entry_s_wrapper(
    tmp_path: Path, loopback: Loopback
) -> None:
    loopback.always = {
        "/props": {"default_generation_settings": {"n_ctx": 8192}},
        "/tokenize": lambda body: {"tokens": body["content"].split()},
        "/v1/models": {"data": []},
    }
    loopback.script = [Answer({"content": ' "send_message", "params": {"inner_thoughts": "x", "message": "Here."}}'})]
    home = open_memgpt(tmp_path, BACKEND_TYPE="llamacpp", OPENAI_API_BASE=loopback.address, OPENAI_API_KEY="sk-hosted")
    sam = MemGPTAgent("sam", llm_config=[{"model": "airoboros", "model_wrapper": "chatml"}], memgpt=home)
    assert ask(sam) == "Here."
    assert [request.path for request in loopback.requests] == ["/completion"]
    assert "<|im_start|>" in loopback.requests[0].body["prompt"]


def test_the_process_s_own_environment_counts(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    loopback.script = [say("Here.")]
    monkeypatch.setenv("BACKEND_TYPE", "openai")
    monkeypatch.setenv("OPENAI_API_BASE", f"{loopback.address}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    sam = create_memgpt_autogen_agent_from_config("sam")
    try:
        assert ask(sam) == "Here." and loopback.requests[0].path == "/v1/chat/completions"
    finally:
        sam.core.store.close()


@pytest.mark.contract("config forms")
def test_an_entry_in_the_original_s_form_is_called_directly(memgpt: MemGPT, loopback: Loopback) -> None:
    loopback.script = [say("Here.")]
    entry = {"model": "gpt-4", "model_endpoint_type": "openai", "model_endpoint": loopback.address, "openai_key": "k"}
    config = {"config_list": [{**entry, "context_window": 8192, "preset": "memgpt_docs", "human": "Is Ann."}]}
    sam = MemGPTAgent("sam", llm_config=config, memgpt=memgpt)
    assert ask(sam) == "Here."
    assert "Is Ann." in loopback.requests[0].body["messages"][0]["content"]
    assert not {"preset", "model_endpoint_type", "context_window"} & set(loopback.requests[0].body)
    assert sam.core.preset.name == "memgpt_docs"
    assert sam.get_total_usage()["gpt-4"]["prompt_tokens"] == 100


@pytest.mark.contract("llm_config")
def test_the_factory_with_a_config(memgpt: MemGPT, loopback: Loopback) -> None:
    loopback.script = [say("Here."), say("Here too.")]
    config = llm_config(loopback.address, preset="memgpt_chat", context_window=8192)
    before = copy.deepcopy(config)
    first, second = (
        create_memgpt_autogen_agent_from_config(
            name,
            "You are terse.",
            llm_config=config,
            memgpt=memgpt,
            skip_verify=True,
            auto_save=True,
            interface_kwargs={"debug": False},
            human_input_mode="NEVER",
            description=f"This is {name}.",
        )
        for name in ("sam", "kim")
    )
    assert [ask(first), ask(second)] == ["Here.", "Here too."]
    assert config == before
    assert first.core.id != second.core.id
    assert (first.description, second.description) == ("This is sam.", "This is kim.")
    assert "You are terse." in loopback.requests[0].body["messages"][0]["content"]


def test_the_factory_without_a_config_finds_the_same_agent_again(tmp_path: Path, loopback: Loopback) -> None:
    home = open_memgpt(tmp_path, BACKEND_TYPE="openai", OPENAI_API_BASE=loopback.address, OPENAI_API_KEY="k")
    for number in range(2):
        loopback.script = [say(f"{number}")]
        sam = create_memgpt_autogen_agent_from_config("sam", memgpt=home)
        assert ask(sam, f"question {number}") == f"{number}"
    assert [text for _, text in heard(sam)] == ["question 0", "question 1"]


@pytest.mark.contract("llm_config")
@pytest.mark.skipif(not hasattr(autogen, "LLMConfig"), reason="this AutoGen has no LLMConfig")
def test_autogen_s_own_config_object_works(memgpt: MemGPT, loopback: Loopback) -> None:
    loopback.script = [say("Here.")]
    given = llm_config(loopback.address)
    try:
        config = autogen.LLMConfig(given["config_list"][0])
    except TypeError:  # older ones take keywords
        config = autogen.LLMConfig(config_list=given["config_list"])
    sam = MemGPTAgent("sam", llm_config=config, memgpt=memgpt)
    assert ask(sam) == "Here."


def test_the_system_message_reaches_the_model_each_turn_and_may_change(memgpt: MemGPT) -> None:
    sam, model = member(memgpt, ["one", "two", "three"], system_message="You are terse.")
    ask(sam)
    ask(sam)
    sam.update_system_message("You are a poet.")
    ask(sam)
    systems = [call.messages[0].content for call in model.calls]
    assert all(call.messages[0].role == "system" for call in model.calls)
    assert ["You are terse." in text for text in systems] == [True, True, False] and "You are a poet." in systems[2]
    assert systems[0] == systems[1]


@pytest.mark.contract("summaries")
def test_autogen_s_summary_is_made_by_the_same_model(memgpt: MemGPT) -> None:
    sam, model = member(memgpt, ["one", "A summary."])
    how = {"max_turns": 2, "silent": True, "summary_method": "reflection_with_llm"}
    result = sam.initiate_chat(talker("ann", ["hi"]), message="Hello?", **how)
    assert result.summary == "A summary." and not model.calls[1].tools
    assert "one" in shown(model.calls[1])
