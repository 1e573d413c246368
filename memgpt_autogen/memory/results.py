"""Search results as the model reads them: true totals, where each hit comes from, and how to get the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from ..storage.shapes import Page

T = TypeVar("T")


def render_page(page: Page[T], line: Callable[[T], str], nothing: str) -> str:
    """A page of hits, one paragraph each.

    Args:
        page: the hits.
        line: renders one.
        nothing: what is said when the search found nothing at all.
    """
    if not page.total:
        return nothing
    if not page.hits:
        return f"There is no page {page.page}: {page.total} results, the last page is {page.pages - 1}."
    return "\n".join([headline(page), *(line(hit.item) for hit in page.hits)])


def headline(page: Page[T]) -> str:
    """Such as: Results 6-10 of 143, page 2 of 29 (page=2 for the next)."""
    first = page.page * page.page_size + 1
    shown = f"{first}-{first + len(page.hits) - 1}" if len(page.hits) > 1 else str(first)
    more = f" (page={page.page + 1} for the next)" if page.page + 1 < page.pages else ""
    return f"Results {shown} of {page.total}, page {page.page + 1} of {page.pages}{more}:"


def origin(parts: Sequence[str]) -> str:
    """Where a hit comes from, in brackets; empty where nothing is known."""
    known = [part for part in parts if part]
    return f"[{', '.join(known)}] " if known else ""


def quoted(text: str) -> str:
    """A text that others wrote, marked as such line by line, so that nothing in it can pass for anything else."""
    return "quoted:\n" + "\n".join(f"> {line}" for line in text.splitlines())
