"""Every prompt format on a real small model under its grammar: is each reply a call of a known function that fits?

    python benchmarks/wrappers.py [--count 25] [--model FILE.gguf] [--only NAME]

SmolLM2-135M at temperature 0.8, 25 prompts that lead astray. Counted are replies that are unparseable (no call can be
read, or the token limit cut them), of an unknown function, or with arguments that do not fit. A cut reply is asked for
once more within tighter limits, as the program does; nothing else is. Target: 0 everywhere.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from _cases import FORMATS, functions
from _cases import model as made

from memgpt_autogen.llm.embedded import embedded_server
from tests.llm.prompts import PROMPTS, first_try


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=len(PROMPTS))
    parser.add_argument("--model", default="")
    parser.add_argument("--only", default="", help="one format")
    options = parser.parse_args()
    tools = functions()
    faults = 0
    print(f"{'format':<32} replies  asked twice  unparseable  unknown  misfit  seconds")
    for name in FORMATS:
        if options.only not in ("", name):
            continue
        model = made(options.model, name, 0.8)
        address = embedded_server(model.config).address
        started = time.monotonic()
        found, again = [], 0
        for words in PROMPTS[: options.count]:
            found.append(first_try(model, address, words, tools))
            if found[-1] == "cut":
                found[-1], again = first_try(model, address, words, tools, limit=60), again + 1
        counts = [found.count("unparseable") + found.count("cut"), found.count("unknown"), found.count("misfit")]
        faults += sum(counts)
        took = time.monotonic() - started
        row = f"{len(found):7d} {again:12d} {counts[0]:12d} {counts[1]:8d} {counts[2]:7d} {took:8.1f}"
        print(f"{name:<32} {row}", flush=True)
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
