"""CPU and memory of a turn at the start of an agent's life and after 10,000 turns.

    python benchmarks/turns.py [--turns 10000] [--window 8192]

The model is scripted and answers at once, so that what is left is ours: events, window, functions, one transaction a
step on a file, eviction. The floor is the same rows, written by the same store in one commit a turn. Targets: at most
2 ms and four times the floor, at the first and the last turns, within 1.3 times of each other; memory grows by at most
20 MB.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from memgpt_autogen import MemGPT, Settings, events
from memgpt_autogen.ids import new_id
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.messages import SEND_MESSAGE, Message, Reply, ToolCall, ToolResult, Usage
from memgpt_autogen.storage.sqlite import SQLiteStore

SAMPLE, PAGE = 50, resource.getpagesize()
ANSWER = "I see. Tell me more about your garden, please."


class Talker(ScriptedModel):
    """Answers every prompt in the same words, at once: it does not even count the prompt."""

    def complete(self, messages, tools, **options):
        if not tools:
            return Reply(text="We spoke of the garden.", usage=Usage(100, 10))
        return Reply((ToolCall(SEND_MESSAGE, {"message": ANSWER}),), usage=Usage(100, 10))


def said(number: int) -> Message:
    return events.user_message(f"Today, on day {number}, I planted {number % 17} rows of beans.", name="Ann")


def timed(turns: int, turn: Callable[[int], None]) -> list[float]:
    """The milliseconds of CPU that each turn took."""
    cpu = []
    for number in range(turns):
        started = time.process_time()
        turn(number)
        cpu.append(1000 * (time.process_time() - started))
    return cpu


def floor_of(store: SQLiteStore, agent_id: str) -> Callable[[int], None]:
    """A turn that only writes its rows."""

    def write(number: int) -> None:
        call = ToolCall(SEND_MESSAGE, {"message": ANSWER})
        rows = [said(number), events.reply("", (call,), ANSWER), events.tool_result(ToolResult(call.id, "f", "Sent."))]
        with store.transaction(new_id()):
            store.log.append(agent_id, [replace(one, session_id="s", answered=True) for one in rows])
            store.log.add_step(agent_id, "yielded", "scripted", Usage(100, 10))

    return write


def resident() -> float:
    """Megabytes of memory in use."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=10_000)
    parser.add_argument("--window", type=int, default=8192)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        store = SQLiteStore(Path(home) / "memgpt.db")
        memgpt = MemGPT(Settings(home=Path(home)), store=store, embedder=None)
        agent = memgpt.create_agent({"name": "sam"}, model=Talker(context_window=options.window))
        agent.run([said(0)])  # imports what it needs
        before = resident()
        cpu = timed(options.turns, lambda number: agent.run([said(number)]) and None)
        grown = resident() - before
        other = store.agents.create("floor", {}).id
        floor = statistics.median(timed(500, floor_of(store, other)))
        store.close()
    first, last = cpu[:SAMPLE], cpu[-SAMPLE:]
    print(f"{options.turns} turns in a window of {options.window} tokens, CPU of a turn:")
    for name, sample in (("first", first), ("last", last), ("all", cpu)):
        mean, median, worst = statistics.mean(sample), statistics.median(sample), max(sample)
        print(f"{name:>5} {len(sample)}: median {median:.2f} ms, mean {mean:.2f} ms, worst {worst:.1f} ms")
    one, two = statistics.median(first), statistics.median(last)
    print(
        f"last/first {two / one:.2f}; floor {floor:.2f} ms, first/floor {one / floor:.1f}, last/floor {two / floor:.1f}"
    )
    print(f"memory grew by {grown:.1f} MB")


if __name__ == "__main__":
    main()
