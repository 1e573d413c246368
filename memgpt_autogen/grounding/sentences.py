"""Texts as sentences that can be understood by themselves: prose, lists, the rows of tables.

Tables are Markdown's, or what is left of one in a printed page, where each row is a line and nothing tells its columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

_TITLES = "".join(rf"(?<!\b{title}\.)" for title in ("Mr", "Mrs", "Ms", "Dr", "St", "No", r"e\.g", r"i\.e"))
_BORDER = re.compile(rf"(?<=[.!?]){_TITLES}[\"'”’)*]*\s+(?=[\"'“‘(*]*[A-Z0-9À-Þ])|\n+")
_PRONOUN = re.compile(r"\b(he|she|it|its|his|her|him|they|them|their|this|these|that|those)\b", re.I)
_BULLET = re.compile(r"^\s*[-*•]\s+")
_ENDED = re.compile(r"[.!?:;,…][\"'”’)\]*]*$")
_RULER = re.compile(r"^[\s|:+=-]+$")
#: Words that a heading has at most, and lines without a full stop that make a table of a printed page.
HEADING, ROWS = 10, 3


@dataclass(frozen=True)
class Part:
    """A sentence, or a row of a table.

    Attributes:
        text: its words.
        under: what helps to understand it: the heading, the sentence before it if it refers to that, the table's head.
        cells: of a row with known columns, the head and the value of each.
    """

    text: str
    under: str = ""
    cells: tuple[tuple[str, str], ...] = ()


def sentences(text: str) -> list[str]:
    """The sentences of a text, without Markdown's marks; headings are left out."""
    parts = [part.strip().lstrip("-*• ").replace("**", "") for part in _BORDER.split(text)]
    return [part for part in parts if part and not part.startswith("#")]


def parts(text: str) -> list[Part]:
    """A passage of a document, in parts. Lines that look like headings are none, but stand under what follows."""
    found: list[Part] = []
    under, before = "", ""
    for kind, lines in groupby(text.split("\n"), _kind):
        block = list(lines)
        if kind == "table":
            found += _rows(block, under)
        elif kind == "heading":
            under, before = block[-1].lstrip("# "), ""
        elif kind == "bare":
            if len(block) >= ROWS:
                head = " ".join(block[:2])
                found += [Part(line, f"{under} {head}".strip()) for line in block]
            found += [Part(line, under) for line in block if len(block) < ROWS and _tells(line)]
            under = block[-1]
        elif kind == "prose":
            read = list(_prose(block, under, before))
            found += read
            before = read[-1].text if read else before
    return found


def _kind(line: str) -> str:
    line = line.strip()
    if not line:
        return ""
    if line.startswith("|"):
        return "table"
    if line.startswith("#"):
        return "heading"
    # What ends without a full stop, in a line of its own, is a heading or a row.
    last = _BORDER.split(line)[-1]
    bare = not _BULLET.match(line) and not _ENDED.search(last) and last == line
    return "bare" if bare and len(line.split()) <= HEADING else "prose"


def _tells(line: str) -> bool:
    """Whether a line says something by itself, where a heading only names it."""
    return bool(re.search(r"(?<!\w)\d|:\s", re.sub(r"^[\d.]+\s", "", line)))


def _prose(lines: list[str], under: str, before: str) -> Iterator[Part]:
    for sentence in sentences("\n".join(lines)):
        named = not _ENDED.search(sentence) and len(sentence.split()) <= HEADING and not _tells(sentence)
        if named and (len(lines) > 1 or before):  # a heading, printed in one line with the end of a paragraph
            under, before = sentence, ""
            continue
        refers = before if _PRONOUN.search(sentence) else ""
        yield Part(sentence, f"{under} {refers}".strip())
        before = f"{before} {sentence}" if refers else sentence


def _rows(lines: list[str], under: str) -> Iterator[Part]:
    rows = [[cell.strip().replace("**", "") for cell in line.strip().strip("|").split("|")] for line in lines]
    ruled = next((index for index, line in enumerate(lines) if _RULER.match(line)), 0)
    head = rows[ruled - 1] if ruled else []
    for row in rows[ruled + 1 if ruled else 0 :]:
        if len(row) == len(head):
            yield Part(" ".join(row), f"{under} {' '.join(head)}", tuple(zip(head, row, strict=True)))
        elif any(row):
            yield Part(", ".join(cell for cell in row if cell), under)
