"""Text files as the world writes them: encodings of countries, damaged UTF-8, UTF-16, odd names, no regular files."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from memgpt_autogen.errors import SourceError
from memgpt_autogen.library import Library
from memgpt_autogen.prompts import text_of
from memgpt_autogen.storage.records import Passage
from memgpt_autogen.text_encoding import decoded, encoding_of

Passages = Callable[[str], list[Passage]]

COUNTRIES = {
    "cp932": "会議は第二会議室で行います。担当者は田中さんです。",
    "euc_jp": "会議は第二会議室で行います。担当者は田中さんです。",
    "iso2022_jp": "会議は第二会議室で行います。",
    "gbk": "会议在三号会议室举行。负责人是王芳。钥匙在前台。",
    "gb18030": "会议在三号会议室举行。𠮷先生来了。",
    "big5": "會議在三號會議室舉行。負責人是王芳。鑰匙在前台。",
    "euc_kr": "회의는 세 번째 방에서 열립니다.",
    "cp1251": "Совещание пройдёт в третьем зале.",
    "koi8_r": "Ключ лежит на стойке.",
    "cp866": "Совещание пройдёт в третьем зале.",
    "cp1253": "Η συνάντηση θα γίνει στην τρίτη αίθουσα.",
    "cp1255": "הפגישה תתקיים בחדר השלישי. המפתח על המדף.",
    "cp1256": "سيعقد الاجتماع في الغرفة الثالثة.",
    "cp874": "การประชุมจะจัดขึ้นที่ห้องสาม กุญแจอยู่บนชั้นวาง",
    "cp1250": "Spotkanie odbędzie się w trzeciej sali. Klucz leży na półce.",
    "iso8859_2": "Schůzka se koná ve třetí místnosti. Klíč leží na polici.",
    "cp1254": "Toplantı üçüncü odada yapılacak. Anahtar rafta.",
    "cp1257": "Sanāksme notiks trešajā zālē. Atslēga ir plauktā.",
    "iso8859_15": "La réunion coûte 5 € à l'été.",
    "mac_roman": "Größe, Übung, Ärger: der Schlüssel liegt auf der Straße.",
    "cp850": "Größe, Übung, Ärger: der Schlüssel liegt auf der Straße.",
}
WEST = [
    *("Grüße aus Köln", "Ich heiße König", "¿Dónde está el niño?", "Smørrebrød på bordet"),
    *("È già così", "„Ja“ – schön"),
]
every = pytest.mark.parametrize(("encoding", "text"), COUNTRIES.items(), ids=COUNTRIES)


@every
@pytest.mark.parametrize("times", [1, 40])
def test_an_encoding_of_a_country_is_told(
    library: Library, folder: Path, passages: Passages, encoding: str, text: str, times: int
) -> None:
    (folder / "note.txt").write_bytes((text + "\n").encode(encoding) * times)
    loaded = library.load("notes", "directory", input_dir=folder)
    assert passages("notes")[0].text.startswith(text)
    assert any("note.txt is not UTF-8; it was read as " in note for note in loaded.notes)


@pytest.mark.parametrize("text", WEST)
def test_short_western_texts_are_taken_for_windows_1252(text: str) -> None:
    assert decoded(text.encode("cp1252")) == text


@pytest.mark.parametrize("damage", [b"\xff", b"\xc3", b"\xe4\xbc", b"\xf0\x9f\x98"])
@pytest.mark.parametrize("at", ["start", "middle", "end"])
def test_damage_costs_its_letter_alone(tmp_path: Path, damage: bytes, at: str) -> None:
    whole = "Zürich liegt am See. 会议室三号。 ".encode() * 60
    data = {"start": damage + whole, "middle": whole + damage + b" " + whole, "end": whole + damage}[at]
    (tmp_path / "log.txt").write_bytes(data)
    name, remark = encoding_of(tmp_path / "log.txt")
    assert name == "utf-8-sig" and "cannot be read" in remark
    assert decoded(data).count("会议室三号") == whole.decode().count("会议室三号") * (1 + (at == "middle"))


def test_letters_cut_by_the_blocks_that_are_read_are_no_damage(tmp_path: Path) -> None:
    for shift in range(4):
        (tmp_path / "large.txt").write_bytes(b"x" * ((1 << 16) - shift) + "会😀é".encode() * 400_000)
        assert encoding_of(tmp_path / "large.txt") == ("utf-8-sig", "")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_unicode_in_all_its_forms(library: Library, folder: Path, passages: Passages, encoding: str) -> None:
    (folder / "note.txt").write_bytes("The boat is called Walrus, naturally.".encode(encoding))
    library.load("notes", "directory", input_dir=folder)
    assert passages("notes")[0].text == "The boat is called Walrus, naturally."


@pytest.mark.parametrize("data", [b"\x7fELF\0\0\0\1\2\3" * 20, b"\0" * 400, bytes(range(256)) * 4])
def test_what_is_no_text_is_refused(library: Library, folder: Path, data: bytes) -> None:
    (folder / "note.txt").write_bytes(data)
    with pytest.raises(SourceError, match="is not text"):
        library.load("notes", "directory", input_files=[folder / "note.txt"])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes by name")
def test_only_regular_files_are_read(library: Library, folder: Path, passages: Passages) -> None:
    (folder / "good.txt").write_text("The boat is called Walrus.")
    os.mkfifo(folder / "pipe.log")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder / "socket.txt"))
    (folder / "null.txt").symlink_to("/dev/null")
    (folder / "gone.txt").symlink_to(folder / "nowhere")
    (folder / "link.txt").symlink_to(folder / "good.txt")
    loaded = library.load("notes", "directory", input_dir=folder)
    listener.close()
    assert {one.uri for one in passages("notes")} == {"good.txt", "link.txt"}
    for name in ("pipe.log", "socket.txt", "null.txt"):
        assert f"{name} was left out: it is not a regular file." in loaded.notes
        with pytest.raises(SourceError, match="is not a regular file"):
            library.load("one", "directory", input_files=[folder / name])


@pytest.mark.parametrize("given", ["one", "with others", "alone"])
def test_a_folder_among_the_files_is_named(library: Library, folder: Path, given: str) -> None:
    (folder / "a.txt").write_text("x y z")
    files = {"one": [folder], "with others": [folder / "a.txt", folder], "alone": folder}[given]
    with pytest.raises(SourceError, match="is a folder.*input_dir"):
        library.load("notes", "directory", input_files=files)


@pytest.mark.parametrize(
    ("name", "shown"),
    [(b"caf\xe9.txt", "café.txt"), ("会議.txt".encode("cp932"), "会議.txt"), (b"na\xefve.txt", "naïve.txt")],
)
def test_a_name_that_is_not_utf_8_is_shown_readably(
    library: Library, folder: Path, passages: Passages, name: bytes, shown: str
) -> None:
    (folder / "good.txt").write_text("The boat is called Walrus.")
    try:
        (folder / os.fsdecode(name)).write_text("The cafe opens at nine.")
    except OSError:
        pytest.skip("this file system takes UTF-8 names alone")
    library.load("notes", "directory", input_dir=folder)
    assert {one.uri for one in passages("notes")} == {"good.txt", shown}
    library.load("notes", "directory", input_dir=folder)
    assert len(passages("notes")) == 2, "it is known again"


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("<div>The boat is called Walrus, and it is blue.</div>", "The boat is called Walrus, and it is blue."),
        ("The boat is called Walrus.", "The boat is called Walrus."),
        ("<b>Boat</b>: <span>Walrus</span><br>Colour: blue", "Colour: blue"),
        ("<table><tr><td>Boat</td><td>Walrus</td></tr></table>", "Walrus"),
        ("<!-- export --><ul><li>Walrus</li></ul>", "Walrus"),
        ("<html><body>Walrus</body></html>", "Walrus"),
    ],
)
def test_a_piece_of_a_page_is_read(library: Library, folder: Path, passages: Passages, page: str, words: str) -> None:
    (folder / "piece.html").write_text(page)
    library.load("notes", "directory", input_dir=folder)
    assert words in "\n".join(one.text for one in passages("notes"))


@pytest.mark.parametrize("page", ["<div id=app></div><script>draw('Walrus')</script>", "<div></div>", " "])
def test_a_page_without_words_is_refused(library: Library, folder: Path, page: str) -> None:
    (folder / "piece.html").write_text(page)
    with pytest.raises(SourceError, match="no text of its own"):
        library.load("notes", "directory", input_files=[folder / "piece.html"])


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8-sig", "utf-16"])
def test_a_persona_in_another_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "personas").mkdir()
    (tmp_path / "personas" / "k.txt").write_bytes("Ich heiße König".encode(encoding))
    assert text_of("personas", "k", tmp_path) == "Ich heiße König"
