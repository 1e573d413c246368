"""koboldcpp: its own API, which is KoboldAI's with additions. Seen with version 1.76.

It ignores a grammar that it cannot read, and leaves out the start of a prompt that is too long, without a word. Its
OpenAI-compatible API counts tokens wrongly; this one does not count them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .base import Ask, Completion, Facts, Json, NoModel, Order, Question, Server, Stream, with_params


def _body(order: Order) -> Json:
    body: Json = {"prompt": order.prompt, "max_context_length": order.window, "trim_stop": True}
    if order.gbnf is not None:
        body["grammar"] = order.gbnf
    return with_params(body, order.params, "max_length", "stop_sequence")


def _read(reply: Any) -> Completion:
    result = reply["results"][0]
    reason = result.get("finish_reason")
    return Completion(str(result["text"]), {"length": "limit", "stop": "stop"}.get(reason, "unknown"))  # type: ignore[arg-type]


def _piece(event: Any) -> str:
    return str(event.get("token") or "")


def _whole(text: str, events: Sequence[Any]) -> Any | None:
    told = [event.get("finish_reason") for event in events if "finish_reason" in event]  # old versions tell none
    reason = told[-1] if told else "unknown" if events else None
    return {"results": [{"text": text, "finish_reason": reason}]} if reason else None


def _learn(ask: Ask, wanted: str) -> Facts:
    model = str(ask("/api/v1/model", None)["result"]).removeprefix("koboldcpp/")
    if model in ("", "None", "inactive"):
        raise NoModel("has no model loaded. Start it with --model FILE.gguf.")
    return Facts(model, int(ask("/api/extra/true_max_context_length", None)["value"]))


KOBOLDCPP = Server(
    name="koboldcpp",
    title="koboldcpp",
    path="/api/v1/generate",
    body=_body,
    read=_read,
    stream=Stream(_piece, _whole, "/api/extra/generate/stream", {}),
    learn=_learn,
    shows=lambda ask, model: str(ask("/props", None)["chat_template"]),  # from version 1.80 on
    count=Question("/api/extra/tokencount", lambda text, model: {"prompt": text}, lambda reply: int(reply["value"])),
    hints={"down": "To start it: koboldcpp --model MODEL.gguf."},
    reserved=frozenset({"prompt", "grammar", "max_length", "max_context_length", "trim_stop"}),
)
