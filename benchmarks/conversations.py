"""What an agent knows after whole conversations, beside a bare chat of the same model with everything in its window.

    python benchmarks/conversations.py --data FILE [--model GGUF] [--window N] [--filler N] [--verbose]

FILE is a list of conversations: ``name``, ``documents`` (file name to text) and ``turns``. A turn is ``say`` (with
``by``, where several people talk), ``attach`` (the documents) or ``restart`` (the program ends, a new one opens the
agent). ``facts`` (``a|b``: either) must stand in core memory or notes at the end, ``stale`` must not stand in core
memory; ``answer`` must all be in the reply, ``never`` must not. An echo is a reply that holds the message (more than
three words) word for word. ``--filler N`` says N lines of other talk before the first question to both.

``s/turn`` is until the reply, ``s saving`` what follows in the background; here the next turn waits for it.

The bare chat has the documents in its system prompt. When its window is full, it loses its oldest messages.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from memgpt_autogen import LLMConfig, MemGPT
from memgpt_autogen.config import Settings
from memgpt_autogen.llm.base import ChatModel
from memgpt_autogen.llm.completion import CompletionModel
from memgpt_autogen.llm.plain_speech import PlainSpeech
from memgpt_autogen.messages import Message, Usage

REPLY_TOKENS = 256
FILLER = (
    "The weather is changing again today.",
    "What rhymes with orange?",
    "Tell me a fun fact about octopuses.",
    "Why is the sky blue?",
    "How do you boil an egg?",
    "Give me a synonym for happy.",
    "What is the capital of Australia?",
    "Name three kinds of clouds.",
    "How long is a marathon?",
    "What makes bread rise?",
    "Who painted the Mona Lisa?",
    "What is a palindrome?",
)

Turn = Mapping[str, Any]


@dataclass
class Score:
    """The figures of one side."""

    facts: list[bool] = field(default_factory=list)
    stale: int = 0
    answers: list[bool] = field(default_factory=list)
    echoes: int = 0
    turns: int = 0
    calls: int = 0
    seconds: float = 0.0
    saving: float = 0.0

    def add_reply(self, turn: Turn, reply: str) -> str:
        """Score one reply; what to print beside it."""
        self.turns += 1
        marks = []
        if "answer" in turn:
            self.answers.append(is_right(turn, reply))
            marks.append("right" if self.answers[-1] else "WRONG")
        if is_echo(turn["say"], reply):
            self.echoes += 1
            marks.append("ECHO")
        return " ".join(marks)

    def row(self, name: str, *, keeps: bool) -> str:
        right = f"{sum(self.answers)}/{len(self.answers)} = {share(self.answers)}"
        facts = f"{sum(self.facts)}/{len(self.facts)} = {share(self.facts)}" if keeps else "-"
        stale = str(self.stale) if keeps else "-"
        per_turn, saving = self.seconds / max(1, self.turns), self.saving / max(1, self.turns)
        calls = self.calls / max(1, self.turns)
        kept = f"{name:<10} {facts:>14} {stale:>6} {right:>14} {self.echoes:>7}"
        return f"{kept} {calls:>11.2f} {per_turn:>8.1f} {saving:>8.1f}"


def share(results: Sequence[bool]) -> str:
    return f"{sum(results) / len(results):.0%}" if results else "-"


def holds(text: str, alternatives: str) -> bool:
    return any(one.casefold() in text.casefold() for one in alternatives.split("|"))


def is_right(turn: Turn, reply: str) -> bool:
    return all(holds(reply, one) for one in turn["answer"]) and not any(
        holds(reply, one) for one in turn.get("never", ())
    )


def is_echo(said: str, reply: str) -> bool:
    return len(said.split()) > 3 and said.strip().casefold() in reply.casefold()


class Counted:
    """A model that counts its calls."""

    def __init__(self, model: ChatModel) -> None:
        self._model, self.calls = model, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def complete(self, *args: Any, **options: Any) -> Any:
        self.calls += 1
        return self._model.complete(*args, **options)


def with_filler(turns: Sequence[Turn], count: int) -> Iterator[Turn]:
    """The turns, with lines of other talk before the first question."""
    waiting = count
    for turn in turns:
        if "answer" in turn and waiting:
            for number in range(waiting):
                yield {"say": FILLER[number % len(FILLER)], **({"by": turn["by"]} if "by" in turn else {})}
            waiting = 0
        yield turn


class AgentSide:
    """An agent in a home of its own, with its preset chosen by itself."""

    def __init__(self, config: LLMConfig, conversation: Mapping[str, Any]) -> None:
        self._home = tempfile.TemporaryDirectory()
        self._config, self._conversation = config, conversation
        self._documents = Path(self._home.name, "documents")
        self._documents.mkdir()
        for name, text in conversation.get("documents", {}).items():
            (self._documents / name).write_text(text, encoding="utf-8")
        self.calls = 0
        self._open()

    def _open(self) -> None:
        self.memgpt = MemGPT(Settings.load({"MEMGPT_HOME": str(Path(self._home.name, "home"))}))
        self.agent = self.memgpt.create_agent({"name": "sam", "model": self._config})
        self._counted = self.agent.model = Counted(self.agent.model)  # type: ignore[assignment]

    def do(self, turn: Turn) -> str:
        if "attach" in turn:
            self.memgpt.load_data("documents", "directory", input_dir=str(self._documents))
            self.memgpt.attach("sam", "documents")
        if "restart" in turn:
            self.close()
            self._open()
        if "say" not in turn:
            return ""
        return self.memgpt.ask(self.agent, turn["say"], turn.get("by"))

    def settle(self) -> None:
        """Wait until the facts of the last turn are saved."""
        self.memgpt.settle()

    def close(self) -> None:
        self.memgpt.close()
        self.calls += self._counted.calls

    def memory(self) -> tuple[str, str]:
        """Core memory, and the agent's own notes."""
        core = "\n".join(block.value for block in self.memgpt.store.agents.blocks(self.agent.id))
        pages = self.agent.archival.find("", source="").pages
        hits = [hit for page in range(1, pages + 1) for hit in self.agent.archival.find("", page, source="").hits]
        notes = [hit.item.text for hit in hits]
        return core, "\n".join(notes)


