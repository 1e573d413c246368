"""Rebuilds past prompts and compares each with what was sent; tells what the records cost.

    python benchmarks/past_prompts.py [--prompts 1000]

The agents speak, edit memory, search, fail, call the caller's functions, are evicted, summarised and undone by chance,
on four presets and windows, each reopened half way. Target: every prompt equal byte by byte. The cost of a record is
CPU time within turns that only talk, at two sizes of the window.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.turns import Talker
from memgpt_autogen import MemGPT, Settings, events
from memgpt_autogen.memory.prompt_log import PromptLog, rebuilt
from memgpt_autogen.storage.sqlite import SQLiteStore
from tests.core.wanderer import Wanderer, as_json, wander

KINDS = (("memgpt_chat", 8192), ("memgpt_compact", 2048), ("memgpt_docs", 16384), ("memgpt_local", 4096))


def lived(home: Path, preset: str, window: int, turns: int, seed: int) -> tuple[SQLiteStore, str, set[str]]:
    """A store with an agent that has taken this many turns, the agent's id, and every prompt that was sent."""
    model = Wanderer(seed, context_window=window)
    for half in range(2):
        store = SQLiteStore(home / "memgpt.db")
        agent = MemGPT(Settings(home=home), store=store, embedder=None).create_agent(
            {"name": preset, "preset": preset}, model=model
        )
        wander(agent, turns // 2, seed + half)
        if half == 0:
            store.close()
    return store, agent.id, {as_json(call) for call in model.calls}


def cost(window: int, turns: int) -> tuple[float, float]:
    """Medians over the last 100 of these turns: CPU of recording a prompt, and of the whole turn, in ms."""
    recording: list[float] = []
    whole: list[float] = []
    add = PromptLog.add

    def timed(*arguments: Any) -> None:
        started = time.thread_time()
        add(*arguments)
        recording.append(1000 * (time.thread_time() - started))

    with tempfile.TemporaryDirectory() as home, patch.object(PromptLog, "add", timed):
        store = SQLiteStore(Path(home) / "memgpt.db")
        memgpt = MemGPT(Settings(home=Path(home)), store=store, embedder=None)
        agent = memgpt.create_agent({"name": "sam"}, model=Talker(context_window=window))
        for number in range(turns):
            message = events.user_message(f"Today, on day {number}, I planted {number % 17} rows of beans.", name="Ann")
            started = time.process_time()
            agent.run([message])
            whole.append(1000 * (time.process_time() - started))
        store.close()
    return statistics.median(recording[-100:]), statistics.median(whole[-100:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=int, default=1000)
    wanted = parser.parse_args().prompts
    equal = exact = tried = 0
    spent: list[float] = []
    size = sent_size = log_size = 0
    for kind, (preset, window) in enumerate(KINDS):
        with tempfile.TemporaryDirectory() as home:
            store, agent, sent = lived(Path(home), preset, window, turns=max(wanted // 3, 20), seed=10 * kind)
            rows = store.history.prompts(agent)
            for row in random.Random(kind).sample(rows, min(len(rows), -(-wanted // len(KINDS)))):
                started = time.perf_counter()
                past = rebuilt(store, agent, row)
                spent.append(1000 * (time.perf_counter() - started))
                text = past.sent.to_json()
                tried, equal, exact = tried + 1, equal + (text in sent), exact + past.exact
                sent_size += len(text.encode())
            count = store._database.number
            size += count("SELECT sum(length(parts)) FROM prompts") // len(rows)
            size += count("SELECT sum(length(text)) FROM prompt_texts") // len(rows)
            log_size += count("SELECT sum(length(content)) FROM messages") // len(rows)
            log_size += count("SELECT sum(length(tool_calls)) FROM messages") // len(rows)
            store.close()
    print(
        f"{tried} random past prompts: {equal} equal byte by byte to what was sent, {exact} confirmed by their digest"
    )
    print(f"rebuilding one: mean {sum(spent) / tried:.1f} ms, worst {max(spent):.1f} ms")
    kinds = len(KINDS)
    print(
        f"kept for each: {size // kinds} characters beside {log_size // kinds} of the log, "
        f"where the prompt has {sent_size // tried} bytes"
    )
    for window in (8192, 131_072):
        recording, whole = cost(window, turns=1000)
        share = recording / whole
        print(f"window of {window}: recording {recording:.2f} ms of {whole:.2f} ms CPU of a turn ({share:.0%})")


if __name__ == "__main__":
    main()
