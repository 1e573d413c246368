"""Reads HTML: the main text, extracted by trafilatura."""

from __future__ import annotations

import re

from ..errors import SourceError
from .base import Document

_BODY = re.compile(rb"<(html|body|frameset)\b", re.IGNORECASE)


def read_html(data: bytes, uri: str) -> Document:
    """The main text as Markdown, with the page's title.

    Raises:
        SourceError: there is none.
    """
    import trafilatura

    if not _BODY.search(data):  # a piece of a page, or bare text, which browsers show as well
        data = b"<html><body>" + data + b"</body></html>"
    tree = trafilatura.load_html(data)
    text = None
    if tree is not None:
        about = trafilatura.extract_metadata(tree)
        title = (about.title or "").strip()
        text = trafilatura.extract(tree, output_format="markdown", include_comments=False, include_tables=True)
        if not (text or "").strip():
            text = trafilatura.html2txt(data)
    if not text or not text.strip():
        raise SourceError(f"{uri} has no text of its own; it may be made by scripts as it is shown. Save it as PDF.")
    return Document(text, uri, {"title": title, "heading": title} if title else {})
