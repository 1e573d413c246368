"""An agent that does everything an agent can do, by chance, so that its prompts are of every kind."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from typing import Any

from memgpt_autogen import events
from memgpt_autogen.agent import Agent
from memgpt_autogen.llm.scripted import Call, ScriptedModel
from memgpt_autogen.memory.prompt_parts import SentPrompt
from memgpt_autogen.messages import Message, Reply, ToolCall, ToolResult, ToolSchema

WORDS = "apples\n\nbears, [Ann]: clouds «dust» eels\r\nfog {} grass hills ice jam kites 雪 🙂".split(" ")
_WORD = {"type": "object", "properties": {"word": {"type": "string"}}}
LOOK_UP = ToolSchema("look_up", "Look a word up.", _WORD, caller=True)


class Wanderer(ScriptedModel):
    """Speaks, edits core memory, notes, searches, fails, thinks and calls the caller's functions, by chance."""

    def __init__(self, seed: int, *, context_window: int = 8192) -> None:
        super().__init__(context_window=context_window)
        self.chance = random.Random(seed)

    def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSchema],
        *,
        only: Collection[str] | None = None,
        **options: Any,
    ) -> Reply:
        names = [tool.name for tool in tools if only is None or tool.name in only]
        known = {*names} & {"send_message", "core_memory_append", "archival_memory_insert"}
        self.script = [self.chosen(names) if known else f"Notes: {self.words(20)}"]
        return super().complete(messages, tools, only=only, **options)

    def words(self, most: int) -> str:
        return " ".join(self.chance.choices(WORDS, k=self.chance.randint(1, most)))

    def chosen(self, names: Sequence[str]) -> Reply:
        words = self.words(40)
        arguments: dict[str, dict[str, Any]] = {
            "send_message": {"message": words},
            "core_memory_append": {"name": "human", "content": self.words(3)},
            "core_memory_replace": {"name": "human", "old_content": WORDS[0], "new_content": "pears"},
            "archival_memory_insert": {"content": words},
            "archival_memory_search": {"query": words},
            "conversation_search": {"query": self.words(2)},
            "look_up": {"word": words},
        }
        chosen = self.chance.choice([name for name in names if name in arguments])
        again = {"request_heartbeat": True} if self.chance.random() < 0.3 else {}
        calls = [ToolCall(chosen, {**arguments[chosen], **again})]
        if "send_message" in names and self.chance.random() < 0.5:
            calls.append(ToolCall("send_message", arguments["send_message"]))
        return Reply(tuple(calls), inner_thoughts=self.words(8) if self.chance.random() < 0.7 else "")


def wander(agent: Agent, turns: int, seed: int, *, undo_every: int = 20) -> None:
    """Turns of every kind: short and huge messages, instructions, the caller's functions, summaries, undone turns."""
    chance = random.Random(seed)
    for number in range(1, turns + 1):
        words = " ".join(chance.choices(WORDS, k=chance.choice([2, 10, 300])))
        turn = agent.run(
            [events.user_message(words, name=chance.choice(["Ann", "Bo", None]))],
            tools=[LOOK_UP] if chance.random() < 0.3 else [],
            instructions=chance.choice(["", "", "Be brief.\n\nBe kind."]),
            max_steps=4,
        )
        if turn.pending and chance.random() < 0.5:
            agent.run(results=[ToolResult(one.id, one.name, words) for one in turn.pending], max_steps=3)
        if number % 15 == 0:
            agent.summarize()
        if number % undo_every == 0:
            agent.undo(chance.randint(1, 3))


def as_json(call: Call) -> str:
    """A prompt that a model received, in canonical form."""
    return SentPrompt(call.messages, call.tools, call.only, call.max_tokens).to_json()
