"""Loads web pages: their main text without menus and advertisements."""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ..errors import SourceError
from ..redaction import redact
from .base import Document, Entry
from .isolated import read_html, read_pdf

if TYPE_CHECKING:
    from .web_client import FetchedPage

#: The most bytes of a page, decompressed.
MOST = 25 * 1024 * 1024
#: Seconds to wait for a server's next bytes, and for a whole page.
TIMEOUT, PATIENCE = 20.0, 120.0
REDIRECTS = 10


class WebpageLoader:
    """Web pages: HTML, PDF and plain text.

    Args:
        urls: one or more; ``https://`` is added if missing.
        allow_private: allow addresses of this machine and of private networks, and redirects to them.

    Attributes:
        notes: remarks for the user.
        total: the number of pages.
    """

    unit = "web page"

    def __init__(self, urls: Sequence[str] | str, *, allow_private: bool = False) -> None:
        named = [urls] if isinstance(urls, str) else list(urls)
        self._urls = [url if "://" in url else f"https://{url}" for url in (one.strip() for one in named) if url]
        if not self._urls:
            raise SourceError("No address is named. Name one or more, such as https://example.com/page.")
        self._allow_private = allow_private
        self.notes: list[str] = []
        self.total = len(self._urls)

    def load(self) -> Iterator[Document]:
        """One document per page; a PDF page by page.

        Raises:
            SourceError: a page cannot be fetched, is too large, has no text, or is at a private address.
        """
        for entry in self.entries():
            yield from entry.read()

    def entries(self) -> Iterator[Entry]:
        """The pages. Of several, those that cannot be fetched are skipped with a note."""
        for url in dict.fromkeys(self._urls):
            name = _name(url)
            try:
                page = self._fetch(url)
            except SourceError as error:
                yield Entry(name, "", partial(_fail, error), required=self.total == 1)
            else:
                digest = hashlib.sha256(page.data).hexdigest()
                try:
                    documents = list(_read(page, name))
                except SourceError as error:
                    yield Entry(name, digest, partial(_fail, error), required=self.total == 1)
                    continue
                # The digest is of the text: menus and counters change with every visit.
                words = "\f".join(document.text for document in documents)
                yield Entry(name, hashlib.sha256(words.encode()).hexdigest(), documents.__iter__)

    def _fetch(self, url: str) -> FetchedPage:
        from .web_client import Limits, fetch

        return fetch(url, Limits(TIMEOUT, PATIENCE, MOST, REDIRECTS), allow_private=self._allow_private)


def _read(page: FetchedPage, url: str) -> Iterator[Document]:
    if page.kind == "application/pdf" or page.data.startswith(b"%PDF-"):
        yield from read_pdf(page.data, url)
    elif page.kind in ("", "text/html", "application/xhtml+xml", "application/xml", "text/xml"):
        yield read_html(page.data, url)
    elif page.kind.startswith("text/"):
        text = page.data.decode(_charset(page), "replace").replace("\0", "")
        if not text.strip():
            raise SourceError(f"{url} is empty.")
        yield Document(text, url)
    else:
        raise SourceError(f"{url} is {page.kind}, not a page of text. Pages, PDFs and plain text are read.")


def _name(url: str) -> str:
    """The address as it is stored and shown: without a user and password, and with secrets of its query hidden."""
    return redact(re.sub(r"(?<=//)[^/?#]*@", "", url))


def _fail(error: SourceError) -> Iterator[Document]:
    raise error


def _charset(page: FetchedPage) -> str:
    try:
        return codecs.lookup(page.charset or "utf-8").name
    except LookupError:
        return "utf-8"
