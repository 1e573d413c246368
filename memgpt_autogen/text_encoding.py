"""Detects how a text file is encoded: UTF-8 with or without damage, UTF-16, or a national encoding."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

from .errors import SourceError

#: Bytes that are looked at to tell an encoding of a country; all of a file is looked at to tell UTF-8.
SAMPLE = 1 << 16
#: Encodings of scripts that are not Latin, as their countries' programs write them.
_OTHER_SCRIPTS = (
    *("gb18030", "big5", "cp932", "euc_jp", "cp949"),
    *("cp1251", "koi8_r", "cp866", "cp1253", "cp1255", "cp1256", "tis_620"),
)
_WEST = (
    *("äöüßÄÖÜ", "éèêëàâçîïôùûœæÉÈÀÇ", "áéíóúñüÁÉÍÓÚÑ¿¡ªº", "ãõáàéíóúâêôçÃÕÁÉÇ"),
    *("àèéìòùÈ", "åäöøæÅÄÖØÆ", "þðáéíóúýöæÞÐ"),
)
_CENTRE = (
    *("ąćęłńóśźżĄĆĘŁŃÓŚŹŻ", "áčďéěíňóřšťúůýžÁČĎÉĚÍŇÓŘŠŤÚŮÝŽ", "áäčďéíĺľňóôŕšťúýžÁČĎÉÍĽŇÓŠŤÚÝŽ", "áéíóöőúüűÁÉÍÓÖŐÚÜŰ"),
    *("ăâîşţĂÂÎŞŢ", "čćđšžČĆĐŠŽ", "äöüß"),
)
#: Encodings of the Latin script, each with the letters of its languages; the first is taken where none fits better.
_LATIN: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("cp1252", _WEST),
    ("cp1250", _CENTRE),
    ("iso8859_2", _CENTRE),
    ("cp1257", ("ąčęėįšųūžĄČĘĖĮŠŲŪŽ", "āčēģīķļņšūžĀČĒĢĪĶĻŅŠŪŽ", "äõöüšžÄÕÖÜŠŽ")),
    ("cp1254", ("çğıöşüâîûÇĞİÖŞÜ",)),
    ("iso8859_15", _WEST),
    ("cp850", _WEST),
    ("mac_roman", _WEST),
)
_SIGNS = "„“”‚‘’–—…€§°·•«»‹›©®²³½¼£"
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_UTF8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_KANA = re.compile("[\u3041-\u3096]")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def encoding_of(path: Path) -> tuple[str, str]:
    """The encoding of a text file, and what a user should know, to stand behind its name; empty: nothing.

    Raises:
        SourceError: it is not text.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        block = file.read(SAMPLE)
        for mark, name in _MARKS:
            if block.startswith(mark):
                return name, ""
        if b"\0" in block:
            return _of_two_bytes(block, path), "is UTF-16 without its mark."
        if b"\x1b$" in block and _decodes(block, "iso2022_jp"):
            return "iso2022_jp", "is not UTF-8; it was read as ISO-2022-JP."
        damaged, letters = _count(chain([block], iter(lambda: file.read(1 << 20), b"")))
    if not damaged:
        return "utf-8-sig", ""
    if damaged * 10 <= letters:
        return "utf-8-sig", f"has {damaged} byte{'s' * (damaged > 1)} that cannot be read; they were replaced."
    name = guessed(block)
    return name, f"is not UTF-8; it was read as {name.replace('cp', 'Windows-', 1) if name[:4] == 'cp12' else name}."


def decoded(data: bytes) -> str:
    """A small text, such as a file of settings, in whatever encoding it is."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data.decode(name, "replace")
    damaged, letters = _count([data])
    return data.decode("utf-8" if damaged * 10 <= letters else guessed(data[:SAMPLE]), "replace")


def guessed(data: bytes) -> str:
    """The likeliest encoding of bytes that are not UTF-8."""
    runs = _HIGH_RUN.findall(data)
    # In Latin script the letters beyond ASCII stand alone among others; elsewhere they are most of a word.
    high, letters = sum(map(len, runs)), len(re.findall(rb"[A-Za-z]", data))
    if high < 2 * len(runs) or (high < 3 * len(runs) and high < letters):
        return max(_LATIN, key=lambda row: _fit(data, *row))[0]
    from charset_normalizer import from_bytes

    for name in ("euc_jp", "cp932"):  # short texts of many kana are Japanese, and nothing else
        if _decodes(data, name) and len(_KANA.findall(data.decode(name, "replace"))) * 4 > high / 2:
            return name
    end = data.rfind(b"\n") + 1 if len(data) >= SAMPLE else 0
    best = from_bytes(data[: end or len(data)], cp_isolation=list(_OTHER_SCRIPTS)).best()
    return best.encoding if best else _LATIN[0][0]


def _fit(data: bytes, name: str, languages: Sequence[str]) -> float:
    """The share of characters beyond ASCII that one of its languages writes, each where it may stand."""
    text = data.decode(name, "replace")
    beyond = [found for found in re.finditer(r"[^\x00-\x7f]", text)]
    signs = sum(found[0] in _SIGNS and not _within_word(text, found.start()) for found in beyond)
    return max(signs + sum(found[0] in letters for found in beyond) for letters in languages) / len(beyond)


def _within_word(text: str, at: int) -> bool:
    return text[at - 1 : at].isalpha() and text[at + 1 : at + 2].isalpha() and text[at] != "’"


def _count(blocks: Iterable[bytes]) -> tuple[int, int]:
    """(bytes that are not UTF-8, characters beyond ASCII that are)."""
    damaged = letters = 0
    pending = b""
    for block in blocks:
        data = pending + block
        cut = len(data) - _begun(data)
        damaged, letters = damaged + _damaged(data[:cut]), letters + len(_UTF8.findall(data[:cut]))
        pending = data[cut:]
    return damaged + _damaged(pending), letters


def _damaged(data: bytes) -> int:
    return sum(map(len, _HIGH_RUN.findall(_UTF8.sub(b"", data))))


def _begun(data: bytes) -> int:
    """How many bytes at the end begin a character that the next block may finish."""
    return next((back for back in (1, 2, 3) if data[-back : -back + 1 or None] >= b"\xc0"), 0)


def _of_two_bytes(data: bytes, path: Path) -> str:
    """UTF-16 without its mark: every other byte of mostly Western text is zero.

    Raises:
        SourceError: it is not text.
    """
    even, odd, half = data[::2].count(0), data[1::2].count(0), len(data) // 2
    for zeros, others, name in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if zeros > 0.4 * half and others < 0.05 * half and _is_printed(data.decode(name, "replace")):
            return name
    raise SourceError(f"{path.name} is not text. Save it as text or PDF, or leave it out (exclude).")


def _is_printed(text: str) -> bool:
    return all(sign.isprintable() or sign.isspace() for sign in text)


def _decodes(data: bytes, name: str) -> bool:
    try:
        codecs.getincrementaldecoder(name)().decode(data)
    except UnicodeDecodeError:
        return False
    return True
