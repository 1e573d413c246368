"""A thousand secrets, wherever an agent keeps anything: forgotten, no file of the home holds one of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from memgpt_autogen import MemGPT, Settings
from memgpt_autogen.config.home import HISTORY
from memgpt_autogen.errors import TracesLeft
from memgpt_autogen.forget import find_about, forget, out_of_reach
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.messages import Message, ToolCall
from memgpt_autogen.storage.records import FREE_PAGES, Passage, Summary, Vectors
from memgpt_autogen.storage.sqlite import SQLiteStore
from memgpt_autogen.storage.sqlite.health import check

from ..other_process import files_holding

ABOUT = "Zanzibar"
#: Words of their own, which no stem makes equal.
SECRETS = [f"k{number * 7919 % 1000003:06d}q" for number in range(1000)]


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cleaning gives up soon where another program reads the file."""
    monkeypatch.setattr("memgpt_autogen.storage.sqlite.cleaning.WAIT_FOR_READERS", 0.2)


class Digests:
    """An embedder whose vectors tell which text they are of."""

    name, dim = "digests", 16

    def embed(self, texts: Sequence[str]) -> Vectors:
        rows = [np.random.default_rng(list(text.encode())).normal(size=self.dim) for text in texts]
        made = np.array(rows, dtype=np.float32)
        return made / np.linalg.norm(made, axis=1, keepdims=True)


def seeded(home: Path, vectors: str = "") -> tuple[MemGPT, list[bytes]]:
    """A home with every secret in it, a seventh of them in each kind of place; and the bytes to look for."""
    settings = Settings(home=home, environ={"MEMGPT_VECTORS": vectors} if vectors else {})
    memgpt, embedder = MemGPT(settings, embedder=Digests()), Digests()
    agent = memgpt.create_agent({"name": "sam", "preset": "memgpt_chat", "human": "Chad"}, model=ScriptedModel([]))
    store = memgpt.store
    texts = [f"{ABOUT} {secret}" for secret in SECRETS]
    messages, results, notes, edits, summaries, authors, typed = (texts[start::7] for start in range(7))
    for text in messages:
        store.log.append(agent.id, [Message("user", f'{{"message": "{text}"}}', text, "user_message")])
    for text in results:
        call = ToolCall("archival_memory_search", {"query": text})
        reply = Message("assistant", "", "", tool_calls=(call,))
        store.log.append(agent.id, [reply, Message("tool", f"Found: {text}", call_id=call.id)])
    store.log.append(agent.id, [Message("user", "{}", f"tea {ABOUT}", "user_message", author=text) for text in authors])
    store.passages.add(store.sources.own_source(agent.id), [Passage(text) for text in notes])
    block = next(one for one in store.agents.blocks(agent.id) if one.label == "human")
    for text in edits:  # each is in one earlier version, and the last in the latest
        store.agents.write_block(block.id, f"Chad\n{text}", agent_id=agent.id)
    for text in summaries:
        last = store.log.tail(agent.id, 1)[0].id
        store.log.add_summary(agent.id, Summary(f"Likes tea. {text}.", last, last))
    (home / HISTORY).write_text("".join(f"\n# 2026-01-01 10:00:0{n % 10}\n+{t}\n" for n, t in enumerate(typed)))
    store.log.mark_answered(agent.id)
    agent.recall.search("tea", 0)  # which gives what is said its vectors
    agent.archival.search("tea", 0)
    for fill in (
        lambda: store.log.without_vectors(agent.id, 5000, embedder.name),
        lambda: store.passages.without_vectors(agent.id, 5000, embedder.name),
    ):
        put = store.passages.put_vectors
        for one in fill():
            if isinstance(one, Passage):
                put(embedder.name, [one.id], embedder.embed([one.text]))
            else:
                store.log.put_vectors(agent.id, embedder.name, [one.id], embedder.embed([one.text]))
    rows = [row.tobytes() for row in embedder.embed([*messages, *notes])]
    return memgpt, [secret.encode() for secret in SECRETS] + rows


