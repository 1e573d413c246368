"""An agent in a file: out, in again, from a chat log, and what is said of a damaged one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from memgpt_autogen import AgentConfig, LLMConfig, MemGPT, Settings, events
from memgpt_autogen.errors import AgentNotFound, ConfigError, NameTaken
from memgpt_autogen.exchange import export_agent, import_agent
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.messages import ToolCall
from memgpt_autogen.sources.base import Document
from memgpt_autogen.storage.sqlite import SQLiteStore

KEY = "sk-never-in-a-file-99"
CALLS = [
    ToolCall("core_memory_append", {"name": "human", "content": "Likes tea.", "request_heartbeat": True}),
    ToolCall("archival_memory_insert", {"content": "The boat is called Walrus.", "request_heartbeat": True}),
    ToolCall("conversation_search", {"query": "tea"}),
    "Noted: tea, and the Walrus.",
    "Good.",
    "A summary of a talk about tea.",
    "Fine day.",
]


class Two:
    def load(self) -> Any:
        return iter([Document("The lamp has a guarantee.", "lamp.md")])


def home(path: Path) -> MemGPT:
    return MemGPT(Settings(home=path, environ={}), embedder=None)


@pytest.fixture
def full(tmp_path: Path) -> MemGPT:
    """An agent that has talked, noted, summarised, and searches a source."""
    memgpt = home(tmp_path / "a")
    memgpt.load_source("manuals", Two())  # type: ignore[arg-type]
    model = LLMConfig("gpt-4o", api_key=KEY)
    agent = memgpt.create_agent(AgentConfig("sam", model=model, human="Chad"), model=ScriptedModel(CALLS))
    agent.attach("manuals")
    memgpt.ask("sam", "I like tea, and my boat is the Walrus.")
    memgpt.ask("sam", "How are you?")
    assert agent.summarize()[0]
    memgpt.ask("sam", "How is the weather?")
    return memgpt


def known(memgpt: MemGPT, name: str) -> dict[str, Any]:
    agent = memgpt.agent(name)
    return {
        "memory": memgpt.get_agent_memory(name)["core_memory"],
        "window": [(m.role, m.content, m.text, m.kind, m.tool_calls) for m in memgpt.store.log.window(agent.id)],
        "recall": agent.recall.search("boat", 1),
        "archival": agent.archival.search("Walrus guarantee", 1),
        "summary": (found := memgpt.store.log.last_summary(agent.id)) and (found.text, found.messages),
        "sources": [source.name for source in memgpt.store.sources.attached(agent.id)],
    }


def test_out_and_in_again_is_the_same_agent_without_keys(full: MemGPT, tmp_path: Path) -> None:
    file = tmp_path / "sam.json"
    export_agent(full.store, "sam", file)
    text = file.read_text(encoding="utf-8")
    assert KEY not in text and "Likes tea." in text and oct(file.stat().st_mode)[-2:] in ("00", "66")
    came = import_agent(full.store, file, "eva")
    assert (came.name, came.missing, came.notes) == ("eva", [], 1)
    full.load_agent("eva", model=ScriptedModel())
    assert known(full, "eva") == known(full, "sam")
    undone = full.agent("eva").undo(3)  # every step is known by its rows
    assert undone.blocks == ("human",) and undone.notes == 1 and undone.summaries == 1
    assert "tea" in full.get_agent_memory("sam")["core_memory"]["human"]


def test_elsewhere_it_has_the_same_memory_and_is_told_what_is_missing(full: MemGPT, tmp_path: Path) -> None:
    file = tmp_path / "sam.json"
    export_agent(full.store, "sam", file)
    other = home(tmp_path / "b")
    assert import_agent(other.store, file).missing == ["manuals"]
    other.load_agent("sam", model=ScriptedModel(["Hello again."]))
    assert {**known(other, "sam"), "archival": 0, "sources": 0} == {**known(full, "sam"), "archival": 0, "sources": 0}
    assert "Walrus" in other.agent("sam").archival.search("boat Walrus", 1)
    assert other.ask("sam", "Hi") == "Hello again."
    with pytest.raises(NameTaken, match="agent named 'sam' already"):
        import_agent(other.store, file)


def test_pictures_and_who_was_in_which_chat_come_along(tmp_path: Path) -> None:
    memgpt, file = home(tmp_path / "a"), tmp_path / "sam.json"
    agent = memgpt.create_agent("sam", model=ScriptedModel(["A tree.", "A boat.", "Still a tree."]))
    images = ["data:image/png;base64,AAAA", "https://example.test/tree.png"]
    for chat, shown in (("ann", images), ("bob", ["data:image/png;base64,BBBB"]), ("ann", [])):
        said = events.user_message("Look.", conversation_id=chat, images=shown)
        agent.run([said], must_speak=True, conversation=chat)
    export_agent(memgpt.store, "sam", file)
    other = home(tmp_path / "b")
    import_agent(other.store, file)
    before = memgpt.store.log.window(agent.id)
    after = other.store.log.window(other.store.agents.get("sam").id)
    assert [message.images for message in after] == [message.images for message in before]
    assert [message.images for message in after if message.images] == [tuple(images), ("data:image/png;base64,BBBB",)]
    pairs = {(old.conversation_id, new.conversation_id) for old, new in zip(before, after, strict=True)}
    chats = {old: new for old, new in pairs if old}
    assert set(chats) == {"ann", "bob"} and len({new for _, new in pairs if new}) == 2  # each under an id of its own


def damaged(data: dict[str, Any], *path: Any, to: Any) -> dict[str, Any]:
    place: Any = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return data


@pytest.mark.parametrize(
    ("path", "to", "told"),
    [
        (("messages", 2, "role"), "robot", r"messages\[2\].role: Input should be"),
        (("core_memory", 0, "versions"), [], r"core_memory\[0\].versions: List should have"),
        (("notes", 0, "created_at"), "yesterday", r"notes\[0\].created_at"),
        (("summaries", 0, "last_message_id"), "gone", r"summaries\[0\].last_message_id: no message has the id gone"),
        (("format",), "zip", "neither an exported agent nor a chat log"),
        (("version",), 9, "newer version"),
        (("config", "max_steps"), "many", "max_steps in AgentConfig"),
    ],
)
def test_of_a_damaged_file_nothing_comes_in(full: MemGPT, tmp_path: Path, path: Any, to: Any, told: str) -> None:
    file = tmp_path / "sam.json"
    export_agent(full.store, "sam", file)
    file.write_text(json.dumps(damaged(json.loads(file.read_text(encoding="utf-8")), *path, to=to)), encoding="utf-8")
    store = SQLiteStore(None)
    with pytest.raises(ConfigError, match=told):
        import_agent(store, file)
    assert not store.agents.list()


def test_a_cut_file_a_missing_one_and_an_unknown_agent(full: MemGPT, tmp_path: Path) -> None:
    file = tmp_path / "sam.json"
    export_agent(full.store, "sam", file)
    file.write_bytes(file.read_bytes()[:400])
    with pytest.raises(ConfigError, match=r"sam.json, line \d+: .*cut or damaged"):
        import_agent(full.store, file, "eva")
    with pytest.raises(ConfigError, match="Cannot read"):
        import_agent(full.store, tmp_path / "none.json")
    with pytest.raises(AgentNotFound, match="sam"):
        export_agent(full.store, "smam", file)
    with pytest.raises(ConfigError, match="Cannot write"):
        export_agent(full.store, "sam", tmp_path / "no" / "folder.json")
    assert full.list_agents() == ["sam"]


def event(kind: str, **fields: str) -> str:
    return json.dumps({"type": kind, **fields, "time": "2023-11-02 03:04:05 PM PDT-0700"})


OLD = [
    {"role": "system", "content": 'You are MemGPT.\n<persona characters="12/2000">\nI am Sam.\n</persona>\n'
     '<human characters="9/2000">\nName: Chad\n</human>'},
    {"role": "assistant", "content": "Bootup.", "function_call": {
        "name": "send_message", "arguments": json.dumps({"message": "More human than human is our motto."})}},
    {"role": "function", "name": "send_message", "content": json.dumps({"status": "OK", "message": "None"})},
    {"role": "user", "content": event("user_message", message="My boat is the Walrus.")},
    {"role": "assistant", "content": "A boat.", "function_call": {"name": "archival_memory_insert", "arguments":
        json.dumps({"content": "Chad's boat is the Walrus.", "request_heartbeat": True})}},
    {"role": "function", "name": "archival_memory_insert", "content": json.dumps({"status": "OK", "message": "None"})},
    {"role": "user", "content": event("heartbeat", reason="requested")},
]  # fmt: skip
NEW = [
    OLD[0],
    {"role": "user", "content": event("user_message", message="My boat is the Walrus.")},
    {"role": "assistant", "content": "A boat.", "tool_calls": [
        {"id": "a", "type": "function", "function": {"name": "archival_memory_insert",
         "arguments": json.dumps({"content": "Chad's boat is the Walrus."})}}]},
    {"role": "tool", "tool_call_id": "a", "name": "archival_memory_insert", "content": '{"status": "OK"}'},
]  # fmt: skip


@pytest.mark.parametrize("log", [OLD, NEW, {"messages": OLD}], ids=["functions", "tools", "wrapped"])
def test_a_chat_log_of_the_original_comes_to_life(tmp_path: Path, log: Any) -> None:
    file = tmp_path / "my_agent.json"
    file.write_text(json.dumps(log), encoding="utf-8")
    memgpt = home(tmp_path / "home")
    came = import_agent(memgpt.store, file)
    model = ScriptedModel(["Your boat is the Walrus."])
    agent = memgpt.load_agent("my_agent", model=model)
    assert came.notes == 1 and memgpt.get_agent_memory(agent)["core_memory"] == {
        "persona": "I am Sam.", "human": "Name: Chad"}  # fmt: skip
    assert "My boat is the Walrus." in agent.recall.search("boat", 1) and "2023-11-02" in agent.recall.search("boat", 1)
    assert "Chad's boat" in agent.archival.search("boat", 1)
    assert memgpt.ask(agent, "What is my boat called?") == "Your boat is the Walrus."
    prompt = [message for message in model.calls[0].messages if message.role != "system"]
    assert any("A boat." in message.content for message in prompt)
    asked = [call.id for message in prompt for call in message.tool_calls]
    assert asked == [message.call_id for message in prompt if message.role == "tool"]


def test_a_chat_log_that_is_broken_says_where(tmp_path: Path) -> None:
    file = tmp_path / "log.json"
    store = SQLiteStore(None)
    for row, told in (
        ({"role": "robot", "content": "x"}, r"messages\[1\]: the role 'robot'"),
        ({"role": "assistant", "function_call": {"name": "f", "arguments": '{"a": '}}, r"messages\[1\]: "),
    ):
        file.write_text(json.dumps([OLD[0], row]), encoding="utf-8")
        with pytest.raises(ConfigError, match=told):
            import_agent(store, file)
    file.write_text("[1, 2]", encoding="utf-8")
    with pytest.raises(ConfigError, match="neither an exported agent nor a chat log"):
        import_agent(store, file)
    assert not store.agents.list()
