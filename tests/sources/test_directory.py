"""Files as documents, and what is said of those that cannot be read."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest

from memgpt_autogen.errors import ConfigError, MissingDependency, SourceError
from memgpt_autogen.library import Library
from memgpt_autogen.sources.text import unwrapped
from memgpt_autogen.storage.records import Passage

from .conftest import write_pdf

Passages = Callable[[str], list[Passage]]


def test_every_kind_of_file_in_a_folder_is_read(library: Library, folder: Path, passages: Passages) -> None:
    (folder / "power.md").write_text("# Power\n\nThe generator runs on diesel.\n")
    (folder / "water.rst").write_text("Water\n=====\n\nThe well is eleven metres deep.\n")
    (folder / "page.html").write_text(
        "<html><head><title>Ferries</title></head><body><nav>Home Imprint</nav><article><h1>Ferries</h1>"
        "<p>The ferry to Ulmsund leaves from pier seven at dawn, and dogs travel on it free of charge.</p>"
        + "<p>On deck there are benches, a small kitchen, and a room where bicycles may be left for the crossing.</p>"
        * 4
        + "</article>"
        "</body></html>"
    )
    write_pdf(folder / "book.pdf", ["A first page.", "The keeper is called Orla."])
    (folder / "photo.png").write_bytes(b"\x89PNG")
    (folder / ".hidden.md").write_text("not this")
    (folder / "deep").mkdir()
    (folder / "deep" / "more.txt").write_text("The oven is warm.")
    (folder / "drafts").mkdir()
    (folder / "drafts" / "draft.txt").write_text("Not yet.")
    loaded = library.load("all", "directory", input_dir=folder, recursive=True, exclude=["drafts/*"])
    found = {(one.uri, one.metadata.get("page")): one for one in passages("all")}
    assert set(found) == {(name, None) for name in ("power.md", "water.rst", "page.html", "deep/more.txt")} | {
        ("book.pdf", 1),
        ("book.pdf", 2),
    }
    assert found["power.md", None].text == "# Power\n\nThe generator runs on diesel."
    assert found["water.rst", None].metadata["heading"] == "Water"
    assert "pier seven" in found["page.html", None].text and "Imprint" not in found["page.html", None].text
    assert found["page.html", None].metadata["title"] == "Ferries"
    assert "Orla" in found["book.pdf", 2].text
    assert str(loaded) == "Loaded 2 pages and 4 files into 6 passages."
    assert loaded.notes == ("1 file of other kinds left out (.png).",)


def write_docx(path: Path, heading: str, text: str) -> None:
    space = "http://schemas.openxmlformats.org"
    types = f'<Types xmlns="{space}/package/2006/content-types"><Default Extension="rels" ContentType="application/'
    types += 'vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/vnd.'
    types += 'openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
    leads = (
        f'<Relationships xmlns="{space}/package/2006/relationships"><Relationship Id="a" Target="word/document.xml" '
    )
    leads += f'Type="{space}/officeDocument/2006/relationships/officeDocument"/></Relationships>'
    body = f'<w:document xmlns:w="{space}/wordprocessingml/2006/main"><w:body><w:p><w:pPr><w:pStyle w:val="Heading1"/>'
    body += (
        f"</w:pPr><w:r><w:t>{heading}</w:t></w:r></w:p><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body></w:document>"
    )
    with ZipFile(path, "w") as file:
        file.writestr("[Content_Types].xml", types)
        file.writestr("_rels/.rels", leads)
        file.writestr("word/document.xml", body)


def write_epub(path: Path, chapters: dict[str, str]) -> None:
    """A book, each chapter a file of its own."""
    names = [f"chapter{number}.xhtml" for number in range(1, len(chapters) + 1)]
    container = '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0"><rootfiles><rootfile '
    container += 'full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
    items = "".join(f'<item id="{name}" href="{name}" media-type="application/xhtml+xml"/>' for name in names)
    order = "".join(f'<itemref idref="{name}"/>' for name in names)
    package = '<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id"><metadata '
    package += 'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>The Mill</dc:title></metadata>'
    package += f"<manifest>{items}</manifest><spine>{order}</spine></package>"
    with ZipFile(path, "w") as file:
        file.writestr("mimetype", "application/epub+zip")
        file.writestr("META-INF/container.xml", container)
        file.writestr("OEBPS/book.opf", package)
        for name, (title, text) in zip(names, chapters.items(), strict=True):
            body = f"<body><h1>{title}</h1><p>{text}</p></body>"
            file.writestr(f"OEBPS/{name}", f'<html xmlns="http://www.w3.org/1999/xhtml">{body}</html>')


def test_books_and_tables_are_read_with_the_extra(library: Library, folder: Path, passages: Passages) -> None:
    pytest.importorskip("markitdown")
    openpyxl = pytest.importorskip("openpyxl")
    wheel = "It turns nine times while the bell of the church rings once. " * 12
    write_epub(folder / "mill.epub", {"The wheel": wheel, "The miller": "Hild Sorren owns a goat."})
    book = openpyxl.Workbook()
    book.active.title = "Fees"
    for row in (["what", "crowns"], ["berth", 18], ["dog", 0]):
        book.active.append(row)
    book.create_sheet("Staff").append(["harbour master", "Berta Quist"])
    book.save(folder / "harbour.xlsx")
    assert str(library.load("s", "directory", input_dir=folder)).startswith("Loaded 2 files into ")
    found = passages("s")
    goat = next(one for one in found if "owns a goat" in one.text)
    assert (goat.uri, goat.metadata["heading"]) == ("mill.epub", "The miller")
    assert any(one.uri == "harbour.xlsx" and "| berth | 18 |" in one.text for one in found)
    staff = next(one for one in found if "Berta Quist" in one.text)
    assert "## Staff" in staff.text
    assert "NaN" not in "".join(one.text for one in found)


def test_office_files_are_read_with_the_extra(library: Library, folder: Path, passages: Passages) -> None:
    pytest.importorskip("markitdown")
    pptx = pytest.importorskip("pptx")
    write_docx(folder / "fees.docx", "Fees", "A berth costs eighteen crowns.")
    slides = pptx.Presentation()
    for title in ("Welcome", "The budget is nine crowns"):
        slides.slides.add_slide(slides.slide_layouts[5]).shapes.title.text = title
    slides.save(str(folder / "talk.pptx"))
    library.load("office", "directory", input_dir=folder)
    found = passages("office")
    assert any("eighteen" in one.text and one.metadata["heading"] == "Fees" for one in found)
    assert any("nine crowns" in one.text and one.metadata["page"] == 2 for one in found)


def test_without_the_extra_its_name_is_told(
    library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch, passages: Passages
) -> None:
    monkeypatch.setitem(sys.modules, "markitdown", None)
    (folder / "fees.docx").write_bytes(b"PK")
    with pytest.raises(MissingDependency, match=r"pip install 'memgpt-autogen\[docs\]'"):
        library.load("s", "directory", input_files=[folder / "fees.docx"])
    (folder / "a.txt").write_text("Beside it.")
    assert "memgpt-autogen[docs]" in library.load("s", "directory", input_dir=folder).notes[0]
    assert [one.uri for one in passages("s")] == ["a.txt"]


def bad_files(folder: Path) -> None:
    (folder / "data.xyz").write_text("x")
    (folder / "blank.txt").write_text(" \n")
    (folder / "program.txt").write_bytes(b"MZ\x00\x01")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 and then nothing")
    (folder / "broken.docx").write_bytes(b"PK and then nothing")
    (folder / "menu.html").write_text("<html><body></body></html>")
    write_pdf(folder / "scan.pdf", ["", ""])
    write_pdf(folder / "secret.pdf", ["The code is 7."], password="pass")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("data.xyz", "data.xyz is not a kind of file that is read: .txt"),
        ("gone.txt", "There is no file .*gone.txt. Check the path."),
        ("blank.txt", "blank.txt is empty."),
        ("program.txt", "program.txt is not text."),
        ("broken.pdf", "broken.pdf is not a PDF that can be read; it may be damaged."),
        ("broken.docx", "broken.docx cannot be read; it may be damaged or encrypted."),
        ("menu.html", "menu.html has no text of its own"),
        ("scan.pdf", "scan.pdf has 2 pages and no text: it is probably a scan.*ocrmypdf"),
        ("secret.pdf", "secret.pdf is encrypted and opens only with a password."),
    ],
)
def test_a_bad_file_says_why_and_what_was_loaded_stays(
    library: Library, folder: Path, passages: Passages, name: str, told: str
) -> None:
    pytest.importorskip("markitdown")
    good = folder / "good.txt"
    good.write_text("The lamp is red.")
    library.load("s", "directory", input_files=[good])
    bad_files(folder)
    with pytest.raises(SourceError, match=told) as caught:
        library.load("s", "directory", input_files=[good, folder / name])
    assert "\n" not in str(caught.value)
    assert [one.text for one in passages("s")] == ["The lamp is red."]


def test_in_a_folder_bad_files_are_left_out_and_told_of(library: Library, folder: Path, passages: Passages) -> None:
    bad_files(folder)
    (folder / "good.txt").write_text("The lamp is red.")
    loaded = library.load("s", "directory", input_dir=folder)
    assert [one.uri for one in passages("s")] == ["good.txt"]
    told = "\n".join(loaded.notes)
    for name in ("blank.txt", "program.txt", "broken.pdf", "menu.html", "scan.pdf", "secret.pdf", ".xyz"):
        assert name in told


def test_a_parser_that_falls_over_spoils_no_folder(
    library: Library, folder: Path, passages: Passages, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("too deep")

    monkeypatch.setattr("memgpt_autogen.sources.directory.read_html", fail)
    (folder / "page.html").write_text("<p>The lamp is blue.</p>")
    (folder / "good.txt").write_text("The lamp is red.")
    loaded = library.load("s", "directory", input_dir=folder)
    assert [one.uri for one in passages("s")] == ["good.txt"]
    assert "page.html cannot be read: RuntimeError: too deep" in "\n".join(loaded.notes)


def test_an_empty_folder_says_so(library: Library, folder: Path) -> None:
    with pytest.raises(SourceError, match="There is no file to read in .*documents. Kinds of files read: .*recursive"):
        library.load("s", "directory", input_dir=folder)
    with pytest.raises(SourceError, match="There is no file or folder .*gone"):
        library.load("s", "directory", input_dir=folder / "gone")
    with pytest.raises(SourceError, match="Nothing is named to load"):
        library.load("s", "directory")
    with pytest.raises(ConfigError, match="knows no input_folder. It knows: input_dir, input_files"):
        library.load("s", "directory", input_folder=folder)
    with pytest.raises(ConfigError, match="no loader 'folder'. Loaders: directory, webpage"):
        library.load("s", "folder")


def test_other_encodings_are_read(library: Library, folder: Path, passages: Passages) -> None:
    (folder / "latin.txt").write_bytes("Das Café öffnet um neun.".encode("latin-1"))
    (folder / "marked.txt").write_bytes("Grüße".encode("utf-8-sig"))
    (folder / "wide.txt").write_bytes("Größe".encode("utf-16"))
    loaded = library.load("s", "directory", input_dir=folder)
    assert [one.text for one in passages("s")] == ["Das Café öffnet um neun.", "Grüße", "Größe"]
    assert loaded.notes == ("latin.txt is not UTF-8; it was read as Windows-1252.",)


def test_two_files_of_one_name_are_told_apart(library: Library, folder: Path, passages: Passages) -> None:
    files = []
    for place in ("a", "b"):
        (folder / place).mkdir()
        files.append(folder / place / "notes.txt")
        files[-1].write_text(f"I am {place}.")
    library.load("s", "directory", input_files=files)
    assert [one.uri for one in passages("s")] == [file.as_posix() for file in files]


def test_printed_lines_become_paragraphs() -> None:
    page = (
        "The heading\r\nThe lighthouse of Varn was built in 1871 by the engineer Olava Brekke and it is an exam\ufffe\n"
        "ple of what can be done with iron; it stands high above the sea and can be seen from a\n"
        "ship.\nA second paragraph."
    )
    assert unwrapped(page) == (
        "The heading\nThe lighthouse of Varn was built in 1871 by the engineer Olava Brekke and it is an example of "
        "what can be done with iron; it stands high above the sea and can be seen from a ship.\nA second paragraph."
    )


_MEASURE = """
import resource, sys
from pathlib import Path
from memgpt_autogen.library import Library
from memgpt_autogen.storage.sqlite import SQLiteStore
library = Library(SQLiteStore(sys.argv[1]))
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
for path in sys.argv[2:]:
    print(library.load(path, "directory", input_files=[path]).passages, peak())
