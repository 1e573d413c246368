"""Fetches a web page from a public address, with limits on time and size.

The name is resolved once, each address is checked, and the connection is made to the address that was checked. The name
is kept in the ``Host`` header and in TLS, so that certificates are verified as usual. The check is part of connecting,
so that redirects cannot evade it.
"""

from __future__ import annotations

import base64
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

from ..errors import SourceError
from .web_address import is_public

AGENT = "memgpt-autogen (loads pages that its user names)"
_HEADERS = {"User-Agent": AGENT, "Accept": "*/*", "Accept-Encoding": "gzip, deflate", "Connection": "close"}
_REDIRECTS = (301, 302, 303, 307, 308)
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Limits:
    """The limits of a fetch.

    Attributes:
        wait: seconds for each step: connecting, sending, the next bytes.
        whole: seconds for everything: redirects, headers and body.
        most: bytes of the body, decompressed.
        redirects: the most redirects.
    """

    wait: float
    whole: float
    most: int
    redirects: int = 10


@dataclass(frozen=True)
class FetchedPage:
    """The response.

    Attributes:
        kind: its media type, such as ``text/html``; empty: not given.
        charset: from the header; empty: not given.
        data: the body, decompressed.
    """

    kind: str
    charset: str
    data: bytes


def fetch(url: str, limits: Limits, *, allow_private: bool = False) -> FetchedPage:
    """The page at an address.

    Args:
        url: http or https.
        limits: on time and size.
        allow_private: allow addresses of this machine and of private networks, and the environment's proxy.

    Raises:
        SourceError: it cannot be fetched, is too large, took too long, or is at a private address.
    """
    deadline = _Deadline(limits, url)
    address = _parsed(url, url)
    for _ in range(limits.redirects + 1):
        try:
            answer = _ask(address, url, deadline, allow_private)
        except httpcore.TimeoutException:
            raise deadline.missed() from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError, ssl.SSLError, OSError) as error:
            reason = str(error).strip() or type(error).__name__
            raise SourceError(f"{url} cannot be reached: {reason}. Check the address and the network.") from error
        if isinstance(answer, FetchedPage):
            return answer
        address = _parsed(url, answer, base=address)
    raise SourceError(f"{url} redirects more than {limits.redirects} times. Name the page that it should lead to.")


def _parsed(asked: str, address: str, base: httpx.URL | None = None) -> httpx.URL:
    try:
        found = base.join(address) if base else httpx.URL(address)
    except (httpx.InvalidURL, UnicodeError, ValueError) as error:
        raise SourceError(f"{address[:200]} is not an address: {error}.") from error
    if found.scheme not in _PORTS or not found.host:
        raise SourceError(f"{_chain(asked, str(found))} is not an http or https address.")
    return found


def _ask(address: httpx.URL, asked: str, deadline: _Deadline, allow_private: bool) -> FetchedPage | str:
    """The page, or the URL that it redirects to."""
    proxy = _proxy(address)
    if proxy and not allow_private:
        raise SourceError(
            f"A proxy is set in the environment ({proxy[0]}). It looks names up itself, so that nobody here can see "
            f"where {asked} leads. If you trust what you load, say --allow-private (allow_private=True), or unset it."
        )
    backend = _Backend(deadline, _chain(asked, str(address)), judged=not allow_private)
    context = httpx.create_ssl_context()
    pool: httpcore.ConnectionPool
    if proxy:
        pool = httpcore.HTTPProxy(proxy[1], ssl_context=context, network_backend=backend)
    else:
        pool = httpcore.ConnectionPool(ssl_context=context, network_backend=backend)
    host = address.netloc.decode("ascii")
    target = httpcore.URL(
        scheme=address.raw_scheme, host=address.raw_host, port=address.port, target=address.raw_path or b"/"
    )
    wait = dict.fromkeys(("connect", "read", "write", "pool"), deadline.limits.wait)
    sent = [("Host", host), *_HEADERS.items()]
    if address.userinfo:
        words = base64.b64encode(f"{address.username}:{address.password}".encode()).decode("ascii")
        sent.append(("Authorization", f"Basic {words}"))
    with pool, pool.stream("GET", target, headers=sent, extensions={"timeout": wait}) as response:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        if response.status in _REDIRECTS and headers.get("location"):
            return headers["location"]
        if response.status >= 400:
            reason = response.extensions.get("reason_phrase", b"").decode("latin-1")
            told = f"{asked} answered {response.status} {reason}".strip()
            raise SourceError(f"{told}. Check the address.")
        return _read(response.iter_stream(), headers, asked, deadline)


