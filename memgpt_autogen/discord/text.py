"""Texts in pieces that Discord takes."""

from __future__ import annotations

import re

#: Characters that one message of Discord holds.
LIMIT = 2000
_FENCE = re.compile(r"^```(\w*)", re.MULTILINE)
#: Where a text is parted, best first: between paragraphs, lines, sentences, words.
_SEAMS = ("\n\n", "\n", ". ", " ")


def split(text: str, limit: int = LIMIT) -> list[str]:
    """A text in pieces of at most ``limit`` characters, parted where it hurts least.

    A block of code that is parted is closed in one piece and opened again in the next.

    Args:
        text: any; an empty one has no pieces.
        limit: at least 40.
    """
    pieces: list[str] = []
    rest, fence = text.strip(), ""
    while rest:
        room = limit - len(fence) - len("\n```")
        if len(fence) + len(rest) <= limit:
            pieces.append(fence + rest)
            break
        piece = rest[: _seam(rest, room)]
        rest = rest[len(piece) :].lstrip("\n") if "\n" in rest[len(piece) - 1 : len(piece) + 1] else rest[len(piece) :]
        shown = (fence + piece).rstrip()
        fence = _open_fence(fence + piece)
        pieces.append(f"{shown}\n```" if fence else shown)
        rest = rest if fence else rest.lstrip()
    return [piece for piece in pieces if piece.strip()]


def _seam(text: str, room: int) -> int:
    """Where to part a text, within the first ``room`` characters, and not in the first half of them."""
    for seam in _SEAMS:
        place = text.rfind(seam, room // 2, room)
        if place >= 0:
            return place + len(seam)
    return room


def _open_fence(text: str) -> str:
    """The line that opens the block of code in which a text ends; empty: it does not end in one."""
    fences = list(_FENCE.finditer(text))
    return f"```{fences[-1].group(1)}\n" if len(fences) % 2 else ""
