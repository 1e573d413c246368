"""JSON over HTTP to a model's server: a timeout on every request, retries where they help, errors that help.

What is retried: connections that fail or break, 429 and 5xx, with exponential backoff; a reply that does not
come in time only once, since another generation as long rarely comes sooner. Not retried are a refused request (4xx)
and a connection that cannot be made to a server that has not answered yet: it is not running, or is elsewhere.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from ..config.host_secrets import SendSecrets
from ..config.http_client import http_client, proxy_hint
from ..errors import ModelRequestError, ModelServerError
from ..redaction import redact, without
from .http_errors import LoadingWait, error_kind, is_html, is_loading, never_connected, retry_after, type_and_message
from .sse import values

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)

_LONGEST_WAIT = 30.0
#: Seconds that a server may take to load its model.
LOADING_TIME = 600.0
#: Where servers look for a key, beside a bearer token.
_KEY_HEADERS = ("Authorization", "X-API-Key", "api-key")
Address = str | Callable[[], str]
ReadEvents: TypeAlias = Callable[[Iterator[Any]], Any]


class Refused(ModelRequestError):
    """The server answered with a status from 400 to 499."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Broken(ModelServerError):
    """The server answered, and not with what it should: a status from 500 on, a web page, nothing.

    Attributes:
        status: of the answer.
        empty: there was nothing in it.
    """

    def __init__(self, message: str, status: int, *, retry: bool = False, empty: bool = False) -> None:
        super().__init__(message, retry=retry)
        self.status = status
        self.empty = empty


class Loading(Broken):
    """The server is still loading its model. ``type`` is what it calls that."""

    def __init__(self, message: str, status: int, kind: str) -> None:
        super().__init__(message, status, retry=True)
        self.type = kind


