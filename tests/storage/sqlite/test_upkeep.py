"""What a killed process left is removed at the next opening, and what is still in the making is not."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from memgpt_autogen.errors import ConfigError
from memgpt_autogen.exchange import export_agent
from memgpt_autogen.library import Library
from memgpt_autogen.sources.base import Document
from memgpt_autogen.storage import unfinished
from memgpt_autogen.storage.records import Passage
from memgpt_autogen.storage.sqlite import SQLiteStore
from memgpt_autogen.storage.sqlite.engine import SQLiteEngine
from memgpt_autogen.storage.sqlite.health import check

from ..other_process import ROOT, files_holding, python

LOAD = """
    import os
    from memgpt_autogen.storage.sqlite import SQLiteStore
    from memgpt_autogen.storage.records import Passage
    store = SQLiteStore(sys.argv[1])
    with store.lock("source big"):
        place = store.sources.stage("big")
        document = store.sources.add_document(place, "a.md", "1")
        for number in range(16):
            store.passages.add(place, [Passage(f"zanzibar {number} {n}") for n in range(100)], document)
        os.kill(os.getpid(), 9)
"""
EXPORT = """
    import os, json
    from pathlib import Path
    from memgpt_autogen.exchange import export_agent
    from memgpt_autogen.storage.sqlite import SQLiteStore
    store = SQLiteStore(sys.argv[1], read_only=True)
    Path.replace = lambda self, other: os.kill(os.getpid(), 9)
    export_agent(store, "sam", Path(sys.argv[2]))
