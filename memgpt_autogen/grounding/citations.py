"""Naming the source of an answer, and holding it to that, where the program found it.

Models that need the program to make the first search cannot be relied on to name file and page. The program knows what
it put in front of them: where an answer rests on that, its origin is added, as it is shown with search results.
"""

from __future__ import annotations

import re
from dataclasses import replace

from ..messages import SEND_MESSAGE, Reply, ToolCall
from ..storage.search_text import terms
from ..storage.words import telling
from .answer_types import expected
from .repetition import repeats
from .retrieve import Found

#: The share of an answer's telling words that the sentence must hold.
SHARE = 0.5


def cited(said: str, found: Found | None) -> str:
    """What was said, with the document's file and page behind it where it rests on the sentence that was looked up.

    It does not where less than half of its telling words are the sentence's, or it has a number that the sentence has
    not. Nothing is added either if the answer names the document itself, or the sentence is nobody's document.
    """
    if found is None or not found.document or not said.strip():
        return said
    name = found.where.partition(",")[0].casefold()
    if name in said.casefold() or not _rests_on(said, f"{found.heading} {found.sentence}"):
        return said
    return f"{said.rstrip()} [{found.where}]"


def grounded(said: str, found: Found) -> str:
    """What was said, or the sentence itself where that does not rest on it.

    It does not either if it goes round, only says the question again, or lacks the kind of answer asked for (a number,
    a date, a colour, a name) where the sentence has it.
    """
    sentence = found.told or found.sentence
    kind = expected(found.question)
    lacks = kind is not None and bool(re.search(kind.answer, sentence)) and not re.search(kind.answer, said)
    new = _words(sentence) - _words(found.question)
    echo = bool(new) and not new & _words(said)
    return sentence if lacks or echo or repeats(said) or not _rests_on(said, sentence) else said


def held(reply: Reply, found: Found) -> Reply:
    """A reply whose words to others are :func:`grounded`, however long they are."""

    def one(call: ToolCall) -> ToolCall:
        said = call.arguments.get("message")
        if call.name != SEND_MESSAGE or not isinstance(said, str):
            return call
        return replace(call, arguments={**call.arguments, "message": grounded(said, found)}, error="")

    return replace(reply, tool_calls=tuple(one(call) for call in reply.tool_calls))


def _words(text: str) -> set[str]:
    return set(telling(text))


def _rests_on(said: str, sentence: str) -> bool:
    held = set(terms(sentence))
    words = telling(said)
    numbers = {word for word in words if any(letter.isdigit() for letter in word)}
    return numbers <= held and sum(word in held for word in words) >= SHARE * len(words)
