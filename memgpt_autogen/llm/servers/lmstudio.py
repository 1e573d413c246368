"""LM Studio: its OpenAI-compatible chat API, which alone can be held to a JSON Schema (and not to ``json_object``).

By its documentation (lmstudio.ai/docs/developer); not run here. The prompt is written by the model's own template.
"""

from __future__ import annotations

from .base import OPENAI_STREAM, Ask, Facts, Json, Order, Server, chosen, read_openai, with_params


def _body(order: Order) -> Json:
    body: Json = {"model": order.facts.model, "messages": list(order.turns), "stream": False}
    if order.schema is not None:
        schema = {"name": "call", "strict": True, "schema": order.schema}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return with_params(body, order.params, "max_tokens", "stop")


def _learn(ask: Ask, wanted: str) -> Facts:
    rows = ask("/api/v0/models", None)
    # An unknown path is answered with 200 and an ``error``: versions before 0.3.6 have the OpenAI list only.
    rows = rows["data"] if "data" in rows else ask("/v1/models", None)["data"]
    models = [row for row in rows if row.get("type", "llm") != "embeddings"]
    models.sort(key=lambda row: row.get("state", "loaded") != "loaded")
    model = chosen(wanted, [row["id"] for row in models], "Load one in LM Studio, or by: lms load NAME.")
    row = next(row for row in models if row["id"] == model)
    return Facts(model, row.get("loaded_context_length"))


LMSTUDIO = Server(
    name="lmstudio",
    title="LM Studio",
    path="/v1/chat/completions",
    body=_body,
    read=read_openai,
    stream=OPENAI_STREAM,
    learn=_learn,
    needs_model=True,
    ways=("schema", "free"),
    chat=True,
    hints={"down": "To start it: lms server start, or the Developer tab of LM Studio."},
    reserved=frozenset({"model", "messages", "stream", "response_format", "max_tokens", "tools"}),
    empty="Is a chat model loaded, and is its context length large enough for the prompt?",
)
