"""What went wrong with a request, as far as httpx and the server tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .sse import IncompleteStream

if TYPE_CHECKING:
    import httpx


def error_kind(error: Exception) -> str:
    """``slow``, ``down``, ``address``; empty for what is not the network's doing."""
    import httpx

    if isinstance(error, (httpx.UnsupportedProtocol, httpx.InvalidURL)):
        return "address"
    if isinstance(error, (httpx.ReadTimeout, httpx.WriteTimeout)):
        return "slow"
    return "down" if isinstance(error, (httpx.TransportError, IncompleteStream)) else ""


def never_connected(error: Exception) -> bool:
    """Whether there was no connection at all, as where nothing listens."""
    import httpx

    return isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))


def is_html(response: httpx.Response) -> bool:
    """Whether it is a web page."""
    return "html" in response.headers.get("content-type", "") or response.text.lstrip()[:1] == "<"


def type_and_message(response: httpx.Response) -> tuple[str, str]:
    """(type, message) of an error, as far as the server says."""
    try:
        data = response.json()
    except ValueError:
        return "", "" if is_html(response) else response.text.strip()[:300]
    found = data.get("error", data.get("detail", data)) if isinstance(data, dict) else data
    if not isinstance(found, dict):
        return "", str(found)[:300]
    return str(found.get("type", "")), str(found.get("message", found))[:300].rstrip(".")


def retry_after(response: httpx.Response) -> float | None:
    """Seconds that the server asks to wait before the next request."""
    try:
        return max(0.0, float(response.headers["retry-after"]))
    except (KeyError, ValueError):
        return None
