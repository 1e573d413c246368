"""A loopback HTTP server that answers from a list, and functions to offer a model."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from memgpt_autogen.messages import ToolSchema


def schema(name: str, description: str = "", /, required: list[str] | None = None, **properties: Any) -> ToolSchema:
    needed = list(properties) if required is None else required
    return ToolSchema(name, description, {"type": "object", "properties": properties, "required": needed})


TEXT = {"type": "string"}
SAY = schema("send_message", "Say something to the user.", message=TEXT)
REMEMBER = schema("core_memory_append", "Remember a fact.", name={"enum": ["human", "persona"]}, content=TEXT)
SEARCH = schema(
    "archival_memory_search",
    "Search what was stored.",
    required=["query"],
    query={"type": "string", "minLength": 1, "maxLength": 60},
    page={"type": "integer", "minimum": 0, "maximum": 99},
    request_heartbeat={"type": "boolean"},
)
TOOLS = [SAY, REMEMBER, SEARCH]


@dataclass
class Answer:
    """What the server does with one request. ``drop``: hangs up without a word; ``cut``: amid its words.

    A list of texts as the body is sent piece by piece, with ``pause`` seconds between them.
    """

    body: Any = None
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drop: bool = False
    cut: bool = False
    pause: float = 0.0


@dataclass
class Request:
    method: str
    path: str
    body: Any
    headers: dict[str, str]


class Loopback:
    """Answers ``always[path]`` if there is one, else the next of ``script``; records ``requests``."""

    def __init__(self) -> None:
        self.script: list[Answer] = []
        self.always: dict[str, Any] = {}
        self.requests: list[Request] = []
        self.hung_up = threading.Event()  # a client went away amid a reply
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer._handle(self, None)

            def do_POST(self) -> None:
                outer._handle(self, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def answer(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
        """What is said to a request."""
        bare = path.partition("?")[0]
        if bare in self.always:
            found = self.always[bare]
            return Answer(found(body) if callable(found) else found)
        self.requests.append(Request(method, path, body, headers))
        return self.script.pop(0) if self.script else Answer({"error": {"message": "script is empty"}}, 418)

    def _handle(self, handler: BaseHTTPRequestHandler, body: Any) -> None:
        answer = self.answer(handler.command, handler.path, body, dict(handler.headers))
        time.sleep(answer.delay)
        if answer.drop:
            handler.connection.close()
            return
        if isinstance(answer.body, list) and answer.content_type == "text/event-stream":
            self._send_pieces(handler, answer)
            return
        data = (answer.body if isinstance(answer.body, str) else json.dumps(answer.body)).encode()
        try:
            handler.send_response(answer.status)
            for name, value in {"Content-Type": answer.content_type, **answer.headers}.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(data) + 10 * answer.cut))
            handler.end_headers()
            handler.wfile.write(data)
            if answer.cut:
                handler.wfile.flush()
                handler.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the client gave up, as some tests want

    def _send_pieces(self, handler: BaseHTTPRequestHandler, answer: Answer) -> None:
        handler.protocol_version = "HTTP/1.1"
        try:
            handler.send_response(answer.status)
            handler.send_header("Content-Type", answer.content_type)
            handler.send_header("Transfer-Encoding", "chunked")
            handler.send_header("Connection", "close")
            handler.end_headers()
            for piece in answer.body:
                handler.wfile.write(f"{len(piece.encode()):x}\r\n{piece}\r\n".encode())
                handler.wfile.flush()
                time.sleep(answer.pause)
            if not answer.cut:
                handler.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.hung_up.set()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    server = Loopback()
    yield server
    server.close()
