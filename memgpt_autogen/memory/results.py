"""Search results and other material of others as the model reads them.

Results have true totals, the source of each hit, and how to get the next page. :func:`quoted` and :func:`remark` render
what others wrote, and nothing else does: every line of it begins with ``> ``, or follows a speaker's name, and names
stand on one line without brackets. So nothing in a text, a file's name or a speaker's can pass for the program's words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from ..printable import label, on_one_line
from ..storage.records import Page

T = TypeVar("T")
#: How a model asks for the page that comes after.
MORE = "page={} for the next"


def render_page(page: Page[T], line: Callable[[T], str], nothing: str, more: str = MORE) -> str:
    """A page of hits, one paragraph each.

    Args:
        page: the hits.
        line: renders one.
        nothing: the answer if there are no hits at all.
        more: how to ask for the next page; ``{}`` is its number.
    """
    if not page.total:
        return nothing
    return "\n".join([headline(page, more), *(line(hit.item) for hit in page.hits)])


def headline(page: Page[T], more: str = MORE) -> str:
    """The first line of a page: which results of how many, and how to get the next page."""
    first = page.first + 1
    shown = f"{first}-{first + len(page.hits) - 1}" if len(page.hits) > 1 else str(first)
    rest = f" ({more.format(page.page + 1)})" if page.page < page.pages else ""
    return f"Results {shown} of {page.total}, page {page.page} of {page.pages}{rest}:"


def origin(parts: Sequence[object]) -> str:
    """Where something is from, in brackets and with a space behind; empty if that is unknown."""
    known = [label(part) for part in parts if part]
    return f"[{', '.join(known)}] " if known else ""


def quoted(text: str, where: Sequence[object] = ()) -> str:
    """A text of others as a block: ``[where] quoted:``, and a ``> `` in front of each line.

    Args:
        text: the text.
        where: file and page, or whatever tells where it is from.
    """
    return f"{origin(where)}quoted:\n" + "\n".join(f"> {line}" for line in _lines(text))


def remark(text: str, where: Sequence[object] = (), speaker: str = "") -> str:
    """What somebody said: ``[where] speaker: text``. A ``> `` stands in front of each line but the first.

    Args:
        text: the text.
        where: when it was said, or whatever tells where it is from.
        speaker: who said it; empty: not told.
    """
    first, *more = _lines(text)
    said_by = f"{label(speaker)}: " if speaker else ""
    return "\n".join([f"{origin(where)}{said_by}{first}", *(f"> {line}" for line in more)])


def _lines(text: str) -> list[str]:
    """The lines, broken wherever any reader breaks one."""
    return [on_one_line(line) for line in text.splitlines()] or [""]
