"""Capabilities and agents of AutoGen's own around a memory agent: each does what it does for an AssistantAgent."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from memgpt_autogen.client import MemGPT
from memgpt_autogen.groupchat.agent import MemGPTAgent
from memgpt_autogen.groupchat.assistant import MemGPTAssistantAgent

from ..llm.conftest import Loopback
from .members import autogen, completion, group, heard, llm_config, log, member, say, shown, talker, user

pytestmark = [pytest.mark.groupchat, pytest.mark.contract("capabilities")]


def part(path: str, *, needs: tuple[str, ...] = ()) -> Any:
    """A module of AutoGen. The test is skipped where this AutoGen does not have it, or what it needs is missing."""
    for package in needs:
        pytest.importorskip(package, reason=f"{package} is not installed")
    try:
        return importlib.import_module(f"autogen.{path}")
    except ImportError as error:
        pytest.skip(f"this AutoGen has no {path}: {error}")


def twice(number: int) -> str:
    return str(2 * number)


def weather(page: str) -> str:
    return "Sunny."


# -- capabilities, added to a memory agent ----------------------------------------------------------------------------


def transforms() -> tuple[Any, Any]:
    folder = "agentchat.contrib.capabilities"
    return part(f"{folder}.transform_messages").TransformMessages, part(f"{folder}.transforms")


class Words:
    """A tokenizer for which words are tokens."""

    def encode(self, text: str) -> list[str]:
        return text.split()

    def decode(self, tokens: list[str]) -> str:
        return " ".join(tokens)


@pytest.mark.parametrize(
    "limit", [("MessageHistoryLimiter", {"max_messages": 1}), ("MessageTokenLimiter", {"max_tokens": 2})]
)
def test_transforms_that_shorten_the_list_repeat_and_lose_nothing(
    memgpt: MemGPT, monkeypatch: pytest.MonkeyPatch, limit: tuple[str, dict[str, Any]]
) -> None:
    transform, known = transforms()
    monkeypatch.setattr("tiktoken.encoding_for_model", lambda model: Words())  # its own would be downloaded
    sam, _ = member(memgpt, ["one", "two", "three"])
    name, given = limit
    transform(transforms=[getattr(known, name)(**given)], verbose=False).add_to_agent(sam)
    talker("ann", ["b", "c"]).initiate_chat(sam, message="a", max_turns=3, silent=True)
    assert [text for _, text in heard(sam)] == ["a", "b", "c"] and "you said" not in str(log(sam))


class Shout:
    """A transform of one's own that changes every message, those of the agent too."""

    def apply_transform(self, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**message, "content": message["content"].upper()} for message in messages]

    def get_logs(self, before: Any, after: Any) -> tuple[str, bool]:
        return "", False


def test_a_transform_of_one_s_own_changes_what_is_heard_and_nothing_that_was_said(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, ["one", "two", "three"])
    transforms()[0](transforms=[Shout()], verbose=False).add_to_agent(sam)
    talker("ann", ["b", "c"]).initiate_chat(sam, message="a", max_turns=3, silent=True)
    assert [text for _, text in heard(sam)] == ["A", "B", "C"] and "you said" not in str(log(sam))


