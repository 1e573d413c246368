"""What a long talk leaves in memory that should not be there: duplicates, and facts that nobody stated.

    python benchmarks/junk.py --data locomo10.json [--conversation conv-26] [--model GGUF] [--lines 50] [--turns N]

Says the turns of a LoCoMo conversation (https://github.com/snap-research/locomo) to an agent as messages of its two
speakers. The model reads each for facts, as after any turn; the replies are canned, since they write no memory.

Duplicates are stored lines (core memory and notes) that an earlier line equals: by its words, without case, marks and
order, or by the bundled embedder (extra ``local``) with a cosine of 0.95 or more. ``--lines`` prints so many lines,
drawn at random, each with the message that it came from, to be checked by hand.

Target: duplicates at most 2%, and no line that states what nobody said.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from locomo import turns_of

from memgpt_autogen import LLMConfig, MemGPT
from memgpt_autogen.agent import Agent
from memgpt_autogen.config import EmbeddingConfig, Settings
from memgpt_autogen.embeddings.choose import build_embedder
from memgpt_autogen.llm.base import ChatModel
from memgpt_autogen.llm.plain_speech import speaks_only
from memgpt_autogen.messages import SEND_MESSAGE, Message, Reply, ToolCall, ToolSchema

SAME_MEANING = 0.95


class CannedReplies:
    """A model that answers every message with the same words, and passes other calls on."""

    def __init__(self, model: ChatModel) -> None:
        self._model, self.calls = model, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def complete(self, messages: Sequence[Message], tools: Sequence[ToolSchema], **options: Any) -> Reply:
        if speaks_only(tools):
            return Reply((ToolCall(SEND_MESSAGE, {"message": "I see."}),))
        self.calls += 1
        return self._model.complete(messages, tools, **options)


def stored(memgpt: MemGPT, agent: Agent) -> list[str]:
    """Lines of core memory, then notes."""
    lines = [line for block in memgpt.store.agents.blocks(agent.id) for line in block.value.splitlines() if line]
    pages = agent.archival.find("", source="").pages
    notes = [hit.item.text for page in range(1, pages + 1) for hit in agent.archival.find("", page, source="").hits]
    return [*lines, *notes]


def duplicates(lines: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of a line and an earlier one that it equals."""
    vectors = np.array(build_embedder(EmbeddingConfig()).embed(list(lines)))
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    words = [sorted(re.findall(r"\w+", line.casefold())) for line in lines]
    found = []
    for at, line in enumerate(lines):
        near = vectors[:at] @ vectors[at]
        same = [other for other in range(at) if words[other] == words[at] or near[other] >= SAME_MEANING]
        if same:
            found.append((line, lines[same[0]]))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="LoCoMo's file")
    parser.add_argument("--conversation", default="conv-26", help="which one (default conv-26)")
    parser.add_argument("--model", default="", help="a .gguf file; without it, the small model on this machine")
    parser.add_argument("--lines", type=int, default=50, help="lines to print with their messages (default 50)")
    parser.add_argument("--turns", type=int, help="only the first so many")
    options = parser.parse_args()
    chosen = next(
        one for one in json.loads(options.data.read_text("utf-8")) if one["sample_id"] == options.conversation
    )
    turns = [(speaker, text) for _, _, speaker, text in turns_of(chosen["conversation"])][: options.turns]
    config = LLMConfig(model=options.model, model_endpoint_type="embedded", temperature=0.0)
    came_from: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as home, MemGPT(Settings.load({"MEMGPT_HOME": home})) as memgpt:
        agent = memgpt.create_agent({"name": "sam", "model": config, "remember": "auto"})
        model = agent.model = CannedReplies(agent.model)  # type: ignore[assignment]
        known = set(stored(memgpt, agent))
        first, started = len(known), time.monotonic()
        for number, (speaker, text) in enumerate(turns, start=1):
            memgpt.ask(agent, text, speaker)
            memgpt.settle()
            for line in set(stored(memgpt, agent)) - known:
                came_from[line] = f"{speaker}: {text}"
                known.add(line)
            if number % 20 == 0:
                seconds = time.monotonic() - started
                print(f"{number}/{len(turns)} messages, {seconds:.0f} s", file=sys.stderr, flush=True)
        lines = [line for line in stored(memgpt, agent) if line in came_from]
    twice = duplicates(lines)
    for line in random.Random(0).sample(lines, min(options.lines, len(lines))):
        print(f"- {line}\n    {came_from[line]}")
    print(f"\nduplicates: {len(twice)}")
    for line, other in twice:
        print(f"- {line}\n    = {other}")
    share = len(twice) / max(1, len(lines))
    print(
        f"\n{len(turns)} messages, {model.calls} calls of the model, {len(lines)} lines stored beside the first {first}"
    )
    print(f"duplicates: {share:.1%} (target at most 2%)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
