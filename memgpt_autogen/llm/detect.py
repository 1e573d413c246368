"""Detection of the server at an address, by the probes in its row of the server table."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ..config import DEFAULT_ENDPOINTS, LLMConfig
from ..config.host_secrets import is_near
from ..errors import ModelError, ModelRequestError, ModelServerError
from ..servers import SERVERS, Probe, Server
from .connection import Connection, connect
from .transport import Broken, Loading, Transport

log = logging.getLogger(__name__)

#: Seconds for one probe.
TIMEOUT = 3.0
#: Paths that people copy along with an address.
_PATH = re.compile(r"(/api)?(/v1)?(/(chat/)?completions|/completion|/generate)?/*$")


@dataclass(frozen=True)
class DetectedServer:
    """A server that was recognised.

    Attributes:
        type: its ``model_endpoint_type``.
        address: where it is, without ``/v1``.
        model: what it has loaded; empty: nothing, or not reported.
        window: tokens of its context; None: not reported.
    """

    type: str
    address: str
    model: str = ""
    window: int | None = None

    def __str__(self) -> str:
        window = f", a window of {self.window} tokens" if self.window else ""
        return f"{self.address} is {self.type} with {self.model or 'no model that it names'}{window}"


def probe(address: str, *, api_key: str = "", login: str = "", timeout: float = TIMEOUT) -> DetectedServer | None:
    """The server at an address, with or without ``/v1``; None: an unknown one.

    Args:
        address: as for ``OPENAI_API_BASE``.
        api_key, login: sent as by :class:`.transport.Transport`.
        timeout: seconds for each request.

    Raises:
        ModelServerError: nothing answers there.
    """
    base = _PATH.sub("", LLMConfig(model_endpoint_type="llamacpp", model_endpoint=address).address)
    replies: dict[str, Any] = {}
    with Transport(base, timeout=timeout, attempts=1, api_key=api_key, loading=0) as transport:
        try:
            for row in SERVERS.values():
                for sign in row.probes:
                    if sign.path not in replies:
                        replies[sign.path] = _get(transport, sign.path, first=not replies)
                    if _matches(sign, replies[sign.path]):
                        return _describe(row, base, transport)
        except Loading as error:  # it has no other answer yet, and tells by this one what it is
            rows = (row for row in SERVERS.values() if error.type and row.loading_error == error.type and row.probes)
            return next((DetectedServer(row.name, base) for row in rows), None)
    return None


def _matches(sign: Probe, reply: Any) -> bool:
    try:
        return reply is not None and sign.matches(reply)
    except (KeyError, TypeError, AttributeError):
        return False


def local_servers(endpoints: Mapping[str, str] = DEFAULT_ENDPOINTS) -> list[DetectedServer]:
    """The servers that answer at the default addresses on this machine."""
    addresses = sorted({address for address in endpoints.values() if is_near(address)})

    def look(address: str) -> DetectedServer | None:
        try:
            return probe(address, timeout=1.0)
        except ModelError:
            return None

    with ThreadPoolExecutor(max_workers=max(1, len(addresses))) as pool:
        return [found for found in pool.map(look, addresses) if found]


def is_hosted_openai(address: str) -> bool:
    """Whether an address is OpenAI's or Azure's own."""
    return _host(address).endswith(("openai.com", "openai.azure.com"))


def _host(address: str) -> str:
    return urlsplit(address if "://" in address else f"http://{address}").hostname or ""


def _get(transport: Transport, path: str, *, first: bool) -> Any:
    """The JSON at a path; None for any other answer. Raises only if the first request gets no answer at all."""
    try:
        return transport.get(path)
    except Loading:
        raise
    except (ModelRequestError, Broken):
        return None
    except ModelServerError:
        if first:
            raise
        return None


def _describe(row: Server, base: str, transport: Transport) -> DetectedServer:
    """The server with what it reports about itself."""
    config = LLMConfig(model_endpoint_type=row.name, model_endpoint=base)
    try:
        info = Connection(row, transport, config).info
    except ModelError as error:  # no model is loaded, or it requires a key
        log.info("%s", error)
        return DetectedServer(row.name, base)
    return DetectedServer(row.name, base, info.model, info.window)


def served_model(config: LLMConfig) -> str:
    """The model's name for requests to the server's OpenAI-compatible API.

    Raises:
        ModelServerError, ModelRequestError: the server must be asked and does not answer, or has no model.
    """
    if not SERVERS[config.model_endpoint_type].needs_model:
        return config.model or "local"
    with connect(config, timeout=10.0, attempts=2) as connection:
        return connection.info.model
