"""Few-shot examples: worked examples of a search or of talk, as messages in front of those that a model answers.

They are byte-identical every time, so that they do not spoil a prompt cache.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from .. import events
from ..messages import Message, ToolCall, ToolResult

#: The time of every example.
LONG_AGO = datetime(2024, 1, 1, 12, 0, tzinfo=timezone.utc)

# A full stop after a title looks to small models like the end of the answer.
_TITLE, _NO_STOP = re.compile(r"\b(Mr|Mrs|Ms|Dr|St)\."), r"\1"


@dataclass(frozen=True)
class Example:
    """A worked example of a search: its result is the sentence ``found``, and so is the answer."""

    speaker: str
    question: str
    found: str


def search_examples(examples: Sequence[Example]) -> list[Message]:
    """Each example as five messages: a question, a search, its result, the answer, its confirmation."""
    messages: list[Message] = []
    for number, example in enumerate(examples):
        search = ToolCall("archival_memory_search", {"query": example.question}, id=f"example_{number}_search")
        answer = ToolCall("send_message", {"message": example.found}, id=f"example_{number}_answer")
        found = found_text(example.found, example.question)
        messages += [
            events.user_message(example.question, name=example.speaker, at=LONG_AGO),
            events.reply("", (search,), ""),
            events.tool_result(ToolResult(search.id, search.name, found), at=LONG_AGO),
            events.reply("", (answer,), ""),
            events.tool_result(ToolResult(answer.id, answer.name, "Sent."), at=LONG_AGO),
        ]
    return messages


def talk_examples(talk: Sequence[tuple[str, str]]) -> list[Message]:
    """Each pair of what is said and the reply as three messages."""
    messages: list[Message] = []
    for number, (said, reply) in enumerate(talk):
        call = ToolCall("send_message", {"message": reply}, id=f"talk_{number}")
        messages += [
            events.user_message(said, name="Kim", at=LONG_AGO),
            events.reply("", (call,), ""),
            events.tool_result(ToolResult(call.id, call.name, "Sent."), at=LONG_AGO),
        ]
    return messages


def found_text(sentence: str, question: str) -> str:
    """The result of a search by the program as the model sees it: the question once more, and the sentence.

    One line each, so that neither can pass for the other, or for anything else.
    """
    question, sentence = " ".join(question.split()), " ".join(sentence.split())
    return f"Question: {question}\n{_TITLE.sub(_NO_STOP, sentence)}"
