"""How long `import memgpt_autogen` takes, beside `import openai`. Target: at most 0.1 s.

    python benchmarks/imports.py

Each import runs in a Python of its own, in turn, eleven times; the time of an empty Python is taken off.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

RUNS = 11


def seconds(statement: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - started


def main() -> None:
    statements = {"nothing": "pass", "memgpt_autogen": "import memgpt_autogen", "openai": "import openai"}
    times: dict[str, list[float]] = {name: [] for name in statements}
    for _ in range(RUNS):
        for name, statement in statements.items():
            times[name].append(seconds(statement))
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    ours, theirs = (medians[name] - medians["nothing"] for name in ("memgpt_autogen", "openai"))
    print(f"import memgpt_autogen  {1000 * ours:7.1f} ms")
    print(f"import openai          {1000 * theirs:7.1f} ms   ratio {ours / theirs:.3f}")


if __name__ == "__main__":
    main()
