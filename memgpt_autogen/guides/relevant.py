"""Which lines of core memory stand beside a question.

A small model looks at what is nearest to the question, and draws few conclusions: "May I eat a walnut cake?" is
answered from "Marta is allergic to walnuts." only if both stand together. Everything here is words and rules.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from ..storage.search.text import terms
from ..storage.search.words import STOP_WORDS, stem
from .corrections import same_kind
from .facts import CORRECTS, key_terms, names_and_numbers

#: Lines beside one question at most.
MOST_LINES = 5
#: The share of the question's key terms that a line must contain, unless it shares a name.
COVERED = 0.25
#: A term that stands in more lines than this, and in more than a third of them, tells none from the others.
COMMON = 2

#: A question whether something suits a person, or for advice.
_SUITS = re.compile(
    r"\b(?i:can|could|may|should|shall|would|will)\b[^.?!]*\b(?:[Ii]|we|me|us|my|our|he|she|they|[A-ZÀ-Þ]\w+)\b"
    r"|\b(?i:okay|ok|good idea|safe|suitable|all right|recommend|suggest|advise|advice|plan|cook|order|gift|present)\b",
)
#: Questions for what people tell in other words, and the lines that tell it.
_TOPICS = (
    (
        re.compile(r"\b(?:job|profession|occupation|for a living|for work|do i (?:do|work)|where .* work)\b", re.I),
        re.compile(r"\b(?:is|was) an? [\w-]+|\b(?:works?|job|teaches|runs|drives|trains?|studies|retired)\b", re.I),
    ),
    (
        re.compile(r"\bwhere (?:do|did) \w+ live|\b(?:home|home ?town|town|city|address)\b", re.I),
        re.compile(r"\b(?:lives?|lived|moved|home|from|flat|house)\b", re.I),
    ),
    (
        re.compile(r"\b(?:pets?|animals?)\b", re.I),
        re.compile(
            r"\b(?:cats?|dogs?|\w*hounds?|birds?|parrots?|rabbits?|horses?|hamsters?|tortoises?|fish|pets?)\b", re.I
        ),
    ),
    (
        re.compile(r"\b(?:family|children|kids|siblings|relatives)\b", re.I),
        re.compile(
            r"\b(?:sons?|daughters?|boys?|girls?|brothers?|sisters?|wife|husband|partner|mother|father|mum|dad|twins?"
            r"|grand\w+|nephews?|nieces?|aunts?|uncles?|cousins?)\b",
            re.I,
        ),
    ),
)
#: A question that goes on with what the one before was about.
_GOES_ON = re.compile(r"^(?:and|but|so)\b|\b(?:it|its|that|there|they|them|those|this)\b", re.IGNORECASE)
#: What a person can not or will not have, or has a liking for: what decides such a question.
_DECIDES = re.compile(
    r"\b(?:allerg\w*|intoleran\w*|vegan|vegetarian|pescatarian|halal|kosher|diabet\w*|coeliac|celiac|gluten|lactose"
    r"|asthma\w*|pregnant|disease|wheelchair|afraid|scared|fears?|phobia|hates?|dislikes?|avoids?|never|not|no|without"
    r"|cannot|\w+n['’]t|prefers?|favou?rites?|loves?|only|likes?)\b",
    re.IGNORECASE,
)
#: A question about how things were.
_PAST = re.compile(
    r"\b(?:before|used to|previous(?:ly)?|former(?:ly)?|earlier|original(?:ly)?|first|old|past|until|was|were|did|had"
    r"|ago)\b",
    re.IGNORECASE,
)
_FORMER = re.compile(r"^Until \d+ \w+ \d+: ")


def lines_beside(question: str, lines: Sequence[str], before: str = "") -> list[str]:
    """The lines of core memory that may answer a question, oldest first.

    Args:
        question: the newest message.
        lines: of core memory, oldest first.
        before: the message before it, which some questions continue: "Where to, and what for?".
    """
    wanted = key_terms(question)
    if not wanted or _GOES_ON.search(question):
        wanted |= key_terms(before)
    terms_of = [key_terms(line) for line in lines]
    if not wanted:  # "Where do I live?"
        wanted, terms_of = _stems(question), [_stems(line) for line in lines]
    often = Counter(term for one in terms_of for term in one)
    telling = {term for term in wanted if often[term] <= max(COMMON, len(lines) // 3)}
    names = names_and_numbers(question)
    fit = [
        (len(shared) / len(wanted), place)
        for place, one in enumerate(terms_of)
        if (shared := telling & one) and (len(shared) >= COVERED * len(wanted) or shared & names)
    ]
    chosen = [place for _, place in sorted(fit, key=lambda one: (-one[0], -one[1]))]
    told = [tells for asks, tells in _TOPICS if asks.search(question)]
    chosen += [place for place in reversed(range(len(lines))) if any(tells.search(lines[place]) for tells in told)]
    chosen += [later for place in chosen for later in _moved_later(place, lines)]
    if _SUITS.search(question):
        chosen += [place for place in reversed(range(len(lines))) if _DECIDES.search(lines[place])]
    return [lines[place] for place in sorted(list(dict.fromkeys(chosen))[:MOST_LINES])]


def may_speak_against(question: str, lines: Sequence[str]) -> bool:
    """Whether a question is for what suits a person, and a line says what does not."""
    return bool(_SUITS.search(question)) and any(_DECIDES.search(line) for line in lines)


def _moved_later(place: int, lines: Sequence[str]) -> list[int]:
    """Later lines that move something to another date or time: maybe what the line at that place is about."""
    return [
        later
        for later in range(place + 1, len(lines))
        if CORRECTS.search(lines[later]) and same_kind(lines[place], lines[later])
    ]


def former(line: str, day: str) -> str:
    """The note on a line that held until a day."""
    return f"Until {day}: {line}"


def is_former(note: str) -> bool:
    """Whether a note tells what no longer holds."""
    return bool(_FORMER.match(note))


def asks_about_past(question: str) -> bool:
    """Whether a question may be about what no longer holds."""
    return bool(_PAST.search(question))


def _stems(text: str) -> set[str]:
    return {stem(word) or word for word in terms(text) if word not in STOP_WORDS}
