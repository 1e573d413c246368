"""Servers on the loopback that answer as the recorded ones did, or as their documentation says (``documented``).

``wire/*.jsonl`` are exchanges with the real servers: text-generation-webui 4.7.3 and of October 2023, koboldcpp 1.76,
vLLM 0.32 and llama.cpp, all with Qwen2.5-Coder-0.5B-Instruct.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .conftest import Answer, Loopback, Request

WIRE = Path(__file__).parent / "wire"
PREFIX = '{"function":'


def words(text: str) -> int:
    return len(text.split())


@dataclass(frozen=True)
class Kind:
    """How one server talks.

    Attributes:
        name: the type.
        path: where replies are asked for.
        limit, stop, form: its names for these fields; ``form`` is a path of keys to what holds the reply.
        reply: a reply with (text, whether it was cut), in the server's shape.
        count: (path, how a text is sent, how a number is answered); None: it has no tokenizer.
        model, window: what it says of itself.
        pages: further answers by path; the recorded ones come first.
        outer: the key that sampling settings stand under.
        stream: where replies in pieces are asked for, if elsewhere.
    """

    name: str
    path: str
    limit: str
    stop: str
    form: tuple[str, ...]
    reply: Callable[[str, bool], Any]
    count: tuple[str, str, Callable[[int], Any]] | None = None
    model: str = ""
    window: int | None = None
    pages: dict[str, Any] = field(default_factory=dict)
    outer: str = ""
    stream: str = ""
    variant: str = ""

    def held(self, body: Any) -> Any:
        """What holds the reply, in a request; None if nothing does."""
        for key in self.form:
            body = body.get(key) if isinstance(body, dict) else None
        return body

    def sampling(self, body: Any) -> Any:
        return body[self.outer] if self.outer else body


def _openai(text: str, cut: bool) -> Any:
    choice = {"index": 0, "finish_reason": "length" if cut else "stop", "text": text, "logprobs": None}
    return {"object": "text_completion", "choices": [choice], "usage": {"prompt_tokens": 35, "completion_tokens": 9}}


def _chat(text: str, cut: bool) -> Any:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "finish_reason": "length" if cut else "stop", "message": message}
    return {"object": "chat.completion", "choices": [choice], "usage": {"prompt_tokens": 35, "completion_tokens": 9}}


def _llamacpp(text: str, cut: bool) -> Any:
    figures = {"tokens_evaluated": 35, "tokens_predicted": 9, "truncated": False}
    return {"content": text, "stop_type": "limit" if cut else "eos"} | figures


def _ollama(text: str, cut: bool) -> Any:
    figures = {"prompt_eval_count": 35, "eval_count": 9}
    return {"model": "q", "response": text, "done": True, "done_reason": "length" if cut else "stop"} | figures


LMSTUDIO_PAGES = {  # lmstudio.ai/docs/developer/rest/endpoints
    "/api/v0/models": {
        "object": "list",
        "data": [
            {"id": "embed", "type": "embeddings", "state": "loaded", "max_context_length": 2048},
            {"id": "big", "type": "llm", "state": "not-loaded", "max_context_length": 32768},
            {
                "id": "q05",
                "type": "llm",
                "compatibility_type": "gguf",
                "state": "loaded",
                "max_context_length": 32768,
                "loaded_context_length": 4096,
            },
        ],
    },
    "/v1/models": {"object": "list", "data": [{"id": "q05", "object": "model", "owned_by": "organization_owner"}]},
}
OLLAMA_PAGES = {  # docs/api.md of Ollama
    "/api/tags": {"models": [{"name": "q05:latest", "model": "q05:latest", "details": {"family": "qwen2"}}]},
    "/api/version": {"version": "0.12.6"},
    "/api/show": {"model_info": {"general.architecture": "qwen2", "qwen2.context_length": 4096}},
    "/v1/models": {"object": "list", "data": [{"id": "q05:latest", "object": "model", "owned_by": "library"}]},
}

LLAMACPP = Kind(
    "llamacpp",
    "/completion",
    "n_predict",
    "stop",
    ("grammar",),
    _llamacpp,
    ("/tokenize", "content", lambda number: {"tokens": [1] * number}),
    "models/tm05.gguf",
    4096,
)
KOBOLDCPP = Kind(
    "koboldcpp",
    "/api/v1/generate",
    "max_length",
    "stop_sequence",
    ("grammar",),
    lambda text, cut: {"results": [{"text": text, "finish_reason": "length" if cut else "stop"}]},
    ("/api/extra/tokencount", "prompt", lambda number: {"value": number}),
    "tm05",
    2048,
    stream="/api/extra/generate/stream",
)
VLLM = Kind(
    "vllm",
    "/v1/completions",
    "max_tokens",
    "stop",
    ("structured_outputs", "json"),
    _openai,
    ("/tokenize", "prompt", lambda number: {"count": number, "max_model_len": 4096}),
    "q05",
    4096,
)
OLD_VLLM = Kind(
    "vllm",
    "/v1/completions",
    "max_tokens",
    "stop",
    ("guided_json",),
    _openai,
    ("/tokenize", "prompt", lambda number: {"count": number, "max_model_len": 4096}),
    "q05",
    4096,
    {"/version": {"version": "0.11.2"}},
    variant=" 0.11",
)
WEBUI = Kind(
    "webui",
    "/v1/completions",
    "max_tokens",
    "stop",
    ("grammar_string",),
    _openai,
    ("/v1/internal/token-count", "text", lambda number: {"length": number}),
    "tm05.gguf",
)
WEBUI_LEGACY = Kind(
    "webui-legacy",
    "/api/v1/generate",
    "max_new_tokens",
    "stopping_strings",
    ("grammar_string",),
    lambda text, cut: {"results": [{"text": text}]},
    ("/api/v1/token-count", "prompt", lambda number: {"results": [{"tokens": number}]}),
    "hf05",
    32768,
)
LMSTUDIO = Kind(
    "lmstudio",
    "/v1/chat/completions",
    "max_tokens",
    "stop",
    ("response_format", "json_schema", "schema"),
    _chat,
    None,
    "q05",
    4096,
    LMSTUDIO_PAGES,
)
OLLAMA = Kind(
    "ollama",
    "/api/generate",
    "num_predict",
    "stop",
    ("format",),
    _ollama,
    None,
    "q05:latest",
    4096,
    OLLAMA_PAGES,
    "options",
)
KINDS = [LLAMACPP, KOBOLDCPP, VLLM, OLD_VLLM, WEBUI, WEBUI_LEGACY, LMSTUDIO, OLLAMA]


def recorded(name: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The exchanges of a server by (note, method)."""
    path = WIRE / f"{name}.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    return {(row["note"], row["method"]): row for row in rows}


