"""Splits texts into fragments that can be understood by themselves: sentences, list items, table rows.

Tables are Markdown's, or those of a printed page, where each row is a line and the columns are not marked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

_TITLES = "".join(rf"(?<!\b{title}\.)" for title in ("Mr", "Mrs", "Ms", "Dr", "St", "No", r"e\.g", r"i\.e"))
_BOUNDARY = re.compile(rf"(?<=[.!?]){_TITLES}[\"'”’)*]*\s+(?=[\"'“‘(*]*[A-Z0-9À-Þ])|\n+")
_PRONOUN = re.compile(r"\b(he|she|it|its|his|her|him|they|them|their|this|these|that|those)\b", re.I)
_BULLET = re.compile(r"^\s*[-*•]\s+")
_ENDED = re.compile(r"[.!?:;,…][\"'”’)\]*]*$")
_RULER = re.compile(r"^[\s|:+=-]+$")
#: Words of a heading at most; lines without a full stop that are taken for a table of a printed page.
HEADING, ROWS = 10, 3


@dataclass(frozen=True)
class Fragment:
    """A sentence, or a row of a table.

    Attributes:
        text: its words.
        context: the heading, the sentence before it if it refers to that one, the header of the table.
        cells: of a row with known columns, header and value of each.
    """

    text: str
    context: str = ""
    cells: tuple[tuple[str, str], ...] = ()


def sentences(text: str) -> list[str]:
    """The sentences of a text, without Markdown markup and without headings."""
    found = [part.strip().lstrip("-*• ").replace("**", "") for part in _BOUNDARY.split(text)]
    return [sentence for sentence in found if sentence and not sentence.startswith("#")]


def fragments(text: str) -> list[Fragment]:
    """The fragments of a passage. A heading is not a fragment but the context of those that follow."""
    found: list[Fragment] = []
    heading, before = "", ""
    for kind, lines in groupby(text.split("\n"), _line_kind):
        block = list(lines)
        if kind == "table":
            found += _rows(block, heading)
        elif kind == "heading":
            heading, before = block[-1].lstrip("# "), ""
        elif kind == "bare":
            if len(block) >= ROWS:
                head = " ".join(block[:2])
                found += [Fragment(line, f"{heading} {head}".strip()) for line in block]
            found += [Fragment(line, heading) for line in block if len(block) < ROWS and _states(line)]
            heading = block[-1]
        elif kind == "prose":
            read = list(_prose(block, heading, before))
            found += read
            before = read[-1].text if read else before
    return found


def _line_kind(line: str) -> str:
    line = line.strip()
    if not line:
        return ""
    if line.startswith("|"):
        return "table"
    if line.startswith("#"):
        return "heading"
    # A line of its own without a full stop is a heading or a table row.
    last = _BOUNDARY.split(line)[-1]
    bare = not _BULLET.match(line) and not _ENDED.search(last) and last == line
    return "bare" if bare and len(line.split()) <= HEADING else "prose"


def _states(line: str) -> bool:
    """Whether a line states something, where a heading only names it."""
    return bool(re.search(r"(?<!\w)\d|:\s", re.sub(r"^[\d.]+\s", "", line)))


def _prose(lines: list[str], heading: str, before: str) -> Iterator[Fragment]:
    for sentence in sentences("\n".join(lines)):
        named = not _ENDED.search(sentence) and len(sentence.split()) <= HEADING and not _states(sentence)
        if named and (len(lines) > 1 or before):  # a heading, printed in one line with the end of a paragraph
            heading, before = sentence, ""
            continue
        refers = before if _PRONOUN.search(sentence) else ""
        yield Fragment(sentence, f"{heading} {refers}".strip())
        before = f"{before} {sentence}" if refers else sentence


def _rows(lines: list[str], heading: str) -> Iterator[Fragment]:
    rows = [[cell.strip().replace("**", "") for cell in line.strip().strip("|").split("|")] for line in lines]
    ruled = next((index for index, line in enumerate(lines) if _RULER.match(line)), 0)
    head = rows[ruled - 1] if ruled else []
    for row in rows[ruled + 1 if ruled else 0 :]:
        if len(row) == len(head):
            yield Fragment(" ".join(row), f"{heading} {' '.join(head)}", tuple(zip(head, row, strict=True)))
        elif any(row):
            yield Fragment(", ".join(cell for cell in row if cell), heading)
