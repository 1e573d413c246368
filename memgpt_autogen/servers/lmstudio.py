"""LM Studio: its OpenAI-compatible chat API, the only one that takes a JSON Schema (``json_object`` it refuses).

Written from its documentation (lmstudio.ai/docs/developer), not tested against a real one. It applies the model's chat
template itself.
"""

from __future__ import annotations

from .base import (
    OPENAI_STREAM,
    CompletionRequest,
    Fetch,
    Json,
    Server,
    ServerInfo,
    model_list_probe,
    pick_model,
    read_openai,
    with_params,
)


def _body(request: CompletionRequest) -> Json:
    body: Json = {"model": request.info.model, "messages": list(request.messages), "stream": False}
    if request.schema is not None:
        schema = {"name": "call", "strict": True, "schema": request.schema}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return with_params(body, request.params, "max_tokens", "stop")


def _get_info(fetch: Fetch, requested: str) -> ServerInfo:
    rows = fetch("/api/v0/models", None)
    # An unknown path is answered with 200 and an ``error``: versions before 0.3.6 have the OpenAI list only.
    rows = rows["data"] if "data" in rows else fetch("/v1/models", None)["data"]
    models = [row for row in rows if row.get("type", "llm") != "embeddings"]
    models.sort(key=lambda row: row.get("state", "loaded") != "loaded")
    model = pick_model(requested, [row["id"] for row in models], "Load one in LM Studio, or by: lms load NAME.")
    row = next(row for row in models if row["id"] == model)
    return ServerInfo(model, row.get("loaded_context_length"))


LMSTUDIO = Server(
    name="lmstudio",
    title="LM Studio",
    path="/v1/chat/completions",
    body=_body,
    read=read_openai,
    endpoint="http://127.0.0.1:1234",
    probes=(model_list_probe(lambda entry: "state" in entry or "compatibility_type" in entry, "/api/v0/models"),),
    stream=OPENAI_STREAM,
    get_info=_get_info,
    needs_model=True,
    constraints=("schema", "none"),
    chat=True,
    error_hints={"down": "To start it: lms server start, or the Developer tab of LM Studio."},
    reserved=frozenset({"model", "messages", "stream", "response_format", "max_tokens", "tools"}),
    empty_reply_hint="Is a chat model loaded, and is its context length large enough for the prompt?",
)