def answer(row: dict[str, Any]) -> Answer:
    """A recorded reply."""
    return Answer(row["reply"], row["status"], row["content_type"] or "")


class Replay(Loopback):
    """A server of one kind. Replies are said from ``script``, and from ``says`` once that is empty."""

    def __init__(self, kind: Kind, prefix: str = "") -> None:
        self.kind = kind
        self.prefix = prefix
        self.rows = recorded(kind.name)
        self.pages = {row["path"]: answer(row) for (_, method), row in self.rows.items() if method == "GET"}
        self.pages |= {path: Answer(page) for path, page in kind.pages.items()}
        if ("info", "POST") in self.rows:
            self.pages["POST /api/v1/model"] = answer(self.rows["info", "POST"])
        self.asked: list[Request] = []
        super().__init__()

    def replay(self, note: str, continued: bool = True) -> Answer:
        """A recorded reply, continued after the start of it that the prompt ends with."""
        found = answer(self.rows[note, "POST"])
        if continued and isinstance(found.body, dict):
            found.body = json.loads(json.dumps(found.body).replace(json.dumps(PREFIX)[1:-1], "", 1))
        return found

    def say(self, text: str, cut: bool = False) -> Answer:
        return Answer(self.kind.reply(text, cut))

    def answer(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
        if not path.startswith(self.prefix):
            return Answer("<html>another site</html>", 404, "text/html")
        path = path.removeprefix(self.prefix)
        self.asked.append(Request(method, path, body, headers))
        if self.kind.count and path == self.kind.count[0] and self.kind.count[1] in body:
            return Answer(self.kind.count[2](words(body[self.kind.count[1]])))
        if method == "POST" and path in (self.kind.path, self.kind.stream):
            return super().answer(method, path, body, headers)
        if self.kind is LMSTUDIO and path not in self.pages:
            return Answer({"error": f"Unexpected endpoint or method. ({method} {path})"})
        missing = self.rows.get(("/nonsense", "GET"))
        nothing = answer(missing) if missing else Answer("404 page not found", 404, "text/plain")
        return self.pages.get(f"{method} {path}") or self.pages.get(path) or nothing
