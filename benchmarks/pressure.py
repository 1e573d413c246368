"""A long conversation in narrow windows: whether every prompt fits, what is lost, and how many model calls it takes.

    python benchmarks/pressure.py --data locomo_dev.json [--windows 2048 4096 8192 16384] [--conversations 1]

Every turn of a LoCoMo conversation is said to an agent, under its speaker's name and at its time. The model is a stub
behind a real HTTP server with the chat API: it answers in two sentences, saves one fact when it is warned, and writes
notes of 100 words. The server counts each request by OpenAI's own tokenizer (bpe-openai, cl100k); the client only
estimates. Printed for each window: requests that exceed it together with the reply that they ask for; turns that left
the window and are not found by their exact text among the first five hits; model calls and prompt tokens a turn, beside
one call a turn.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import bpe_openai

from memgpt_autogen import LLMConfig, MemGPT, Settings, events
from memgpt_autogen.agent import Agent
from memgpt_autogen.config import AgentConfig
from memgpt_autogen.llm.choose import build_model
from memgpt_autogen.messages import Message
from memgpt_autogen.prompts.presets import suited
from memgpt_autogen.storage.sqlite import SQLiteStore

TOKENS = bpe_openai.get_encoding("cl100k_base")
NOTES = "We spoke of plans, people and places; here is what was said about each of them in turn. " * 6


class Server(ThreadingHTTPServer):
    """A chat API that counts."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[tuple[int, int]] = []  # tokens of each prompt, and of the reply it asks for
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: object) -> None:
        """Be silent."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        size = size_of(asked)
        self.server.requests.append((size, asked.get("max_completion_tokens") or asked.get("max_tokens") or 0))
        usage = {"prompt_tokens": size, "completion_tokens": 40, "total_tokens": size + 40}
        body = json.dumps(
            {
                "id": "1",
                "object": "chat.completion",
                "created": 0,
                "model": asked["model"],
                "choices": [{"index": 0, "finish_reason": "stop", "message": answer(asked, len(self.server.requests))}],
                "usage": usage,
            }
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def size_of(asked: dict) -> int:
    """Tokens of a request, as OpenAI's cookbook counts them."""
    size = 3
    for message in asked["messages"]:
        calls = "".join(c["function"]["name"] + c["function"]["arguments"] for c in message.get("tool_calls") or ())
        size += 3 + len(TOKENS.encode_ordinary(f"{message.get('content') or ''}{calls}"))
    return size + sum(len(TOKENS.encode_ordinary(json.dumps(tool["function"]))) for tool in asked.get("tools") or ())


def answer(asked: dict, number: int) -> dict:
    offered = {tool["function"]["name"]: tool["function"] for tool in asked.get("tools") or ()}
    if not offered:
        return {"role": "assistant", "content": NOTES}
    name = "send_message" if "send_message" in offered else "core_memory_append"  # it is warned: it may only save
    arguments = {"message": f"I see, thank you for telling me. What else happened on that day? ({number})"}
    if name == "core_memory_append":
        arguments = {"name": "human", "content": f"Fact {number}."}
    thoughts = {"inner_thoughts": "I listen."} if "inner_thoughts" in str(offered[name]) else {}
    call = {"name": name, "arguments": json.dumps({**thoughts, **arguments})}
    return {"role": "assistant", "tool_calls": [{"id": f"c{number}", "type": "function", "function": call}]}


def turns_of(talk: dict) -> Iterator[Message]:
    """What is said in a conversation, as events."""
    session = 1
    while f"session_{session}" in talk:
        when = datetime.strptime(talk[f"session_{session}_date_time"], "%I:%M %p on %d %B, %Y")
        for turn in talk[f"session_{session}"]:
            yield events.user_message(turn["text"], name=turn["speaker"], at=when.replace(tzinfo=timezone.utc))
        session += 1


def not_found(agent: Agent, said: Sequence[Message]) -> tuple[int, int]:
    """How many turns have left the window, and how many of these are not found by their text."""
    in_view = {message.text for message in agent.store.log.window(agent.id)}
    gone = [one.text for one in said if one.text not in in_view]
    lost = [text for text in gone if text not in {hit.item.text for hit in agent.recall.find(text).hits}]
    return len(gone), len(lost)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--windows", type=int, nargs="+", default=[2048, 4096, 8192, 16384])
    parser.add_argument("--conversations", type=int, default=1)
    parser.add_argument("--turns", type=int, default=10_000, help="of each conversation, at most")
    options = parser.parse_args()
    talks = [one["conversation"] for one in json.loads(options.data.read_text())[: options.conversations]]
    for window in options.windows:
        server, over, turns, gone, lost = Server(), 0, 0, 0, 0
        preset = suited(window, None)
        for talk in talks:
            with tempfile.TemporaryDirectory() as home:
                store = SQLiteStore(Path(home) / "memgpt.db")
                settings = Settings(home=Path(home), environ={})
                memgpt = MemGPT(settings, store=store, embedder=None)
                config = LLMConfig(model="stub", model_endpoint=server.address, context_window=window, api_key="none")
                agent = memgpt.create_agent(AgentConfig("sam", preset=preset), model=build_model(config, settings))
                said = [*turns_of(talk)][: options.turns]
                for event in said:
                    agent.run([event])
                left, missing = not_found(agent, said)
                turns, gone, lost = turns + len(said), gone + left, lost + missing
                store.close()
        over = sum(size + reply > window for size, reply in server.requests)
        calls, tokens = len(server.requests), sum(size for size, _ in server.requests)
        fullest = max(size + reply for size, reply in server.requests)
        server.shutdown()
        print(
            f"{window:>6} ({preset}): {turns} turns, {calls} calls: {calls / turns:.2f} a turn; over the window {over}"
        )
        print(f"        fullest {fullest}, {tokens / turns:.0f} prompt tokens a turn; left: {gone}, not found: {lost}")


if __name__ == "__main__":
    main()
