"""What is forgotten is found nowhere any more: by no search, in no prompt, in no byte of the file."""

from __future__ import annotations

import base64
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from memgpt_autogen import AgentConfig, MemGPT, Settings, events
from memgpt_autogen.errors import AgentNotFound, ConfigError, StoreError
from memgpt_autogen.exchange import export_agent, import_agent
from memgpt_autogen.forget import find_about, forget
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.messages import ToolCall
from memgpt_autogen.sources.base import Document
from tests.storage.other_process import files_holding

SECRET = "Zanzibar"
ON = {"request_heartbeat": True}
SCRIPT = [
    ToolCall("core_memory_append", {"name": "human", "content": "Was born in Zanzibar.", **ON}),
    ToolCall("archival_memory_insert", {"content": "Chad's mother lives in Zanzibar.", **ON}),
    ToolCall("archival_memory_insert", {"content": "Chad likes tea.", **ON}),
    "Zanzibar, how nice!",
    ToolCall("conversation_search", {"query": "birthplace"}),
    "You were born in zanzibar.",
    "Fine.",
    "Chad likes tea. He was born in Zanzibar. He is well.",
    "Good day.",
]


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cleaning gives up soon where another program reads the file."""
    monkeypatch.setattr("memgpt_autogen.storage.sqlite.cleaning.WAIT_FOR_READERS", 0.2)


class Manual:
    def load(self) -> Any:
        return iter([Document("The lamp was made in Zanzibar.", "lamp.md")])


class Words:
    """An embedder: the letters of a text, counted."""

    name, dim = "letters", 26

    def embed(self, texts: Any) -> Any:
        rows = np.array([[text.lower().count(chr(97 + i)) + 0.01 for i in range(26)] for text in texts], np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def memgpt(tmp_path: Path) -> MemGPT:
    memgpt = MemGPT(Settings(home=tmp_path, environ={}), embedder=Words())
    human = "First name: Chad\nHome: Zanzibar"
    agent = memgpt.create_agent(AgentConfig("sam", human=human, persona="I am Sam."), model=ScriptedModel(SCRIPT))
    memgpt.ask(agent, "I was born in Zanzibar. I like tea.")
    memgpt.ask(agent, "Where was I born?")
    memgpt.ask(agent, "Now for other things: how are you?")
    assert agent.summarize()[0]
    agent.recall.search("anything", 1)  # which gives the messages their vectors
    agent.archival.search("anything", 1)
    return memgpt


def in_file(home: Path, text: str) -> list[str]:
    return files_holding(home, [text.encode()])


def test_nothing_of_it_is_left_and_the_rest_stays(memgpt: MemGPT, tmp_path: Path) -> None:
    agent = memgpt.agent("sam")
    assert in_file(tmp_path, SECRET)
    kinds = {one.kind for one in find_about(memgpt.store, "sam", SECRET)}
    assert kinds - {"call or result beside them"} == {
        "message",
        "summary",
        "archival note",
        "core memory (human)",
        "setting",
    }
    before = find_about(memgpt.store, "sam", SECRET)
    assert all(("beside" in one.kind) != (SECRET.lower() in one.excerpt.lower()) for one in before)
    assert forget(memgpt.store, "sam", SECRET) == before and not find_about(memgpt.store, "sam", SECRET)
    assert in_file(tmp_path, SECRET) == []
    assert in_file(tmp_path, "zanzi") == []  # nor its stem in the index of words
    assert SECRET not in agent.recall.search("Zanzibar born", 1).replace('"Zanzibar', "")
    assert "tea" in agent.archival.search("tea", 1) and "mother" not in agent.archival.search("mother Zanzibar", 1)
    assert memgpt.get_agent_memory("sam")["core_memory"]["human"] == "First name: Chad"
    summary = memgpt.store.log.last_summary(agent.id)
    assert summary and summary.text == "Chad likes tea. He is well."
    assert memgpt.ask("sam", "Good day!") == "Good day."
    prompt = agent.model.calls[-1].messages  # type: ignore[attr-defined]
    assert not any(SECRET in f"{message.content}{message.tool_calls}" for message in prompt)
    calls = [call.id for message in prompt for call in message.tool_calls]
    assert calls == [message.call_id for message in prompt if message.role == "tool"]


def test_an_agent_that_has_forgotten_can_be_exported_and_undone(memgpt: MemGPT, tmp_path: Path) -> None:
    forget(memgpt.store, "sam", SECRET)
    file = tmp_path / "sam.json"
    export_agent(memgpt.store, "sam", file)
    assert SECRET not in file.read_text(encoding="utf-8")
    import_agent(memgpt.store, file, "eva")
    memgpt.agent("sam").undo(1)
    assert SECRET not in str(memgpt.get_agent_memory("sam"))


def test_others_and_documents_are_left_alone(memgpt: MemGPT) -> None:
    memgpt.load_source("manuals", Manual())  # type: ignore[arg-type]
    eva = memgpt.create_agent("eva", model=ScriptedModel(["Zanzibar!"]))
    eva.attach("manuals")
    memgpt.ask(eva, "Say Zanzibar.")
    forget(memgpt.store, "sam", SECRET)
    assert [one.kind for one in find_about(memgpt.store, "eva", SECRET)].count("message") == 2
    assert "lamp" in eva.archival.search("lamp Zanzibar", 1)


def test_all_words_must_be_there_in_whatever_form(memgpt: MemGPT) -> None:
    found = find_about(memgpt.store, "sam", "the mothers who lived in Zanzibar")
    assert found and all("mother" in one.excerpt for one in found if "beside" not in one.kind)
    assert not find_about(memgpt.store, "sam", "Zanzibar submarine")
    for nothing in ("", " ?! "):
        with pytest.raises(ConfigError, match="About what"):
            find_about(memgpt.store, "sam", nothing)
    with pytest.raises(AgentNotFound):
        forget(memgpt.store, "smam", SECRET)


def test_a_reader_elsewhere_keeps_the_file_and_is_told(memgpt: MemGPT, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "memgpt.db", isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT count(*) FROM messages").fetchone()
    with pytest.raises(StoreError, match="deleted, but the file still holds .* once more"):
        forget(memgpt.store, "sam", SECRET)
    assert not find_about(memgpt.store, "sam", SECRET)
    other.close()
    forget(memgpt.store, "sam", SECRET)
    assert in_file(tmp_path, SECRET) == []


def test_pictures_go_with_their_messages(tmp_path: Path) -> None:
    memgpt = MemGPT(Settings(home=tmp_path, environ={}), embedder=None)
    agent = memgpt.create_agent("sam", model=ScriptedModel(["A house.", "A dog.", "A boat."]))
    house, dog = (base64.b64encode(kind * 5000).decode() for kind in (b"house", b"puppy"))
    address = "https://example.test/holidays/zanzibar.png"
    for text, image in (
        ("My house in Zanzibar", f"data:image/png;base64,{house}"),
        ("My dog", f"data:image/png;base64,{dog}"),
        ("Look", address),
    ):
        agent.run([events.user_message(f"{text}: [image attached]", images=[image])], must_speak=True)
    assert in_file(tmp_path, house[:400]) and in_file(tmp_path, address)
    forget(memgpt.store, "sam", SECRET)
    assert not in_file(tmp_path, house[:400]) and not in_file(tmp_path, house[-400:]) and not in_file(tmp_path, SECRET)
    assert [message.images for message in memgpt.store.log.window(agent.id) if message.images] == [
        (f"data:image/png;base64,{dog}",)
    ]
