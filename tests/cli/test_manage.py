"""Listing, adding, deleting, attaching: what they do, and what they say of a wrong name."""

from __future__ import annotations

import io
import json
import os
import stat
from pathlib import Path

import pytest

from memgpt_autogen.library.attachments import attach
from memgpt_autogen.storage.records import Passage
from memgpt_autogen.storage.sqlite import SQLiteStore
from tests.cli.conftest import Program
from tests.cli.keys import CTRL_C, ENTER, typed
from tests.test_house import loaded_by


@pytest.fixture
def store(home: Path) -> SQLiteStore:
    """Two agents and a source of two passages that one of them searches."""
    store = SQLiteStore(home / "memgpt.db")
    model = {"model": "gpt-4o", "model_endpoint_type": "openai"}
    sam = store.agents.create("sam", {"name": "sam", "preset": "memgpt_docs", "model": model})
    store.agents.create("zoe", {"name": "zoe"})
    manuals = store.sources.create_source("manuals")
    store.passages.add(manuals.id, [Passage("The lamp."), Passage("The chair.")])
    attach(store, sam.id, "manuals")
    return store


def test_agents_and_sources_are_listed_a_line_each_and_as_json(memgpt: Program, store: SQLiteStore) -> None:
    lines = memgpt("list", "agents").out.splitlines()
    assert [line.split("\t")[:4] for line in lines] == [
        ["sam", "gpt-4o", "memgpt_docs", "1"],
        ["zoe", "as configured", "by model", "0"],
    ]
    assert json.loads(memgpt("list", "agents", "--json").out)[0]["sources"] == ["manuals"]
    assert json.loads(memgpt("list", "sources", "--json").out)[0]["agents"] == ["sam"]
    assert memgpt("list", "sources").out.startswith("manuals\t2\tnone\t")


def test_what_is_not_there_is_told_and_nothing_is_created(memgpt: Program, home: Path) -> None:
    listed = memgpt("list", "agents")
    assert (listed.code, listed.out) == (0, "")
    assert "memgpt run" in listed.err
    assert json.loads(memgpt("list", "agents", "--json").out) == []
    assert not home.exists()


def test_presets_and_texts_of_the_package_are_listed(memgpt: Program) -> None:
    assert "memgpt_chat\tsam_pov\tbasic\tall" in memgpt("list", "presets").out
    assert "sam_pov\tthe package\t" in memgpt("list", "personas").out
    assert "cs_phd\tthe package\t" in memgpt("list", "humans").out


def test_a_persona_is_added_replaced_listed_and_deleted(
    memgpt: Program, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert memgpt("add", "persona", "pirate", "--text", "I say arr.").code == 0
    path = home / "personas" / "pirate.txt"
    assert path.read_text() == "I say arr.\n"
    if os.name != "nt":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert "pirate\tyou\tI say arr." in memgpt("list", "personas").out
    taken = memgpt("add", "persona", "pirate", "--text", "No.")
    assert taken.code == 1 and "--replace" in taken.err
    (tmp_path / "text").write_text("I say ahoy.")
    assert memgpt("add", "persona", "pirate", "--file", str(tmp_path / "text"), "--replace").code == 0
    assert path.read_text() == "I say ahoy.\n"
    assert memgpt("delete", "persona", "pirate", "--yes").code == 0
    assert not path.exists()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"Call me Kim.")))
    assert memgpt("add", "human", "--name", "kim", "--file", "-").code == 0
    assert (home / "humans" / "kim.txt").read_text() == "Call me Kim.\n"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("add", "human", "../kim", "--text", "x"), 2, "cannot be a name"),
        (("add", "human", "kim", "--text", " "), 1, "Nothing was written"),
        (("add", "human", "kim"), 2, "--text or --file"),
        (("add", "human", "--text", "x"), 2, "Give the human a name"),
        (("add", "human", "basic", "--text", "x"), 1, "--replace"),
        (("add", "human", "kim", "--file", "no-such-file"), 2, "no-such-file"),
        (("delete", "persona", "sam_pov", "--yes"), 1, "comes with the package"),
        (("delete", "human", "nobody", "--yes"), 1, "Your humans: none yet"),
        (("delete", "agent", "sma", "--yes"), 1, "Did you mean 'sam'? Agents: sam, zoe."),
        (("delete", "source", "manual", "--yes"), 1, "Did you mean 'manuals'? Sources: manuals."),
        (("delete", "agent", "sam"), 2, "--yes"),
        (("attach", "--agent", "sma", "--data-source", "manuals"), 1, "Did you mean 'sam'?"),
        (("attach", "--agent", "sam", "--data-source", "x"), 1, "Sources: manuals"),
        (("attach", "--agent", "sam"), 2, "--data-source"),
        (("detach", "--agent", "zoe", "--data-source", "manuals"), 1, "Attached: none yet"),
        (("list", "things"), 2, "agents"),
        (("lsit", "agents"), 2, "Did you mean 'list'?"),
    ],
)
def test_a_wrong_name_is_a_sentence_with_the_right_ones(
    memgpt: Program, store: SQLiteStore, arguments: tuple[str, ...], code: int, told: str
) -> None:
    ran = memgpt(*arguments)
    assert (ran.code, "Traceback" in ran.err) == (code, False)
    assert told in " ".join(ran.err.split())
    assert len(store.agents.list()) == 2