class BareSide:
    """The same model with everything in its window, as a plain chat."""

    def __init__(self, config: LLMConfig, conversation: Mapping[str, Any]) -> None:
        self._model = PlainSpeech(CompletionModel(config)).inner
        documents = "\n\n".join(f"{name}:\n{text}" for name, text in conversation.get("documents", {}).items())
        told = (
            f"You are a helpful assistant.\n\nDocuments:\n\n{documents}"
            if documents
            else "You are a helpful assistant."
        )
        self._system, self._chat = Message("system", told), list[Message]()
        self.calls, self.usage = 0, Usage()

    def do(self, turn: Turn) -> str:
        if "say" not in turn:
            return ""
        self._chat.append(Message("user", f"{turn['by']}: {turn['say']}" if "by" in turn else turn["say"]))
        room = self._model.context_window - REPLY_TOKENS - 32
        while self._model.count([self._system, *self._chat]) > room:
            del self._chat[0]
        self.calls += 1
        reply = self._model.complete([self._system, *self._chat], (), max_tokens=REPLY_TOKENS).text
        self._chat.append(Message("assistant", reply))
        return reply

    def settle(self) -> None:
        """A bare chat saves nothing."""


def run(side: AgentSide | BareSide, score: Score, turns: Sequence[Turn], verbose: bool, label: str) -> None:
    for turn in turns:
        started = time.monotonic()
        reply = side.do(turn)
        if "say" not in turn:
            continue
        replied = time.monotonic()
        side.settle()
        score.seconds += replied - started
        score.saving += time.monotonic() - replied
        marks = score.add_reply(turn, reply)
        if verbose:
            took = replied - started
            print(
                f"  {label:5} {took:5.1f} s  {marks:<10} {turn.get('by', ''):6}{turn['say'][:70]!r} -> {reply[:150]!r}",
                flush=True,
            )


def check_memory(side: AgentSide, score: Score, turns: Sequence[Turn], verbose: bool) -> None:
    core, notes = side.memory()
    for turn in turns:
        score.facts += [holds(f"{core}\n{notes}", fact) for fact in turn.get("facts", ())]
        score.stale += sum(holds(core, one) for one in turn.get("stale", ()))
    if verbose:
        print(f"  --- core memory\n{core}\n  --- notes\n{notes}")
        missing = [fact for turn in turns for fact in turn.get("facts", ()) if not holds(f"{core}\n{notes}", fact)]
        print(f"  --- not saved: {missing}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the conversations")
    parser.add_argument("--model", default="", help="a .gguf file; without it, the small model on this machine")
    parser.add_argument("--window", type=int, default=8192, help="tokens of the model's context (default 8192)")
    parser.add_argument("--filler", type=int, default=0, help="lines of other talk before the first question")
    parser.add_argument("--only", nargs="*", help="names of conversations")
    parser.add_argument("--no-bare", action="store_true", help="leave the bare chat out")
    parser.add_argument("--verbose", action="store_true", help="print every turn and what was saved")
    options = parser.parse_args()
    config = LLMConfig(
        model=options.model, model_endpoint_type="embedded", context_window=options.window, temperature=0.0
    )
    agent, bare = Score(), Score()
    # Loads the model before the clock runs.
    CompletionModel(config).complete([Message("user", "Hello!")], (), max_tokens=8)
    for conversation in json.loads(options.data.read_text(encoding="utf-8")):
        if options.only and conversation["name"] not in options.only:
            continue
        print(f"{conversation['name']}:", flush=True)
        turns = [*with_filler(conversation["turns"], options.filler)]
        side = AgentSide(config, conversation)
        run(side, agent, turns, options.verbose, "agent")
        check_memory(side, agent, turns, options.verbose)
        side.close()
        agent.calls += side.calls
        if not options.no_bare:
            chat = BareSide(config, conversation)
            run(chat, bare, turns, options.verbose, "bare")
            bare.calls += chat.calls
    head = f"{'':<10} {'facts saved':>14} {'stale':>6} {'answers':>14} {'echoes':>7}"
    print(f"\n{head} {'calls/turn':>11} {'s/turn':>8} {'s saving':>8}")
    print(agent.row("agent", keeps=True))
    if not options.no_bare:
        print(bare.row("bare chat", keeps=False))
        ratio = bare.seconds / bare.turns
        both = (agent.seconds + agent.saving) / agent.turns
        print(f"seconds to the reply, agent to bare chat: {agent.seconds / agent.turns / ratio:.2f}")
        print(f"with the saving that follows in the background: {both / ratio:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
