"""Web pages from a server of our own, and the addresses that are refused."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from memgpt_autogen.errors import SourceError
from memgpt_autogen.library import Library
from memgpt_autogen.sources import webpage
from memgpt_autogen.storage.records import Passage

from .conftest import write_pdf
from .network import PUBLIC, Network

Passages = Callable[[str], list[Passage]]
ARTICLE = (
    "<html><head><title>Ferries of Ulmsund</title></head><body><nav><a href='/'>Home</a> Imprint</nav><article>"
    "<h1>Ferries of Ulmsund</h1><p>The ferry leaves from pier {pier} at dawn, and dogs travel on it free of charge.</p>"
    + "<p>On deck there are benches, a small kitchen, and a room where bicycles may be left for the crossing.</p>" * 4
    + "</article><footer>Visits: {visits}</footer></body></html>"
)


class Site(BaseHTTPRequestHandler):
    """A few pages."""

    pier, visits, pdf = "seven", 0, b""
    leads: ClassVar[dict[str, str]] = {}
    asked: ClassVar[list[str]] = []
    heard: ClassVar[list[tuple[str, str | None]]] = []

    def do_GET(self) -> None:
        Site.visits += 1
        Site.asked.append(self.path)
        Site.heard.append((self.path, self.headers.get("Authorization")))
        self.path = self.path.partition("?")[0]
        kind, body, status = "text/html; charset=utf-8", b"", 200
        if self.path == "/ferries":
            body = ARTICLE.format(pier=Site.pier, visits=Site.visits).encode()
        elif self.path == "/latin":
            kind, body = "text/plain; charset=iso-8859-1", "Das Café öffnet.".encode("latin-1")
        elif self.path == "/book.pdf":
            kind, body = "application/pdf", Site.pdf
        elif self.path == "/photo":
            kind, body = "image/png", b"\x89PNG"
        elif self.path in Site.leads:
            status = 302
        elif self.path == "/huge":
            return self.huge()
        else:
            status, body = 404, b"none"
        self.send_response(status)
        if status == 302:
            self.send_header("Location", Site.leads[self.path])
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def huge(self) -> None:
        """50 MB, of which a reader that watches its limit takes half."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        try:
            for _ in range(50):
                self.wfile.write(b"<p>word</p>     " * (1 << 16))
        except OSError:
            pass

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site(folder: Path) -> Iterator[str]:
    Site.pier, Site.visits, Site.leads, Site.asked = "seven", 0, {"/loop": "/loop"}, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_the_main_text_of_pages_is_loaded_and_kept_up_to_date(
    library: Library, site: str, passages: Passages, folder: Path
) -> None:
    Site.pdf = write_pdf(folder / "book.pdf", ["One.", "The keeper is Orla."]).read_bytes()
    urls = [f"{site}/ferries", f"{site}/latin", f"{site}/book.pdf"]
    loaded = library.load("s", "webpage", urls=urls, allow_private=True)
    assert str(loaded) == "Loaded 2 pages and 2 web pages into 4 passages."
    found = {(one.uri, one.metadata.get("page")): one for one in passages("s")}
    page = found[urls[0], None]
    assert "pier seven" in page.text and "Imprint" not in page.text and "Visits" not in page.text
    assert page.metadata["title"] == "Ferries of Ulmsund"
    assert found[urls[1], None].text == "Das Café öffnet." and "Orla" in found[urls[2], 2].text
    assert library.load("s", "webpage", urls=urls, allow_private=True).same == 3
    Site.pier = "nine"
    assert library.load("s", "webpage", urls=urls, allow_private=True).changed == 1
    assert "pier nine" in next(one.text for one in passages("s") if one.uri == urls[0])


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/none", "answered 404 Not Found. Check the address."),
        ("/photo", "is image/png, not a page of text"),
        ("/loop", "redirects more than 10 times"),
        ("/huge", "is larger than 25 MB"),
    ],
)
def test_a_page_that_cannot_be_had_says_why_and_what_was_loaded_stays(
    library: Library, site: str, passages: Passages, path: str, told: str
) -> None:
    library.load("s", "webpage", urls=f"{site}/ferries", allow_private=True)
    with pytest.raises(SourceError, match=told):
        library.load("s", "webpage", urls=site + path, allow_private=True)
    loaded = library.load("s", "webpage", urls=[f"{site}/ferries", site + path], allow_private=True)
    assert loaded.same == 1 and told[:30] in loaded.notes[0]
    assert ["pier seven" in one.text for one in passages("s")] == [True]