def test_no_byte_of_a_thousand_secrets_is_left(tmp_path: Path) -> None:
    memgpt, secrets = seeded(tmp_path)
    assert files_holding(tmp_path, secrets)
    store = memgpt.store
    receipt = forget(store, "sam", ABOUT, home=tmp_path)
    assert files_holding(tmp_path, secrets) == []
    assert files_holding(tmp_path, [ABOUT.encode(), b"zanzi"]) == []
    assert not receipt.left and receipt.removed[FREE_PAGES]
    assert receipt.removed["messages"] >= 143 and receipt.removed["archival notes"] == 143
    assert receipt.removed["earlier core memory (human)"] >= 142 or receipt.removed.get("earlier core memory", 0) >= 142
    assert receipt.removed["summaries"] == 143 and receipt.removed["lines typed in the terminal"] == 142
    assert receipt.removed["vectors"] >= 400 and receipt.removed["full text index"] >= 400
    assert not find_about(store, "sam", ABOUT)
    assert not check(tmp_path / "memgpt.db").faults
    assert memgpt.get_agent_memory("sam")["core_memory"]["human"] == "Chad"


@pytest.mark.parametrize("place", ["folder", "server"])
def test_no_vector_of_a_note_is_left_in_chroma(tmp_path: Path, place: str, request: pytest.FixtureRequest) -> None:
    pytest.importorskip("chromadb")
    folder = tmp_path / "vectors"
    url = folder.as_uri().replace("file:", "chroma:", 1)
    if place == "server":
        url = request.getfixturevalue("chroma_server")
    memgpt, secrets = seeded(tmp_path / "home", url)
    store = memgpt.store
    store.passages.add(store.sources.own_source(memgpt.agent("sam").id), [Passage("Likes tea.", id="tea")])
    agent = memgpt.agent("sam")
    store.passages.put_vectors("digests", ["tea"], Digests().embed(["Likes tea."]))
    if place == "folder":
        assert files_holding(folder, secrets)
    receipt = forget(store, "sam", ABOUT, home=tmp_path / "home")
    assert not receipt.left
    assert files_holding(tmp_path, secrets) == []
    assert "Likes tea" in agent.archival.search("tea", 0)
    assert len(store.passages.without_vectors(agent.id, 10, "digests")) <= 1


def test_what_is_left_is_said_until_nothing_is(tmp_path: Path) -> None:
    memgpt, secrets = seeded(tmp_path)
    path = tmp_path / "memgpt.db"
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM messages").fetchone()
    for again in range(2):
        with pytest.raises(TracesLeft, match="another program is reading") as told:
            forget(memgpt.store, "sam", ABOUT, home=tmp_path)
        assert told.value.receipt.left and FREE_PAGES not in told.value.receipt.removed
        assert bool(told.value.receipt) is (again == 0)
        assert check(path).left == ("traces of what was forgotten",)
        assert files_holding(tmp_path, secrets)
    reader.close()
    receipt = forget(memgpt.store, "sam", ABOUT, home=tmp_path)
    assert not receipt and not receipt.left and FREE_PAGES in receipt.removed
    assert files_holding(tmp_path, secrets) == [] and not check(path).left


def test_the_next_opening_cleans_what_a_killed_or_hindered_forgetting_left(tmp_path: Path) -> None:
    memgpt, secrets = seeded(tmp_path)
    reader = sqlite3.connect(tmp_path / "memgpt.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM messages").fetchone()
    with pytest.raises(TracesLeft):
        forget(memgpt.store, "sam", ABOUT, home=tmp_path)
    memgpt.close()
    reader.close()
    SQLiteStore(tmp_path / "memgpt.db").close()
    assert files_holding(tmp_path, secrets) == []


def test_what_was_deleted_before_is_cleaned_too(tmp_path: Path) -> None:
    memgpt, secrets = seeded(tmp_path)
    (tmp_path / HISTORY).unlink()
    memgpt.store.wipe(memgpt.agent("sam").id)
    forget(memgpt.store, "sam", ABOUT, home=tmp_path)
    assert files_holding(tmp_path, secrets) == []


def test_what_forgetting_does_not_reach_is_named(tmp_path: Path) -> None:
    memgpt = MemGPT(Settings(home=tmp_path, environ={}), embedder=None)
    for name in ("sam", "eva"):
        agent = memgpt.create_agent(name, model=ScriptedModel(["Zanzibar!"]))
        memgpt.ask(agent, "Say Zanzibar.")
    (tmp_path / "humans").mkdir()
    (tmp_path / "humans" / "me.txt").write_text("Was in Zanzibar.")
    (tmp_path / "humans" / "you.txt").write_text("Was in Rome.")
    forget(memgpt.store, "sam", ABOUT, home=tmp_path)
    told = out_of_reach(memgpt.store, "sam", ABOUT, home=tmp_path)
    assert any("eva remembers" in one for one in told)
    assert str(tmp_path / "humans" / "me.txt") in told and str(tmp_path / "humans" / "you.txt") not in told
    assert any("exports and backups" in one for one in told)
