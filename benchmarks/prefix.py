"""Prompt tokens that llama.cpp evaluates anew in a chat, beside those that are new in the prompt.

    python benchmarks/prefix.py [--turns 200] [--model FILE] [--preset NAME] [--window 4096]

A scripted user talks to a real model on the embedded llama.cpp; no embedder. Evaluated anew is what the server's reply
says: tokens of the prompt that it did not have in its cache. New are the tokens of the messages that the prompt before
did not hold, the model's own last reply among them (in brackets: without its replies, which the server has in its cache
from writing them); where messages left, also the summary that stands in for them.
Writing that summary is a call of its own: what it evaluates counts, and its prompt counts as new. Targets: at most 1.2
times the new tokens on turns without eviction, at most 1.6 over all.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

from memgpt_autogen import LLMConfig, MemGPT, Settings, events
from memgpt_autogen.llm.choose import build_model
from memgpt_autogen.storage.sqlite import SQLiteStore

THINGS = ("beans", "roses", "a pear tree", "carrots", "mint", "three rows of leeks", "sunflowers")
QUESTIONS = ("What goes well with them?", "Should I water them tonight?", "How are you today?", "What did I plant?")


@dataclass
class Turn:
    """Tokens of one turn's prompts."""

    new: int = 0
    own: int = 0
    anew: int = 0
    evicted: bool = False


class Recorder:
    """A model that keeps count of what its server says."""

    def __init__(self, model):
        self._model, self._before, self.turns = model, {}, []

    def __getattr__(self, name):
        return getattr(self._model, name)

    def complete(self, messages, tools, **options):
        reply = self._model.complete(messages, tools, **options)
        turn = self.turns[-1]
        turn.anew += reply.usage.prompt_tokens - reply.usage.cached_tokens
        if not tools:  # a summary
            turn.evicted = True
            turn.new += reply.usage.prompt_tokens
            return reply
        held = {message.id: message.content for message in messages[1:]}
        new = [one for one in messages[1:] if self._before.get(one.id) != one.content]
        turn.new += self._model.count(new)
        turn.own += self._model.count([one for one in new if one.role == "assistant"])
        turn.evicted |= any(one not in held for one in self._before)
        self._before = held
        return reply


def ratio(turns):
    anew, new = sum(turn.anew for turn in turns), sum(turn.new for turn in turns)
    return f"{anew / max(1, new):.2f} ({anew / max(1, new - sum(turn.own for turn in turns)):.2f})"


def show(turns):
    whole = [turn for turn in turns if not turn.evicted]
    print(
        f"{len(turns)} turns behind the first, {len(turns) - len(whole)} with eviction, "
        f"{sum(turn.new for turn in turns) / len(turns):.0f} new tokens a turn; evaluated anew, of the new tokens: "
        f"without eviction {ratio(whole)}, over all {ratio(turns)}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--model", default="")
    parser.add_argument("--preset", default="")
    parser.add_argument("--window", type=int, default=4096)
    options = parser.parse_args()
    config = LLMConfig(model_endpoint_type="embedded", model=options.model, context_window=options.window)
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home))
        memgpt = MemGPT(settings, store=SQLiteStore(None), embedder=None)
        recorder = Recorder(build_model(config, settings))
        wanted = {"name": "sam", **({"preset": options.preset} if options.preset else {})}
        agent = memgpt.create_agent(wanted, model=recorder)
        for number in range(options.turns):
            recorder.turns.append(Turn())
            said = f"On day {number} I planted {THINGS[number % 7]}. {QUESTIONS[number % 4]}"
            agent.run([events.user_message(said, name="Ann")])
            if number in (1, 4) or number % 10 == 9 or number == options.turns - 1:
                show(recorder.turns[1:])  # the first has no turn before it
        memgpt.close()


if __name__ == "__main__":
    main()
