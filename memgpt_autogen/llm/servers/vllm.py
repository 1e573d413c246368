"""vLLM's OpenAI-compatible server. Seen with version 0.32.

Version 0.12 renamed what holds a reply to a form, and ignores the old names without a word: the server is asked for
its version once.
"""

from __future__ import annotations

import re
from typing import Any

from .base import OPENAI_STREAM, Ask, Facts, Json, Order, Question, Server, chosen, read_openai, with_params


def _body(order: Order) -> Json:
    body: Json = {"model": order.facts.model, "prompt": order.prompt, "stream": False}
    if order.schema is not None:
        body |= {"guided_json": order.schema} if order.facts.dated else {"structured_outputs": {"json": order.schema}}
    if order.gbnf is not None:
        body |= {"guided_grammar": order.gbnf} if order.facts.dated else {"structured_outputs": {"grammar": order.gbnf}}
    return with_params(body, order.params, "max_tokens", "stop")


def _learn(ask: Ask, wanted: str) -> Facts:
    models = {row["id"]: row.get("max_model_len") for row in ask("/v1/models", None)["data"]}
    model = chosen(wanted, list(models), "Start it with: vllm serve MODEL.")
    return Facts(model, models[model] and int(models[model]), dated(str(ask("/version", None)["version"])))


def dated(version: str) -> bool:
    """Whether a version is before 0.12; one that cannot be read (a build from source) is taken as new."""
    found = re.match(r"v?(\d+)\.(\d+)", version)
    return found is not None and (int(found[1]), int(found[2])) < (0, 12) and not version.startswith("0.0.")


def _tokens(text: str, model: str) -> dict[str, Any]:
    return {"model": model, "prompt": text}


def _shows(ask: Ask, model: str) -> str:
    """A prompt that it writes by the model's template, by way of its tokens."""
    chat = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}
    tokens = ask("/tokenize", chat)["tokens"]
    return str(ask("/detokenize", {"model": model, "tokens": tokens})["prompt"])


VLLM = Server(
    name="vllm",
    title="vLLM",
    path="/v1/completions",
    body=_body,
    read=read_openai,
    stream=OPENAI_STREAM,
    learn=_learn,
    needs_model=True,
    shows=_shows,
    count=Question("/tokenize", _tokens, lambda reply: int(reply["count"])),
    # Its JSON may hold any white space: some models write that until the limit. The grammar allows none.
    ways=("schema", "gbnf"),
    reserved=frozenset(
        {"model", "prompt", "stream", "max_tokens", "structured_outputs", "guided_json", "guided_grammar"}
    ),
    hints={
        "down": "To start it: vllm serve MODEL.",
        "NotFoundError": "Set OPENAI_MODEL to a name that the server knows.",
    },
)
