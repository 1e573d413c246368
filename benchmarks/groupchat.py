"""CPU of a reply in an AutoGen chat whose message list is long, beside AutoGen's own AssistantAgent.

    python benchmarks/groupchat.py [--lengths 10 1000 10000] [--replies 60]

Both agents reply at once, with the same words, so that what is left is what they do with the list. It grows by two
messages a reply. "second missing": a hook leaves the second message of the list out, so that it never begins with what
was read. Target: within 1.5 times of each other beyond what AutoGen's own copying grows by.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import time
from collections.abc import Callable
from typing import Any

from autogen import AssistantAgent, ConversableAgent, UserProxyAgent

from memgpt_autogen import MemGPT, MemGPTAgent
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.messages import SEND_MESSAGE, Message, Reply, ToolCall, Usage
from memgpt_autogen.storage.sqlite import SQLiteStore

ANSWER = "I see. Tell me more about your garden, please."


class Stub(ScriptedModel):
    """Answers at once, and does not count the prompt."""

    def complete(self, messages: Any, tools: Any, **options: Any) -> Reply:
        if not tools:
            return Reply(text="We spoke of the garden.")
        return Reply((ToolCall(SEND_MESSAGE, {"message": ANSWER}),), usage=Usage(100, 10))

    def count(self, messages: Any, tools: Any = ()) -> int:
        return sum(len(one.content) // 4 + 4 for one in messages if isinstance(one, Message)) + 100 * len(tools)


def memory_agent(name: str) -> ConversableAgent:
    home = MemGPT(store=SQLiteStore(None), embedder=None)
    return MemGPTAgent(name, agent=home.create_agent(name, model=Stub()))


def assistant(name: str) -> ConversableAgent:
    agent = AssistantAgent(name, llm_config={"config_list": [{"model": "stub", "api_key": "none"}]})
    agent.replace_reply_func(ConversableAgent.generate_oai_reply, lambda *_, **__: (True, ANSWER))
    return agent


def without_second(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return messages[:1] + messages[2:]


def milliseconds(make: Callable[[str], ConversableAgent], length: int, replies: int, hook: Any = None) -> float:
    """CPU of one reply, of the median, at a list of that length."""
    agent = make("sam")
    if hook:
        agent.register_hook("process_all_messages_before_reply", hook)
    user = UserProxyAgent("user", human_input_mode="NEVER", code_execution_config=False)
    listed = agent._oai_messages[user]
    for number in range(length - 1):
        said = {"content": f"On day {number} I planted {number % 17} rows.", "role": "user", "name": f"kim{number % 3}"}
        listed.append(said)
    taken = []
    for number in range(replies):
        listed.append({"content": f"Today I planted bean number {number}.", "role": "user", "name": "kim"})
        started = time.process_time()
        reply = agent.generate_reply(sender=user)
        taken.append(1000 * (time.process_time() - started))
        listed.append({"content": reply, "role": "assistant", "name": "sam"})
    return statistics.median(taken[5:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lengths", type=int, nargs="+", default=[10, 1_000, 10_000])
    parser.add_argument("--replies", type=int, default=60)
    options = parser.parse_args()
    logging.getLogger("autogen.oai.client").setLevel(logging.ERROR)  # the key that is none
    milliseconds(memory_agent, 3, 10)  # imports what it needs
    print("  messages   MemGPTAgent  AssistantAgent  difference   difference with the second missing")
    for length in options.lengths:
        ours, theirs = (milliseconds(make, length, options.replies) for make in (memory_agent, assistant))
        cut = [milliseconds(make, length, options.replies, without_second) for make in (memory_agent, assistant)]
        print(f"{length:>10} {ours:>9.2f} ms {theirs:>12.2f} ms {ours - theirs:>8.2f} ms   {cut[0] - cut[1]:>8.2f} ms")


if __name__ == "__main__":
    main()
