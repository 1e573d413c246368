"""The best lines of a hit, for people who search: not the whole passage."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from ..grounding.sentences import sentences
from ..storage.search.text import normal, terms

#: A passage of up to this many characters is shown whole.
WHOLE = 300
#: Sentences of a longer one that are shown, and characters of each.
LINES, LONGEST = 2, 200
#: The part of the best sentence's score that another needs: words that stand everywhere do not make a good line.
_NEAR = 0.3
#: Characters at the start of a word by which its forms (``walk``, ``walked``) are taken for one.
_STEM = 5


def excerpt(text: str, query: str) -> str:
    """The sentences of a passage that say most of what was asked for, in their order; short passages whole.

    Args:
        text: the passage.
        query: a person's words. Where none of them is in the passage (it was found by meaning), it begins at its start.
    """
    line = " ".join(text.split())
    if len(line) <= WHOLE:
        return line
    found = [" ".join(one.split()) for one in sentences(text)] or [line]
    words = [{_stem(term) for term in terms(one)} for one in found]
    often = Counter(word for one in words for word in one)
    wanted = {_stem(term) for term in terms(query)}
    scores = [sum(1 / often[word] for word in one & wanted) for one in words]
    best = sorted(range(len(found)), key=lambda place: (-scores[place], place))[:LINES]
    enough = max(scores) * _NEAR
    shown = sorted(place for place in best if scores[place] > 0 and scores[place] >= enough) or [
        *range(min(LINES, len(found)))
    ]
    parts = [_around(found[place], wanted) for place in shown]
    gaps = [" " if after == before + 1 else " … " for before, after in pairwise(shown)]
    ends = ("… " if shown[0] else "", " …" if shown[-1] < len(found) - 1 else "")
    return ends[0] + parts[0] + "".join(gap + part for gap, part in zip(gaps, parts[1:], strict=True)) + ends[1]


def _stem(term: str) -> str:
    return term[:_STEM]


def _around(sentence: str, wanted: set[str]) -> str:
    """A sentence, or the part of a long one around the first word that is wanted."""
    if len(sentence) <= LONGEST:
        return sentence
    read = normal(sentence)
    places = (read.find(stem) for stem in sorted(wanted, key=lambda stem: (-len(stem), stem)))
    start = max(0, next((place for place in places if place >= 0), 0) - LONGEST // 3)
    cut = sentence[start : start + LONGEST].strip()
    return f"{'…' * (start > 0)}{cut}{'…' * (start + LONGEST < len(sentence))}"
