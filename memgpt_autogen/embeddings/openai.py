"""Embeddings from any server with OpenAI's ``/v1/embeddings``: OpenAI, llama.cpp, vLLM, Ollama, LM Studio, ...

Format: https://platform.openai.com/docs/api-reference/embeddings
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

from ..config.host_secrets import SendSecrets, split_address, with_scheme
from ..config.http_client import http_client
from ..errors import ConfigError, SourceError
from ..redaction import redact

if TYPE_CHECKING:
    import httpx

logger = logging.getLogger(__name__)

#: The default address.
OPENAI = "https://api.openai.com"
#: Texts per request, and its timeout in seconds.
BATCH, TIMEOUT = 64, 30.0
#: Seconds between retries.
PAUSES = (0.5, 2.0)
#: A text that is too long for the server is not cut below this number of characters.
SHORTEST = 100
_TOO_LONG = re.compile(r"too (large|long|many tokens)|maximum|context|exceed", re.IGNORECASE)


class _TooLong(Exception):
    """The server says that its input is too long."""


class OpenAIEmbedder:
    """An embedding model behind ``/v1/embeddings``.

    Args:
        model: its name; may be empty where the server has only one.
        endpoint: the server's address, with or without ``/v1``; empty: OpenAI.
        api_key: sent as a bearer token, if there is one, and to the host that it was given for alone.
        login: secrets of the address, as :func:`memgpt_autogen.config.host_secrets.split_address` takes them out.
        batch: texts in one request.
        timeout: seconds for one request.

    Raises:
        ConfigError: OpenAI itself is meant, and there is no model or key.
    """

    def __init__(
        self,
        model: str,
        endpoint: str = "",
        api_key: str = "",
        *,
        login: str = "",
        batch: int = BATCH,
        timeout: float = TIMEOUT,
    ) -> None:
        self._model, self._batch, self._timeout = model, batch, timeout
        endpoint, given = split_address(endpoint)
        self.address = address_of(endpoint)
        self._secrets = SendSecrets(self.address, api_key, login or given)
        self._client: httpx.Client | None = None
        self._dim = 0
        if self.address == OPENAI and not api_key:
            raise ConfigError(f"Embeddings of {OPENAI} need a key: set OPENAI_API_KEY.")
        if self.address == OPENAI and not model:
            raise ConfigError("Which embedding model? Set its model, such as text-embedding-3-small.")
        self.name = f"openai:{model or urlsplit(self.address).netloc}"

    @property
    def dim(self) -> int:
        """The length of a vector; asks the server once.

        Raises:
            SourceError: as :meth:`embed`.
        """
        if not self._dim:
            self.embed(["dimension"])
        return self._dim

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Vectors of shape (len(texts), dim), each of length 1; an empty text's is 0. Too long a text is cut.

        Raises:
            SourceError: the server cannot be reached, refused the request, or sent something else.
        """
        wanted = [place for place, text in enumerate(texts) if text.strip()]
        rows: list[npt.NDArray[np.float32]] = []
        for start in range(0, len(wanted), self._batch):
            rows += self._embed([texts[place] for place in wanted[start : start + self._batch]])
        if rows and any(len(row) != len(rows[0]) or (self._dim and len(row) != self._dim) for row in rows):
            raise SourceError(f"{self._who} gave vectors of different lengths. Is it one and the same model?")
        if rows:
            self._dim = len(rows[0])
        found = np.zeros((len(texts), self._dim), dtype=np.float32)
        if rows:
            vectors = np.stack(rows)
            lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
            found[wanted] = vectors / np.where(lengths > 0, lengths, 1)
        return found

    @property
    def _who(self) -> str:
        return f"The embedder {self._model or '(the only one)'} at {self.address}"

    def _embed(self, texts: Sequence[str]) -> list[npt.NDArray[np.float32]]:
        try:
            return self._ask(texts)
        except _TooLong as error:
            if len(texts) > 1:  # one of them
                return [row for text in texts for row in self._embed([text])]
            if len(texts[0]) < SHORTEST:
                raise SourceError(f"{self._who} refused a text of {len(texts[0])} characters: {error}") from error
            return self._embed([texts[0][: len(texts[0]) // 2]])

    def _ask(self, texts: Sequence[str]) -> list[npt.NDArray[np.float32]]:
        reply = self._post({"model": self._model or "default", "input": list(texts), "encoding_format": "float"})
        try:
            data = sorted(reply["data"], key=lambda one: int(one["index"]))
            rows = [np.asarray(one["embedding"], dtype=np.float32).reshape(-1) for one in data]
        except (KeyError, TypeError, ValueError) as error:
            raise SourceError(
                f"{self._who} answered without vectors: {str(reply)[:200]}. Check the address."
            ) from error
        if len(rows) != len(texts) or not all(len(row) and np.isfinite(row).all() for row in rows):
            raise SourceError(f"{self._who} did not give one vector for each text. Check the model.")
        return rows

    def _post(self, body: Mapping[str, Any]) -> Any:
        for pause in (*PAUSES, None):
            try:
                return self._once(body)
            except SourceError as error:
                if pause is None or not error.retry:
                    raise
                logger.info("%s Trying again.", error)
                time.sleep(pause)
        raise AssertionError("unreachable")

    def _once(self, body: Mapping[str, Any]) -> Any:
        import httpx

        if self._client is None:
            hooks = {"request": [self._secrets]}
            self._client = http_client(self.address, timeout=self._timeout, event_hooks=hooks)
        try:
            reply = self._client.post(f"{self.address}/v1/embeddings", json=body)
        except httpx.TimeoutException as error:
            raise SourceError(f"{self._who} did not answer in {self._timeout:.0f} seconds.") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _again(f"{self._who} cannot be reached ({error}). Is the server running?") from error
        if reply.status_code >= 400:
            raise self._refusal(reply)
        try:
            return reply.json()
        except ValueError as error:
            raise SourceError(f"{self._who} answered with something that is not JSON. Check the address.") from error

    def _refusal(self, reply: httpx.Response) -> Exception:
        status, told = reply.status_code, redact(_words(reply))
        if status in (400, 413, 422, 500) and _TOO_LONG.search(told):
            return _TooLong(told)
        if status in (401, 403):
            told = f"{self._who} does not accept the key. {self._secrets.withheld}".rstrip()
            return SourceError(f"{told} Set the right one for this address.")
        if status == 404:
            return SourceError(f"{self._who}: no such model or path ({told}). Check both.")
        if status == 501:
            return SourceError(f"{self._who} gives no embeddings ({told}). Start llama.cpp with --embeddings.")
        text = f"{self._who} answered {status}: {told}."
        return _again(text) if status == 429 or status >= 500 else SourceError(text)


def address_of(endpoint: str) -> str:
    """A server's address without a trailing ``/v1`` or ``/embeddings``; OpenAI's where there is none."""
    endpoint = with_scheme(endpoint.strip().rstrip("/")) or OPENAI
    return endpoint.removesuffix("/embeddings").rstrip("/").removesuffix("/v1").rstrip("/")


def _again(text: str) -> SourceError:
    error = SourceError(text)
    error.retry = True
    return error


def _words(reply: httpx.Response) -> str:
    """The server's error message."""
    try:
        body = reply.json()
    except ValueError:
        return reply.reason_phrase or "no words"
    inner = body.get("error", body) if isinstance(body, Mapping) else body
    told = inner.get("message", inner) if isinstance(inner, Mapping) else inner
    return str(told).strip().rstrip(".")[:300]
