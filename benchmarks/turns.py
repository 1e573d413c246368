"""CPU that a turn takes beside the model's own time, at the start of an agent's life and after 10,000 turns.

    python benchmarks/turns.py [--turns 10000]

The model is scripted and counts tokens at once, so that what is left is ours: events, window, functions, one
transaction a step on a file, eviction with its summary. Target: at most 3 ms, and no growth.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from memgpt_autogen import MemGPT, Settings, events
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.storage.sqlite import SQLiteStore

SAMPLE = 200


class Talker(ScriptedModel):
    """Answers every prompt in the same words, and keeps none of them."""

    def complete(self, messages, tools, **options):
        self.script = ["I see. Tell me more about your garden, please."]
        try:
            return super().complete(messages, tools, **options)
        finally:
            self.calls.clear()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=10_000)
    turns = parser.parse_args().turns
    with tempfile.TemporaryDirectory() as home:
        store = SQLiteStore(Path(home) / "memgpt.db")
        memgpt = MemGPT(Settings(home=Path(home)), store=store, embedder=None)
        agent = memgpt.create_agent({"name": "sam"}, model=Talker(context_window=8192))
        cpu: list[float] = []
        for number in range(turns):
            message = events.user_message(f"Today, on day {number}, I planted {number % 17} rows of beans.", name="Ann")
            started = time.process_time()
            agent.run([message])
            cpu.append(1000 * (time.process_time() - started))
        store.close()
    first, last = cpu[1 : SAMPLE + 1], cpu[-SAMPLE:]
    for name, sample in (("first", first), ("last", last)):
        mean, median, worst = statistics.mean(sample), statistics.median(sample), max(sample)
        print(f"{name:>5} {SAMPLE} of {turns} turns: mean {mean:.2f} ms, median {median:.2f} ms, worst {worst:.1f} ms")
    print(f"ratio last/first, means: {statistics.mean(last) / statistics.mean(first):.2f}")


if __name__ == "__main__":
    main()
