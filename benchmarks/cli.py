"""How soon `memgpt --help` and `memgpt list agents` are there, beside `import openai`. Target: at most 0.4 s each.

    python benchmarks/cli.py

Each command runs in a Python of its own, in turn, eleven times, start and end of the interpreter included; the store
has 20 agents.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS, AGENTS, TARGET = 11, 20, 0.4
PROGRAM = "from memgpt_autogen.cli.app import main; main({})"
STATEMENTS = {
    "python": "pass",
    "memgpt --help": PROGRAM.format(["--help"]),
    "memgpt list agents": PROGRAM.format(["list", "agents"]),
    "memgpt version": PROGRAM.format(["version"]),
    "import openai": "import openai",
}


def seconds(statement: str, home: Path) -> float:
    started = time.perf_counter()
    environ = {**os.environ, "MEMGPT_HOME": str(home)}
    subprocess.run([sys.executable, "-c", statement], check=True, env=environ, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    from memgpt_autogen.storage.sqlite import SQLiteStore

    with tempfile.TemporaryDirectory() as folder:
        store = SQLiteStore(Path(folder) / "memgpt.db")
        for number in range(AGENTS):
            store.agents.create(f"agent {number}", {"name": f"agent {number}"})
        store.close()
        times: dict[str, list[float]] = {name: [] for name in STATEMENTS}
        for _ in range(RUNS):
            for name, statement in STATEMENTS.items():
                times[name].append(seconds(statement, Path(folder)))
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    for name, median in medians.items():
        ratio = median / medians["import openai"]
        print(f"{name:<20} {1000 * median:7.0f} ms   {ratio:.2f} of import openai")
    print(f"target: {1000 * TARGET:.0f} ms")


if __name__ == "__main__":
    main()
