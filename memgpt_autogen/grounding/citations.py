"""Citations of answers, and answers that are grounded in the evidence that the program retrieved.

Models too small to search themselves do not name file and page reliably. The program knows the evidence: where an
answer is supported by it, its source is added in the form of the search results.
"""

from __future__ import annotations

import re
from dataclasses import replace

from ..messages import SEND_MESSAGE, Reply, ToolCall
from ..storage.search.text import terms
from ..storage.search.words import telling
from .answer_types import answer_type_of
from .repetition import repeats
from .retrieve import Evidence

#: The share of an answer's key terms that the evidence must contain.
SHARE = 0.5


def with_citation(said: str, evidence: Evidence | None) -> str:
    """An answer with file and page of the document that supports it.

    The evidence supports an answer if it contains at least half of the answer's key terms and all of its numbers.
    Nothing is added if the answer names the document itself, or the evidence is not from a document.
    """
    if evidence is None or not evidence.document or not said.strip():
        return said
    name = evidence.source.partition(",")[0].casefold()
    if name in said.casefold() or not _is_supported(said, f"{evidence.heading} {evidence.sentence}"):
        return said
    return f"{said.rstrip()} [{evidence.source}]"


def grounded_answer(said: str, evidence: Evidence) -> str:
    """The answer, or the evidence itself where that does not support it.

    The evidence also replaces an answer that repeats itself, only repeats the question, or lacks the type of answer
    asked for (a number, a date, a colour, a name) although the evidence has it.
    """
    sentence = evidence.addressed or evidence.sentence
    kind = answer_type_of(evidence.question)
    pattern = kind.answer_pattern if kind else ""
    lacks = bool(pattern and re.search(pattern, sentence)) and not re.search(pattern, said)
    new = _words(sentence) - _words(evidence.question)
    echo = bool(new) and not new & _words(said)
    return sentence if lacks or echo or repeats(said) or not _is_supported(said, sentence) else said


def ground_reply(reply: Reply, evidence: Evidence) -> Reply:
    """The reply with each sent message replaced by its :func:`grounded_answer`."""

    def one(call: ToolCall) -> ToolCall:
        said = call.arguments.get("message")
        if call.name != SEND_MESSAGE or not isinstance(said, str):
            return call
        return replace(call, arguments={**call.arguments, "message": grounded_answer(said, evidence)}, error="")

    return replace(reply, tool_calls=tuple(one(call) for call in reply.tool_calls))


def _words(text: str) -> set[str]:
    return set(telling(text))


def _is_supported(said: str, sentence: str) -> bool:
    there = set(terms(sentence))
    words = telling(said)
    numbers = {word for word in words if any(letter.isdigit() for letter in word)}
    return numbers <= there and sum(word in there for word in words) >= SHARE * len(words)
