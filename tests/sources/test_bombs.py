"""Documents that unpack without end, nest without end or never finish: one clear line, and the rest is loaded."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from memgpt_autogen.errors import SourceError
from memgpt_autogen.library import Library
from memgpt_autogen.sources import isolated
from memgpt_autogen.sources.directory import DirectoryLoader
from memgpt_autogen.storage.records import Passage

from .conftest import write_pdf

Passages = Callable[[str], list[Passage]]
WORD = "http://schemas.openxmlformats.org"
_TYPES = (
    f'<Types xmlns="{WORD}/package/2006/content-types"><Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
    'ContentType="application/xml"/><Override PartName="/word/document.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
_LINKS = (
    f'<Relationships xmlns="{WORD}/package/2006/relationships"><Relationship Id="rId1" '
    f'Type="{WORD}/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>'
)
LAUGHS = "".join(f'<!ENTITY a{number} "{f"&a{number - 1};" * 10}">' for number in range(1, 10))


def docx(
    path: Path, words: str = "The lamp is red.", *, prolog: str = "", times: int = 1, coding: str = "utf-8"
) -> Path:
    paragraph = f"<w:p><w:r><w:t>{words}</w:t></w:r></w:p>".encode(coding)
    head = f'<?xml version="1.0" encoding="{coding}"?>{prolog}<w:document xmlns:w="{WORD}/wordprocessingml/2006/main">'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("[Content_Types].xml", _TYPES)
        packed.writestr("_rels/.rels", _LINKS)
        with packed.open("word/document.xml", "w", force_zip64=True) as file:
            file.write(f"{head}<w:body>".encode(coding))
            for _ in range(times):
                file.write(paragraph)
            file.write("</w:body></w:document>".encode(coding))
    return path


def read(path: Path) -> str:
    return "\n".join(document.text for document in DirectoryLoader(input_files=[path]).load())


def refusal(path: Path) -> str:
    with pytest.raises(SourceError) as told:
        read(path)
    assert path.name in str(told.value) and "\n" not in str(told.value) and len(str(told.value)) < 400
    return str(told.value)


def pdf(path: Path) -> Path:
    """A small one; its parser is there at once."""
    return write_pdf(path, ["The lamp is red."])


def test_a_document_that_is_none_of_these_is_read(folder: Path) -> None:
    pytest.importorskip("markitdown")
    assert "The lamp is red." in read(docx(folder / "a.docx"))


@pytest.mark.parametrize("name", ["bomb.docx", "bomb.pptx", "bomb.xlsx", "bomb.epub"])
def test_what_unpacks_to_a_hundred_times_its_size_is_refused_unread(folder: Path, name: str) -> None:
    pytest.importorskip("markitdown")
    path = docx(folder / name, "A" * 1_000_000, times=30)
    assert path.stat().st_size < 200_000
    process = isolated._process._running
    begun = time.monotonic()
    assert "unpack to 28 MB" in refusal(path) and time.monotonic() - begun < 5
    assert isolated._process._running is process  # no parser was asked


def test_what_is_too_large_or_has_too_many_parts_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("markitdown")
    monkeypatch.setattr("memgpt_autogen.sources.zip_limits.MOST_TEXT", 1000)
    assert "too large" in refusal(docx(folder / "large.docx", "words " * 1000))
    monkeypatch.setattr("memgpt_autogen.sources.zip_limits.MOST_PARTS", 2)
    assert "parts" in refusal(docx(folder / "parts.docx"))


@pytest.mark.parametrize("coding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("entity", [f'<!ENTITY a0 "lol">{LAUGHS}', '<!ENTITY e SYSTEM "file:///etc/passwd">'])
def test_entities_are_refused_in_any_coding(folder: Path, coding: str, entity: str) -> None:
    pytest.importorskip("markitdown")
    path = docx(folder / "e.docx", "x &e; &a9; y", prolog=f"<!DOCTYPE x [{entity}]>", coding=coding)
    assert "declares XML entities" in refusal(path)


@pytest.mark.parametrize("name", ["e.html", "e.xhtml"])
def test_entities_of_a_page_are_not_followed(folder: Path, name: str) -> None:
    words = "words here are many. " * 50
    for entity in (f'<!ENTITY a0 "lol">{LAUGHS}', '<!ENTITY a9 SYSTEM "file:///etc/passwd">'):
        prolog = f"<?xml version='1.0'?><!DOCTYPE html [{entity}]>"
        text = f"{prolog}<html><body><article><p>{words}&a9;</p></article></body></html>"
        (folder / name).write_text(text)
        found = read(folder / name)
        assert "words here" in found and "root:" not in found and len(found) < 2000


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux")
@pytest.mark.parametrize("name", ["wide.html", "wide.pdf"])
def test_a_parser_that_takes_all_memory_ends_alone(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(isolated, "MEMORY", 32 << 20)
    path = folder / name
    if name.endswith("html"):
        path.write_text(
            "<article>" + "".join(f"<p>{n} words here are many.</p>" for n in range(200_000)) + "</article>"
        )
    else:
        packed_pdf(path, b"BT /F1 12 Tf 1 0 0 1 10 10 Tm (lamp lamp lamp) Tj ET\n" * 2_000_000)
        assert path.stat().st_size < 400_000
    assert "memory" in refusal(path)
    monkeypatch.undo()
    assert "The lamp is red." in read(pdf(folder / "a.pdf"))


def packed_pdf(path: Path, content: bytes) -> None:
    """A page whose content is packed."""
    packed = zlib.compress(content, 9)
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d/Filter/FlateDecode>>stream\n%b\nendstream" % (len(packed), packed),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    made, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%b\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"xref\n0 6\n0000000000 65535 f \n%btrailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (
        table,
        len(made),
    )
    path.write_bytes(made + end)


def test_a_text_without_end_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolated, "MOST_TEXT", 1000)
    assert "more memory" in refusal(write_pdf(folder / "long.pdf", ["word " * 1000]))


def test_a_parser_that_never_finishes_is_ended(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolated, "SECONDS", 0.05)  # shorter than the parser takes to begin
    isolated._process.stop()
    (folder / "slow.html").write_text(
        f"<html><body><article><p>{'words here are many. ' * 50}</p></article></body></html>"
    )
    begun = time.monotonic()
    assert "was not read within" in refusal(folder / "slow.html") and time.monotonic() - begun < 10
    monkeypatch.undo()
    assert "words" in read(folder / "slow.html")


def test_deep_nesting_ends(folder: Path) -> None:
    (folder / "deep.html").write_text("<html><body>" + "<div>" * 200_000 + "text " * 100 + "</body></html>")
    begun = time.monotonic()
    try:
        assert "text text" in read(folder / "deep.html")
    except SourceError as error:
        assert "deep.html" in str(error)
    assert time.monotonic() - begun < 60
    assert read(pdf(folder / "a.pdf"))


def test_the_rest_of_a_folder_is_loaded(library: Library, folder: Path, passages: Passages) -> None:
    docx(folder / "bomb.docx", "A" * 1_000_000, times=30)
    pdf(folder / "good.pdf")
    (folder / "damaged.pdf").write_bytes(b"%PDF-1.7\n" + os.urandom(10_000))
    (folder / "odd.epub").write_bytes(os.urandom(1000))
    (folder / "good.txt").write_text("The lamp is green.")
    loaded = library.load("s", "directory", input_dir=folder)
    assert {one.uri for one in passages("s")} == {"good.pdf", "good.txt"}
    assert all(name in "\n".join(loaded.notes) for name in ("bomb.docx", "damaged.pdf", "odd.epub"))


def test_a_parser_that_was_killed_is_started_anew(folder: Path) -> None:
    path = pdf(folder / "a.pdf")
    assert read(path)
    running = isolated._process._running
    assert running is not None
    running.kill()
    running.wait()
    assert read(path) and isolated._process._running is not running


def test_threads_take_turns(folder: Path) -> None:
    path, found = pdf(folder / "a.pdf"), list[str]()
    threads = [threading.Thread(target=lambda: found.append(read(path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 8 and all("The lamp is red." in one for one in found)


@pytest.mark.parametrize("how", ["script", "command", "module"])
def test_a_program_needs_no_guard(folder: Path, tmp_path: Path, how: str) -> None:
    """A parser is a process of this package's own: the program's main module is not run in it."""
    pdf(folder / "a.pdf")
    program = textwrap.dedent(f"""
        from memgpt_autogen.sources.directory import DirectoryLoader
        print("begins")
        print([one.text for one in DirectoryLoader({str(folder)!r}).load()])
    """)
    (tmp_path / "program.py").write_text(program)
    command = {"script": ["program.py"], "command": ["-c", program], "module": ["-m", "program"]}[how]
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, *command], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=100, check=True
    )
    assert done.stdout.count("begins") == 1 and "The lamp is red." in done.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork there")
def test_a_copy_of_this_process_has_parsers_of_its_own(folder: Path) -> None:
    path = pdf(folder / "a.pdf")
    assert read(path)
    child = os.fork()
    if child == 0:
        os._exit(0 if "red" in read(path) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert read(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes there")
def test_links_out_of_a_folder_and_pipes_in_it_are_left_out(library: Library, folder: Path, passages: Passages) -> None:
    (folder.parent / "secret.txt").write_text("The code is 7.")
    (folder / "link.txt").symlink_to(folder.parent / "secret.txt")
    (folder / "inner.txt").symlink_to(folder / "good.txt")
    (folder / "good.txt").write_text("The lamp is green.")
    os.mkfifo(folder / "pipe.txt")
    loaded = library.load("s", "directory", input_dir=folder)
    assert {one.uri for one in passages("s")} == {"good.txt", "inner.txt"}
    assert "1 link out" in "\n".join(loaded.notes)
