"""Reads text files of any size in pieces."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from ..errors import SourceError
from ..text_encoding import encoding_of
from .base import Document
from .split import headings

#: Approximate characters of a piece; it ends with a paragraph.
PIECE = 100_000


def read_text(path: Path, uri: str, note: Callable[[str], None]) -> Iterator[Document]:
    """The pieces of a text file, each with its start and its heading.

    Raises:
        SourceError: the file is empty, or is not text.
    """
    encoding, remark = encoding_of(path)
    if remark:
        note(f"{uri} {remark}")
    start, heading, empty = 0, "", True
    with path.open(encoding=encoding, errors="replace") as file:
        for piece in _pieces(iter(lambda: file.read(PIECE), "")):
            if piece.strip():
                empty = False
                metadata = {"start": start, **({"heading": heading} if heading else {})}
                yield Document(piece, uri, metadata)
            if found := headings(piece):
                heading = found[-1][1]
            start += len(piece)
    if empty:
        raise SourceError(f"{uri} is empty.")


def _pieces(blocks: Iterator[str]) -> Iterator[str]:
    """The text in pieces, cut after paragraphs, or else lines, or words."""
    pending = ""
    for block in blocks:
        pending += block.replace("\0", "")
        if len(pending) < PIECE:
            continue
        cut = max(pending.rfind("\n\n"), 0) or max(pending.rfind("\n"), pending.rfind(" "), 0) or len(pending)
        yield pending[:cut]
        pending = pending[cut:]
    yield pending


_HYPHEN = re.compile(r"[\ufffe\x02\u00ad]\s*\n?|(?<=[a-zà-ÿ])-\n(?=[a-zà-ÿ])")


def unwrapped(text: str) -> str:
    """Join printed lines into paragraphs: a line continues if it is full or the next one starts in lower case."""
    text = _HYPHEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    lines = [line.strip() for line in text.split("\n")]
    width = max((len(line) for line in lines), default=0)
    out = ""
    for line in lines:
        if not line:
            out = out.rstrip("\n") + "\n\n"
            continue
        out += line
        full = len(line) > 0.6 * width
        out += "\n" if not full or (len(line) < 0.85 * width and line[-1] in ".!?:") else " "
    return re.sub(r"([^.!?:;\n])\n(?=[a-zà-ÿ])", r"\1 ", out).strip()
