"""Guards the page: for who has the address with its token, on this machine, and for no other site through a browser."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: The only address that the page is served on.
LOOPBACK = "127.0.0.1"
#: Sent with every answer: nothing is loaded from elsewhere, run inline, framed or kept.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def new_token() -> str:
    """A secret for the address of a page."""
    return secrets.token_urlsafe(24)


def hosts(port: int) -> frozenset[str]:
    """What a browser on this machine may call the server; another name is a site whose name leads here (rebinding)."""
    return frozenset({f"{LOOPBACK}:{port}", f"localhost:{port}"})


class Guard:
    """Lets requests through to an app: with the token as first part of the path, for a host of the table, and writes
    only from the page itself.

    Args:
        app: sees the path without the token.
        token: the secret.
        allowed: values of the header Host.
    """

    def __init__(self, app: ASGIApp, token: str, allowed: Collection[str]) -> None:
        self._app = app
        self._prefix = f"/{token}"
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        if refused := self._refusal(scope):
            await PlainTextResponse(*refused)(scope, receive, send_guarded)
            return
        inner = {**scope, "root_path": self._prefix}
        await self._app(inner, receive, send_guarded)

    def _refusal(self, scope: Scope) -> tuple[str, int] | None:
        """What is said to a request that is not let through, and its status."""
        headers = Headers(scope=scope)
        if headers.get("host") not in self._allowed:
            return "This page is only for the machine that it runs on.", 421
        first = "/" + scope["path"][1:].partition("/")[0]
        if not secrets.compare_digest(first.encode(), self._prefix.encode()):
            return 'Open the address that "memgpt inspect" printed: it ends with a token.', 404
        if scope["method"] not in ("GET", "HEAD") and headers.get("origin") != f"http://{headers['host']}":
            return "Changes are only taken from the page itself.", 403
        return None