"""


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux counts it")
def test_memory_stays_flat_with_a_text_of_100_megabytes(tmp_path: Path) -> None:
    import subprocess

    sentences = "".join(
        f"In chapter {number} the boats are painted in colour {number * 7 % 1013}. " for number in range(14)
    )
    paragraph = (sentences + "\n\n").encode()
    small, large = tmp_path / "small.txt", tmp_path / "large.txt"
    small.write_bytes(paragraph * (2_000_000 // len(paragraph)))
    large.write_bytes(paragraph * (100_000_000 // len(paragraph)))
    program = [sys.executable, "-c", _MEASURE, str(tmp_path / "s.db"), str(small), str(large)]
    done = subprocess.run(program, capture_output=True, text=True, check=True, timeout=280)
    (few, before), (many, after) = (map(float, line.split()) for line in done.stdout.splitlines())
    assert many > 40 * few
    assert after - before < 60, f"{before:.0f} MB after 2 MB of text, {after:.0f} MB after 100 MB"


@pytest.mark.slow
def test_five_hundred_pages_are_loaded_soon(library: Library, folder: Path, passages: Passages) -> None:
    import time

    body = (
        "The keeper of lamp {0} climbs its steps every evening and writes the number {0} into the book of lamps. " * 12
    )
    path = write_pdf(folder / "long.pdf", [body.replace("{0}", str(number)) for number in range(1, 501)])
    started = time.monotonic()
    loaded = library.load("s", "directory", input_files=[path])
    assert time.monotonic() - started < 60
    assert loaded.read == {"page": 500}
    assert any("lamp 500 " in one.text and one.metadata["page"] == 500 for one in passages("s"))
