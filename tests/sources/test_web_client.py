"""Fetching a page: the address judged is the one connected to, in one time, up to one size. No packet leaves here."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from memgpt_autogen.errors import SourceError
from memgpt_autogen.sources import web_client
from memgpt_autogen.sources.web_address import is_public
from memgpt_autogen.sources.web_client import FetchedPage, Limits, fetch

from .network import PUBLIC, Network

LIMITS = Limits(wait=2.0, whole=5.0, most=1 << 20)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.255.255.255", "0.0.0.0", "10.0.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254"),
        *("100.64.0.1", "100.100.100.200", "192.0.0.192", "192.0.0.9", "192.0.2.1", "192.88.99.1", "198.18.0.1"),
        *("198.51.100.7", "203.0.113.7", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "168.63.129.16"),
        *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "fec0::1", "100::1", "5f00::1"),
        *("2001:db8::1", "3fff::1", "2001:2::1", "2001:10::1", "2001:20::1", "64:ff9b:1::a00:1", "4000::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::10.0.0.1"),
        *("2002:7f00:1::", "2002:a00:1::1", "2002:a9fe:a9fe::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe"),
        *("::ffff:0:127.0.0.1", "2001:0:4136:e378:8000:63bf:80ff:fffe", "2001:0:a00:1::f5ff:fffe"),
        *("2a00:1450::5efe:7f00:1", "2a00:1450::200:5efe:a00:1", "2002:5db8:d822::5efe:10.0.0.1"),
        *("", "name.example", "1", "127.1"),
    ],
)
def test_what_is_not_of_the_outer_world(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *(PUBLIC, "8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "192.0.1.1", "223.255.255.255", "198.20.0.1"),
        *("2606:4700::1111", "2a00:1450:4001::200e", "2001:4860:4860::8888", "2620:4f:8000::1"),
        *("::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1", "2a00:1450::5efe:808:808"),
    ],
)
def test_what_is(address: str) -> None:
    assert is_public(address)


Serve = Callable[[Callable[[socket.socket], None]], int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """``serve(answer)`` answers every connection so, after its request; the port."""
    open_: list[socket.socket] = []

    def start(answer: Callable[[socket.socket], None]) -> int:
        listening = socket.create_server(("127.0.0.1", 0))
        open_.append(listening)

        def loop() -> None:
            while True:
                try:
                    connection = listening.accept()[0]
                except OSError:
                    return
                threading.Thread(target=one, args=(connection,), daemon=True).start()

        def one(connection: socket.socket) -> None:
            with connection:
                try:
                    while b"\r\n\r\n" not in (connection.recv(65536) + b"\r\n\r\n"):
                        pass
                    answer(connection)
                except OSError:
                    pass

        threading.Thread(target=loop, daemon=True).start()
        return int(listening.getsockname()[1])

    yield start
    for one in open_:
        one.close()


def whole(body: bytes, *headers: str) -> Callable[[socket.socket], None]:
    head = "\r\n".join(["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers])
    return lambda connection: connection.sendall(head.encode() + b"\r\n\r\n" + body)


def test_a_name_is_looked_up_once_and_connected_where_it_led(network: Network, serve: Serve) -> None:
    """Public when it is judged and this machine ever after: there is no second look-up that could be told so."""
    port = serve(whole(b"words", "Content-Type: text/plain; charset=latin-1"))
    network.names["rebind.example"] = [PUBLIC, "127.0.0.1"]
    page = fetch(f"http://rebind.example:{port}/", LIMITS)
    assert page == FetchedPage("text/plain", "latin-1", b"words")
    assert network.looked_up == ["rebind.example"] and network.connected == [PUBLIC]
    with pytest.raises(SourceError, match=r"private network \(127.0.0.1\)"):
        fetch(f"http://rebind.example:{port}/", LIMITS)
    assert network.connected == [PUBLIC]


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "0.0.0.0"]
)
def test_a_name_that_leads_here_is_refused_before_a_connection(network: Network, address: str) -> None:
    network.names["evil.example"] = [address]
    with pytest.raises(SourceError, match="--allow-private"):
        fetch("http://evil.example/", LIMITS)
    assert not network.connected


def test_the_name_stays_in_the_request(network: Network, serve: Serve) -> None:
    heard: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        whole(b"x")(connection)

    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]

    def once() -> None:
        connection = listening.accept()[0]
        heard.append(connection.recv(65536))
        answer(connection)
        connection.close()

    threading.Thread(target=once, daemon=True).start()
    network.names["site.example"] = [PUBLIC]
    fetch(f"http://site.example:{port}/a?b=c#d", LIMITS)
    listening.close()
    assert heard[0].startswith(b"GET /a?b=c HTTP/1.1\r\n") and f"Host: site.example:{port}\r\n".encode() in heard[0]


def test_certificates_are_checked_against_the_name(
    network: Network, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = self_signed(tmp_path, "secure.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    asked: list[str] = []
    context.sni_callback = lambda _, name, __: asked.append(name)
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]

    def loop() -> None:
        while True:
            try:
                with context.wrap_socket(listening.accept()[0], server_side=True) as connection:
                    connection.recv(65536)
                    whole(b"secret words")(connection)  # type: ignore[arg-type]
            except ssl.SSLError:
                continue
            except OSError:
                return

    threading.Thread(target=loop, daemon=True).start()
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    network.names |= {"secure.example": [PUBLIC], "other.example": [PUBLIC]}
    assert fetch(f"https://secure.example:{port}/", LIMITS).data == b"secret words"
    with pytest.raises(SourceError, match="cannot be reached"):
        fetch(f"https://other.example:{port}/", LIMITS)
    listening.close()
    assert asked == ["secure.example", "other.example"] and network.connected == [PUBLIC, PUBLIC]


def self_signed(folder: Path, name: str) -> tuple[Path, Path]:
    pytest.importorskip("cryptography")
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(timezone.utc)
    made = (
        x509.CertificateBuilder(who, who, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "cert.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return certificate, private


def drops(text: bytes, pause: float) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        for byte in text:
            connection.sendall(bytes([byte]))
            time.sleep(pause)

    return answer


@pytest.mark.parametrize(
    "text",
    [
        b"HTTP/1.1 200 OK\r\n" + b"X-Drop: a\r\n" * 100,
        b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + b"word " * 500,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 200,
    ],
    ids=["headers", "body", "chunks"],
)
def test_what_comes_drop_by_drop_ends_with_the_time_for_the_whole_page(serve: Serve, text: bytes) -> None:
    port, begun = serve(drops(text, 0.02)), time.monotonic()
    with pytest.raises(SourceError, match="took longer than 1 seconds"):
        fetch(f"http://127.0.0.1:{port}/", Limits(wait=0.5, whole=0.6, most=1 << 20), allow_private=True)
    assert time.monotonic() - begun < 5


def test_the_time_holds_over_redirects_and_a_server_that_is_silent(serve: Serve) -> None:
    def again(connection: socket.socket) -> None:
        time.sleep(0.15)
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n")

    limits = Limits(wait=0.5, whole=0.6, most=1 << 20, redirects=1000)
    with pytest.raises(SourceError, match="took longer"):
        fetch(f"http://127.0.0.1:{serve(again)}/", limits, allow_private=True)
    silent = serve(lambda connection: time.sleep(3))
    with pytest.raises(SourceError, match="did not answer within"):
        fetch(f"http://127.0.0.1:{silent}/", Limits(wait=0.2, whole=9, most=9), allow_private=True)


def test_a_name_that_nobody_answers_for_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(2))
    with pytest.raises(SourceError, match="did not answer within"):
        fetch("http://slow.example/", Limits(wait=0.2, whole=9, most=9))


def packed(coding: str, data: bytes) -> bytes:
    if coding == "gzip":
        return gzip.compress(data[: len(data) // 2]) + gzip.compress(data[len(data) // 2 :])  # as two files in one
    form = -zlib.MAX_WBITS if coding == "raw" else zlib.MAX_WBITS
    made = zlib.compressobj(9, zlib.DEFLATED, form)
    return made.compress(data) + made.flush()


@pytest.mark.parametrize("coding", ["gzip", "deflate", "raw"])
def test_packed_pages_are_unpacked_up_to_the_limit(serve: Serve, coding: str) -> None:
    named = "deflate" if coding == "raw" else coding
    small = b"words, " * 1000
    port = serve(whole(packed(coding, small), f"Content-Encoding: {named}"))
    assert fetch(f"http://127.0.0.1:{port}/", LIMITS, allow_private=True).data == small
    bomb = serve(whole(packed(coding, b"\0" * 100_000_000), f"Content-Encoding: {named}"))
    tracemalloc.start()
    with pytest.raises(SourceError, match="is larger than 1 MB"):
        fetch(f"http://127.0.0.1:{bomb}/", LIMITS, allow_private=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000


@pytest.mark.parametrize("coding", ["br", "gzip, gzip", "zstd", "\x1b[31m"])
def test_a_coding_that_was_not_asked_for_is_refused(serve: Serve, coding: str) -> None:
    port = serve(whole(b"x", f"Content-Encoding: {coding}"))
    with pytest.raises(SourceError) as told:
        fetch(f"http://127.0.0.1:{port}/", LIMITS, allow_private=True)
    assert "\x1b" not in str(told.value)


def test_what_is_no_gzip_says_so(serve: Serve) -> None:
    port = serve(whole(b"plain", "Content-Encoding: gzip"))
    with pytest.raises(SourceError, match="packed in a way that cannot be read"):
        fetch(f"http://127.0.0.1:{port}/", LIMITS, allow_private=True)


@pytest.mark.parametrize("answer", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"])
def test_an_answer_that_is_none_is_one_line(serve: Serve, answer: bytes) -> None:
    port = serve(lambda connection: connection.sendall(answer))
    with pytest.raises(SourceError, match="cannot be reached") as told:
        fetch(f"http://127.0.0.1:{port}/", LIMITS, allow_private=True)
    assert "\n" not in str(told.value)


def test_through_a_proxy_nobody_sees_where_a_name_leads(monkeypatch: pytest.MonkeyPatch, serve: Serve) -> None:
    port = serve(whole(b"from the proxy"))
    monkeypatch.setattr(web_client, "getproxies", lambda: {"http": f"http://127.0.0.1:{port}"})
    monkeypatch.setattr(web_client, "proxy_bypass", lambda _: False)
    with pytest.raises(SourceError, match="A proxy is set"):
        fetch("http://site.example/", LIMITS)
    assert fetch("http://site.example/", LIMITS, allow_private=True).data == b"from the proxy"
