"""Ollama: its own API (``docs/api.md`` in its repository), with ``raw`` prompts. Not tested against a real
one.

Each request sets the window: without ``num_ctx`` Ollama silently drops the start of a long prompt. Settings go into
``options``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from ..messages import Usage
from .base import (
    Completion,
    CompletionRequest,
    Fetch,
    Json,
    Probe,
    Server,
    ServerInfo,
    StreamFormat,
    pick_model,
    reasoning_of,
    with_params,
)

#: Fields that stand beside ``options`` and not in it.
_OUTER = ("keep_alive", "think")


def _body(request: CompletionRequest) -> Json:
    body: Json = {"model": request.info.model, "prompt": request.prompt, "raw": True, "stream": False}
    if request.schema is not None:
        body["format"] = request.schema
    options = with_params({"num_ctx": request.window}, request.params, "num_predict", "stop")
    body |= {key: options.pop(key) for key in _OUTER if key in options}
    return body | {"options": options}


def _read(reply: Any) -> Completion:
    tokens = int(reply.get("prompt_eval_count") or 0)
    usage = Usage(tokens, int(reply.get("eval_count") or 0)) if tokens else None
    finish: Literal["stop", "limit"] = "limit" if reply.get("done_reason") == "length" else "stop"
    return Completion(str(reply["response"]), finish, usage, reasoning=reasoning_of(reply))


def _assemble(text: str, events: Sequence[Any]) -> Any | None:
    return {**events[-1], "response": text} if events and events[-1].get("done") else None


def _get_info(fetch: Fetch, requested: str) -> ServerInfo:
    names = [row["name"] for row in fetch("/api/tags", None)["models"]]
    if not requested and len(names) > 1:  # the one in memory answers at once
        running = fetch("/api/ps", None).get("models") or []
        names = [row["name"] for row in running] or names
    model = pick_model(requested, names, "Fetch one with: ollama pull NAME.")
    info = fetch("/api/show", {"model": model}).get("model_info") or {}
    lengths = [int(value) for key, value in info.items() if key.endswith(".context_length")]
    return ServerInfo(model, min(lengths) if lengths else None)


def _count_parameters(fetch: Fetch, model: str) -> int:
    return int(fetch("/api/show", {"model": model})["model_info"]["general.parameter_count"])


OLLAMA = Server(
    name="ollama",
    title="Ollama",
    path="/api/generate",
    body=_body,
    read=_read,
    endpoint="http://127.0.0.1:11434",
    probes=(Probe("/api/tags", lambda reply: isinstance(reply["models"], list)),),
    stream=StreamFormat(lambda event: str(event.get("response") or ""), _assemble),
    get_info=_get_info,
    count_parameters=_count_parameters,
    show_template=lambda fetch, model: str(fetch("/api/show", {"model": model})["template"]),
    needs_model=True,
    constraints=("schema", "none"),  # before version 0.5 it knows no schema
    fallback_window=8192,
    requested_window=8192,
    error_hints={"down": "To start it: ollama serve."},
    reserved=frozenset({"model", "prompt", "raw", "stream", "format", "num_ctx", "num_predict", "options"}),
)
