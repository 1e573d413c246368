"""Prompt tokens of a group chat: the memory agent beside AutoGen's AssistantAgent, and beside the events of before.

    python benchmarks/prompt_tokens.py

The same chat is replayed to both agents, short talk and code, by scripted speakers; what each sends to its model is
counted in cl100k. "JSON events" is the form of events that the package had before: the same prompt with every event and
result as a JSON object. Targets: a short message of others takes at most 20 tokens, code what it takes by itself and at
most 20 more, and the fixed part (system prompt, functions, core memory) at most 1,000.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpe_openai

SHORT = ("The tests are green, please merge.", "I moved to Porto last week.", "Could you look at the parser?", "Yes.")
CODE = '''```python
def parse(path: str) -> dict[str, str]:
    """Read "key = value" lines."""
    with open(path, encoding="utf-8") as file:
        pairs = [line.split("=", 1) for line in file if "=" in line]
    return {key.strip(): value.strip().strip('"') for key, value in pairs}


if __name__ == "__main__":
    print("\\n".join(f"{k}\\t{v}" for k, v in parse("settings.ini").items()))
```'''
LINES = (*SHORT, CODE)
TIME = "2026-11-25 07:52:33 AM UTC+0000"

_encoding = bpe_openai.get_encoding("cl100k_base")


def tokens(text: str) -> int:
    return len(_encoding.encode(text))


def as_before(message: Any) -> str:
    """An event or result in the JSON that earlier releases sent."""
    from memgpt_autogen.events import body

    if message.role == "tool":
        shown: dict[str, Any] = {"status": "OK", "message": body(message), "time": TIME}
    else:
        shown = {"type": message.kind, "message": body(message), "time": TIME, "name": message.author}
    return json.dumps(shown, ensure_ascii=False)


class Recorder:
    """Stands in for AutoGen's client: keeps what it is sent, and answers in the same words."""

    total_usage_summary = actual_usage_summary = None

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []

    def create(self, **request: Any) -> Any:
        self.requests.append(request)
        return SimpleNamespace(text="I see.", usage=None, cost=0.0)

    def extract_text_or_completion_object(self, response: Any) -> list[Any]:
        return [response.text]


def replay(agent: Any, rounds: int) -> Recorder:
    """A group chat of the agent and two speakers; what the agent sent."""
    import autogen

    agent.client = recorder = Recorder()
    config: dict[str, Any] = {"llm_config": False, "human_input_mode": "NEVER"}
    ann = autogen.ConversableAgent("ann", default_auto_reply="Go on.", **config)
    chat = autogen.GroupChat([ann, agent], [], max_round=2 * rounds, speaker_selection_method="round_robin")
    lines = iter(LINES * rounds)
    ann.register_reply([autogen.Agent, None], lambda *_, **__: (True, next(lines)), position=0)
    manager = autogen.GroupChatManager(chat, llm_config=False, human_input_mode="NEVER", silent=True)
    ann.initiate_chat(manager, message=next(lines), silent=True)
    return recorder


def prompt_tokens(request: dict[str, Any]) -> int:
    texts = [str(message.get("content") or "") for message in request["messages"]]
    calls = [json.dumps(message["tool_calls"]) for message in request["messages"] if message.get("tool_calls")]
    tools = [json.dumps(request["tools"])] if request.get("tools") else []
    return sum(map(tokens, [*texts, *calls, *tools]))


def main() -> None:
    os.environ["MEMGPT_HOME"] = tempfile.mkdtemp()
    import autogen

    from memgpt_autogen import MemGPT, MemGPTAgent, Settings, events
    from memgpt_autogen.storage.sqlite import SQLiteStore

    print("A message of others, in tokens:           by itself   JSON events   now")
    for name, text in (*((line, line) for line in SHORT), ("(code)", CODE)):
        event = events.rendered([events.user_message(text, name="ann") for _ in range(2)])[1]
        old = tokens(as_before(events.user_message(text, name="ann")))
        print(f"  {name[:38]:38} {tokens(text):9} {old:13} {tokens(event.content):5}")

    config = {"config_list": [{"model": "gpt-4o", "api_key": "none", "base_url": "http://127.0.0.1:9/v1"}]}
    home = MemGPT(Settings(home=Path(os.environ["MEMGPT_HOME"])), store=SQLiteStore(None), embedder=None)
    first = MemGPTAgent("first", llm_config=config, memgpt=home)
    request = replay(first, 1).requests[0]
    print(f"Fixed part and a first short message: {prompt_tokens(request)} tokens")

    rounds = 2 * len(LINES)
    assistant = replay(autogen.AssistantAgent("sam", llm_config=config), rounds).requests[-1]
    memory = MemGPTAgent("sam", llm_config=config, memgpt=home)
    now = replay(memory, rounds).requests[-1]
    log = memory.core.store.log.window(memory.core.id)
    shown = events.rendered(log)
    ours = sum(tokens(message.content) for message in shown if message.role != "assistant")
    before = sum(tokens(as_before(message)) for message in log if message.role != "assistant")
    plain = prompt_tokens(assistant) - tokens(str(assistant["messages"][0]["content"]))
    print(f"The same chat, {rounds} messages of ann (half of them short, some code) and {rounds - 1} replies:")
    print(f"  events and results:   JSON {before}, now {ours} ({ours / before:.0%})")
    print(f"  the last whole prompt: AssistantAgent {prompt_tokens(assistant)}, MemGPTAgent {prompt_tokens(now)}")
    print(f"  behind the fixed part: AssistantAgent {plain}, MemGPTAgent {prompt_tokens(now) - prompt_tokens(request)}")


if __name__ == "__main__":
    main()
