"""Which server is it? A few small GETs tell, since each kind has a path of its own.

The order matters: several servers imitate others' paths. koboldcpp answers as Ollama and llama.cpp do, llama.cpp lists
its model as Ollama does, and LM Studio answers any path with 200.
"""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ..config import DEFAULT_ENDPOINTS, LLMConfig
from ..errors import ModelError, ModelRequestError, ModelServerError
from .connection import Connection
from .servers import SERVERS
from .transport import Broken, Transport

log = logging.getLogger(__name__)

#: Seconds for one small question.
TIMEOUT = 3.0
#: What people copy along with an address.
_PATH = re.compile(r"(/api)?(/v1)?(/(chat/)?completions|/completion|/generate)?/*$")


@dataclass(frozen=True)
class Found:
    """A server.

    Attributes:
        type: its ``model_endpoint_type``.
        address: where it is, without ``/v1``.
        model: what it has loaded; empty: nothing, or it does not say.
        window: tokens of its context; None: it does not say.
    """

    type: str
    address: str
    model: str = ""
    window: int | None = None

    def __str__(self) -> str:
        window = f", a window of {self.window} tokens" if self.window else ""
        return f"{self.address} is {self.type} with {self.model or 'no model that it names'}{window}"


def _is_llamacpp(reply: Any) -> bool:
    return "default_generation_settings" in reply


def _is_vllm(reply: Any) -> bool:
    return any(row.get("owned_by") == "vllm" for row in reply["data"])


def _is_lmstudio(reply: Any) -> bool:
    return any("state" in row or "compatibility_type" in row for row in reply["data"])


#: (type, path, whether this is its answer), in the order they are tried.
_SIGNS: tuple[tuple[str, str, Callable[[Any], bool]], ...] = (
    ("koboldcpp", "/api/extra/version", lambda reply: reply["result"] == "KoboldCpp"),
    ("llamacpp", "/props", _is_llamacpp),
    ("llamacpp", "/v1/models", lambda reply: any(row.get("owned_by") == "llamacpp" for row in reply["data"])),
    ("vllm", "/v1/models", _is_vllm),
    ("webui", "/v1/internal/model/info", lambda reply: "model_name" in reply),
    ("lmstudio", "/api/v0/models", _is_lmstudio),
    ("ollama", "/api/tags", lambda reply: isinstance(reply["models"], list)),
    ("webui-legacy", "/api/v1/model", lambda reply: isinstance(reply["result"], str)),
)


def probe(address: str, *, api_key: str = "", timeout: float = TIMEOUT) -> Found | None:
    """Which server listens at an address, with or without ``/v1``; None: one that is not known here.

    Args:
        address: as for ``OPENAI_API_BASE``.
        api_key: sent along.
        timeout: seconds for each question.

    Raises:
        ModelServerError: nothing answers there.
    """
    base = _PATH.sub("", LLMConfig(model_endpoint_type="llamacpp", model_endpoint=address).address)
    transport = Transport(base, timeout=timeout, attempts=1, api_key=api_key)
    answers: dict[str, Any] = {}
    try:
        for kind, path, is_its in _SIGNS:
            if path not in answers:
                answers[path] = _answer(transport, path, first=not answers)
            try:
                its = answers[path] is not None and is_its(answers[path])
            except (KeyError, TypeError, AttributeError):
                its = False
            if its:
                return _found(kind, base, transport)
    finally:
        transport.close()
    return None


def local_servers(endpoints: Mapping[str, str] = DEFAULT_ENDPOINTS) -> list[Found]:
    """The servers that answer at the default addresses on this machine."""
    addresses = sorted({address for address in endpoints.values() if is_near(address)})

    def look(address: str) -> Found | None:
        try:
            return probe(address, timeout=1.0)
        except ModelError:
            return None

    with ThreadPoolExecutor(max_workers=max(1, len(addresses))) as pool:
        return [found for found in pool.map(look, addresses) if found]


def is_near(address: str) -> bool:
    """Whether an address is on this machine or its own network, by its name alone."""
    host = _host(address)
    try:
        number = ipaddress.ip_address(host)
    except ValueError:
        return bool(host) and ("." not in host or host.endswith((".local", ".lan", ".internal", ".home.arpa")))
    return number.is_private or number.is_loopback or number.is_link_local


def is_hosted_openai(address: str) -> bool:
    """Whether an address is OpenAI's or Azure's own."""
    return _host(address).endswith(("openai.com", "openai.azure.com"))


def _host(address: str) -> str:
    return urlsplit(address if "://" in address else f"http://{address}").hostname or ""


def _answer(transport: Transport, path: str, *, first: bool) -> Any:
    """The JSON at a path; None where it answers with anything else, or not at all once something else was answered."""
    try:
        return transport.get(path)
    except (ModelRequestError, Broken):
        return None
    except ModelServerError:
        if first:
            raise
        return None


def _found(kind: str, base: str, transport: Transport) -> Found:
    """The server with what it says of itself, as far as it says it."""
    config = LLMConfig(model_endpoint_type=kind, model_endpoint=base)
    try:
        facts = Connection(SERVERS[kind], transport, config).facts
    except ModelError as error:  # no model loaded, or a key is wanted
        log.info("%s", error)
        return Found(kind, base)
    return Found(kind, base, facts.model, facts.window)


def served_model(config: LLMConfig) -> str:
    """The name under which a server is asked for its model by its OpenAI-compatible API.

    Raises:
        ModelServerError, ModelRequestError: it must be asked and does not answer, or has none.
    """
    row = SERVERS[config.model_endpoint_type]
    if not row.needs_model:
        return config.model or "local"
    transport = Transport(row.base(config.address), timeout=10.0, attempts=2, api_key=config.api_key, hints=row.hints)
    try:
        return Connection(row, transport, config).facts.model
    finally:
        transport.close()
