"""Many processes that talk with the same agents: nothing is lost, told twice, or mixed up; and how many turns they do.

    python benchmarks/many_processes.py [--processes 16] [--agents 20] [--seconds 60]

Each process takes an agent at random and has a turn with it, or is told that it is busy. At the end every turn that a
process was told is done must be in the file once, answered once, with nothing of another turn inside it.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

from memgpt_autogen import MemGPT, Settings, events
from memgpt_autogen.errors import AgentBusy
from memgpt_autogen.llm.scripted import ScriptedModel


def talk(home: Path, process: int, agents: int, seconds: float) -> None:
    """Talk with agents; prints what was done as JSON."""
    memgpt = MemGPT(Settings(home=home, environ={}), embedder=None)
    asked = ""
    model = ScriptedModel([lambda *_: f"answer to {asked}"] * 1_000_000, context_window=32_000)
    opened = {number: memgpt.load_agent(f"agent {number}", model=model) for number in range(agents)}
    done, busy, end, choose = [], 0, time.monotonic() + seconds, random.Random(process)
    while time.monotonic() < end:
        number = choose.randrange(agents)
        asked = f"{process}-{len(done)}-{busy}"
        try:
            opened[number].run([events.user_message(asked)])
            done.append([number, asked])
        except AgentBusy:
            busy += 1
        model.calls.clear()
    print(json.dumps({"done": done, "busy": busy}))


def faults(home: Path, done: list[tuple[int, str]]) -> Counter[str]:
    """Turns that are lost, doubled or interleaved."""
    found: Counter[str] = Counter(lost=0, doubled=0, interleaved=0)
    with closing(sqlite3.connect(home / "memgpt.db")) as raw:
        rows = raw.execute(
            "SELECT name, kind, role, text, answered FROM messages JOIN agents ON agents.id = agent_id "
            "WHERE text <> '' ORDER BY agent_id, seq"
        ).fetchall()
        found["damaged"] = +(raw.execute("PRAGMA integrity_check").fetchone() != ("ok",))
    asked = Counter((name, text) for name, kind, _, text, answered in rows if kind == "user_message" and answered)
    told = Counter((name, text) for name, _, role, text, _ in rows if role == "assistant")
    for number, text in done:
        name = f"agent {number}"
        found["lost"] += not asked[name, text] or not told[name, f"answer to {text}"]
        found["doubled"] += asked[name, text] > 1 or told[name, f"answer to {text}"] > 1
    last = ("", "")
    for name, kind, role, text, _ in rows:
        if role == "assistant":
            found["interleaved"] += last != (name, text.removeprefix("answer to "))
        elif kind == "user_message":
            last = name, text
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("processes", 16), ("agents", 20), ("seconds", 60)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--talk", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.talk:
        talk(Path(options.talk[0]), int(options.talk[1]), options.agents, options.seconds)
        return
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        memgpt = MemGPT(Settings(home=home, environ={}), embedder=None)
        for number in range(options.agents):
            memgpt.create_agent({"name": f"agent {number}", "preset": "memgpt_chat"}, model=ScriptedModel([]))
        command = [sys.executable, __file__, "--agents", str(options.agents), "--seconds", str(options.seconds)]
        processes = [
            subprocess.Popen([*command, "--talk", folder, str(number)], stdout=subprocess.PIPE, text=True)
            for number in range(options.processes)
        ]
        told = [json.loads(process.communicate()[0]) for process in processes]
        done = [(number, text) for one in told for number, text in one["done"]]
        found = faults(home, done)
        turns = (
            f"{len(done)} turns ({len(done) / options.seconds:.0f} a second), {sum(one['busy'] for one in told)} busy"
        )
        print(f"{options.processes} processes on {options.agents} agents for {options.seconds} s: {turns}")
        print(", ".join(f"{count} {fault}" for fault, count in found.items()))
        memgpt.close()
    if any(found.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
