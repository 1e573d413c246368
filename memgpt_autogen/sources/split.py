"""Splits documents into passages at headings, paragraphs and sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from ..storage.records import Passage
from .base import Document

#: Changed with reading or splitting, so that documents are read again when they are loaded again.
SPLITTER = "4"
#: Minimum (if possible) and maximum tokens of a passage without its heading.
PASSAGE = (50, 175)
#: Tokens of overlap between passages, so that text across a border is found.
OVERLAP = 25

_FENCE = re.compile(r"^(```|~~~).*?^\1", re.M | re.S)
_HEADING = re.compile(
    r"^(?:#{1,6}\s+(?P<marked>.+?)\s*#*|(?P<lined>[^\s].{0,120})\n(?P<line>[=\-~^+*]{3,}))[ \t]*$", re.M
)


def tokens(text: str) -> int:
    """Approximate tokens of a text: one per four bytes of UTF-8.

    Within 10% of cl100k on English prose, and reasonable for scripts of several bytes per character. A real tokenizer
    would be five times slower and move the borders by only a word or two.
    """
    return -(-len(text.encode("utf-8", "replace")) // 4)


@cache
def _splitter() -> Any:
    from semantic_text_splitter import MarkdownSplitter

    return MarkdownSplitter.from_callback(tokens, PASSAGE, overlap=OVERLAP)


def headings(text: str) -> list[tuple[int, str]]:
    """The position and text of each heading in a Markdown or reStructuredText document."""
    code = [match.span() for match in _FENCE.finditer(text)]
    found = []
    for match in _HEADING.finditer(text):
        if not any(start <= match.start() < end for start, end in code):
            found.append((match.start(), (match["marked"] or match["lined"]).strip()))
    return found


def split(document: Document) -> Iterator[Passage]:
    """The passages of a document, in order.

    Each has its position in the document (``start``, in characters, relative to the document's own ``start``). Its text
    begins with its heading, so that it can be understood and found on its own.
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
