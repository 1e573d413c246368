"""text-generation-webui: its API of today (seen with 4.7.3) and the blocking one of 2023 (``webui-legacy``).

Behind both are several loaders, which differ: one answers a grammar that it cannot read with an empty text, another
with a 500, and with some tokenizers a good grammar ends the reply too soon. What fails so is tried without a grammar.
"""

from __future__ import annotations

from typing import Any

from .base import (
    OPENAI_STREAM,
    Ask,
    Completion,
    Facts,
    Json,
    NoModel,
    Order,
    Question,
    Server,
    read_openai,
    with_params,
)

_NONE_LOADED = "has no model loaded. Load one in its Model tab, or start it with --model NAME."
_DOWN = {"down": "To start it: python server.py --api."}
_CHAT = [{"role": "user", "content": "Hello"}]
_EMPTY = (
    "It does so where the prompt is longer than its context, or its loader cannot read the grammar: "
    "set context_window to the context that the model was loaded with, and look at its console."
)


def _body(order: Order) -> Json:
    body: Json = {"prompt": order.prompt, "truncation_length": order.window, "stream": False}
    if order.gbnf is not None:
        body["grammar_string"] = order.gbnf
    return with_params(body, order.params, "max_tokens", "stop")


def _learn(ask: Ask, wanted: str) -> Facts:
    return Facts(_loaded(ask("/v1/internal/model/info", None)["model_name"]))


def _loaded(name: Any) -> str:
    if name in ("", "None", None):
        raise NoModel(_NONE_LOADED)
    return str(name)


def _shows(ask: Ask, model: str) -> str:
    """A prompt that it writes by the template in use, without a reply."""
    return str(ask("/v1/internal/chat-prompt", {"messages": _CHAT, "mode": "instruct"})["prompt"])


WEBUI = Server(
    name="webui",
    title="text-generation-webui",
    path="/v1/completions",
    body=_body,
    read=read_openai,
    stream=OPENAI_STREAM,
    learn=_learn,
    shows=_shows,
    count=Question("/v1/internal/token-count", lambda text, model: {"text": text}, lambda reply: int(reply["length"])),
    ways=("gbnf", "free"),
    dialect="plain",
    reserved=frozenset({"prompt", "stream", "grammar_string", "max_tokens", "truncation_length"}),
    hints=_DOWN,
    empty=_EMPTY,
)


def _legacy_body(order: Order) -> Json:
    body: Json = {"prompt": order.prompt, "truncation_length": order.window}
    if order.gbnf is not None:
        body["grammar_string"] = order.gbnf
    body = with_params(body, order.params, "max_new_tokens", "stopping_strings")
    if body.get("temperature") == 0 and "do_sample" not in body:
        body["do_sample"] = False  # with sampling, a temperature of 0 gives an empty text
    return body


def _legacy_read(reply: Any) -> Completion:
    return Completion(str(reply["results"][0]["text"]), "unknown")


def _legacy_learn(ask: Ask, wanted: str) -> Facts:
    info = ask("/api/v1/model", {"action": "info"})["result"]
    model = _loaded(info["model_name"])
    settings, args = info.get("shared.settings") or {}, info.get("shared.args") or {}
    llama = str(args.get("loader") or "").lower().startswith(("llama", "ctransformers"))
    window = args.get("n_ctx") if llama else settings.get("truncation_length")
    return Facts(model, int(window) if window else None)


WEBUI_LEGACY = Server(
    name="webui-legacy",
    title="text-generation-webui of 2023",
    path="/api/v1/generate",
    body=_legacy_body,
    read=_legacy_read,
    learn=_legacy_learn,
    count=Question(
        "/api/v1/token-count", lambda text, model: {"prompt": text}, lambda reply: int(reply["results"][0]["tokens"])
    ),
    ways=("gbnf", "free"),
    dialect="plain",
    openai=False,
    reserved=frozenset({"prompt", "grammar_string", "max_new_tokens", "truncation_length"}),
    hints=_DOWN | {"empty": "It answers so where it failed: its console says why."},
    empty=_EMPTY,
)
