"""Loading again: only what changed is touched; an interrupted loading leaves the source as it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from memgpt_autogen.errors import NameTaken, SourceError
from memgpt_autogen.library import Library
from memgpt_autogen.sources.base import Document
from memgpt_autogen.sources.split import OVERLAP, PASSAGE, split, tokens
from memgpt_autogen.storage.base import Store
from memgpt_autogen.storage.records import Passage
from memgpt_autogen.storage.sqlite import SQLiteStore

Passages = Callable[[str], list[Passage]]


class Shelf:
    """A loader of texts in hand, which may break off."""

    unit = "file"

    def __init__(self, texts: dict[str, str], error: BaseException | None = None) -> None:
        self.texts, self.error = texts, error

    def load(self) -> Iterator[Document]:
        for uri, text in self.texts.items():
            yield Document(text, uri)
        if self.error:
            raise self.error


class Letters:
    """An embedder."""

    name, dim = "letters", 26

    def embed(self, texts):
        counts = np.array([[text.lower().count(chr(97 + n)) + 0.01 for n in range(26)] for text in texts], np.float32)
        return counts / np.linalg.norm(counts, axis=1, keepdims=True)


def test_loading_again_touches_only_what_changed(store: Store) -> None:
    library = Library(store, Letters())
    texts = {"a.md": "Apples are red.", "b.md": "Boats are blue.", "c.md": "Cats are grey."}
    assert str(library.load_from("s", Shelf(texts))) == "Loaded 3 files into 3 passages."
    assert library.embed("s") == 3
    agent = store.agents.create("sam", {}).id
    store.sources.attach(agent, store.sources.get_source("s").id)
    again = library.load_from("s", Shelf(texts))
    assert str(again) == "Nothing has changed: 3 files as before. 3 passages in all."
    changed = library.load_from(
        "s", Shelf({"a.md": "Apples are red.", "b.md": "Boats are green.", "d.md": "Dogs bark."})
    )
    assert (changed.new, changed.changed, changed.gone, changed.same) == (1, 1, 1, 1)
    assert str(changed) == (
        "Loaded 2 files into 2 passages: 1 file new, 1 changed, 1 gone, 1 as before. 3 passages in all."
    )
    waiting = store.passages.backlog("letters", 9, store.sources.get_source("s").id)
    assert [one.text for one in waiting] == ["Boats are green.", "Dogs bark."], "the others kept their vectors"
    found = store.passages.search(agent, "apples boats cats dogs", page=1, page_size=9)
    assert {hit.item.text for hit in found.hits} == {"Apples are red.", "Boats are green.", "Dogs bark."}
    assert library.embed("s") == 2


def test_a_taken_name_is_not_overwritten_by_quite_other_documents(store: Store, library: Library) -> None:
    library.load_from("s", Shelf({"a.md": "Apples."}))
    with pytest.raises(NameTaken, match=r"The source 's' holds other documents \(a.md\), and none of these.*--replace"):
        library.load_from("s", Shelf({"z.md": "Zebras."}))
    assert [one.uri for one in store.sources.documents(store.sources.get_source("s").id)] == ["a.md"]
    loaded = library.load_from("s", Shelf({"z.md": "Zebras."}), replace=True)
    assert (loaded.new, loaded.gone, loaded.passages) == (1, 1, 1)


@pytest.mark.parametrize("name", ["", "  ", "two\nlines"])
def test_a_name_must_be_a_word(library: Library, name: str) -> None:
    with pytest.raises(SourceError, match="cannot be the name of a source"):
        library.load_from(name, Shelf({"a": "b"}))


@pytest.mark.parametrize("error", [SourceError("torn"), KeyboardInterrupt(), MemoryError()])
def test_an_interrupted_loading_leaves_the_source_as_it_was(
    library: Library, passages: Passages, error: BaseException
) -> None:
    library.load_from("s", Shelf({"a.md": "Apples.", "b.md": "Boats."}))
    with pytest.raises(type(error)):
        library.load_from("s", Shelf({"a.md": "Pears.", "c.md": "Cats."}, error))
    assert [one.text for one in passages("s")] == ["Apples.", "Boats."]
    with pytest.raises(type(error)):
        library.load_from("new", Shelf({"a.md": "Pears."}, error))
    with pytest.raises(SourceError, match="no source named 'new'"):
        passages("new")


_KILLED = """
import sys, time
from memgpt_autogen.library import Library
from memgpt_autogen.sources.base import Document
from memgpt_autogen.storage.sqlite import SQLiteStore
class Slow:
    def load(self):
        for number in range(100_000):
            yield Document(f"Text {number} speaks of many things.", f"{number}.md")
            if number == 300: print("on its way", flush=True)
            if number > 300: time.sleep(0.01)
