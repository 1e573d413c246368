"""Search results as the model reads them: true totals, the source of each hit, and how to get the next page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from ..storage.shapes import Page

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
    if not page.hits:
        return f"There is no page {page.page}: {page.total} results, the last page is {page.pages - 1}."
    return "\n".join([headline(page, more), *(line(hit.item) for hit in page.hits)])


def headline(page: Page[T], more: str = MORE) -> str:
    """The first line of a page: which results of how many, and how to get the next page."""
    first = page.page * page.page_size + 1
    shown = f"{first}-{first + len(page.hits) - 1}" if len(page.hits) > 1 else str(first)
    rest = f" ({more.format(page.page + 1)})" if page.page + 1 < page.pages else ""
    return f"Results {shown} of {page.total}, page {page.page + 1} of {page.pages}{rest}:"


def origin(parts: Sequence[str]) -> str:
    """The source of a hit in brackets; empty if unknown."""
    known = [part for part in parts if part]
    return f"[{', '.join(known)}] " if known else ""


def quoted(text: str) -> str:
    """A text of others, marked as a quote line by line, so that nothing in it can pass for anything else."""
    return "quoted:\n" + "\n".join(f"> {line}" for line in text.splitlines())
