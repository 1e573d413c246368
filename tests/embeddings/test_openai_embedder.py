"""The client of ``/v1/embeddings``, against a server on this machine, and against llama.cpp's own."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

from memgpt_autogen.embeddings import openai
from memgpt_autogen.embeddings.openai import OpenAIEmbedder
from memgpt_autogen.errors import ConfigError, SourceError

Answer = Callable[[dict[str, Any]], tuple[int, Any]]


class Server(ThreadingHTTPServer):
    """Answers as it is told, and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str | None, dict[str, Any]]] = []
        self.answer: Answer = vectors

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, self.headers.get("Authorization"), body))
        status, reply = self.server.answer(body)
        data = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None: ...


def vectors(body: dict[str, Any]) -> tuple[int, Any]:
    """Out of order, as the format allows, and not of length 1."""
    rows = [{"index": place, "embedding": [3.0, float(len(text))]} for place, text in enumerate(body["input"])]
    return 200, {"data": rows[::-1], "model": body["model"]}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(openai, "PAUSES", (0.0, 0.0))
    server = Server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("form", ["{}", "{}/", "{}/v1", "{}/v1/", "{}/v1/embeddings"])
def test_the_address_is_taken_in_every_form(server: Server, form: str) -> None:
    OpenAIEmbedder("m", form.format(server.address)).embed(["x"])
    bare = server.address.removeprefix("http://")
    OpenAIEmbedder("m", form.format(bare)).embed(["x"])
    assert [path for path, _, _ in server.asked] == ["/v1/embeddings"] * 2


def test_vectors_are_in_order_of_length_one_and_in_batches(server: Server) -> None:
    embedder = OpenAIEmbedder("m", server.address, "key-1", batch=4)
    texts = ["x" * number for number in range(10)]
    found = embedder.embed(texts)
    assert found.shape == (10, 2) and found.dtype == np.float32 and embedder.dim == 2
    assert not found[0].any()  # an empty text is not sent: OpenAI would refuse the whole request
    assert np.allclose(np.linalg.norm(found[1:], axis=1), 1)
    assert np.all(np.diff(found[1:, 1] / found[1:, 0]) > 0)
    assert [len(body["input"]) for _, _, body in server.asked] == [4, 4, 1]
    assert {key for _, key, _ in server.asked} == {"Bearer key-1"}
    assert embedder.embed([]).shape == (0, 2) and embedder.name == "openai:m"


def test_the_length_is_asked_for_when_it_is_needed(server: Server) -> None:
    assert OpenAIEmbedder("m", server.address).dim == 2 and len(server.asked) == 1


def test_a_text_that_is_too_long_is_cut(server: Server) -> None:
    def strict(body: dict[str, Any]) -> tuple[int, Any]:
        if sum(map(len, body["input"])) > 1000:
            return 500, {"error": {"message": "input is too large to process", "type": "server_error"}}
        return vectors(body)

    server.answer = strict
    found = OpenAIEmbedder("m", server.address).embed(["short", "y" * 5000, "z" * 700])
    assert round(float(found[1, 1] / found[1, 0]) * 3) == 625 and round(float(found[2, 1] / found[2, 0]) * 3) == 700


def test_a_busy_server_is_asked_again(server: Server) -> None:
    replies = iter([(429, {"error": "slow down"}), (503, b"")])
    server.answer = lambda body: next(replies, None) or vectors(body)
    assert OpenAIEmbedder("m", server.address).embed(["x"]).shape == (1, 2)
    server.answer = lambda body: (503, {"error": {"message": "loading"}})
    with pytest.raises(SourceError, match="answered 503: loading"):
        OpenAIEmbedder("m", server.address).embed(["x"])
    assert len(server.asked) == 6


@pytest.mark.parametrize(
    ("status", "reply", "told"),
    [
        (401, {"error": {"message": "Incorrect key: secret-9"}}, "does not accept the key"),
        (404, {"error": {"message": "no model m"}}, "no such model or path"),
        (400, {"error": "bad secret-9 field"}, r"answered 400: bad \*\*\* field"),
        (501, {"error": "not started so"}, "--embeddings"),
        (200, b"<html>", "not JSON"),
        (200, {"choices": []}, "answered without vectors"),
        (200, {"data": []}, "one vector for each text"),
        (200, {"data": [{"index": 0, "embedding": [float("nan")]}]}, "one vector for each text"),
        (200, {"data": [{"index": 0, "embedding": []}]}, "one vector for each text"),
    ],
)
def test_a_refusal_is_one_clear_line(server: Server, status: int, reply: Any, told: str) -> None:
    server.answer = lambda body: (status, reply)
    with pytest.raises(SourceError, match=told) as error:
        OpenAIEmbedder("m", server.address, "secret-9").embed(["x"])
    assert "secret-9" not in str(error.value) and server.address in str(error.value) and "\n" not in str(error.value)
    assert len(server.asked) == 1


def test_a_dead_or_silent_server_is_named(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceError, match="http://127.0.0.1:9 cannot be reached"):
        OpenAIEmbedder("m", "127.0.0.1:9").embed(["x"])
    stop = threading.Event()
    server.answer = lambda body: (200 + stop.wait(5), {})
    with pytest.raises(SourceError, match="did not answer in 0 seconds"):
        OpenAIEmbedder("m", server.address, timeout=0.2).embed(["x"])
    stop.set()


def test_a_model_that_changes_is_noticed(server: Server) -> None:
    embedder = OpenAIEmbedder("m", server.address)
    embedder.embed(["x"])
    server.answer = lambda body: (200, {"data": [{"index": 0, "embedding": [1.0, 0.0, 0.0]}]})
    with pytest.raises(SourceError, match="different lengths"):
        embedder.embed(["x"])


def test_openai_itself_needs_a_key_and_a_model() -> None:
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        OpenAIEmbedder("text-embedding-3-small")
    with pytest.raises(ConfigError, match="Which embedding model"):
        OpenAIEmbedder("", api_key="k")
    assert OpenAIEmbedder("text-embedding-3-small", api_key="k").address == "https://api.openai.com"


@pytest.mark.real_model
def test_a_real_llama_cpp_server_embeds() -> None:
    xllamacpp = pytest.importorskip("xllamacpp")
    from memgpt_autogen.llm.embedded import find_model

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = xllamacpp.CommonParams()
    settings.model.path = str(find_model({}))
    settings.hostnames, settings.port = ["127.0.0.1"], port
    settings.n_ctx, settings.n_parallel, settings.cpuparams.n_threads = 512, 1, 1
    settings.warmup, settings.embedding = False, True
    settings.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    running = xllamacpp.Server(settings)
    embedder = OpenAIEmbedder("", f"http://127.0.0.1:{port}/v1")
    found = embedder.embed(["A cat sleeps.", "A kitten naps.", "Shares fell in Tokyo.", "very long " * 2000])
    assert found.shape == (4, embedder.dim) and np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert found[0] @ found[1] > found[0] @ found[2]
    del running