def test_teachability_adds_its_memos_and_finds_them_again(
    memgpt: MemGPT, loopback: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    teachability = part("agentchat.contrib.capabilities.teachability", needs=("chromadb",))
    import chromadb.api.client

    kind = chromadb.api.client.Client
    plain = kind.create_collection
    own = {"embedding_function": Letters()}  # Chroma's own is downloaded at its first use
    monkeypatch.setattr(kind, "create_collection", lambda self, name, **given: plain(self, name, **own, **given))
    yes_and_no = ["no", "yes", "What is the code word?", "It is swordfish."]
    loopback.script = [completion(text=line) for line in yes_and_no] + [say("Noted.")]
    given = {"llm_config": llm_config(loopback.address), "memgpt": memgpt}
    store = {"verbosity": 0, "reset_db": True, "path_to_db_dir": str(tmp_path / "memos"), "recall_threshold": 100}
    sam = MemGPTAssistantAgent("sam", **given)
    taught = teachability.Teachability(**store)
    taught.add_to_agent(sam)
    assert (
        user().initiate_chat(sam, message="The code word is swordfish.", max_turns=1, silent=True).summary == "Noted."
    )
    assert "remember user teachings" in loopback.requests[-1].body["messages"][0]["content"]
    kim = MemGPTAssistantAgent("kim", **given)  # of another memory, so that the memo is the only way
    taught.llm_config = None
    taught.add_to_agent(kim)
    loopback.script = [completion(text=line) for line in ("no", "no", "no")] + [say("swordfish")]
    user().initiate_chat(kim, message="What is the code word?", max_turns=1, silent=True)
    assert "Memories that might help" in heard(kim)[0][1] and "It is swordfish." in heard(kim)[0][1]


class Letters:
    """An embedding function of Chroma's that needs no model: how often each letter occurs."""

    def __call__(self, input: list[str]) -> Any:
        return [[float(text.lower().count(letter)) for letter in "abcdefghijklmnopqrstuvwxyz"] for text in input]

    embed_query = __call__

    @staticmethod
    def name() -> str:
        return "default"

    def get_config(self) -> dict[str, Any]:
        return {}

    def is_legacy(self) -> bool:
        return False

    def default_space(self) -> str:
        return "l2"

    def supported_spaces(self) -> list[str]:
        return ["l2"]


def test_tools_of_a_capability_are_called(memgpt: MemGPT, loopback: Loopback) -> None:
    capability = part("agentchat.contrib.capabilities.tools_capability").ToolsCapability
    double = part("tools").Tool(name="double", description="Doubles.", func_or_tool=twice)
    sam = MemGPTAssistantAgent("sam", llm_config=llm_config(loopback.address), memgpt=memgpt)
    capability([double]).add_to_agent(sam)
    loopback.script = [completion(("double", {"number": 4})), say("It is 8.")]
    kim = autogen.ConversableAgent("kim", llm_config=False, human_input_mode="NEVER", default_auto_reply="go on")
    double.register_for_execution(kim)
    result = kim.initiate_chat(sam, message="Twice 4?", max_turns=2, silent=True)
    assert result.summary == "It is 8."


def test_pictures_are_described_for_it_by_another_model(memgpt: MemGPT, loopback: Loopback) -> None:
    vision = part("agentchat.contrib.capabilities.vision_capability", needs=("PIL",))
    sam = MemGPTAssistantAgent("sam", llm_config=llm_config(loopback.address), memgpt=memgpt)
    vision.VisionCapability(lmm_config=llm_config(loopback.address, model="gpt-4o-mini")).add_to_agent(sam)
    loopback.script = [completion(text="A red square."), say("It is red.")]
    picture = "data:image/png;base64," + PNG
    content = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": picture}}]
    assert user().initiate_chat(sam, message={"content": content}, max_turns=1, silent=True).summary == "It is red."
    assert loopback.requests[0].body["model"] == "gpt-4o-mini" and "A red square." in heard(sam)[0][1]


#: One red pixel.
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="


# -- agents of AutoGen's own ------------------------------------------------------------------------------------------


def test_a_society_of_minds_of_memory_agents_answers_as_one(memgpt: MemGPT) -> None:
    society = part("agentchat.contrib.society_of_mind_agent").SocietyOfMindAgent
    sam, model = member(memgpt, ["A draft.", "A second draft."])
    kim, critic = member(memgpt, ["Shorter. TERMINATE", "Good. TERMINATE"], "kim")
    manager = group([sam, kim], 3, manager_is_termination_msg=lambda message: "TERMINATE" in message["content"])
    mind = society("mind", chat_manager=manager, llm_config=False)
    chat = talker("ann", ["Once more."]).initiate_chat(mind, message="A poem.", max_turns=2, silent=True)
    assert [message["content"] for message in chat.chat_history][1::2] == ["Shorter.", "Good."]
    assert "A poem." in shown(model.calls[0]) and "A draft." in shown(critic.calls[0])
    assert "Shorter." in shown(model.calls[1])  # AutoGen clears the inner chat, and memory keeps it


def test_a_society_of_minds_may_be_a_memory_agent_itself(memgpt: MemGPT, loopback: Loopback) -> None:
    society = part("agentchat.contrib.society_of_mind_agent").SocietyOfMindAgent

    class Mind(MemGPTAgent, society):  # type: ignore[misc, valid-type]
        pass

    sam, _ = member(memgpt, ["A draft."])
    loopback.script = [completion(text="The final poem.")]
    manager = group([sam, talker("kim", ["TERMINATE"])], 3)
    mind = Mind("mind", chat_manager=manager, llm_config=llm_config(loopback.address), memgpt=memgpt)
    assert talker("ann").initiate_chat(mind, message="A poem.", max_turns=1, silent=True).summary == "The final poem."


def test_a_captain_and_its_experts_are_memory_agents(
    memgpt: MemGPT, loopback: Loopback, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    captain = part("agentchat.contrib.captainagent.captainagent", needs=("PIL",))
    for module in (captain, sys.modules["autogen.agentchat.contrib.captainagent.agent_builder"]):
        for name in ("ConversableAgent", "AssistantAgent"):
            if hasattr(module, name):
                mine = MemGPTAgent if name == "ConversableAgent" else MemGPTAssistantAgent
                monkeypatch.setattr(module, name, mine)
    monkeypatch.setenv("MEMGPT_HOME", str(tmp_path / "home"))
    lead = captain.CaptainAgent("lead", llm_config=llm_config(loopback.address), code_execution_config=False)
    assert isinstance(lead.assistant, MemGPTAgent)
    loopback.script = [say("It is 42. TERMINATE"), completion(text="The answer is 42.")]
    answer = user().initiate_chat(lead, message="6 times 7?", max_turns=1, silent=True)
    assert answer.summary == "The answer is 42."
    offered = [tool["function"]["name"] for tool in loopback.requests[0].body["tools"]]
    assert "seek_experts_help" in offered and "archival_memory_search" in offered


def test_an_old_web_surfer_is_given_a_memory(memgpt: MemGPT, loopback: Loopback) -> None:
    surfer = part("agentchat.contrib.web_surfer").WebSurferAgent

    class Surfer(MemGPTAgent, surfer):  # type: ignore[misc, valid-type]
        pass

    loopback.script = [completion(("visit_page", {"url": "about:blank"})), say("It is blank.")]
    config = llm_config(loopback.address)
    try:
        sam = Surfer("sam", llm_config=config, summarizer_llm_config=config, browser_config={}, memgpt=memgpt)
    except ImportError as error:
        pytest.skip(f"what the web surfer needs is not installed: {error}")
    assert user().initiate_chat(sam, message="Look at it.", max_turns=1, silent=True).summary


def test_a_web_surfer_is_given_a_memory(memgpt: MemGPT, loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    module = part("agents.experimental.websurfer.websurfer")
    look = part("tools").Tool(name="look", description="Looks at a page.", func_or_tool=weather)
    monkeypatch.setattr(module, "BrowserUseTool", lambda **given: look)

    class Surfer(MemGPTAgent, module.WebSurferAgent):  # type: ignore[misc, name-defined]
        pass

    sam = Surfer("sam", llm_config=llm_config(loopback.address), memgpt=memgpt)
    assert isinstance(sam, MemGPTAgent) and sam.tool is look
    loopback.script = [completion(("look", {"page": "weather"})), say("It is sunny.")]
    proxy = user(default_auto_reply="")
    look.register_for_execution(proxy)
    assert proxy.initiate_chat(sam, message="The weather?", max_turns=2, silent=True).summary == "It is sunny."
    assert "Sunny." in json.dumps(loopback.requests[-1].body["messages"])


@pytest.mark.parametrize(
    ("path", "name", "given"),
    [
        ("agents.experimental.deep_research.deep_research", "DeepResearchAgent", {}),
        ("agents.experimental.reasoning.reasoning_agent", "ReasoningAgent", {"reason_config": {"max_depth": 1}}),
        ("agentchat.contrib.multimodal_conversable_agent", "MultimodalConversableAgent", {}),
    ],
)
def test_mixed_with_another_agent_it_keeps_that_one_s_defaults(
    memgpt: MemGPT, loopback: Loopback, path: str, name: str, given: Any
) -> None:
    base = getattr(part(path, needs=("PIL",)), name)
    mixed = type(f"Memory{name}", (MemGPTAgent, base), {})
    agent = mixed("sam", llm_config=llm_config(loopback.address), memgpt=memgpt, **given)
    plain = base("sam", llm_config=llm_config(loopback.address), **given)
    assert agent.system_message == plain.system_message and isinstance(agent, MemGPTAgent)
    assert [entry["reply_func"] for entry in agent._reply_func_list] == [
        entry["reply_func"] for entry in plain._reply_func_list
    ]
