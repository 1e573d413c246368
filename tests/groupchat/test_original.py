"""Scripts in the forms that users of the original integration have: only the imports are ours."""

from __future__ import annotations

import copy
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import memgpt_autogen.presets as presets
from memgpt_autogen import (
    DEFAULT_PRESET,
    LLM_MAX_TOKENS,
    AutoGenInterface,
    InMemoryStateManager,
    MemGPTAgent,
    MemGPTConversableAgent,
    compat,
    create_autogen_memgpt_agent,
    create_memgpt_autogen_agent_from_config,
    load_autogen_memgpt_agent,
)
from memgpt_autogen.errors import AgentNotFound, ConfigError, NameTaken, SourceError
from memgpt_autogen.groupchat import legacy_methods as original_methods

from ..llm.conftest import Answer, Loopback
from .members import Screen, autogen, completion, heard, open_memgpt, say, spoken, user

pytestmark = pytest.mark.groupchat

ENGINEER = "I am a 10x engineer, trained in Python."


@pytest.fixture
def server(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    """OpenAI's API, as the environment names it; what was opened in the home folder is closed at the end."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("OPENAI_API_BASE", loopback.address)
    monkeypatch.setenv("BACKEND_TYPE", "openai")
    opened: list[Any] = []
    for module in (original_methods, compat):
        made = module.MemGPT

        def remember(*args: Any, made: Any = made, **kwargs: Any) -> Any:
            opened.append(made(*args, **{"embedder": None, **kwargs}))
            return opened[-1]

        monkeypatch.setattr(module, "MemGPT", remember)
    yield loopback
    for home in opened:
        home.close()


def plain(text: str) -> Answer:
    """What AutoGen's own assistants get from the server."""
    return completion(text=text)


def test_the_group_chat_of_the_examples(server: Loopback) -> None:
    server.script = [plain("An app for walkers."), say("print('walk') TERMINATE")]
    config_list = [{"model": "gpt-4", "api_key": os.getenv("OPENAI_API_KEY"), "base_url": f"{server.address}/v1"}]
    config_list_memgpt = [
        {
            "model": "gpt-4",
            "context_window": LLM_MAX_TOKENS["gpt-4"],
            "preset": DEFAULT_PRESET,
            "model_wrapper": None,
            "model_endpoint_type": "openai",
            "model_endpoint": f"{server.address}/v1",
            "openai_key": os.getenv("OPENAI_API_KEY"),
        }
    ]
    USE_MEMGPT, DEBUG = True, False
    llm_config = {"config_list": config_list, "seed": 42, "cache_seed": None}
    llm_config_memgpt = {"config_list": config_list_memgpt, "seed": 42}
    before = copy.deepcopy(llm_config_memgpt)
    interface_kwargs = {"debug": DEBUG, "show_inner_thoughts": DEBUG, "show_function_outputs": DEBUG}
    user_proxy = autogen.UserProxyAgent(
        name="User_proxy",
        system_message="A human admin.",
        code_execution_config=False,
        human_input_mode="NEVER",
        is_termination_msg=lambda message: "TERMINATE" in (message["content"] or ""),
        default_auto_reply="You are going to figure all out by your own.",
    )
    pm = autogen.AssistantAgent(name="Product_manager", system_message="Creative.", llm_config=llm_config)
    assert USE_MEMGPT
    coder = create_memgpt_autogen_agent_from_config(
        "MemGPT_coder",
        llm_config=llm_config_memgpt,
        nonmemgpt_llm_config=llm_config,
        system_message=ENGINEER,
        human_input_mode="TERMINATE",
        interface_kwargs=interface_kwargs,
        default_auto_reply="...",
        skip_verify=False,
        auto_save=False,
    )
    groupchat = autogen.GroupChat(
        agents=[user_proxy, pm, coder], messages=[], max_round=3, speaker_selection_method="round_robin"
    )
    manager = autogen.GroupChatManager(groupchat=groupchat, llm_config=llm_config)
    user_proxy.initiate_chat(manager, message="I want to design an app.", silent=True)
    assert spoken(manager)[1:] == [
        ("Product_manager", "An app for walkers."),
        ("MemGPT_coder", "print('walk') TERMINATE"),
    ]
    assert heard(coder) == [("User_proxy", "I want to design an app."), ("Product_manager", "An app for walkers.")]
    assert llm_config_memgpt == before
    prompt = server.requests[-1].body
    assert prompt["model"] == "gpt-4" and ENGINEER in prompt["messages"][0]["content"]


def test_the_agent_with_documents(server: Loopback, tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "paper.txt").write_text("Virtual context is paged between RAM and disk.", encoding="utf-8")
    search = ("archival_memory_search", {"inner_thoughts": "Look.", "query": "virtual context"})
    server.script = [completion(search), say("It is paged.")]
    interface_kwargs = {"debug": False, "show_inner_thoughts": True, "show_function_outputs": True}
    memgpt_agent = create_memgpt_autogen_agent_from_config(
        "MemGPT_agent",
        llm_config={"config_list": [{"model": "gpt-4"}], "seed": 42},
        system_message="You are an AI research assistant.",
        interface_kwargs=interface_kwargs,
        default_auto_reply="...",
        skip_verify=False,
    )
    memgpt_agent.load("memgpt_research_paper", "directory", input_dir=str(tmp_path / "papers"))
    memgpt_agent.load_and_attach("memgpt_research_paper", "directory")
    user_proxy = user()
    groupchat = autogen.GroupChat(
        agents=[user_proxy, memgpt_agent], messages=[], max_round=2, speaker_selection_method="round_robin"
    )
    manager = autogen.GroupChatManager(groupchat=groupchat, llm_config=False)
    screen = Screen()
    with autogen.io.IOStream.set_default(screen):
        user_proxy.initiate_chat(manager, message="What is virtual context? Search your archival memory.")
    assert spoken(manager)[-1] == ("MemGPT_agent", "It is paged.")
    assert "paged between RAM and disk" in json.dumps(server.requests[-1].body["messages"])
    assert "Look." in screen.text and "archival_memory_search" in screen.text


def test_documents_are_brought_up_to_date_and_replaced_by_force(
    server: Loopback, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    paper, other = tmp_path / "paper.txt", tmp_path / "other.txt"
    agent = create_memgpt_autogen_agent_from_config("sam")

    def held() -> list[str]:
        return [hit.item.text for hit in agent.core.archival.find("old new other").hits]

    for text in ("Old.", "Old.", "New."):
        paper.write_text(text, encoding="utf-8")
        agent.load_and_attach("notes", "directory", input_files=[str(paper)], user_id="x")
        assert held() == [text]
    other.write_text("Other.", encoding="utf-8")
    with pytest.raises(NameTaken, match="holds other documents"):
        agent.load_and_attach("notes", "directory", input_files=[str(other)])
    assert held() == ["New."]
    paper.unlink()
    agent.load_and_attach("notes", "directory", input_files=[str(paper)])
    assert held() == ["New."] and "is attached unchanged. It could not be updated: There is no file" in caplog.text
    with pytest.raises(SourceError, match="There is no file"):
        agent.load_and_attach("notes", "directory", force=True, input_files=[str(paper)])
    agent.load_and_attach("notes", "directory", force=True, input_files=[str(other)])
    assert held() == ["Other."]
    with pytest.raises(ConfigError, match="There is no loader 'papyrus'"):
        agent.load("more", "papyrus")


def test_the_oldest_form(server: Loopback) -> None:
    server.script = [say("Let's go Mario!"), plain("Go where?")]
    interface = AutoGenInterface()
    persistence_manager = InMemoryStateManager()
    persona, human = "I'm a 10x engineer at a FAANG tech company.", "I'm a team manager at a FAANG tech company."
    memgpt_agent = presets.use_preset(
        presets.DEFAULT_PRESET, None, "gpt-4", persona, human, interface, persistence_manager
    )
    coder = MemGPTAgent(name="MemGPT_coder", agent=memgpt_agent)
    llm_config = {"config_list": [{"model": "gpt-4", "api_key": "k", "base_url": f"{server.address}/v1"}]}
    pm = autogen.AssistantAgent("Product_manager", llm_config={**llm_config, "cache_seed": None})
    user_proxy = user()
    groupchat = autogen.GroupChat([user_proxy, coder, pm], [], 3, speaker_selection_method="round_robin")
    manager = autogen.GroupChatManager(groupchat=groupchat, llm_config=llm_config)
    user_proxy.initiate_chat(manager, message="First send the message 'Let's go Mario!'", silent=True)
    assert spoken(manager)[1:] == [("MemGPT_coder", "Let's go Mario!"), ("Product_manager", "Go where?")]
    system = server.requests[0].body["messages"][0]["content"]
    assert server.requests[0].body["model"] == "gpt-4" and persona in system and human in system
    assert interface.message_list == ["Let's go Mario!"]
    interface.reset_message_list()
    assert interface.message_list == []
    assert not (Path(os.environ["MEMGPT_HOME"]) / "memgpt.db").exists()


def test_what_an_interface_shows_is_shown(server: Loopback) -> None:
    server.script = [completion(("send_message", {"inner_thoughts": "Be kind.", "message": "Hi."}))] * 2
    for interface, seen in (
        (AutoGenInterface(fancy=False), True),
        (AutoGenInterface(show_inner_thoughts=False), False),
    ):
        core = presets.use_preset("memgpt_chat", interface=interface, persistence_manager=InMemoryStateManager())
        screen = Screen()
        with autogen.io.IOStream.set_default(screen):
            user().initiate_chat(MemGPTAgent("sam", agent=core), message="Hello?", max_turns=1)
        assert ("sam (thinks): Be kind." in screen.text) is seen


@pytest.mark.parametrize(
    "given",
    [
        ((presets.DEFAULT, "gpt-4", "I am Ada.", "I am Bob."), {}),
        ((presets.SYNC_CHAT, {"model": "gpt-4"}), {"persona": "I am Ada.", "human": "I am Bob."}),
        (("memgpt_chat_sync", {"config_list": [{"model": "gpt-4"}]}, None, "I am Ada.", "I am Bob."), {}),
        ((), {"preset_name": "memgpt_chat", "model": "gpt-4", "persona": "I am Ada.", "human": "I am Bob."}),
    ],
)
def test_use_preset_in_each_order_of_its_arguments(server: Loopback, given: Any) -> None:
    args, kwargs = given
    core = presets.use_preset(*args, **kwargs, persistence_manager=InMemoryStateManager())
    assert core.model.name == "gpt-4" and core.preset.name == "memgpt_chat"
    assert "I am Ada." in core.core.render() and "I am Bob." in core.core.render()


def test_use_preset_says_what_it_does_not_know(server: Loopback) -> None:
    with pytest.raises(ConfigError, match="use_preset has no personality"):
        presets.use_preset("memgpt_chat", personality="kind")
    with pytest.raises(ConfigError, match="There is no preset 'memgpt_chatt'"):
        presets.use_preset("memgpt_chatt", persistence_manager=InMemoryStateManager())


def test_one_core_in_two_agents(server: Loopback) -> None:
    server.script = [say("Code."), say("Plan.")]
    core = presets.use_preset(presets.DEFAULT_PRESET, persistence_manager=InMemoryStateManager())
    coder, chief = MemGPTAgent(name="Coder", agent=core), MemGPTConversableAgent("Chief", core)
    user_proxy = user()
    groupchat = autogen.GroupChat([user_proxy, coder, chief], [], 3, speaker_selection_method="round_robin")
    manager = autogen.GroupChatManager(groupchat, llm_config=False)
    user_proxy.initiate_chat(manager, message="Begin.", silent=True)
    assert spoken(manager)[1:] == [("Coder", "Code."), ("Chief", "Plan.")]


def test_an_agent_by_name_and_descriptions(server: Loopback) -> None:
    server.script = [say("Hi.")]
    coder = create_autogen_memgpt_agent(
        "MemGPT_coder",
        persona_description=ENGINEER,
        user_description="You are in a group chat with a user (User_proxy).",
        model="gpt-4",
        interface_kwargs={"debug": False},
    )
    user().initiate_chat(coder, message="Hello?", max_turns=1, silent=True)
    request = server.requests[0].body
    assert coder.name == "MemGPT_coder" and request["model"] == "gpt-4"
    assert ENGINEER in request["messages"][0]["content"] and "in a group chat" in request["messages"][0]["content"]


def test_an_agent_from_one_config_and_loaded_again(server: Loopback) -> None:
    config = {
        "name": "sam",
        "persona": "I am Sam.",
        "human": "Is Ann.",
        "preset": "memgpt_docs",
        "model": "gpt-4",
        "model_endpoint_type": "openai",
        "model_endpoint": server.address,
        "context_window": 8192,
        "embedding_endpoint_type": "openai",
        "embedding_dim": 1536,
        "user_id": "00000000-0000-0000-0000-000000000000",
    }
    before = dict(config)
    server.script = [say("Hello."), say("Blue.")]
    with pytest.raises(AgentNotFound):
        load_autogen_memgpt_agent(agent_config={"name": "sam"})
    sam = create_autogen_memgpt_agent(config, default_auto_reply="...", is_termination_msg=lambda message: False)
    user().initiate_chat(sam, message="My hat is blue.", max_turns=1, silent=True)
    sam.save()
    again = load_autogen_memgpt_agent({"name": "sam"}, skip_verify=True, auto_save=True, interface_kwargs={})
    user().initiate_chat(again, message="My hat?", max_turns=1, silent=True)
    assert [text for _, text in heard(again)] == ["My hat is blue.", "My hat?"]
    assert again.core.preset.name == "memgpt_docs" and config == before
    with pytest.raises(ConfigError, match="Which agent"):
        load_autogen_memgpt_agent({})


def test_without_a_name_each_agent_is_a_new_one(server: Loopback) -> None:
    store = InMemoryStateManager()
    names = []
    for _ in range(2):
        agent = create_autogen_memgpt_agent({"model": "gpt-4"}, persistence_manager=store)
        names.append(agent.core.name)
    assert names == ["agent_1", "agent_2"]


def test_a_taken_name_opens_the_agent_and_keeps_what_it_knows(server: Loopback) -> None:
    server.script = [say("One."), say("Two.")]
    for number in range(2):
        sam = create_autogen_memgpt_agent("sam", persona_description=f"I am number {number}.")
        user().initiate_chat(sam, message=f"Question {number}", max_turns=1, silent=True)
    assert [text for _, text in heard(sam)] == ["Question 0", "Question 1"]
    assert "I am number 0." in server.requests[1].body["messages"][0]["content"]


def test_saving_takes_in_what_is_unread(server: Loopback) -> None:
    sam = create_memgpt_autogen_agent_from_config("sam")
    user().send("My cat is Tom.", sam, request_reply=False, silent=True)
    sam.save()
    assert heard(sam) == [("user", "My cat is Tom.")]


def test_options_that_mean_nothing_any_more_are_named_in_the_log(
    server: Loopback, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "memgpt_autogen")
    core = presets.use_preset(persistence_manager=InMemoryStateManager())
    MemGPTAgent("sam", agent=core, skip_verify=True, concat_other_agent_messages=True, auto_save=False)
    create_memgpt_autogen_agent_from_config("kim", nonmemgpt_llm_config={"config_list": []}, skip_verify=None)
    told = [record.getMessage() for record in caplog.records if "is not needed" in record.getMessage()]
    assert [line.split(" is not")[0] for line in told] == [
        "sam: the option skip_verify",
        "sam: the option auto_save",
        "sam: the option concat_other_agent_messages",
        "kim: the option nonmemgpt_llm_config",
    ]
    with pytest.raises(ConfigError, match="interface_kwargs has no show_thoughts"):
        MemGPTAgent("sam", agent=core, interface_kwargs={"show_thoughts": True})


def test_a_key_that_a_script_gives_to_openai_counts(
    loopback: Loopback, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    openai = pytest.importorskip("openai")
    loopback.script = [say("Here.")]
    monkeypatch.setenv("BACKEND_TYPE", "openai")
    monkeypatch.setattr(openai, "api_key", "sk-script")
    monkeypatch.setattr(openai, "api_base", f"{loopback.address}/v1", raising=False)
    core = presets.use_preset(presets.DEFAULT_PRESET, None, "gpt-4", persistence_manager=InMemoryStateManager())
    user().initiate_chat(MemGPTAgent("sam", agent=core), message="Hello?", max_turns=1, silent=True)
    headers = {name.lower(): value for name, value in loopback.requests[0].headers.items()}
    assert headers["authorization"] == "Bearer sk-script"


def test_a_wrapper_named_as_the_model_is_the_wrapper(tmp_path: Path, loopback: Loopback) -> None:
    loopback.always = {
        "/props": {"default_generation_settings": {"n_ctx": 8192}},
        "/tokenize": lambda body: {"tokens": body["content"].split()},
        "/v1/models": {"data": []},
    }
    line = {"content": ' "send_message", "params": {"inner_thoughts": "x", "message": "Here."}}'}
    loopback.script = [Answer(line)]
    home = open_memgpt(tmp_path, BACKEND_TYPE="llamacpp", OPENAI_API_BASE=loopback.address)
    config = {"config_list": [{"model": "airoboros-l2-70b-2.1", "preset": "memgpt_chat"}], "seed": 42}
    coder = create_memgpt_autogen_agent_from_config("coder", llm_config=config, memgpt=home)
    result = user().initiate_chat(coder, message="Hello?", max_turns=1, silent=True)
    assert result.chat_history[-1]["content"] == "Here."
    assert "ASSISTANT:" in loopback.requests[0].body["prompt"]