Library(SQLiteStore(sys.argv[1])).load_from("s", Slow())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kills a process as POSIX does")
@pytest.mark.parametrize("number", [signal.SIGKILL if hasattr(signal, "SIGKILL") else 9, signal.SIGINT])
def test_a_killed_loading_leaves_the_source_as_it_was(tmp_path: Path, number: int) -> None:
    path = tmp_path / "s.db"
    store = SQLiteStore(path)
    Library(store).load_from("s", Shelf({"0.md": "Apples."}))
    process = subprocess.Popen([sys.executable, "-c", _KILLED, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "on its way\n"
    with pytest.raises(SourceError, match="being loaded elsewhere"):
        Library(store).load_from("s", Shelf({"0.md": "Pears."}))
    store.agents.create("meanwhile", {})  # nothing is locked while documents are read
    os.kill(process.pid, number)
    process.wait(timeout=20)
    found = SQLiteStore(path)
    assert [one.text for one in found.passages.backlog("", 9, found.sources.get_source("s").id)] == ["Apples."]
    assert Library(store).load_from("s", Shelf({"0.md": "Pears."})).changed == 1


def test_the_store_is_free_while_documents_are_read(tmp_path: Path) -> None:
    reading, go_on = threading.Event(), threading.Event()

    class Waiting:
        def load(self) -> Iterator[Document]:
            reading.set()
            assert go_on.wait(20)
            yield Document("Words.", "a.md")

    path = tmp_path / "s.db"
    thread = threading.Thread(target=lambda: Library(SQLiteStore(path)).load_from("s", Waiting()))
    thread.start()
    try:
        assert reading.wait(20)
        other, started = SQLiteStore(path), time.monotonic()
        other.agents.create("sam", {})
        assert time.monotonic() - started < 2
    finally:
        go_on.set()
        thread.join()
    assert other.sources.get_source("s").passages == 1


def test_others_write_and_see_nothing_of_it_while_passages_are_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memgpt_autogen.library.library.BATCH", 10)
    path = tmp_path / "s.db"
    store, other = SQLiteStore(path), SQLiteStore(path)
    library = Library(store)
    library.load_from("s", Shelf({f"{number}.md": f"Old lamp {number}." for number in range(30)}))
    agent = other.agents.create("sam", {}).id
    other.sources.attach(agent, other.sources.get_source("s").id)
    seen = []

    def meanwhile(stage: str, done: int, total: int) -> None:
        if stage == "storing":
            started = time.monotonic()
            other.agents.create(f"agent {done}", {})
            found = other.passages.search(agent, "lamp", page=1, page_size=99)
            seen.append((time.monotonic() - started, found.total, {hit.item.text[:3] for hit in found.hits}))
            assert [one.name for one in other.sources.list_sources()] == ["s"]
            assert other.passages.waiting("letters") == 30

    texts = {f"{number}.md": f"New lamp {number}." for number in range(45)}
    loaded = library.load_from("s", Shelf(texts), progress=meanwhile)
    assert (loaded.changed, loaded.new, loaded.passages) == (30, 15, 45)
    assert len(seen) == 45 and all(took < 5 and total == 30 and old == {"Old"} for took, total, old in seen)
    found = other.passages.search(agent, "lamp", page=1, page_size=99)
    assert {hit.item.text for hit in found.hits} == {*texts.values()}
    assert other.passages.count(agent) == 45 and not other.sources.left_over("s")


def test_what_was_stored_of_an_interrupted_loading_is_gone(store: Store, library: Library, passages: Passages) -> None:
    library.load_from("s", Shelf({"a.md": "Apples."}))

    def stop(stage: str, done: int, total: int) -> None:
        if stage == "storing" and done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        library.load_from("s", Shelf({"a.md": "Pears.", "b.md": "Boats."}), progress=stop)
    assert [one.text for one in passages("s")] == ["Apples."] and not store.sources.left_over("s")
    killed = store.sources.stage("s")  # as a killed process leaves it
    store.passages.add(killed, [Passage("Half of it.")])
    assert [one.name for one in store.sources.list_sources()] == ["s"]
    library.load_from("s", Shelf({"a.md": "Apples."}))
    assert [one.text for one in passages("s")] == ["Apples."] and not store.sources.left_over("s")


def test_another_embedder_than_the_source_s_is_refused(store: Store) -> None:
    library = Library(store, Letters())
    library.load_from("s", Shelf({"a.md": "Apples."}))
    library.embed("s")

    class Other(Letters):
        name = "other"

    library.load_from("s", Shelf({"a.md": "Apples.", "b.md": "Boats."}))
    with pytest.raises(SourceError, match="'s' were made with letters, not with other. Use that embedder"):
        Library(store, Other()).embed("s")
    assert library.embed("s") == 1


# -- splitting --------------------------------------------------------------------------------------------------------

SENTENCES = [f"Sentence number {number} tells of the {number}th boat and its crew." for number in range(60)]


def test_passages_end_where_sentences_do_and_overlap_by_some() -> None:
    text = "# Boats\n\n" + " ".join(SENTENCES)
    found = list(split(Document(text, "boats.md", {"page": 4})))
    assert len(found) > 5
    bodies = [passage.text.removeprefix("Boats: ").removeprefix("# Boats\n\n") for passage in found]
    for passage, body in zip(found, bodies, strict=True):
        assert tokens(body) <= PASSAGE[1]
        assert body.endswith(".") and body.startswith("Sentence number")
        assert passage.metadata["heading"] == "Boats" and passage.metadata["page"] == 4
        assert passage.uri == "boats.md"
        assert text[passage.metadata["start"] :].startswith(passage.text.removeprefix("Boats: ")[:40])
    for one, other in pairwise(bodies):
        shared = set(SENTENCES) & {s for s in SENTENCES if s in one and s in other}
        assert shared and sum(map(tokens, shared)) <= OVERLAP + 2
    assert all(any(sentence in body for body in bodies) for sentence in SENTENCES)


def test_pieces_of_one_file_go_on_where_the_last_ended(library: Library, folder: Path, passages: Passages) -> None:
    paragraphs = [f"Paragraph {number} is about the {number}th lamp." for number in range(8000)]
    text = "# Lamps\n\n" + "\n\n".join(paragraphs)
    (folder / "lamps.md").write_text(text)
    library.load("s", "directory", input_files=[folder / "lamps.md"])
    found = passages("s")
    assert len(text) > 250_000 and all(one.metadata["heading"] == "Lamps" for one in found)
    for one in found[:: len(found) // 50]:
        body = one.text.removeprefix("Lamps: ")
        assert text[one.metadata["start"] :].startswith(body)
    whole = "\n".join(one.text for one in found)
    assert all(paragraph in whole for paragraph in paragraphs)


def test_headings_in_code_are_none() -> None:
    found = list(split(Document("# Real\n\n```\n# not one\n```\n\nWords after it.", "a.md")))
    assert {one.metadata["heading"] for one in found} == {"Real"}


def test_scripts_of_many_bytes_are_split_by_tokens_not_letters() -> None:
    found = list(split(Document("灯塔管理员每天晚上都要爬上两百级台阶。" * 60, "a.txt")))
    assert max(len(one.text) for one in found) < 250