class Transport:
    """One server's address and manners. Safe to use from several threads.

    Args:
        address: ``http://host:port``, or a function that says it anew for each request (a server that may
            move).
        timeout: seconds for one request.
        attempts: how often a request is made in all.
        backoff: seconds before the second attempt; doubled for each further one.
        api_key: sent as a bearer token, and in the two headers that other servers look for it in; never part of a
            message, and never sent to another host.
        login: secrets of the address, as :func:`memgpt_autogen.config.host_secrets.split_address` takes them out.
        on_lost: called when a connection cannot be made or breaks, before it is retried or told.
        loading: seconds to wait for a server that is still loading its model.
        hints: what to do about an error, by the ``type`` that the server gives it; ``empty``: about an answer with
            nothing in it; ``down``: how the server is started.
    """

    def __init__(
        self,
        address: Address,
        *,
        timeout: float = 300.0,
        attempts: int = 4,
        backoff: float = 0.5,
        api_key: str = "",
        login: str = "",
        hints: Mapping[str, str] | None = None,
        on_lost: Callable[[], None] | None = None,
        loading: float = LOADING_TIME,
    ) -> None:
        self._address = address
        self._timeout = timeout
        self._loading = loading
        self._attempts = max(1, attempts)
        self._backoff = backoff
        self._api_key = api_key
        self._login = login
        self._hints = hints or {}
        self._on_lost = on_lost
        self._client: httpx.Client | None = None
        self._met = False
        self._lock = threading.Lock()

    @property
    def where(self) -> str:
        """The address, without a password."""
        return redact(self._base())

    def get(self, path: str) -> Any:
        """The JSON at a path. Raises as :meth:`post` does."""
        return self._request("GET", path, None)

    def post(self, path: str, body: Mapping[str, Any], *, patient: bool = True, read: ReadEvents | None = None) -> Any:
        """The JSON that the server answers with.

        Args:
            path: after the address.
            body: what is sent.
            patient: try again after a 500; not where that may be the answer to this very request.
            read: makes the result of a reply that comes in pieces, each the JSON of a server-sent event or of a line.
                Called anew for each attempt; raises :class:`.sse.IncompleteStream` where the last piece is missing.

        Raises:
            ModelServerError: unreachable, out of time; ``retry`` says if again helps. As Broken: a fault of its own,
                or no JSON.
            Refused: it refused the request (4xx).
        """
        return self._request("POST", path, body, patient, read)

    def __enter__(self) -> Transport:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close idle connections."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _base(self) -> str:
        return (self._address() if callable(self._address) else self._address).rstrip("/")

    def _request(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        patient: bool = True,
        read: ReadEvents | None = None,
    ) -> Any:
        url = self._base() + path
        shown = redact(url)
        attempt = timeouts = 0
        loading = LoadingWait(self._loading)
        failure: ModelServerError | ModelRequestError
        while True:
            attempt += 1
            last = attempt >= self._attempts
            try:
                # The time limit holds for each piece that is read. Some servers hang up after a stream, and would do so
                # on the next request.
                headers = {"Connection": "close"} if read else {}
                with self._open(url).stream(method, url, json=body, headers=headers) as response:
                    if read and response.status_code < 400:
                        return read(self._events(response, shown))
                    response.read()
            except Exception as error:
                failure = self._unreachable(error, shown, attempt)
                timeouts += error_kind(error) == "slow"
                if self._on_lost and error_kind(error) == "down":
                    self._on_lost()
                if last or timeouts > 1 or not failure.retry or (never_connected(error) and not self._met):
                    log.debug("%s %s failed", method, shown, exc_info=True)
                    raise failure from None  # the message says it all
                wait = self._backoff * 2 ** (attempt - 1)
            else:
                self._met = True
                if response.status_code < 400:
                    return self._json(response, shown)
                failure = self._refused(response, shown, attempt)
                if isinstance(failure, Loading) and loading.goes_on(self.where):
                    attempt -= 1
                    continue
                if last or not failure.retry or (response.status_code == 500 and not patient):
                    raise failure
                wait = retry_after(response) or self._backoff * 2 ** (attempt - 1)
            log.warning("%s Trying again in %.1f s.", failure, wait)
            time.sleep(min(wait, _LONGEST_WAIT))

    def _open(self, url: str) -> httpx.Client:
        with self._lock:
            if self._client is None:
                self._client = http_client(
                    url,
                    timeout=self._timeout,
                    follow_redirects=True,
                    event_hooks={"request": [self._send_secrets(url)]},
                )
            return self._client

    def _send_secrets(self, url: str) -> SendSecrets:
        return SendSecrets(url, self._api_key, self._login, _KEY_HEADERS)

    def _unreachable(self, error: Exception, shown: str, attempt: int) -> ModelServerError:
        failed = error_kind(error)
        if failed == "":
            raise error
        if failed == "address":
            return ModelServerError(f"{shown!r} is not an address that can be called: {error}.")
        if failed == "slow":
            told = f"No answer from {shown} in {self._timeout:g} s."
            return ModelServerError(f"{told} Raise the timeout, or use a smaller model or prompt.", retry=True)
        tried = f" (tried {attempt} times)" if attempt > 1 else ""
        told = f"Cannot reach {self.where}{tried}: {self._scrub(str(error))}."
        more = " ".join(part for part in (self._hints.get("down", ""), proxy_hint(self.where)) if part)
        todo = f"Is the server running, and is this its address?{more and ' ' + more}"
        return ModelServerError(f"{told} {todo}", retry=True)

    def _refused(self, response: httpx.Response, shown: str, attempt: int) -> Broken | Refused:
        status = response.status_code
        fault, words = type_and_message(response)
        told = f"{shown} answered {status}{': ' + self._scrub(words) if words else ''}."
        hint = self._hints.get(fault, "")
        if is_loading(status, f"{fault} {words}"):
            return Loading(f"{told} {hint or 'It is still loading its model: try again in a while.'}", status, fault)
        if status == 429 or status >= 500:
            tried = f" Tried {attempt} times." if attempt > 1 else ""
            return Broken(f"{told}{tried} {hint or 'Wait a little, or look at its log.'}", status, retry=True)
        if hint:
            return Refused(f"{told} {hint}", status)
        if status in (401, 403):
            todo = "The server wants a valid API key: set OPENAI_API_KEY, with OPENAI_API_BASE, or api_key."
            todo = f"{self._send_secrets(self._base()).withheld} {todo}".strip()
        elif status == 404:
            todo = "Is this the right address, and the right type of server (BACKEND_TYPE)?"
        else:
            todo = "The server's version may not know a setting that was sent."
        return Refused(f"{told} {todo}", status)

    def _json(self, response: httpx.Response, shown: str) -> Any:
        try:
            return response.json()
        except ValueError as error:
            status = response.status_code
            if not response.content.strip():
                todo = self._hints.get("empty", "Look at the server's log.")
                raise Broken(f"{shown} answered {status} with nothing in it. {todo}", status, empty=True) from error
            what = "a web page" if is_html(response) else f"{len(response.content)} bytes that are not JSON"
            raise Broken(
                f"{shown} answered with {what} instead of JSON. Is this the address of the model's API, and "
                "the right type of server (BACKEND_TYPE)?",
                status,
            ) from error

    def _events(self, response: httpx.Response, shown: str) -> Iterator[Any]:
        """The JSON values of a stream: server-sent events (``data: {...}``) or one a line."""
        media = response.headers.get("content-type", "")
        if "html" in media or ("json" in media and "ndjson" not in media):  # the server does not stream
            response.read()
            yield self._json(response, shown)
            return
        for value in values(response.iter_bytes()):
            fault = value.get("error") if isinstance(value, dict) else None
            if fault:
                words = fault.get("message", fault) if isinstance(fault, dict) else fault
                raise Broken(f"{shown} broke off: {self._scrub(str(words)[:300])}. Look at the server's log.", 500)
            yield value

    def _scrub(self, text: str) -> str:
        return redact(without(self._api_key, text))
