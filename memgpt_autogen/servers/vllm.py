"""vLLM's OpenAI-compatible server. Tested against version 0.32.

Version 0.12 renamed the request fields for constraints and silently ignores the old names: the server is asked for its
version once.
"""

from __future__ import annotations

import re
from typing import Any

from .base import (
    OPENAI_STREAM,
    CompletionRequest,
    Fetch,
    Json,
    Server,
    ServerInfo,
    TokenCountEndpoint,
    model_list_probe,
    pick_model,
    read_openai,
    with_params,
)


def _body(request: CompletionRequest) -> Json:
    body: Json = {"model": request.info.model, "prompt": request.prompt, "stream": False}
    for kind, value in (("json", request.schema), ("grammar", request.gbnf)):
        if value is not None:
            body |= {f"guided_{kind}": value} if request.info.legacy else {"structured_outputs": {kind: value}}
    return with_params(body, request.params, "max_tokens", "stop")


def _get_info(fetch: Fetch, requested: str) -> ServerInfo:
    models = {row["id"]: row.get("max_model_len") for row in fetch("/v1/models", None)["data"]}
    model = pick_model(requested, list(models), "Start it with: vllm serve MODEL.")
    return ServerInfo(model, models[model] and int(models[model]), is_legacy(str(fetch("/version", None)["version"])))


def is_legacy(version: str) -> bool:
    """Whether a version is before 0.12; one that cannot be read (a build from source) is taken as a new one."""
    found = re.match(r"v?(\d+)\.(\d+)", version)
    return found is not None and (int(found[1]), int(found[2])) < (0, 12) and not version.startswith("0.0.")


def _tokens(text: str, model: str) -> dict[str, Any]:
    return {"model": model, "prompt": text}


def _show_template(fetch: Fetch, model: str) -> str:
    """A prompt rendered with the model's template: tokenized, then decoded again."""
    chat = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}
    tokens = fetch("/tokenize", chat)["tokens"]
    return str(fetch("/detokenize", {"model": model, "tokens": tokens})["prompt"])


VLLM = Server(
    name="vllm",
    title="vLLM",
    path="/v1/completions",
    body=_body,
    read=read_openai,
    endpoint="http://127.0.0.1:8000",
    probes=(model_list_probe(lambda entry: entry.get("owned_by") == "vllm"),),
    stream=OPENAI_STREAM,
    get_info=_get_info,
    needs_model=True,
    show_template=_show_template,
    count_tokens=TokenCountEndpoint("/tokenize", _tokens, lambda reply: int(reply["count"])),
    # A JSON Schema allows any white space, and some models write it up to the limit. The grammar allows none.
    constraints=("schema", "gbnf"),
    reserved=frozenset(
        {"model", "prompt", "stream", "max_tokens", "structured_outputs", "guided_json", "guided_grammar"}
    ),
    error_hints={
        "down": "To start it: vllm serve MODEL.",
        "NotFoundError": "Set OPENAI_MODEL to a name that the server knows.",
    },
)
