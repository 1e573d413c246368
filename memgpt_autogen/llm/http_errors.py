"""Classifies failed HTTP requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .sse import IncompleteStream

if TYPE_CHECKING:
    import httpx


def error_kind(error: Exception) -> str:
    """``slow``, ``down``, ``address``; empty: not a network error."""
    import httpx

    if isinstance(error, (httpx.UnsupportedProtocol, httpx.InvalidURL)):
        return "address"
    if isinstance(error, (httpx.ReadTimeout, httpx.WriteTimeout)):
        return "slow"
    return "down" if isinstance(error, (httpx.TransportError, IncompleteStream)) else ""


def never_connected(error: Exception) -> bool:
    """Whether no connection was made at all, for example because nothing listens."""
    import httpx

    return isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))


def is_html(response: httpx.Response) -> bool:
    """Whether a response is a web page."""
    return "html" in response.headers.get("content-type", "") or response.text.lstrip()[:1] == "<"


def type_and_message(response: httpx.Response) -> tuple[str, str]:
    """(type, message) of an error response; empty where missing."""
    try:
        data = response.json()
    except ValueError:
        return "", "" if is_html(response) else response.text.strip()[:300]
    found = data.get("error", data.get("detail", data)) if isinstance(data, dict) else data
    if not isinstance(found, dict):
        return "", str(found)[:300]
    return str(found.get("type", "")), str(found.get("message", found))[:300].rstrip(".")


def retry_after(response: httpx.Response) -> float | None:
    """Seconds in the ``Retry-After`` header."""
    try:
        return max(0.0, float(response.headers["retry-after"]))
    except (KeyError, ValueError):
        return None
