"""Documents into passages: on the borders of headings, paragraphs and sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..storage.base import Passage
from .base import Document

#: Changes with the way of splitting, so that what was split otherwise is split anew when it is loaded again.
SPLITTER = "1"
#: Characters of a passage: about 120 words, the size of one thought in a handbook.
PASSAGE = (200, 700)


def split(document: Document, size: tuple[int, int] = PASSAGE) -> Iterator[Passage]:
    """The passages of a document, in order.

    Each knows its position in the document (``start``, in characters) and the heading it stands under, with which its
    text begins, so that it can be understood, and found, by itself.

    Args:
        document: any document; Markdown headings are respected.
        size: characters that a passage should have at least and has at most, without its heading.
    """
    from semantic_text_splitter import MarkdownSplitter

    headings = [(match.start(), match[2].strip()) for match in re.finditer(r"^(#+)\s+(.+)$", document.text, re.M)]
    for start, text in MarkdownSplitter(size).chunk_indices(document.text):
        if re.fullmatch(r"(#+\s+.+\s*)+", text):
            continue  # nothing but headings
        under = [heading for place, heading in headings if place <= start]
        metadata = {**document.metadata, "start": start}
        if under:
            metadata["heading"] = under[-1]
            if not text.startswith("#"):
                text = f"{under[-1]}: {text}"
        yield Passage(text, document.uri, metadata)
