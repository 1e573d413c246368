"""HTTP clients for models' servers: no proxy for this machine, and clear words where a proxy stands in the way."""

from __future__ import annotations

import ipaddress
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from ..errors import ConfigError, MissingDependency
from ..redaction import redact

if TYPE_CHECKING:
    import httpx


def is_loopback(address: str) -> bool:
    """Whether an address is on this machine, judged by its name alone."""
    host = (urlsplit(address if "://" in address else f"http://{address}").hostname or "").rstrip(".").lower()
    try:
        number = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return number.is_loopback or number.is_unspecified


def http_client(address: str, *, timeout: float, **options: Any) -> httpx.Client:
    """A client for a server. A proxy of the environment is used, except for this machine.

    Args:
        address: of the server.
        timeout: seconds for a request; for its connection 10 at most.
        **options: of ``httpx.Client``.

    Raises:
        MissingDependency: httpx is not installed, or a SOCKS proxy is set and its support is not installed.
        ConfigError: a proxy is set that no client can use.
    """
    try:
        import httpx
    except ImportError as error:
        raise MissingDependency("Talking to a model's server needs httpx.", "httpx") from error
    try:
        limits = httpx.Timeout(timeout, connect=min(10.0, timeout))
        return httpx.Client(trust_env=not is_loopback(address), timeout=limits, **options)
    except ImportError as error:
        raise MissingDependency(f"{_named(proxies())} is a SOCKS proxy.", "httpx[socks]") from error
    except ValueError as error:
        told = f"No request can be sent by way of {_named(proxies())}: {redact(str(error))}"
        raise ConfigError(f"{told} Correct the variable, or unset it.") from error


def proxies() -> dict[str, str]:
    """The variables of the environment that name a proxy, with their values."""
    return {
        name: value
        for name, value in os.environ.items()
        if name.upper() in ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY") and value.strip()
    }


def proxy_hint(address: str) -> str:
    """A sentence about the proxy that requests to an address go by; empty: there is none."""
    parts = urlsplit(address)
    if is_loopback(address) or not proxies() or proxy_bypass(parts.hostname or ""):
        return ""
    used = getproxies().get(parts.scheme) or getproxies().get("all")
    return f"It is asked by way of the proxy {redact(used)}: is that right? NO_PROXY leaves hosts out." if used else ""


def _named(found: dict[str, str]) -> str:
    socks = [f"{name}={redact(value)}" for name, value in found.items() if value.lower().startswith("socks")]
    return ", ".join(socks or [f"{name}={redact(value)}" for name, value in found.items()]) or "the proxy"
