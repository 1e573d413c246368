"""Secrets that know the host they were given for, and the one place that puts them into a request.

A key, a password in an address or a query such as ``?api-key=...`` is given for one host. :class:`HostSecret` keeps
that host wherever the configuration is copied or changed. :class:`SendSecrets` is an event hook of every HTTP client of
this package: it runs right before each request, redirects included, and adds a secret only to a request to its host.
Clients have no secrets in their address or headers otherwise, so that neither logs nor errors can show them.
"""

from __future__ import annotations

import base64
import ipaddress
import logging
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from ..redaction import HIDDEN, redact, register_secret

if TYPE_CHECKING:
    import httpx

_PORTS = {"http": 80, "https": 443}
#: Names of request settings and headers that hold a secret.
SECRET_NAME = re.compile(
    r"(?i)^(proxy-)?authorization$|^cookie$|(api|access|auth|subscription|secret)[-_]?key$|secret|password"
    r"|^(x[-_])?((access|auth)[-_]?)?token$"
)


class HostSecret(str):
    """A secret, and the host that it was given for. Its ``repr`` hides it.

    Attributes:
        host: in the form of :func:`account_of`; empty: not bound to a host yet.
    """

    host: str

    def __new__(cls, value: str, host: str = "") -> HostSecret:
        made = super().__new__(cls, value)
        made.host = host
        if "://" not in value:  # of an address its secret parts are registered, not the whole
            register_secret(value)
        return made

    def __repr__(self) -> str:
        return repr(HIDDEN) if self else "''"


def account_of(address: str) -> str:
    """The host of an address in the form to which secrets are bound, which is also the name of stored keys.

    The host in lower case, with its port unless it is the scheme's default. A public host over plain HTTP counts as
    another one: ``http://name``.
    """
    parts = urlsplit(address if "://" in address else f"https://{address}")
    host = (parts.hostname or "").rstrip(".")
    try:
        port = parts.port
    except ValueError:
        return parts.netloc.rpartition("@")[2].lower()
    named = f"[{host}]" if ":" in host else host
    if port and port != _PORTS.get(parts.scheme.lower()):
        named = f"{named}:{port}"
    return named if parts.scheme.lower() != "http" or is_near(address) else f"http://{named}"


def is_near(address: str) -> bool:
    """Whether an address is on this machine or in a private network, judged by its name alone."""
    host = urlsplit(address if "://" in address else f"http://{address}").hostname or ""
    try:
        number = ipaddress.ip_address(host)
    except ValueError:
        return bool(host) and ("." not in host or host.endswith((".local", ".lan", ".internal", ".home.arpa")))
    return number.is_private or number.is_loopback or number.is_link_local


def with_scheme(address: str) -> str:
    """The address with ``http://`` or ``https://``; without either it is a server nearby, or one with a port: http."""
    if not address or "://" in address:
        return address
    plain = is_near(address) or re.match(r"[^/?#]*:\d+(?=$|[/?#])", address)
    return f"{'http' if plain else 'https'}://{address}"


def bound(secret: str, address: str) -> HostSecret:
    """The secret bound to a host: the one that it has already, else that of the address."""
    if isinstance(secret, HostSecret) and (secret.host or not secret):
        return secret
    return HostSecret(secret, account_of(address) if address else "")


def goes_to(secret: object, address: str) -> bool:
    """Whether a secret may be sent to an address. A plain string may, since it is not bound to a host."""
    host = secret.host if isinstance(secret, HostSecret) else ""
    return not host or host == account_of(address)


