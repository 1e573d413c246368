"""llama.cpp's server (``tools/server/README.md`` in its repository), and the embedded one that this program starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

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
    TokenCountEndpoint,
    model_list_probe,
    with_params,
)


def _body(request: CompletionRequest) -> Json:
    body: Json = {"prompt": request.prompt, "cache_prompt": True, "stream": False}
    if request.gbnf is not None:
        body["grammar"] = request.gbnf
    return with_params(body, request.params, "n_predict", "stop")


def _read(reply: Any) -> Completion:
    usage = Usage(
        prompt_tokens=int(reply.get("tokens_evaluated", 0)),
        completion_tokens=int(reply.get("tokens_predicted", 0)),
        cached_tokens=int((reply.get("timings") or {}).get("cache_n", 0)),
    )
    # Builds before 2025 say ``stopped_limit`` in place of ``stop_type``.
    cut = reply.get("stop_type") == "limit" or bool(reply.get("stopped_limit"))
    return Completion(str(reply["content"]), "limit" if cut else "stop", usage, bool(reply.get("truncated")))


def _assemble(text: str, events: Sequence[Any]) -> Any | None:
    ended = events and (events[-1].get("stop") or "stop" not in events[-1])
    return {**events[-1], "content": text} if ended else None


def _get_info(fetch: Fetch, requested: str) -> ServerInfo:
    reply = fetch("/props", None)
    return ServerInfo(
        requested or str(reply.get("model_alias") or ""), int(reply["default_generation_settings"]["n_ctx"])
    )


def _count_parameters(fetch: Fetch, model: str) -> int:
    return int(fetch("/v1/models", None)["data"][0]["meta"]["n_params"])


LLAMACPP = Server(
    name="llamacpp",
    title="llama.cpp's server",
    path="/completion",
    body=_body,
    read=_read,
    endpoint="http://127.0.0.1:8080",
    probes=(
        Probe("/props", lambda reply: "default_generation_settings" in reply),
        model_list_probe(lambda entry: entry.get("owned_by") == "llamacpp"),
    ),
    stream=StreamFormat(lambda event: str(event.get("content") or ""), _assemble),
    get_info=_get_info,
    count_parameters=_count_parameters,
    count_tokens=TokenCountEndpoint(
        "/tokenize", lambda text, model: {"content": text}, lambda reply: len(reply["tokens"])
    ),
    rejects_bad_grammar=True,
    template_path="/apply-template",
    show_template=lambda fetch, model: str(fetch("/props", None)["chat_template"]),
    reserved=frozenset({"prompt", "stream", "grammar", "json_schema", "n_predict"}),
    loading_error="unavailable_error",
    error_hints={
        "down": "To start it: llama-server -m MODEL.gguf.",
        "exceed_context_size_error": "Start the server with a larger context, or set context_window.",
        "unavailable_error": "The server is still loading its model: try again in a moment.",
    },
)

EMBEDDED = replace(
    LLAMACPP,
    name="embedded",
    title="the model server of this program",
    endpoint="",
    probes=(),
    error_hints={name: hint for name, hint in LLAMACPP.error_hints.items() if name != "down"},
)
