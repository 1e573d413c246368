"""Opening the database: any number of times, for its owner only, also where it cannot be written."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from memgpt_autogen import MemGPT, Settings, events
from memgpt_autogen.errors import StoreError, ToolError
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.messages import Message
from memgpt_autogen.storage import files
from memgpt_autogen.storage.sqlite import SQLiteStore
from memgpt_autogen.storage.sqlite.engine import SQLiteEngine
from memgpt_autogen.storage.sqlite.schema import MIGRATIONS, add_functions
from memgpt_autogen.tools.extras import file_tools

from ..other_process import python


def texts(path: Path) -> list[str]:
    """What another process, which opens and closes the file, finds in it."""
    code = """
        from pathlib import Path
        from memgpt_autogen.storage.sqlite import SQLiteStore
        store = SQLiteStore(sys.argv[1])
        print("\\n".join(m.text for m in store.log.tail(store.agents.get("sam").id, 1000)))
        store.close()
    """
    return python(code, path).split("\n")


def said(text: str) -> Message:
    return replace(events.user_message(text), answered=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "memgpt.db"


@pytest.fixture
def written(path: Path) -> Path:
    """A closed file with one agent and one message."""
    store = SQLiteStore(path)
    store.log.append(store.agents.create("sam", {"name": "sam"}).id, [said("hello")])
    store.close()
    return path


def fail_to_open(path: Path) -> None:
    with pytest.raises(StoreError):
        SQLiteStore(path.parent)


OPEN_AND_CLOSE = {
    "a second store": lambda path: SQLiteStore(path).close(),
    "a store that only reads": lambda path: SQLiteStore(path, read_only=True).close(),
    "a list": SQLiteEngine().agents,
    "a second client": lambda path: MemGPT(Settings(home=path.parent, environ={}), embedder=None).close(),
    "a store that fails to open": fail_to_open,
    "preparing it": files.prepare,
}


@pytest.mark.parametrize("what", OPEN_AND_CLOSE)
def test_nothing_is_lost_when_the_file_is_opened_again_in_the_same_process(path: Path, what: str) -> None:
    """What opens and closes the file here must not let another process delete the write-ahead log."""
    store = SQLiteStore(path)
    sam = store.agents.create("sam", {"name": "sam"}).id
    for number in range(3):
        OPEN_AND_CLOSE[what](path)
        texts(path)
        store.log.append(sam, [events.user_message(f"said {number}")])
    assert texts(path) == ["said 0", "said 1", "said 2"]
    assert path.with_name("memgpt.db-wal").is_file()


def test_many_clients_in_many_threads_while_other_processes_read(path: Path) -> None:
    home = Settings(home=path.parent, environ={})
    clients = [MemGPT(home, embedder=None) for _ in range(4)]
    failed: list[BaseException] = []

    def talk(number: int) -> None:
        try:
            model = ScriptedModel([lambda *_: "yes"] * 20, context_window=60_000)
            agent = clients[number].create_agent({"name": f"agent {number}", "preset": "memgpt_chat"}, model=model)
            for turn in range(8):
                agent.run([events.user_message(f"{number}: {turn}")])
                MemGPT(home, embedder=None).close()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=talk, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    code = """
        from pathlib import Path
        from memgpt_autogen.storage.sqlite.engine import SQLiteEngine
        SQLiteEngine().agents(Path(sys.argv[1]))
    """
    while any(thread.is_alive() for thread in threads):
        python(code, path)
    assert not failed
    store = SQLiteStore(path, read_only=True)
    for number in range(4):
        log = store.log.tail(store.agents.get(f"agent {number}").id, 1000)
        assert [m.text for m in log if m.kind == "user_message"] == [f"{number}: {turn}" for turn in range(8)]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_files_are_their_owners_alone_from_the_first_moment(path: Path) -> None:
    usual = os.umask(0)
    try:
        store = SQLiteStore(path.parent / "new" / "memgpt.db")
        with store.lock(store.agents.create("sam", {}).id):
            pass
    finally:
        os.umask(usual)
    folder = path.parent / "new"
    assert mode(folder) == mode(folder / "locks") == 0o700
    made = [file for file in folder.rglob("*") if file.is_file()]
    assert {file.suffix for file in made} == {".db", ".db-wal", ".db-shm", ".lock"}
    assert {mode(file) for file in made} == {0o600}


def test_files_that_others_may_read_are_tightened(written: Path) -> None:
    store = SQLiteStore(written)
    sam = store.agents.get("sam").id
    with store.lock(sam):
        pass
    everything = [written, *files.beside(written), *(written.parent / "locks").iterdir()]
    for file in everything:
        file.chmod(0o666)
    again = SQLiteStore(written)
    with again.lock(sam):
        pass
    assert len(everything) == 4 and {mode(file) for file in everything} == {0o600}


def test_a_link_to_the_database_is_followed_and_one_beside_it_is_not(written: Path, tmp_path: Path) -> None:
    other = tmp_path / "precious"
    other.write_text("mine")
    other.chmod(0o644)
    files.tighten(other)
    assert mode(other) == 0o600
    other.chmod(0o644)
    (tmp_path / "link").symlink_to(other)
    files.tighten(tmp_path / "link")
    assert mode(other) == 0o644
    (tmp_path / "db.link").symlink_to(written)
    written.chmod(0o644)
    SQLiteStore(tmp_path / "db.link").close()
    assert mode(written) == 0o600


def a_folder(path: Path) -> None:
    path.mkdir()


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_text(path: Path) -> None:
    path.write_text("hello world" * 500)


def another_program(path: Path) -> None:
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("CREATE TABLE places (url TEXT)")


def another_program_with_versions(path: Path) -> None:
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("CREATE TABLE places (url TEXT)")
        raw.execute("PRAGMA user_version = 77")


def a_newer_one(path: Path) -> None:
    SQLiteStore(path).close()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")


KINDS = {
    a_folder: "is a folder, not a database. Move it away",
    a_pipe: "not a regular file",
    a_text: "file is not a database.*move it away, or set MEMGPT_HOME",
    another_program: "database of another program",
    another_program_with_versions: "database of another program",
    a_newer_one: "newer version.*Upgrade",
}


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("read_only", [False, True])
def test_what_is_no_database_of_ours_is_said_and_left_as_it_is(path: Path, make: object, read_only: bool) -> None:
    make(path)  # type: ignore[operator]
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(StoreError, match=KINDS[make]):  # type: ignore[index]
        SQLiteStore(path, read_only=read_only)
    if path.is_file():
        assert path.read_bytes() == before
    assert {file.name for file in path.parent.iterdir()} <= {"memgpt.db", "memgpt.db-wal", "memgpt.db-shm"}


def test_an_empty_file_becomes_a_database(path: Path) -> None:
    path.touch()
    SQLiteStore(path).agents.create("sam", {})
    assert [one.row.name for one in SQLiteEngine().agents(path)] == ["sam"]


def test_a_store_that_only_reads_refuses_to_write_and_finds_everything(written: Path) -> None:
    store = SQLiteStore(written, read_only=True)
    sam = store.agents.get("sam").id
    assert [hit.item.text for hit in store.log.search(sam, "hello", page=1, page_size=5).hits] == ["hello"]
    assert store.passages.search(sam, "hello", page=1, page_size=5).total == 0
    for write in (lambda: store.agents.create("eve", {}), lambda: store.log.append(sam, [events.user_message("x")])):
        with pytest.raises(StoreError, match="reading only"):
            write()
    assert store.dump(sam)["messages"]


NOBODY = 65534
READ = """
    from pathlib import Path
    from memgpt_autogen.errors import StoreError
    from memgpt_autogen.exchange import export_agent
    from memgpt_autogen.storage.sqlite.engine import SQLiteEngine
    from memgpt_autogen.storage.sqlite import SQLiteStore
    path, out = Path(sys.argv[1]), Path(sys.argv[2])
    print([one.row.name for one in SQLiteEngine().agents(path)])
    store = SQLiteStore(path, read_only=True)
    sam = store.agents.get("sam").id
    print(store.log.search(sam, "hello", page=1, page_size=5).total)
    export_agent(store, "sam", out)
    print(out.stat().st_size > 100)
    try:
        SQLiteStore(path).agents.create("eve", {})
    except StoreError as error:
        print("reading only" in str(error))
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, unlike pytest's own."""
    import tempfile

    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize(("file", "folder"), [(0o444, 0o555), (0o444, 0o777), (0o666, 0o555)])
