"""Which function, with which arguments: the share that a model gets right on written cases, per prompt format.

    MEMGPT_TEST_GGUF=model.gguf python benchmarks/function_choice.py [--only NAME ...] [--count N]

Each case of function_choice.jsonl names the functions that are right and words that must stand in their arguments
(``a|b``: either). Under the grammar, at temperature 0, with all of an agent's own functions on offer. Arguments count
as right only where the function is.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from _cases import FORMATS, asked, choices, functions
from _cases import model as made

from memgpt_autogen.errors import ModelReplyError
from memgpt_autogen.messages import ToolCall


def right_words(call: ToolCall, wanted: Mapping[str, list[str]]) -> bool:
    """Whether each argument holds one of the words that each entry wants."""
    return all(
        any(word.casefold() in str(call.arguments.get(key, "")).casefold() for word in words.split("|"))
        for key, entries in wanted.items()
        for words in entries
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=FORMATS, help="formats")
    parser.add_argument("--count", type=int, default=None, help="the first so many cases, spread over all functions")
    options = parser.parse_args()
    path = os.environ.get("MEMGPT_TEST_GGUF", "")
    if not path:
        print("Skipped: set MEMGPT_TEST_GGUF to the path of a .gguf model that is to be measured.")
        return 0
    cases, tools = list(choices()), functions()
    step = max(1, len(cases) // options.count) if options.count else 1
    cases = cases[::step]
    print(f"{Path(path).name}, {len(cases)} cases")
    print(f"{'format':<32} function  arguments  unreadable  s/call")
    for name in options.only:
        model = made(path, name, 0.0)
        right, exact, unreadable, started = 0, 0, 0, time.monotonic()
        for case in cases:
            try:
                call = model.complete(asked(case["say"]), tools, max_tokens=300).tool_calls[0]
            except ModelReplyError:
                unreadable += 1
                continue
            if call.name in case["functions"]:
                right += 1
                exact += right_words(call, case["arguments"])
        took = (time.monotonic() - started) / len(cases)
        shares = f"{right / len(cases):8.0%} {exact / len(cases):10.0%} {unreadable:11d} {took:7.1f}"
        print(f"{name:<32} {shares}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
