"""Classifies failed HTTP requests."""

from __future__ import annotations

import logging
import re
import time
from typing import TYPE_CHECKING

from .sse import IncompleteStream

if TYPE_CHECKING:
    import httpx


log = logging.getLogger(__name__)

#: Seconds between two questions to a server that is loading.
_POLL = 1.0
_LOADING = re.compile(r"unavailable_error|\bloading\b", re.IGNORECASE)


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


def is_loading(status: int, told: str) -> bool:
    """Whether a server refuses because its model is still being loaded; ``told`` has type and message of its error."""
    return status == 503 and bool(_LOADING.search(told))


class LoadingWait:
    """Waits for a server that is still loading its model, and says so once.

    Args:
        seconds: how long in all.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until: float | None = None

    def goes_on(self, where: str) -> bool:
        """Wait a moment; False once the time is over."""
        if self._until is None:
            self._until = time.monotonic() + self._seconds
            if self._seconds:
                log.warning("%s is still loading its model; waiting for it.", where)
        left = self._until - time.monotonic()
        time.sleep(max(0.0, min(_POLL, left)))
        return left > 0


def retry_after(response: httpx.Response) -> float | None:
    """Seconds in the ``Retry-After`` header."""
    try:
        return max(0.0, float(response.headers["retry-after"]))
    except (KeyError, ValueError):
        return None
