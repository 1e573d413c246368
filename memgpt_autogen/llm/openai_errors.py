"""Converts errors of the ``openai`` package into ours, which name the cause and the next step."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from ..config.http_client import proxy_hint
from ..errors import ModelError, ModelRequestError, ModelServerError
from ..redaction import without

#: Retries of a request, and seconds before the first; doubled for each further one.
RETRIES = 3
_BACKOFF = 0.5
_TOO_LONG = re.compile(r"context.?(length|window|size)", re.IGNORECASE)


def error_message(error: Any) -> str:
    """The server's own message in an error of the ``openai`` package."""
    body = getattr(error, "body", None)
    if isinstance(body, Mapping):
        inner = body.get("error", body)
        found = (inner.get("message") or inner.get("detail")) if isinstance(inner, Mapping) else inner
        if found:
            return str(found)
    if isinstance(body, str) and body.strip():  # newer releases of the package omit it from the error's message
        return body
    return str(getattr(error, "message", "") or error)


def error_in(answer: Any, address: str) -> Any:
    """The error of the ``openai`` package for one that came with status 200, as routers send it; None: there is none.

    Its status is the ``code`` within, where that is a number of HTTP's, else 502.
    """
    import httpx
    import openai

    found = getattr(answer, "error", None)
    if not found or getattr(answer, "choices", None):
        return None
    body = found if isinstance(found, Mapping) else {"message": str(getattr(found, "message", found))}
    code = str(body.get("code") or body.get("status") or "")
    status = int(code) if re.fullmatch("[45][0-9][0-9]", code) else 502
    response: Any = httpx.Response(status, request=httpx.Request("POST", address))
    kinds = {400: openai.BadRequestError, 401: openai.AuthenticationError, 403: openai.PermissionDeniedError}
    kinds |= {404: openai.NotFoundError, 422: openai.UnprocessableEntityError, 429: openai.RateLimitError}
    kind = kinds.get(status, openai.InternalServerError if status >= 500 else openai.APIStatusError)
    return kind(str(body.get("message") or body), response=response, body=dict(body))


def raising_errors(create: Callable[[], Any], address: str = "http://provider", retries: int = RETRIES) -> Any:
    """What ``create`` returns. An error that came with status 200 is raised, after retries where it may pass.

    Args:
        create: makes the request.
        address: of the provider.
        retries: how often it is made again.

    Raises:
        openai.APIStatusError: the error.
    """
    for attempt in range(retries + 1):
        answer = create()
        error = error_in(answer, address)
        if error is None:
            return answer
        if attempt == retries or not (error.status_code == 429 or error.status_code >= 500):
            break
        time.sleep(_BACKOFF * 2**attempt)  # as the package does where the status tells
    raise error


def explain(error: Exception, model: str, address: str, key: str = "") -> ModelError:
    """Our error for an error of the package.

    Args:
        error: an ``openai.OpenAIError``.
        model: named in the message.
        address: named in the message.
        key: removed from the server's message.
    """
    import openai

    words = error_message(error).strip().rstrip(".")[:300]
    words = without(key, words)
    code = str(getattr(error, "code", "") or "")
    if isinstance(error, openai.APITimeoutError):
        told = f"No answer from {address} in time. Raise the timeout, or use a smaller prompt or model."
        return ModelServerError(told, retry=True)
    if isinstance(error, openai.APIConnectionError):
        told = (
            f"Cannot reach {address}. Is the address right, the network up, the server running? {proxy_hint(address)}"
        )
        return ModelServerError(told.rstrip(), retry=True)
    if isinstance(error, (openai.AuthenticationError, openai.PermissionDeniedError)):
        # Without the server's message, which repeats a part of the key.
        return ModelRequestError(f"{address} does not accept the API key for {model}. Set the right key for it.")
    if isinstance(error, openai.NotFoundError):
        return ModelRequestError(f"{address} knows no model {model!r} or no such path: {words}. Check both.")
    if isinstance(error, openai.RateLimitError):
        if code == "insufficient_quota" or "quota" in words:
            return ModelRequestError(f"{address}: the account's quota is used up: {words}. Look at its billing page.")
        return ModelServerError(f"{address} limits the rate of calls: {words}. Wait a little.", retry=True)
    if isinstance(error, openai.BadRequestError) and _TOO_LONG.search(f"{code} {words}"):
        return ModelRequestError(f"The prompt is too long for {model}: {words}. Set context_window to its real size.")
    if isinstance(error, openai.APIStatusError):
        told = f"{address} answered {error.status_code}: {words}."
        if error.status_code >= 500:
            return ModelServerError(f"{told} Its fault; try again in a while.", retry=True)
        return ModelRequestError(f"{told} It may not know a setting that was sent.")
    return ModelServerError(f"{address} gave no usable answer: {words}. Is it an OpenAI-compatible API?")
