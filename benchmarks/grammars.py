"""Random functions against the real parser: is the GBNF of each accepted, and does what is written under it fit?

    python benchmarks/grammars.py [--count 2000] [--samples 100]

hypothesis makes functions with arguments of every type that pydantic can describe; llama.cpp's own parser takes the
grammar of each, in both dialects, or says why not. For ``--samples`` of them SmolLM2-135M writes a call at temperature
1, with strings of up to 16 characters and lists of up to two items unless their own bounds ask for more. It must come
out whole, fit the schema (jsonschema judges) and be read by the function. Left out there are bounds on numbers, which
no grammar here holds. Target: no refusal, no misfit, none cut.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from memgpt_autogen.llm.embedded import find_model, shared_server

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.llm.signatures import refused, sampled, signatures

QUICK = {
    "deadline": None,
    "database": None,
    "phases": [Phase.generate],
    "suppress_health_check": [*HealthCheck],
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--samples", type=int, default=100)
    asked = parser.parse_args()
    address = shared_server(find_model({}), 4096).address
    faults: list[str] = []
    fits: list[bool] = []
    tried = []
    started = time.monotonic()

    @settings(max_examples=asked.count, **QUICK)
    @given(signatures(), st.booleans())
    def accepted(signature, outside) -> None:
        for dialect in ("full", "plain"):
            tried.append(dialect)
            fault = refused(address, [signature.schema], dialect, outside=outside)
            if fault:
                faults.append(fault)
                print(f"  {dialect}: {fault[:200]} for {signature.schema.parameters}")

    @settings(max_examples=asked.samples, **QUICK)
    @given(signatures(later=False), st.integers(1, 10**6))
    def fitting(signature, seed) -> None:
        try:
            fits.append(sampled(address, signature, seed=seed))
        except Exception as error:  # whatever it is, it is a misfit to be counted
            faults.append(str(error))
            print(f"  {type(error).__name__}: {str(error)[:300]} for {signature.schema.parameters}")

    accepted()
    print(
        f"{len(tried)} grammars of {len(tried) // 2} functions, {time.monotonic() - started:.0f} s: "
        f"refused {len(faults)}"
    )
    refusals, started = len(faults), time.monotonic()
    fitting()
    print(
        f"{asked.samples} functions called, {time.monotonic() - started:.0f} s: {sum(fits)} whole and fitting, "
        f"{len(faults) - refusals} misfits, {len(fits) - sum(fits)} cut by the token limit"
    )
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
