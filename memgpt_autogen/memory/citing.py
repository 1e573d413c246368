"""Naming the source of an answer, where the program found it and the model did not say so.

Models that need the program to make the first search cannot be relied on to name file and page. The program knows what
it put in front of them: where an answer rests on that, its origin is added, as it is shown with search results.
"""

from __future__ import annotations

import re

from ..storage.words import telling
from .lookup import Found

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


def _rests_on(said: str, sentence: str) -> bool:
    held = set(re.findall(r"\w+", sentence.lower()))
    words = telling(said)
    numbers = {word for word in words if any(letter.isdigit() for letter in word)}
    return numbers <= held and sum(word in held for word in words) >= SHARE * len(words)
