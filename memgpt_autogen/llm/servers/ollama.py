"""Ollama: its own API (``docs/api.md`` in its repository), with the prompt as it is (``raw``); not run here.

The window is set by each request: without ``num_ctx`` the start of a long prompt would be left out without a word.
Settings go into ``options``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...messages import Usage
from .base import Ask, Completion, Facts, Json, Order, Server, Stream, chosen, with_params

#: Fields that stand beside ``options`` and not in it.
_OUTER = ("keep_alive", "think")


def _body(order: Order) -> Json:
    body: Json = {"model": order.facts.model, "prompt": order.prompt, "raw": True, "stream": False}
    if order.schema is not None:
        body["format"] = order.schema
    options = with_params({"num_ctx": order.window}, order.params, "num_predict", "stop")
    body |= {key: options.pop(key) for key in _OUTER if key in options}
    return body | {"options": options}


def _read(reply: Any) -> Completion:
    tokens = int(reply.get("prompt_eval_count") or 0)
    usage = Usage(tokens, int(reply.get("eval_count") or 0)) if tokens else None
    return Completion(str(reply["response"]), "limit" if reply.get("done_reason") == "length" else "stop", usage)


def _whole(text: str, events: Sequence[Any]) -> Any | None:
    return {**events[-1], "response": text} if events and events[-1].get("done") else None


def _learn(ask: Ask, wanted: str) -> Facts:
    names = [row["name"] for row in ask("/api/tags", None)["models"]]
    if not wanted and len(names) > 1:  # the one in memory answers at once
        running = ask("/api/ps", None).get("models") or []
        names = [row["name"] for row in running] or names
    model = chosen(wanted, names, "Fetch one with: ollama pull NAME.")
    info = ask("/api/show", {"model": model}).get("model_info") or {}
    lengths = [int(value) for key, value in info.items() if key.endswith(".context_length")]
    return Facts(model, min(lengths) if lengths else None)


def _weigh(ask: Ask, model: str) -> int:
    return int(ask("/api/show", {"model": model})["model_info"]["general.parameter_count"])


OLLAMA = Server(
    name="ollama",
    title="Ollama",
    path="/api/generate",
    body=_body,
    read=_read,
    stream=Stream(lambda event: str(event.get("response") or ""), _whole),
    learn=_learn,
    weigh=_weigh,
    shows=lambda ask, model: str(ask("/api/show", {"model": model})["template"]),
    needs_model=True,
    ways=("schema", "free"),  # before version 0.5 it knows no schema
    window=8192,
    modest=8192,
    hints={"down": "To start it: ollama serve."},
    reserved=frozenset({"model", "prompt", "raw", "stream", "format", "num_ctx", "num_predict", "options"}),
)
