"""llama.cpp's server (``tools/server/README.md`` in its repository), and the one that we start ourselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ...messages import Usage
from .base import Ask, Completion, Facts, Json, Order, Question, Server, Stream, with_params


def _body(order: Order) -> Json:
    body: Json = {"prompt": order.prompt, "cache_prompt": True, "stream": False}
    if order.gbnf is not None:
        body["grammar"] = order.gbnf
    return with_params(body, order.params, "n_predict", "stop")


def _read(reply: Any) -> Completion:
    usage = Usage(
        prompt_tokens=int(reply.get("tokens_evaluated", 0)),
        completion_tokens=int(reply.get("tokens_predicted", 0)),
        cached_tokens=int((reply.get("timings") or {}).get("cache_n", 0)),
    )
    # Builds before 2025 say ``stopped_limit`` in place of ``stop_type``.
    cut = reply.get("stop_type") == "limit" or bool(reply.get("stopped_limit"))
    return Completion(str(reply["content"]), "limit" if cut else "stop", usage, bool(reply.get("truncated")))


def _whole(text: str, events: Sequence[Any]) -> Any | None:
    ended = events and (events[-1].get("stop") or "stop" not in events[-1])
    return {**events[-1], "content": text} if ended else None


def _learn(ask: Ask, wanted: str) -> Facts:
    reply = ask("/props", None)
    return Facts(wanted or str(reply.get("model_alias") or ""), int(reply["default_generation_settings"]["n_ctx"]))


def _weigh(ask: Ask, model: str) -> int:
    return int(ask("/v1/models", None)["data"][0]["meta"]["n_params"])


LLAMACPP = Server(
    name="llamacpp",
    title="llama.cpp's server",
    path="/completion",
    body=_body,
    read=_read,
    stream=Stream(lambda event: str(event.get("content") or ""), _whole),
    learn=_learn,
    weigh=_weigh,
    count=Question("/tokenize", lambda text, model: {"content": text}, lambda reply: len(reply["tokens"])),
    strict=True,
    template="/apply-template",
    shows=lambda ask, model: str(ask("/props", None)["chat_template"]),
    reserved=frozenset({"prompt", "stream", "grammar", "json_schema", "n_predict"}),
    hints={
        "down": "To start it: llama-server -m MODEL.gguf.",
        "exceed_context_size_error": "Start the server with a larger context, or set context_window.",
        "unavailable_error": "The server is still loading its model: try again in a moment.",
    },
)

EMBEDDED = replace(
    LLAMACPP,
    name="embedded",
    title="the model server of this program",
    hints={name: hint for name, hint in LLAMACPP.hints.items() if name != "down"},
)
