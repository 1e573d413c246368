"""Documents from web pages: their main text, without menus and advertisements."""

from __future__ import annotations

import hashlib
import ipaddress
import socket
import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple
from urllib.request import getproxies

from ..errors import SourceError
from .base import Document, Entry
from .html import read_html
from .pdf import read_pdf

if TYPE_CHECKING:
    import httpx

#: Bytes of a page, unpacked.
MOST = 25 * 1024 * 1024
#: Seconds to wait for a server's next word, and for a whole page.
TIMEOUT, PATIENCE = 20.0, 120.0
REDIRECTS = 10
AGENT = "memgpt-autogen (loads pages that its user names)"


class _Page(NamedTuple):
    kind: str
    data: bytes


class WebpageLoader:
    """Pages by their addresses: HTML, PDF and plain text.

    Args:
        urls: one or more addresses; ``https://`` is added where it is missing.
        allow_private: also addresses of this machine and of the private network, and redirects to them.

    Attributes:
        notes: what a user should know, one sentence each.
        total: how many pages.
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
        """One document a page; a PDF page by page.

        Raises:
            SourceError: a page cannot be had, is too large, has no text, or is at a private address.
        """
        for entry in self.entries():
            yield from entry.read()

    def entries(self) -> Iterator[Entry]:
        """The pages. Of several, one that cannot be had is left out, and told of."""
        for url in dict.fromkeys(self._urls):
            try:
                page = self._fetch(url)
            except SourceError as error:
                yield Entry(url, "", partial(_fail, error), required=self.total == 1)
            else:
                digest = hashlib.sha256(page.data).hexdigest()
                try:
                    documents = list(_read(page, url))
                except SourceError as error:
                    yield Entry(url, digest, partial(_fail, error), required=self.total == 1)
                    continue
                # The words count: menus and counters change with every visit.
                words = "\f".join(document.text for document in documents)
                yield Entry(url, hashlib.sha256(words.encode()).hexdigest(), documents.__iter__)

    def _fetch(self, url: str) -> _Page:
        import httpx

        address = url
        try:
            with httpx.Client(timeout=TIMEOUT, headers={"User-Agent": AGENT}) as client:
                for _ in range(REDIRECTS + 1):
                    self._check(httpx.URL(address), url)
                    with client.stream("GET", address) as response:
                        self._check_peer(response, url)
                        if not response.has_redirect_location:
                            return _whole(response, url)
                        address = str(response.url.join(response.headers["location"]))
        except httpx.TimeoutException as error:
            raise SourceError(f"{url} did not answer within {TIMEOUT:.0f} seconds. Try again later.") from error
        except httpx.InvalidURL as error:
            raise SourceError(f"{address} is not an address: {error}.") from error
        except (httpx.HTTPError, UnicodeError) as error:
            reason = str(error).strip() or type(error).__name__
            raise SourceError(f"{url} cannot be reached: {reason}. Check the address and the network.") from error
        raise SourceError(f"{url} redirects more than {REDIRECTS} times. Name the page that it should lead to.")

    def _check(self, address: httpx.URL, asked: str) -> None:
        """Raises: SourceError: not an address of the web, or one of a private network."""
        if address.scheme not in ("http", "https") or not address.host:
            raise SourceError(f"{_chain(asked, str(address))} is not an http or https address.")
        if self._allow_private:
            return
        try:
            port = address.port or (443 if address.scheme == "https" else 80)
            found = socket.getaddrinfo(address.host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            if getproxies():
                return  # the proxy knows the name
            raise SourceError(f"There is no server {address.host}. Check the address and the network.") from error
        for *_, place in found:
            _refuse_private(str(place[0]), asked, str(address))

    def _check_peer(self, response: httpx.Response, asked: str) -> None:
        """The same for the server that really answered: a name may lead elsewhere the second time."""
        stream = response.extensions.get("network_stream")
        peer = stream.get_extra_info("server_addr") if stream is not None else None
        if peer and not self._allow_private and not getproxies():
            _refuse_private(str(peer[0]), asked, str(response.url))


def _refuse_private(ip: str, asked: str, address: str) -> None:
    found = ipaddress.ip_address(ip.partition("%")[0])
    found = getattr(found, "ipv4_mapped", None) or found
    if not found.is_global or found.is_multicast:
        raise SourceError(
            f"{_chain(asked, address)} is an address of this machine or of a private network ({ip}). If you mean it, "
            "allow it with --allow-private (allow_private=True)."
        )


def _chain(asked: str, address: str) -> str:
    import httpx

    return asked if httpx.URL(asked) == httpx.URL(address) else f"{asked} redirects to {address}, which"


def _whole(response: httpx.Response, url: str) -> _Page:
    if response.status_code >= 400:
        raise SourceError(f"{url} answered {response.status_code} {response.reason_phrase}. Check the address.")
    deadline, data = time.monotonic() + PATIENCE, bytearray()
    for block in response.iter_bytes():
        data += block
        if len(data) > MOST:
            raise SourceError(f"{url} is larger than {MOST >> 20} MB. Save what you need of it, and load that.")
        if time.monotonic() > deadline:
            raise SourceError(
                f"{url} took longer than {PATIENCE:.0f} seconds. Try again, or save it and load the file."
            )
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.startswith("text/") and kind != "text/html":
        data = bytearray(bytes(data).decode(response.encoding or "utf-8", "replace").encode())
    return _Page(kind, bytes(data))


def _read(page: _Page, url: str) -> Iterator[Document]:
    if page.kind == "application/pdf" or page.data.startswith(b"%PDF-"):
        yield from read_pdf(page.data, url)
    elif page.kind in ("", "text/html", "application/xhtml+xml", "application/xml", "text/xml"):
        yield read_html(page.data, url)
    elif page.kind.startswith("text/"):
        text = page.data.decode("utf-8", "replace").replace("\0", "")
        if not text.strip():
            raise SourceError(f"{url} is empty.")
        yield Document(text, url)
    else:
        raise SourceError(f"{url} is {page.kind}, not a page of text. Pages, PDFs and plain text are read.")


def _fail(error: SourceError) -> Iterator[Document]:
    raise error