def _read(blocks: Iterable[bytes], headers: Mapping[str, str], asked: str, deadline: _Deadline) -> FetchedPage:
    data = bytearray()
    try:
        for block in _unpacked(blocks, headers.get("content-encoding", ""), deadline.limits.most + 1):
            data += block
            if len(data) > deadline.limits.most:
                most = deadline.limits.most >> 20
                raise SourceError(f"{asked} is larger than {most} MB. Save what you need of it, and load that.")
            deadline.left()
    except zlib.error as error:
        told = f"{asked} is packed in a way that cannot be read ({error})"
        raise SourceError(f"{told}. Save it, and load that.") from error
    kind, _, rest = headers.get("content-type", "").partition(";")
    options = dict(part.strip().lower().partition("=")[::2] for part in rest.split(";"))
    return FetchedPage(kind.strip().lower(), options.get("charset", "").strip("\"' "), bytes(data))


def _unpacked(blocks: Iterable[bytes], coding: str, most: int) -> Iterator[bytes]:
    """The decompressed body in blocks of at most ``most`` bytes.

    Raises:
        zlib.error: they are not what the server says.
    """
    coding = coding.strip().lower()
    if coding in ("", "identity"):
        yield from blocks
        return
    if coding not in ("gzip", "x-gzip", "deflate"):
        raise zlib.error(coding[:40])
    decoder: Any = None
    for block in blocks:
        if decoder is None:  # deflate is sent with zlib's header and without; gzip always has its own
            zipped = coding != "deflate" or block[:1] == b"\x78"
            decoder = zlib.decompressobj(zlib.MAX_WBITS | 32 if zipped else -zlib.MAX_WBITS)
        while block:
            if decoder.eof:  # a file may consist of several
                decoder = zlib.decompressobj(zlib.MAX_WBITS | 32)
            yield decoder.decompress(block, most)
            block = decoder.unconsumed_tail or (decoder.unused_data if decoder.eof else b"")


def _proxy(address: httpx.URL) -> tuple[str, str] | None:
    """The variable and address of the proxy for an address, if the environment names one."""
    found = getproxies()
    kind = address.scheme if address.scheme in found else "all"
    if kind not in found or proxy_bypass(f"{address.host}:{address.port or _PORTS[address.scheme]}"):
        return None
    return f"{kind}_proxy", found[kind]


def _chain(asked: str, address: str) -> str:
    return asked if httpx.URL(asked) == httpx.URL(address) else f"{asked} redirects to {address}, which"


class _Deadline:
    """The time for a whole page, from now on."""

    def __init__(self, limits: Limits, url: str) -> None:
        self.limits, self._url = limits, url
        self._end = time.monotonic() + limits.whole

    def left(self) -> float:
        """Seconds for the next step.

        Raises:
            httpcore.TimeoutException: there are none left.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout
        return min(left, self.limits.wait)

    def missed(self) -> SourceError:
        """The error for a missed deadline."""
        if time.monotonic() < self._end:
            return SourceError(f"{self._url} did not answer within {self.limits.wait:.0f} seconds. Try again later.")
        return SourceError(
            f"{self._url} took longer than {self.limits.whole:.0f} seconds. Try again, or save it and load the file."
        )


class _Backend(httpcore.NetworkBackend):
    """Connects only to addresses that were checked."""

    def __init__(self, deadline: _Deadline, told: str, *, judged: bool) -> None:
        self._deadline, self._told, self._judged = deadline, told, judged
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = _addresses(host, port, self._deadline.left())
        for address in addresses if self._judged else ():
            if not is_public(address):
                raise SourceError(
                    f"{self._told} is an address of this machine or of a private network ({address}). If you mean it, "
                    "allow it with --allow-private (allow_private=True)."
                )
        for place, address in enumerate(addresses, 1):
            try:
                stream = self._inner.connect_tcp(address, port, self._deadline.left(), local_address, socket_options)
                return _TimedStream(stream, self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if place == len(addresses):
                    raise
        raise AssertionError("unreachable")

    def sleep(self, seconds: float) -> None:
        time.sleep(min(seconds, self._deadline.left()))


def _addresses(host: str, port: int, patience: float) -> list[str]:
    """The IP addresses of a name, each once.

    Raises:
        SourceError: there are none.
        httpcore.ConnectTimeout: they did not come in time.
    """
    answers: SimpleQueue[Any] = SimpleQueue()

    def look() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    # A thread that the program's end does not wait for: a look-up cannot be broken off.
    threading.Thread(target=look, name="memgpt-lookup", daemon=True).start()
    try:
        found = answers.get(timeout=patience)
    except Empty:
        raise httpcore.ConnectTimeout from None
    if isinstance(found, Exception):
        raise SourceError(f"There is no server {host}. Check the address and the network.") from found
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


@dataclass
class _TimedStream(httpcore.NetworkStream):
    """A connection that enforces the deadline on every step, even if bytes trickle in."""

    inner: httpcore.NetworkStream
    deadline: _Deadline = field(repr=False)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.inner.read(max_bytes, self.deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.inner.write(buffer, self.deadline.left())

    def close(self) -> None:
        self.inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        made = self.inner.start_tls(ssl_context, server_hostname, self.deadline.left())
        return _TimedStream(made, self.deadline)

    def get_extra_info(self, info: str) -> Any:
        return self.inner.get_extra_info(info)