def split_address(address: str) -> tuple[str, HostSecret]:
    """An address without user, password, query and fragment, and, if it had one of these, the whole of it as a secret.

    >>> split_address("https://me:pass@host/v1")
    ('https://host/v1', '***')
    """
    head, mark, rest = address.partition("://")
    place = rest if mark else head
    authority, slash, path = re.fullmatch(r"([^/?#]*)(/?)(.*)", place, re.S).groups()  # type: ignore[union-attr]
    user, at, host = authority.rpartition("@")
    bare = re.split(r"[?#]", path, maxsplit=1)[0]
    if not at and bare == path:
        return address, HostSecret("")
    clean = f"{head}{mark if mark else ''}{host}{slash}{bare}" if mark else f"{host}{slash}{bare}"
    for part in (unquote(user.partition(":")[2]), *re.split(r"[?&=#]", path[len(bare) :])[2::2]):
        register_secret(part)
    return clean, HostSecret(address if mark else f"http://{address}", account_of(clean))


def sealed(settings: Any, address: str) -> Any:
    """Request settings whose secrets, such as an ``Authorization`` header, are bound to the host of an address."""
    if not isinstance(settings, Mapping):
        return settings
    return {
        key: bound(value, address)
        if isinstance(value, str) and SECRET_NAME.search(str(key))
        else sealed(value, address)
        for key, value in settings.items()
    }


def unsealed_for(settings: Any, address: str) -> Any:
    """The same without the secrets that were given for another host."""
    if not isinstance(settings, Mapping):
        return settings
    return {key: unsealed_for(value, address) for key, value in settings.items() if goes_to(value, address)}


class SendSecrets:
    """An event hook for requests (``httpx.Client(event_hooks={"request": [SendSecrets(...)]})``).

    To a host other than the server's, no header that holds a secret is sent either, whoever set it.

    Args:
        address: the server's.
        key: sent as a bearer token in ``Authorization``, and unchanged in the other headers.
        login: of :func:`split_address`: its user and password are sent as basic authentication, its query with each
            request.
        headers: in which headers the key is sent.

    Attributes:
        key: the key, bound to its host.
    """

    def __init__(
        self, address: str, key: str = "", login: str = "", headers: Sequence[str] = ("Authorization",)
    ) -> None:
        self._home = account_of(address)
        self.key, self._login = bound(key, address), bound(login, address)
        self._headers = headers
        if self._login:
            _hide_in_log_of("httpx")

    @property
    def withheld(self) -> str:
        """A sentence about a key that this server does not get; empty if none is withheld."""
        if self.key and self.key.host != self._home:
            return f"The key at hand was given for {self.key.host}, and is not sent to {self._home}."
        return ""

    def __call__(self, request: httpx.Request) -> None:
        here = account_of(f"{request.url.scheme}://{request.url.netloc.decode('ascii')}")
        if here != self._home:
            for name in [name for name in request.headers if SECRET_NAME.search(name)]:
                del request.headers[name]
        if self.key and here == self.key.host:
            for name in self._headers:
                request.headers[name] = f"Bearer {self.key}" if name == "Authorization" else str(self.key)
        if self._login and here == self._login.host:
            self._log_in(request)

    def _log_in(self, request: httpx.Request) -> None:
        parts = urlsplit(self._login)
        if parts.username is not None:
            words = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            request.headers["Authorization"] = f"Basic {base64.b64encode(words).decode('ascii')}"
        if parts.query:
            query = b"&".join(part for part in (request.url.query, parts.query.encode()) if part)
            request.url = request.url.copy_with(query=query)


class _HideAddresses(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(arg if isinstance(arg, (int, float)) else redact(str(arg)) for arg in record.args)
        return True


_filters: dict[str, _HideAddresses] = {}


def _hide_in_log_of(name: str) -> None:
    """The client logs the address of each request, with its query."""
    if name not in _filters:
        _filters[name] = _HideAddresses()
        logging.getLogger(name).addFilter(_filters[name])


def without_secrets(settings: Any) -> Any:
    """Request settings without those that hold a secret, such as an ``Authorization`` header, at any depth."""
    if isinstance(settings, dict):
        return {key: without_secrets(value) for key, value in settings.items() if not SECRET_NAME.search(str(key))}
    return settings
