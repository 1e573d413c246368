"""The servers that turn a plain prompt into text: a table with one row of data and pure functions for each.

A row says where to post, what to send, how to read what comes back, how the server counts tokens and how it
tells its window. Nothing here talks to a network; :mod:`.completion` does, through :mod:`.transport`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..messages import Usage


@dataclass(frozen=True)
class Params:
    """How one reply is to be made.

    Attributes:
        max_tokens: the reply's limit.
        stop: strings that end it.
        temperature: None leaves it to the server.
        extra: further request fields, as they are; they win over the rest.
    """

    max_tokens: int
    stop: tuple[str, ...] = ()
    temperature: float | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Completion:
    """What a server wrote. ``finish`` is ``limit`` where the token limit cut it."""

    text: str
    finish: Literal["stop", "limit"]
    usage: Usage


@dataclass(frozen=True)
class Question:
    """A small request with a number for an answer. ``body`` None: a GET."""

    path: str
    read: Callable[[Any], int]
    body: Callable[[str], Mapping[str, Any]] | None = None


@dataclass(frozen=True)
class Server:
    """One kind of server. The ``read`` functions raise KeyError, TypeError or ValueError on an unknown shape.

    Attributes:
        name: the ``model_endpoint_type``.
        path, body, read: the request for a reply; ``body(prompt, params, gbnf or None)``.
        count: asks for the tokens of a text.
        window: asks for the tokens of the context window.
        health: a path that answers 200 once the server is ready.
        hints: what to do about an error, by the ``type`` the server gives it.
        template: a path that renders chat messages by the model's own template; empty: there is none.
    """

    name: str
    path: str
    body: Callable[[str, Params, str | None], dict[str, Any]]
    read: Callable[[Any], Completion]
    count: Question
    window: Question
    health: str
    hints: Mapping[str, str] = field(default_factory=dict)
    template: str = ""


# --- llama.cpp's server: tools/server/README.md in its repository ---


def _llamacpp_body(prompt: str, params: Params, grammar: str | None) -> dict[str, Any]:
    body: dict[str, Any] = {
        "prompt": prompt,
        "n_predict": params.max_tokens,
        "stop": list(params.stop),
        "cache_prompt": True,
        "stream": False,
    }
    if params.temperature is not None:
        body["temperature"] = params.temperature
    if grammar is not None:
        body["grammar"] = grammar
    return body | dict(params.extra)


def _llamacpp_read(reply: Any) -> Completion:
    usage = Usage(
        prompt_tokens=int(reply.get("tokens_evaluated", 0)),
        completion_tokens=int(reply.get("tokens_predicted", 0)),
        cached_tokens=int((reply.get("timings") or {}).get("cache_n", 0)),
    )
    # Builds before 2025 say ``stopped_limit`` in place of ``stop_type``.
    cut = reply.get("stop_type") == "limit" or bool(reply.get("stopped_limit"))
    return Completion(str(reply["content"]), "limit" if cut else "stop", usage)


LLAMACPP = Server(
    name="llamacpp",
    path="/completion",
    body=_llamacpp_body,
    read=_llamacpp_read,
    count=Question("/tokenize", body=lambda text: {"content": text}, read=lambda reply: len(reply["tokens"])),
    window=Question("/props", read=lambda reply: int(reply["default_generation_settings"]["n_ctx"])),
    health="/health",
    template="/apply-template",
    hints={
        "exceed_context_size_error": "Start the server with a larger context, or set context_window.",
        "unavailable_error": "The server is still loading its model: try again in a moment.",
    },
)

SERVERS: Mapping[str, Server] = {row.name: row for row in (LLAMACPP,)}
