"""koboldcpp: its own API, an extension of KoboldAI's. Tested against version 1.76.

It silently ignores a grammar that it cannot parse and silently drops the start of a prompt that is too long. Its
OpenAI-compatible API reports wrong token counts; this one reports none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .base import (
    Completion,
    CompletionRequest,
    Fetch,
    Json,
    ModelNotLoaded,
    Probe,
    Server,
    ServerInfo,
    StreamFormat,
    TokenCountEndpoint,
    finish_reason,
    with_params,
)


def _body(request: CompletionRequest) -> Json:
    body: Json = {"prompt": request.prompt, "max_context_length": request.window, "trim_stop": True}
    if request.gbnf is not None:
        body["grammar"] = request.gbnf
    return with_params(body, request.params, "max_length", "stop_sequence")


def _read(reply: Any) -> Completion:
    result = reply["results"][0]
    # "length" is said of a reply that a stop string ended, too: its tokens tell whether it was cut.
    return Completion(str(result["text"]), "stop" if result.get("finish_reason") == "stop" else "unknown")


def _delta(event: Any) -> str:
    return str(event.get("token") or "")


def _assemble(text: str, events: Sequence[Any]) -> Any | None:
    told = [finish_reason(event) for event in events if "finish_reason" in event]  # old versions tell none
    reason = told[-1] if told else "unknown" if events else None
    return {"results": [{"text": text, "finish_reason": reason}]} if reason else None


def _get_info(fetch: Fetch, requested: str) -> ServerInfo:
    model = str(fetch("/api/v1/model", None)["result"]).removeprefix("koboldcpp/")
    if model in ("", "None", "inactive"):
        raise ModelNotLoaded("has no model loaded. Start it with --model FILE.gguf.")
    return ServerInfo(model, int(fetch("/api/extra/true_max_context_length", None)["value"]))


KOBOLDCPP = Server(
    name="koboldcpp",
    title="koboldcpp",
    path="/api/v1/generate",
    body=_body,
    read=_read,
    endpoint="http://127.0.0.1:5001",
    probes=(Probe("/api/extra/version", lambda reply: bool(reply["result"] == "KoboldCpp")),),
    stream=StreamFormat(_delta, _assemble, "/api/extra/generate/stream", {}),
    get_info=_get_info,
    show_template=lambda fetch, model: str(fetch("/props", None)["chat_template"]),  # from version 1.80 on
    count_tokens=TokenCountEndpoint(
        "/api/extra/tokencount", lambda text, model: {"prompt": text}, lambda reply: int(reply["value"])
    ),
    error_hints={"down": "To start it: koboldcpp --model MODEL.gguf."},
    reserved=frozenset({"prompt", "grammar", "max_length", "max_context_length", "trim_stop"}),
)