@pytest.mark.parametrize("running", [False, True])
def test_a_file_or_folder_that_cannot_be_written_is_read(
    written: Path, open_folder: Path, file: int, folder: int, running: bool
) -> None:
    home = open_folder / "home"
    home.mkdir()
    shutil.copy(written, home / "memgpt.db")
    if running:
        owner = SQLiteStore(home / "memgpt.db")
        owner.log.append(owner.agents.get("sam").id, [said("hello again")])
    for one in (home / "memgpt.db", *files.beside(home / "memgpt.db")):
        one.chmod(file)
    home.chmod(folder)
    told = python(READ, home / "memgpt.db", open_folder / "out.json", user=NOBODY)
    assert told.split("\n") == ["['sam']", "2" if running else "1", "True", "True"]


def older(path: Path) -> None:
    """A file as the version before the last migration left it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        add_functions(raw)
        raw.execute("PRAGMA journal_mode = WAL")
        for script in MIGRATIONS[:-1]:
            raw.executescript(script)
        raw.execute(f"PRAGMA user_version = {len(MIGRATIONS) - 1}")
        raw.execute(
            "INSERT INTO agents (id, user_id, name, config, created_at) "
            "VALUES ('a', 'local', 'sam', '{}', '2026-01-01')"
        )


def test_a_list_of_an_older_file_brings_it_up_to_date_first(path: Path) -> None:
    older(path)
    assert [one.row.name for one in SQLiteEngine().agents(path)] == ["sam"]
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can become another user")
def test_an_older_file_that_cannot_be_written_is_read_as_it_is(open_folder: Path) -> None:
    older(open_folder / "memgpt.db")
    (open_folder / "memgpt.db").chmod(0o444)
    open_folder.chmod(0o555)
    code = (
        "from pathlib import Path\nfrom memgpt_autogen.storage.sqlite.engine import SQLiteEngine\n"
        "print([one.row.name for one in SQLiteEngine().agents(Path(sys.argv[1]))])"
    )
    assert python(code, open_folder / "memgpt.db", user=NOBODY) == "['sam']"


def test_the_agents_file_functions_leave_an_open_database_alone(written: Path) -> None:
    read, append = file_tools(written.parent)
    store = SQLiteStore(written)
    (written.parent / "link.txt").symlink_to(written)
    (written.parent / "hard.txt").hardlink_to(written)
    for name in ("memgpt.db", "memgpt.db-wal", "memgpt.db-shm", "link.txt", "hard.txt"):
        with pytest.raises(ToolError, match="your own memory"):
            read.function(filename=name)
        with pytest.raises(ToolError, match="your own memory"):
            append.function(filename=name, content="x")
    store.close()
    assert not files.in_use(written)


def test_a_store_is_not_used_in_a_forked_child(written: Path) -> None:
    code = """
        import os
        from memgpt_autogen.errors import StoreError
        from memgpt_autogen.storage.sqlite import SQLiteStore
        store = SQLiteStore(sys.argv[1])
        if os.fork() == 0:
            try:
                store.agents.list()
            except StoreError as error:
                print("child:", "forked" in str(error), flush=True)
            print("child:", len(SQLiteStore(sys.argv[1]).agents.list()), flush=True)
            os._exit(0)
        os.wait()
        print("parent:", len(store.agents.list()))
    """
    assert python(code, written).split("\n") == ["child: True", "child: 1", "parent: 1"]
