"""``memgpt load``: every kind of source, what is told, and what is left when it is stopped."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from memgpt_autogen.cli import progress
from memgpt_autogen.sources import LOADERS
from memgpt_autogen.sources.base import Document

from .conftest import Program

posix = pytest.mark.skipif(os.name == "nt", reason="needs a Unix terminal and its signals")
Held = Callable[[str], dict[str, str]]
_HELD = "SELECT uri, text FROM passages JOIN sources ON sources.id = source_id WHERE sources.name = ? ORDER BY seq"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "docs"
    (place / "deep").mkdir(parents=True)
    (place / "lamp.txt").write_text("The lamp is red.")
    (place / "chair.md").write_text("The chair is oak.")
    (place / "deep" / "oven.txt").write_text("The oven is warm.")
    return place


@pytest.fixture
def held(home: Path) -> Held:
    """What a source holds: the text by where it is from."""

    def read(name: str) -> dict[str, str]:
        with closing(sqlite3.connect(home / "memgpt.db")) as database:
            return dict(database.execute(_HELD, [name]))

    return read


class Site(BaseHTTPRequestHandler):
    """Pages that come after a while; one never comes."""

    pause = 0.0
    asked_for_ever = threading.Event()
    closing = threading.Event()

    def do_GET(self) -> None:
        if self.path == "/never":
            Site.asked_for_ever.set()
            Site.closing.wait(30)
            return
        time.sleep(Site.pause)
        body = f"The page {self.path} speaks of lamps.".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[str]:
    Site.pause = 0.0
    Site.asked_for_ever.clear()
    Site.closing.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    Site.closing.set()
    server.shutdown()
    server.server_close()


def test_a_folder_is_loaded_and_kept_up_to_date(memgpt: Program, folder: Path, held: Held) -> None:
    ran = memgpt("load", "directory", "--name", "my things", "--input-dir", str(folder))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "Loaded 2 files into 2 passages.",
        'Let an agent search it: memgpt attach --agent AGENT --source "my things"',
    ]
    assert held("my things") == {"lamp.txt": "The lamp is red.", "chair.md": "The chair is oak."}
    again = memgpt("load", "directory", "--name", "my things", "--input-dir", str(folder))
    assert again.out.startswith("Nothing has changed: 2 files as before. 2 passages in all.")
    (folder / "lamp.txt").write_text("The lamp is blue.")
    (folder / "chair.md").unlink()
    changed = memgpt("load", "directory", "--name", "my things", "--input-dir", str(folder), "--recursive")
    assert changed.out.startswith("Loaded 2 files into 2 passages: 1 file new, 1 changed, 1 gone. 2 passages in all.")
    assert held("my things") == {"lamp.txt": "The lamp is blue.", "deep/oven.txt": "The oven is warm."}
    told = memgpt("list", "sources").out
    assert "my things" in told and "2" in told


def test_files_are_named_and_left_out(memgpt: Program, folder: Path, held: Held) -> None:
    files = (str(folder / "lamp.txt"), str(folder / "deep" / "oven.txt"))
    assert memgpt("load", "directory", "--name", "a", "--input-files", files[0], "--input-files", files[1]).code == 0
    assert set(held("a")) == {"lamp.txt", "oven.txt"}
    options = ("--recursive", "--exclude", "*.md", "--exclude", "deep/*")
    assert memgpt("load", "directory", "--name", "b", "--input-dir", str(folder), *options).code == 0
    assert set(held("b")) == {"lamp.txt"}


def test_what_is_named_tells_its_loader(
    memgpt: Program, folder: Path, site: str, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    ran = memgpt("load", folder.name)
    assert ran.code == 0 and f"--source {folder.name}" in ran.out
    assert set(held(folder.name)) == {"lamp.txt", "chair.md", "deep/oven.txt"}
    assert memgpt("load", str(folder / "lamp.txt"), str(folder / "chair.md")).code == 0
    assert set(held("lamp")) == {"lamp.txt", "chair.md"}
    assert memgpt("load", "--name", "my oven", str(folder / "deep" / "oven.txt")).code == 0
    assert set(held("my oven")) == {"oven.txt"}
    assert memgpt("load", str(folder), "--exclude", "*.md", "--name=some").code == 0
    assert set(held("some")) == {"lamp.txt", "deep/oven.txt"}
    assert memgpt("load", f"{site}/one", "--allow-private").code == 0
    assert list(held("127.0.0.1").values()) == ["The page /one speaks of lamps."]


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("papre.pdf", "There is no file or folder 'papre.pdf', and no loader of that name. Name a file"),
        ("directroy", "or a loader: directory, webpage"),
        ("sqlite:///shop.db", "memgpt load database --help"),
        ("chroma:///notes", "memgpt load vector-database --help"),
        ("--name", "option"),
    ],
)
def test_what_cannot_be_guessed_is_told(memgpt: Program, what: str, told: str) -> None:
    ran = memgpt("load", what)
    assert ran.code == 2 and told in ran.err


def test_a_web_page_of_this_machine_is_loaded_when_it_is_meant(memgpt: Program, site: str, held: Held) -> None:
    refused = memgpt("load", "webpage", "--name", "web", "--urls", f"{site}/one")
    assert refused.code == 1 and "is an address of this machine" in refused.err and "--allow-private" in refused.err
    ran = memgpt("load", "webpage", "--name", "web", "--urls", f"{site}/one", f"{site}/two", "--allow-private")
    assert ran.code == 0 and ran.out.startswith("Loaded 2 web pages into 2 passages.")
    assert held("web")[f"{site}/two"] == "The page /two speaks of lamps."


@pytest.fixture
def shop(tmp_path: Path) -> str:
    pytest.importorskip("sqlalchemy")
    with closing(sqlite3.connect(tmp_path / "shop.db")) as database, database:
        database.execute("CREATE TABLE goods (id INTEGER PRIMARY KEY, title TEXT, body TEXT)")
        database.executemany("INSERT INTO goods (title, body) VALUES (?, ?)", [("Lamp", "Red."), ("Chair", "Oak.")])
    return f"sqlite:///{(tmp_path / 'shop.db').as_posix()}"


def test_the_rows_of_a_query_are_loaded(memgpt: Program, shop: str, held: Held) -> None:
    query = ("--query", "SELECT id, title, body FROM goods")
    ran = memgpt("load", "database", "--name", "shop", "--url", shop, *query)
    assert ran.code == 0 and ran.out.startswith("Loaded 2 rows into 2 passages."), ran.err
    assert any("Lamp" in text and "Red." in text for text in held("shop").values())


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("DELETE FROM goods", "would do more than read (DELETE)"),
        ("SELECT 1; SELECT 2", "There is more than one statement in the query."),
        ("WITH x AS (SELECT 1) INSERT INTO goods (title) SELECT 'x'", "would do more than read (INSERT)"),
        ("SELECT nix FROM goods", "no such column: nix"),
    ],
)
def test_a_query_that_writes_or_fails_is_refused(
    memgpt: Program, shop: str, tmp_path: Path, query: str, told: str
) -> None:
    ran = memgpt("load", "database", "--name", "shop", "--url", shop, "--query", query)
    assert ran.code == 1 and told in ran.err and len(ran.err.splitlines()) == 1
    with closing(sqlite3.connect(tmp_path / "shop.db")) as database:
        assert database.execute("SELECT count(*) FROM goods").fetchone() == (2,)
    assert "shop" not in memgpt("list", "sources").out


def test_a_collection_of_chroma_s_is_loaded(memgpt: Program, tmp_path: Path, held: Held) -> None:
    chromadb = pytest.importorskip("chromadb")
    client = chromadb.PersistentClient(
        str(tmp_path / "chroma"), settings=chromadb.config.Settings(anonymized_telemetry=False)
    )
    collection = client.create_collection("notes", embedding_function=None)
    collection.add(ids=["a"], documents=["The lamp is red."], embeddings=[[1.0, 0.0]], metadatas=[{"source": "a.txt"}])
    named = ("--url", f"chroma://{(tmp_path / 'chroma').as_posix()}", "--collection", "notes")
    refused = memgpt("load", "vector-database", "--name", "notes", *named)
    assert refused.code == 1 and "Say what made the vectors (--embedder" in refused.err
    ran = memgpt("load", "vector-database", "--name", "notes", *named, "--embedder", "two")
    assert ran.code == 0 and ran.out.startswith("Loaded 1 passage with their vectors.")
    assert "were made with two" in ran.err, "this agent's embedder is another"
    assert held("notes") == {"a.txt": "The lamp is red."}


def test_a_name_that_is_taken_is_kept_unless_it_is_to_be_replaced(memgpt: Program, folder: Path, held: Held) -> None:
    lamp, chair = str(folder / "lamp.txt"), str(folder / "chair.md")
    memgpt("load", "directory", "--name", "s", lamp)
    ran = memgpt("load", "directory", "--name", "s", chair)
    assert ran.code == 1 and "'s' holds other documents (lamp.txt)" in ran.err and "--replace" in ran.err
    assert set(held("s")) == {"lamp.txt"}
    assert memgpt("load", "directory", "--name", "s", chair, "--replace").code == 0
    assert set(held("s")) == {"chair.md"}


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--name", "s", "--input-dir", "gone"), 1, "There is no file or folder gone. Check the path."),
        (("--name", "s", "--input-files", "gone.txt"), 1, "There is no file gone.txt. Check the path."),
        (("--name", "s", "--input-dir", "empty"), 1, "There is no file to read in empty."),
        (("--name", "s"), 2, "Nothing is named to load."),
        (("--name", "s", "empty", "docs"), 2, "Name one folder at a time"),
        (("--input-dir", "docs"), 2, "Missing option '--name'."),
        (("--name", " ", "--input-dir", "docs"), 1, "cannot be the name of a source"),
    ],
)
def test_what_cannot_be_loaded_says_so_and_makes_no_source(
    memgpt: Program,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: int,
    told: str,
) -> None:
    monkeypatch.chdir(folder.parent)
    Path("empty").mkdir()
    ran = memgpt("load", "directory", *arguments)
    assert (ran.code, ran.out) == (code, "") and told in ran.err
    assert memgpt("list", "sources", "--json").out.strip() == "[]"


def test_without_a_terminal_plain_lines_tell_how_far_it_is(
    memgpt: Program, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "SOON", 0.0)
    monkeypatch.setattr(progress, "BETWEEN", 0.0)
    ran = memgpt("load", "directory", "--name", "s", "--input-dir", str(folder))
    lines = ran.err.splitlines()
    assert {"reading: 1 of 2", "reading: 2 of 2", "splitting: 2", "storing: 2 of 2"} <= set(lines)
    assert "\x1b" not in ran.err and ran.out.startswith("Loaded 2 files")


@posix
@pytest.mark.parametrize("columns", [40, 80])
def test_in_a_terminal_a_bar_tells_how_far_it_is(home: Path, site: str, columns: int) -> None:
    pytest.importorskip("pexpect")
    pytest.importorskip("pyte")
    from .typed import Terminal

    Site.pause = 0.3
    urls = [f"{site}/{number}" for number in range(7)]
    terminal = Terminal(
        "load", "webpage", "--name", "web", *urls, "--allow-private", home=home, columns=columns, patience=60
    )
    terminal.see("reading ━")
    assert any(line.startswith("reading ") and "%" in line for line in terminal.text.splitlines()), terminal.text
    terminal.see("Loaded 7 web pages into 7 passages.")
    assert terminal.end() == 0
    assert "━" not in terminal.text, "the bar is gone when it is done"


@posix
def test_stopped_in_the_middle_it_leaves_the_source_as_it_was(
    memgpt: Program, home: Path, site: str, held: Held
) -> None:
    assert memgpt("load", "webpage", "--name", "web", f"{site}/one", "--allow-private").code == 0
    before = held("web")
    command = [sys.executable, "-m", "memgpt_autogen.cli", "load", "webpage", "--name", "web"]
    process: Any = subprocess.Popen(
        [*command, f"{site}/one", f"{site}/two", f"{site}/never", "--allow-private"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert Site.asked_for_ever.wait(30), process.communicate()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err.strip()) == (1, "", "Stopped.")
    assert held("web") == before
    assert memgpt("load", "webpage", "--name", "web", f"{site}/one", f"{site}/two", "--allow-private").code == 0
    assert len(held("web")) == 2


class FeedLoader:
    """The entries of a feed.

    Args:
        address: Where the feed is.
        tags: Only entries with one of these.
        limit: The most entries.
        old: Also entries of earlier years.
    """

    unit = "entry"

    def __init__(self, address: str, tags: Sequence[str] = (), limit: int = 3, old: bool = False) -> None:
        self.names = [f"{address}/{tag}{number}" for tag in tags or ("",) for number in range(limit + old)]

    def load(self) -> Iterator[Document]:
        for name in self.names:
            yield Document(f"The entry {name} is read.", name)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--address", "x"], ["x/0", "x/1", "x/2"]),
        (["--address", "x", "--limit", "1", "--old"], ["x/0", "x/1"]),
        (["--address", "x", "--tags", "a", "--tags", "b", "--limit", "1"], ["x/a0", "x/b0"]),
    ],
)
def test_a_loader_in_the_table_has_a_command_of_its_own(
    memgpt: Program, held: Held, monkeypatch: pytest.MonkeyPatch, arguments: list[str], names: list[str]
) -> None:
    module = ModuleType("memgpt_autogen.sources.feed")
    module.FeedLoader = FeedLoader  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(LOADERS, "feed", "feed:FeedLoader")
    done = memgpt("load", "feed", "--name", "news", *arguments, "--debug")
    assert done.code == 0 and [*held("news")] == names
    shown = memgpt("load", "feed", "--help").out
    assert "The entries of a feed." in shown and "Only entries with one of these. May be repeated." in shown
    assert "feed" in memgpt("load", "--help").out
    assert memgpt("load", "feed", "--name", "news").code == 2  # no address
