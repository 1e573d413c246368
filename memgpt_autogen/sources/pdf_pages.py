"""Printed pages as text: whole sentences, without tables of contents and the lines that run at head and foot."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from .text import unwrapped

#: Lines at either end of a page that may be running lines; the fewest pages, and the share of pages, that have them.
EDGE, FEWEST, MOST = 2, 4, 0.6
#: The most characters of a sentence's end on the next page.
REST = 400

_NUMBER = re.compile(
    r"^\W*(?:page\s+)?\d+(?:\s*(?:/|of)\s*\d+)?\W*$|^\d+\s+|\s+(?:page\s+)?\d+(?:\s*(?:/|of)\s*\d+)?\W*$", re.I
)
#: An entry of a table of contents or an index: dots that lead to a page number.
_LEADER = re.compile(
    r"(?:[.·․‥…][ \t]?){4,}[ \t]*(?:\d+|[ivxlc]+)(?:[-–,][ \t]?\d+)*[ \t]*$|(?:…[ \t]?){2,}\d+[ \t]*$", re.I
)
_ENDED = re.compile(r"""[.!?:;]["'”’)\]]*$""")
_END = re.compile(r"""[.!?]["'”’)\]]*(?=\s|$)""")


def flowing(pages: Sequence[str]) -> Iterator[str]:
    """The pages as paragraphs; a sentence that continues on the next page is kept whole where it starts."""
    texts = [unwrapped(page) for page in without_running_lines([*map(without_leaders, pages)])]
    for text, following in zip(texts, [*texts[1:], ""], strict=True):
        yield whole(text, following)


def without_leaders(page: str) -> str:
    """Leave out the lines whose dots lead to a page number: they repeat every heading and say nothing on it."""
    return "\n".join(line for line in page.splitlines() if not _LEADER.search(line))


def without_running_lines(pages: Sequence[str]) -> list[str]:
    """Remove running headers and footers: lines at the same end of most pages, such as titles and page numbers.

    Lines are equal if they differ only in a number at their start or end. A page without other text is kept.
    """
    lines = [[line.strip() for line in page.splitlines() if line.strip()] for page in pages]
    running = Counter(key for page in lines for key in {*_edges(page).values()})
    often = {key for key, times in running.items() if times >= max(FEWEST, MOST * len(pages))}
    if not often:
        return [*pages]
    return [_without(page, text, often) for page, text in zip(lines, pages, strict=True)]


def _edges(lines: Sequence[str]) -> dict[int, tuple[bool, str]]:
    """The keys of the first and last lines of a page, by position."""
    head = range(min(EDGE, len(lines)))
    foot = range(max(len(lines) - EDGE, len(head)), len(lines))
    return {place: (place in head, _key(lines[place])) for place in (*head, *foot)}


def _key(line: str) -> str:
    """A line without its page number. The number in "Chapter 3" is not one."""
    bare = _NUMBER.sub("", line)
    return line if re.fullmatch(r"(?:.*\W)?(?:chapter|section|part|lesson)|\w+", bare, re.I) else bare


def _without(lines: Sequence[str], text: str, often: set[tuple[bool, str]]) -> str:
    gone = {place for place, key in _edges(lines).items() if key in often}
    if len(gone) == len(lines):
        return text
    kept, place = [], -1
    for line in text.splitlines():
        place += bool(line.strip())
        if not (line.strip() and place in gone):
            kept.append(line)
    return "\n".join(kept)


def whole(text: str, following: str) -> str:
    """A page with the end of its last sentence, if that is at the start of the next page."""
    if not text or _ENDED.search(text) or not re.match(r"[a-zà-ÿ]", following):
        return text
    end = _END.search(following, 0, REST)
    if not end:
        return text
    rest = following[: end.end()]
    return text[:-1] + rest if re.search(r"[a-zà-ÿ]-$", text) else f"{text} {rest}"
