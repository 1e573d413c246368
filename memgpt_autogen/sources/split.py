"""Documents into passages: on the borders of headings, paragraphs and sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from ..storage.shapes import Passage
from .base import Document

#: Changes with the way of reading and splitting, so that a document is taken in anew when it is loaded again.
SPLITTER = "4"
#: Tokens that a passage should have at least and has at most, without its heading: one thought in a handbook.
PASSAGE = (50, 175)
#: Tokens that a passage may share with the one before it, so that what is said across a border is found.
OVERLAP = 25

_FENCE = re.compile(r"^(```|~~~).*?^\1", re.M | re.S)
_HEADING = re.compile(
    r"^(?:#{1,6}\s+(?P<marked>.+?)\s*#*|(?P<lined>[^\s].{0,120})\n(?P<line>[=\-~^+*]{3,}))[ \t]*$", re.M
)


def tokens(text: str) -> int:
    """About how many tokens a text has: one for every four bytes of UTF-8.

    Within a tenth of cl100k on English prose; also right where a letter takes several bytes, as in Chinese. A real
    tokenizer splits at a fifth of the speed and cuts elsewhere only by a word or two.
    """
    return -(-len(text.encode("utf-8", "replace")) // 4)


@cache
def _splitter() -> Any:
    from semantic_text_splitter import MarkdownSplitter

    return MarkdownSplitter.from_callback(tokens, PASSAGE, overlap=OVERLAP)


def headings(text: str) -> list[tuple[int, str]]:
    """Where each heading of a Markdown or reStructuredText text begins, and its words."""
    code = [match.span() for match in _FENCE.finditer(text)]
    found = []
    for match in _HEADING.finditer(text):
        if not any(start <= match.start() < end for start, end in code):
            found.append((match.start(), (match["marked"] or match["lined"]).strip()))
    return found


def split(document: Document) -> Iterator[Passage]:
    """The passages of a document, in order.

    Each knows its position in the document (``start``, in characters, counted on from the document's own ``start``) and
    the heading it stands under, with which its text begins, so that it can be understood, and found, by itself.
    """
    if document.vector is not None:
        yield Passage(document.text, document.uri, document.metadata)
        return
    known = headings(document.text)
    before = document.metadata.get("heading")
    offset = int(document.metadata.get("start", 0))
    chunks = _splitter().chunk_indices(document.text)
    for number, (start, text) in enumerate(chunks, 1):
        if number < len(chunks) and re.fullmatch(r"(#+\s+.+\s*)+", text):
            continue  # nothing but headings: the next passage has them
        under = [heading for place, heading in known if place <= start]
        heading = under[-1] if under else before
        metadata = {**document.metadata, "start": offset + start}
        if heading:
            metadata["heading"] = heading
            if not text.startswith(("#", heading)):
                text = f"{heading}: {text}"
        yield Passage(text, document.uri, metadata)
