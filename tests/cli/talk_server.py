"""A server that speaks OpenAI's chat API and answers by rule, for chats typed in a terminal.

``remember X`` writes X to core memory and then says so; ``slowly`` takes a minute; ``ponder`` takes a moment before it
writes to core memory, before it speaks and in the middle of its words; ``fail`` is refused; a heartbeat is answered
with a greeting; anything else is repeated.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from memgpt_autogen.events import split_header

#: Seconds that a pause takes.
MOMENT = 1.3


def answer(messages: list[dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """The function and its arguments."""
    replied = next((at for at, one in enumerate(reversed(messages)) if one["role"] == "assistant"), len(messages))
    spoken = next((at for at, one in enumerate(reversed(messages)) if str(one["content"]).startswith("[user")), 0)
    events = [split_header(message["content"]) for message in messages if message["role"] == "user"]
    source, words = next((event for event in reversed(events) if event[0] != "login"), ("none", ""))
    if source == "timer":
        return "send_message", {"inner_thoughts": "It is time.", "message": "Tick."}
    if words == "You asked for it.":
        source, words = next(event for event in reversed(events) if event[0] == "user")
    if source != "user":
        return "send_message", {"inner_thoughts": "Somebody is there.", "message": "Hello, I am here."}
    if words == "ponder":
        time.sleep(MOMENT)
    if words.startswith(("remember ", "ponder")) and spoken < replied:
        content = words.removeprefix("remember ")
        arguments = {"name": "human", "content": content, "request_heartbeat": True}
        return "core_memory_append", {"inner_thoughts": "Worth keeping.", **arguments}
    if words == "slowly":
        time.sleep(60)
    system = messages[0]["content"]
    known = " I know of the tea." if "tea" in system else ""
    return "send_message", {"inner_thoughts": "I repeat it.", "message": f"You said: {words}.{known}"}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name, arguments = answer(asked["messages"])
        if arguments.get("message") == "You said: fail.":
            self._send(400, json.dumps({"error": {"message": "I cannot do that."}}).encode(), "application/json")
            return
        function = {"name": name, "arguments": json.dumps(arguments)}
        call = {"id": f"call_{time.time_ns()}", "type": "function", "function": function}
        head = {"id": "1", "created": 1, "model": asked["model"]}
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
        if not asked.get("stream"):
            message = {"role": "assistant", "content": None, "tool_calls": [call]}
            choice = {"index": 0, "finish_reason": "tool_calls", "message": message}
            whole = {**head, "object": "chat.completion", "choices": [choice], "usage": usage}
            self._send(200, json.dumps(whole).encode(), "application/json")
            return
        pieces = [function["arguments"][at : at + 7] for at in range(0, len(function["arguments"]), 7)]
        deltas: list[dict[str, Any]] = [{**call, "index": 0, "function": {"name": name, "arguments": ""}}]
        deltas += [{"index": 0, "function": {"arguments": piece}} for piece in pieces]
        chunks: list[dict[str, Any]] = [
            {"choices": [{"index": 0, "delta": {"tool_calls": [delta]}, "finish_reason": None}]} for delta in deltas
        ]
        chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})
        chunks.append({"choices": [], "usage": usage})
        lines = [json.dumps({**head, "object": "chat.completion.chunk", **chunk}) for chunk in chunks]
        events = [f"data: {line}\n\n".encode() for line in [*lines, "[DONE]"]]
        if arguments.get("message", "").startswith("You said: ponder"):
            self._send_in_two(events, len(events) - 6)
        else:
            self._send(200, b"".join(events), "text/event-stream")

    def do_GET(self) -> None:
        self._send(
            200,
            json.dumps({"object": "list", "data": [{"id": "talker", "object": "model"}]}).encode(),
            "application/json",
        )

    def _send_in_two(self, events: list[bytes], at: int) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", str(len(b"".join(events))))
        self.end_headers()
        self.wfile.write(b"".join(events[:at]))
        self.wfile.flush()
        time.sleep(MOMENT)
        self.wfile.write(b"".join(events[at:]))

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(BrokenPipeError):  # the reader was stopped
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[str]:
    """The server's address while it runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
