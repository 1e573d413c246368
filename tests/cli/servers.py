"""Servers on this machine that answer as told, for probes and keys."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@contextmanager
def serving(answers: Mapping[str, Any], *, key: str = "") -> Iterator[str]:
    """The address of a server that answers GETs by their paths, 404 elsewhere, and 401 without its key."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = (200, answers[self.path]) if self.path in answers else (404, {"error": "no such path"})
            if key and self.headers.get("Authorization") != f"Bearer {key}":
                status, body = 401, {"error": {"message": f"Incorrect API key: {self.headers.get('Authorization')}"}}
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


LLAMACPP = {
    "/props": {"default_generation_settings": {"n_ctx": 8192}, "model_path": "/models/qwen.gguf", "chat_template": ""},
    "/v1/models": {"data": [{"id": "qwen", "owned_by": "llamacpp"}]},
}
OPENAI = {"/v1/models": {"data": [{"id": "gpt-4o"}, {"id": "gpt-4o-mini"}]}}