def test_a_page_that_fails_keeps_what_was_loaded_of_it(
    library: Library, site: str, passages: Passages, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = [f"{site}/ferries", f"{site}/latin"]
    library.load("s", "webpage", urls=urls, allow_private=True)
    monkeypatch.setattr(webpage, "MOST", 100)
    loaded = library.load("s", "webpage", urls=urls, allow_private=True)
    assert loaded.same == 2 and len(loaded.notes) == 1
    assert len(passages("s")) == 2


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "10.1.2.3", "192.168.0.9", "169.254.169.254", "0.0.0.0", "2130706433"]
)
def test_private_addresses_are_refused(library: Library, host: str) -> None:
    with pytest.raises(SourceError, match="of this machine or of a private network .*--allow-private"):
        library.load("s", "webpage", urls=f"http://{host}:9/page")


@pytest.mark.parametrize("hops", [1, 2, 4])
def test_a_redirect_to_a_private_address_is_refused_at_any_hop(
    library: Library, site: str, network: Network, hops: int
) -> None:
    """Names that pass for public ones redirect to each other, the last to this machine, which is never asked."""
    network.names |= {f"hop{number}.example": [PUBLIC] for number in range(1, hops + 1)}
    port = site.rpartition(":")[2]
    Site.leads = {
        f"/hop{number}": f"http://hop{number + 1}.example:{port}/hop{number + 1}" for number in range(1, hops)
    } | {f"/hop{hops}": f"{site}/ferries"}
    with pytest.raises(SourceError, match=r"/hop1 redirects to http://127\.0\.0\.1:\d+/ferries, which is"):
        library.load("s", "webpage", urls=f"http://hop1.example:{port}/hop1")
    assert Site.asked == [f"/hop{number}" for number in range(1, hops + 1)]
    assert network.connected == [PUBLIC] * hops


def test_addresses_that_are_none_say_so(library: Library) -> None:
    with pytest.raises(SourceError, match="No address is named"):
        library.load("s", "webpage", urls=[])
    with pytest.raises(SourceError, match="is not an http or https address"):
        library.load("s", "webpage", urls="file:///etc/passwd")
    with pytest.raises(SourceError, match="There is no server nowhere.invalid"):
        library.load("s", "webpage", urls="nowhere.invalid/page")
    with pytest.raises(SourceError, match="cannot be reached"):
        library.load("s", "webpage", urls="http://127.0.0.1:1/", allow_private=True)
    for odd in ("http://", "ftp://x.example", "http://[::1", "javascript:alert(1)"):
        with pytest.raises(SourceError, match="is not an"):
            library.load("s", "webpage", urls=odd)


def test_a_secret_in_an_address_reaches_its_page_and_is_not_stored(
    library: Library, site: str, passages: Passages, network: Network
) -> None:
    place = site.removeprefix("http://")
    urls = [f"http://ann:hunter2pass@{place}/ferries", f"{site}/latin?access_token=hunter2pass&page=2"]
    loaded = library.load("s", "webpage", urls=urls, allow_private=True)
    assert loaded.new == 2 and ("/ferries", "Basic YW5uOmh1bnRlcjJwYXNz") in Site.heard
    assert {one.uri for one in passages("s")} == {f"{site}/ferries", f"{site}/latin?access_token=***&page=2"}
    assert library.load("s", "webpage", urls=urls, allow_private=True).same == 2
    with pytest.raises(SourceError) as told:
        library.load("t", "webpage", urls=f"http://ann:hunter2pass@{place}/none?token=hunter2pass", allow_private=True)
    assert "hunter2pass" not in str(told.value)