"""


def killed(code: str, *arguments: object) -> None:
    with pytest.raises(AssertionError):
        python(code, *arguments)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    store = SQLiteStore(tmp_path / "home" / "memgpt.db")
    store.agents.create("sam", {"name": "sam"})
    store.close()
    return tmp_path / "home" / "memgpt.db"


OPENINGS = {
    "a store": lambda path: SQLiteStore(path).close(),
    "a store that only reads": lambda path: SQLiteStore(path, read_only=True).close(),
    "a list": SQLiteEngine().agents,
}


@pytest.mark.parametrize("opening", OPENINGS)
def test_a_killed_loading_is_swept_and_told(path: Path, opening: str) -> None:
    killed(LOAD, path)
    assert check(path).left == ("1600 passages of a loading of 'big' that was killed",)
    assert files_holding(path.parent, [b"zanzibar"])
    OPENINGS[opening](path)
    health = check(path)
    assert not health.left and health.counts["passages"] == 0 and not health.faults
    assert [told for _, told in health.swept] == ["1600 passages of a loading of 'big' that was killed"]
    assert files_holding(path.parent, [b"zanzibar"]) == []


@pytest.mark.parametrize("opening", OPENINGS)
def test_a_killed_export_is_swept_and_told(path: Path, tmp_path: Path, opening: str) -> None:
    killed(EXPORT, path, tmp_path / "sam.json")
    (part,) = tmp_path.glob(".sam.json.*.part")
    assert check(path).left == (f"the file {part} that a killed process had begun to write",)
    OPENINGS[opening](path)
    assert not part.exists() and not (tmp_path / "sam.json").exists()
    health = check(path)
    assert not health.left and str(part) in health.swept[0][1]
    assert not [*path.parent.glob("locks/writing-*")]


def test_what_is_being_loaded_is_not_swept(path: Path) -> None:
    """Neither of another thread nor of another process."""
    store = SQLiteStore(path)

    class Slow:
        def load(self) -> Iterator[Document]:
            yield Document("one " * 50, "1.md")

    place = store.sources.stage("slow")
    store.passages.add(place, [Passage("one")])

    def hidden() -> list[str]:
        return [row["id"] for row in store._database.all("SELECT id FROM sources WHERE loading_for = 'slow'")]

    holding, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with store.lock("source slow"):
            holding.set()
            go_on.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    assert holding.wait(5)
    started = time.monotonic()
    SQLiteStore(path).close()
    assert time.monotonic() - started < 2
    assert hidden() == [place]
    python("from memgpt_autogen.storage.sqlite import SQLiteStore; SQLiteStore(sys.argv[1])", path)
    assert hidden() == [place]
    go_on.set()
    thread.join()
    SQLiteStore(path).close()
    assert not hidden()
    assert Library(store).load_from("slow", Slow()).passages == 1  # type: ignore[arg-type]


def test_a_file_in_the_making_is_not_swept(tmp_path: Path) -> None:
    with unfinished.writing(tmp_path / "out.json", tmp_path / "locks") as part:
        code = "from memgpt_autogen.storage import unfinished; from pathlib import Path"
        code += "; print(unfinished.sweep(Path(sys.argv[1])))"
        assert python(code, tmp_path / "locks") == "[]"
        part.write_text("whole")
    assert (tmp_path / "out.json").read_text() == "whole"
    assert {file.name for file in tmp_path.iterdir()} == {"out.json", "locks"} and not [*(tmp_path / "locks").iterdir()]


def test_only_files_of_ours_are_swept(tmp_path: Path) -> None:
    """A note may say anything: what is no hidden .part file, or is a link, stays."""
    notes = tmp_path / "locks"
    notes.mkdir()
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (tmp_path / ".link.part").symlink_to(precious)
    for number, named in enumerate([precious, tmp_path / ".link.part", tmp_path / "gone", ""]):
        (notes / f"writing-{number}.json").write_text(f'"{named}"')
    (notes / "writing-cut.json").write_text('"/tm')
    assert unfinished.sweep(notes) == []
    assert precious.read_text() == "mine" and (tmp_path / ".link.part").is_symlink()


def test_an_export_is_private_and_follows_no_link(path: Path, tmp_path: Path) -> None:
    store = SQLiteStore(path)
    (tmp_path / "precious").write_text("mine")
    for name in ("sam.json", "sam.json.part", ".sam.json.part"):
        (tmp_path / name).symlink_to(tmp_path / "precious")
    usual = os.umask(0)
    try:
        export_agent(store, "sam", tmp_path / "sam.json")
    finally:
        os.umask(usual)
    assert (tmp_path / "precious").read_text() == "mine"
    written = tmp_path / "sam.json"
    assert not written.is_symlink() and stat.S_IMODE(written.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["memgpt.db", "memgpt.db-wal", "memgpt.db-shm"])
def test_an_export_does_not_replace_the_database(path: Path, name: str) -> None:
    store = SQLiteStore(path)
    with pytest.raises(ConfigError, match="belongs to the database"):
        export_agent(store, "sam", path.with_name(name))
    assert store.agents.list()


def test_an_export_to_a_full_or_forbidden_place_leaves_nothing(path: Path, tmp_path: Path) -> None:
    store = SQLiteStore(path)
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    for target in (tmp_path / name for name in ("nowhere/sam.json", "folder", "pipe", "link")):
        with pytest.raises(ConfigError, match="Cannot write"):
            export_agent(store, "sam", target)
    assert not [*tmp_path.rglob("*.part")] and (tmp_path / "pipe").is_fifo()


def test_the_terminal_says_what_was_swept(path: Path) -> None:
    killed(LOAD, path)
    environ = {**os.environ, "MEMGPT_HOME": str(path.parent), "PYTHONPATH": str(ROOT)}
    program = [sys.executable, "-m", "memgpt_autogen.cli"]
    ran = [
        subprocess.run([*program, *words], env=environ, capture_output=True, text=True)
        for words in (["doctor"], ["list", "agents"], ["doctor"])
    ]
    assert "1600 passages of a loading of 'big' that was killed" in ran[0].stdout
    assert "Removed when the store is next opened" in ran[0].stdout
    assert ran[1].stdout.startswith("sam")
    assert "removed 1600 passages of a loading of 'big' that was killed" in ran[2].stdout