def test_deleting_asks_and_ctrl_c_deletes_nothing(
    memgpt: Program, store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with typed(monkeypatch, CTRL_C):
        ran = memgpt("delete", "agent", "sam")
    assert (ran.code, ran.err.strip()) == (1, "Stopped.")
    with typed(monkeypatch, f"n{ENTER}"):
        assert memgpt("delete", "agent", "sam").code == 0
    assert len(store.agents.list()) == 2
    with typed(monkeypatch, f"y{ENTER}"):
        assert "1 messages" in memgpt("delete", "agent", "sam").out
    assert [row.name for row in store.agents.list()] == ["zoe"]
    assert memgpt("delete", "source", "manuals", "--yes").code == 0
    assert memgpt("list", "sources").out == ""


def test_sources_are_attached_and_detached(memgpt: Program, store: SQLiteStore) -> None:
    zoe = store.agents.get("zoe")
    assert "2 passages" in memgpt("attach", "--agent", "zoe", "--data-source", "manuals").out
    assert [source.name for source in store.sources.attached(zoe.id)] == ["manuals"]
    assert store.log.count(zoe.id) == 1
    assert "already" in memgpt("attach", "--agent", "zoe", "--data-source", "manuals").out
    assert memgpt("detach", "--agent", "zoe", "--data-source", "manuals").code == 0
    assert not store.sources.attached(zoe.id)


def test_models_are_listed_with_why(memgpt: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memgpt_autogen.llm.detect.local_servers", list)
    monkeypatch.setenv("OPENAI_API_KEY", "not-a-key-at-all")
    listed = memgpt("list", "models").out
    assert "gpt-4o-mini\topenai\thttps://api.openai.com\t?\tchosen" in listed
    monkeypatch.setenv("BACKEND_TYPE", "lamacpp")
    assert "not a known server" in memgpt("list", "models").out


def test_a_database_that_is_none_is_an_error_that_says_what_to_do(memgpt: Program, home: Path) -> None:
    home.mkdir()
    (home / "memgpt.db").write_text("This is no database at all, whatever its name says. " * 50)
    ran = memgpt("list", "agents")
    assert ran.code == 1
    assert "move it away" in ran.err


def test_listing_agents_loads_neither_numpy_nor_openai(store: SQLiteStore) -> None:
    run = "app.main(['list', 'agents'], standalone_mode=False)"
    quiet = "with contextlib.redirect_stdout(io.StringIO()):"
    program = f"import contextlib, io\nfrom memgpt_autogen.cli.app import app\n{quiet}\n    {run}\n"
    loaded = loaded_by(f"exec({program!r}, {{}})")
    assert "sqlite3" in loaded
    assert not loaded & {"autogen", "httpx", "numpy", "openai", "pydantic", "rich", "tiktoken"}
