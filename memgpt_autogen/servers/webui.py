"""text-generation-webui: its current API (tested against 4.7.3) and the blocking one of 2023 (``webui-legacy``).

Both run several loaders, which differ: given a grammar that it cannot parse, one returns an empty text, another a 500,
and with some tokenizers a valid grammar ends the reply too early. A request that fails like this is repeated without a
grammar.
"""

from __future__ import annotations

from typing import Any

from .base import (
    OPENAI_STREAM,
    Completion,
    CompletionRequest,
    Fetch,
    Json,
    ModelNotLoaded,
    Probe,
    Server,
    ServerInfo,
    TokenCountEndpoint,
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


def _body(request: CompletionRequest) -> Json:
    body: Json = {"prompt": request.prompt, "truncation_length": request.window, "stream": False}
    if request.gbnf is not None:
        body["grammar_string"] = request.gbnf
    return with_params(body, request.params, "max_tokens", "stop")


def _get_info(fetch: Fetch, requested: str) -> ServerInfo:
    return ServerInfo(_loaded(fetch("/v1/internal/model/info", None)["model_name"]))


def _loaded(name: Any) -> str:
    if name in ("", "None", None):
        raise ModelNotLoaded(_NONE_LOADED)
    return str(name)


def _show_template(fetch: Fetch, model: str) -> str:
    """A prompt rendered with the current template, without generating a reply."""
    return str(fetch("/v1/internal/chat-prompt", {"messages": _CHAT, "mode": "instruct"})["prompt"])


WEBUI = Server(
    name="webui",
    title="text-generation-webui",
    path="/v1/completions",
    body=_body,
    read=read_openai,
    endpoint="http://127.0.0.1:5000",
    probes=(Probe("/v1/internal/model/info", lambda reply: "model_name" in reply),),
    stream=OPENAI_STREAM,
    get_info=_get_info,
    show_template=_show_template,
    count_tokens=TokenCountEndpoint(
        "/v1/internal/token-count", lambda text, model: {"text": text}, lambda reply: int(reply["length"])
    ),
    constraints=("gbnf", "none"),
    dialect="plain",
    reserved=frozenset({"prompt", "stream", "grammar_string", "max_tokens", "truncation_length"}),
    error_hints=_DOWN,
    empty_reply_hint=_EMPTY,
)


def _legacy_body(request: CompletionRequest) -> Json:
    body: Json = {"prompt": request.prompt, "truncation_length": request.window}
    if request.gbnf is not None:
        body["grammar_string"] = request.gbnf
    body = with_params(body, request.params, "max_new_tokens", "stopping_strings")
    if body.get("temperature") == 0 and "do_sample" not in body:
        body["do_sample"] = False  # with sampling, a temperature of 0 gives an empty text
    return body


def _legacy_read(reply: Any) -> Completion:
    return Completion(str(reply["results"][0]["text"]), "unknown")


def _legacy_info(fetch: Fetch, requested: str) -> ServerInfo:
    info = fetch("/api/v1/model", {"action": "info"})["result"]
    model = _loaded(info["model_name"])
    settings, args = info.get("shared.settings") or {}, info.get("shared.args") or {}
    llama = str(args.get("loader") or "").lower().startswith(("llama", "ctransformers"))
    window = args.get("n_ctx") if llama else settings.get("truncation_length")
    return ServerInfo(model, int(window) if window else None)


WEBUI_LEGACY = Server(
    name="webui-legacy",
    title="text-generation-webui of 2023",
    path="/api/v1/generate",
    body=_legacy_body,
    read=_legacy_read,
    endpoint="http://127.0.0.1:5000",
    probes=(Probe("/api/v1/model", lambda reply: isinstance(reply["result"], str)),),
    get_info=_legacy_info,
    count_tokens=TokenCountEndpoint(
        "/api/v1/token-count", lambda text, model: {"prompt": text}, lambda reply: int(reply["results"][0]["tokens"])
    ),
    constraints=("gbnf", "none"),
    dialect="plain",
    openai_compatible=False,
    reserved=frozenset({"prompt", "grammar_string", "max_new_tokens", "truncation_length"}),
    error_hints=_DOWN | {"empty": "It answers so where it failed: its console says why."},
    empty_reply_hint=_EMPTY,
)
