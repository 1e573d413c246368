"""What is read of replies that no grammar held to a form: the corpus of the tests, and mutations of it.

    python benchmarks/repair.py [--mutations 20]

Every reply with a call that can be recovered should give that call, every other none; no text may crash the reading.
Prints the share of each kind. Random edits make replies that nobody has judged: of those only the crashes count.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.llm.corpus import Case, cases, read

SIGNS = "{}[]\"'\\,:` \n\x00aé"


def mutated(text: str, dice: random.Random) -> str:
    for _ in range(dice.randint(1, 4)):
        start = dice.randint(0, len(text))
        end = min(len(text), start + dice.randint(0, 12))
        text = text[:start] + dice.choice(["", dice.choice(SIGNS), text[start:end] * 2]) + text[end:]
    return text


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutations", type=int, default=20, help="of each reply")
    count = parser.parse_args().mutations
    kinds: dict[str, list[bool]] = defaultdict(list)
    corpus: list[Case] = list(cases())
    for case in corpus:
        kinds[case.kind].append(read(case.text) == case.calls)
    print(f"{'kind':<30} replies  right")
    for kind, right in kinds.items():
        print(f"{kind:<30} {len(right):7d} {sum(right) / len(right):6.0%}")
    sound = [case for case in corpus if case.calls]
    got = sum(read(case.text) == case.calls for case in sound)
    right = sum(map(sum, kinds.values()))
    print(
        f"recovered {got} of {len(sound)} calls ({got / len(sound):.1%}); {right} of {len(corpus)} replies read rightly"
    )
    dice, crashes, read_anyway, started = random.Random(1), 0, 0, time.monotonic()
    for case in corpus:
        for _ in range(count):
            text = mutated(case.text, dice)
            try:
                read_anyway += read(text) is not None
            except Exception as error:  # what is counted here
                crashes += 1
                print(f"  {type(error).__name__}: {error} for {text[:200]!r}")
    tried = len(corpus) * count
    print(
        f"{tried} mutations in {time.monotonic() - started:.0f} s: {crashes} crashes, "
        f"a whole call was still found in {read_anyway / max(tried, 1):.0%}"
    )
    return bool(crashes or right < len(corpus))


if __name__ == "__main__":
    sys.exit(main())
