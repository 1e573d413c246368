"""The first search of a turn, made by the program for models too small to make it themselves.

Where a preset's rules say so (``prefetch``), the words of the last question are looked up in recall and archival memory
at once, and the one sentence that fits best is put in front of the model, as the result of the search that found it.
A model of 135 million parameters answers from one sentence where it fails on a page.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ..storage.base import Store
from ..storage.words import STOP_WORDS, rank, telling
from .answer_types import Kind, expected
from .irregular_forms import alike
from .sentences import Part, parts, sentences

#: Hits of each memory whose sentences are compared.
CANDIDATES = 20
#: The share of a statement's words that a sentence must hold to be worth showing.
STATEMENT_SHARE = 0.5
#: The same of a question's words, where each weighs as much as it tells the sentences apart.
QUESTION_SHARE = 0.5
#: What a sentence counts that has not the kind of answer asked for.
OTHER_KIND = 0.4
#: What a word counts that stands not in the sentence but in what it stands under.
NEARBY = 0.7

#: Words of a question that its answer seldom repeats.
_LIGHT = frozenset(
    "come comes did do does find found get gets give given gives go goes happen happens have keep kept made make makes "
    "mean means put see take takes tell there use used want wants".split()
)
_MY_NAME = re.compile(r"what(?:'s| is| was) my (?:first |last |full )?name\b|\bwho am i\b|what am i called", re.I)
_INTRODUCED = re.compile(r"\b(?:(?i:i am|i'm|this is|my (?:first |last |full )?name(?: is|'s)|call me)) [A-ZÀ-Þ]")
_SECOND_PERSON = {
    "i am": "you are",
    "i'm": "you are",
    "i was": "you were",
    "am i": "are you",
    "i": "you",
    "me": "you",
    "my": "your",
    "mine": "yours",
    "myself": "yourself",
    "we": "you",
    "us": "you",
    "our": "your",
    "ours": "yours",
    "i've": "you have",
    "i'll": "you will",
    "i'd": "you would",
}
_FIRST_PERSON = re.compile(
    rf"\b(?:{'|'.join(sorted(_SECOND_PERSON, key=len, reverse=True))})\b(?!['’.]\w)", re.IGNORECASE
)
_AUXILIARY = "(?:is|are|was|were|do|does|did|can|could|will|would|has|have|had|should|may|must)"
_ASKS = re.compile(
    rf"(?:(?:who|when|where|why) {_AUXILIARY}|(?:what|which|whose|how)(?! an? )(?: \w+){{0,3}}? {_AUXILIARY})\b[^.!]*$",
    re.IGNORECASE,
)
_CALLED_TO = re.compile(r"^\s*@?\w+[,:]\s+")


@dataclass(frozen=True)
class Found:
    """The best sentence.

    Attributes:
        function: the search that found it.
        sentence: its words.
        where: the file and page, or the date of the message.
        heading: what it stands under in its document.
        document: whether it is from one.
        told: the sentence as the one who asks is told it; empty: as it is.
        question: what it was looked up for.
    """

    function: str
    sentence: str
    where: str
    heading: str = ""
    document: bool = False
    told: str = ""
    question: str = ""


@dataclass(frozen=True)
class _Candidate:
    function: str
    part: Part
    where: str
    author: str = ""
    document: bool = False


def look_up(store: Store, agent_id: str, words: str, functions: Collection[str], asker: str = "") -> Found | None:
    """The sentence in memory that fits a person's words best.

    Args:
        store: where memory is.
        agent_id: whose memory.
        words: the question.
        functions: which searches to make: ``conversation_search``, ``archival_memory_search`` or both.
        asker: who asks.

    Returns:
        None: nothing fits.
    """
    asked = _asked(words)
    question = _CALLED_TO.sub("", asked or words)
    if _MY_NAME.search(asked) and "conversation_search" in functions:
        return _introduction(store, agent_id, question, asker)
    wanted = expected(question) if asked else None
    terms = _terms(question, wanted)
    query = " ".join([question, *(other for term in telling(question) for other in alike(term))])
    candidates: list[_Candidate] = []
    if "conversation_search" in functions:
        candidates += _from_messages(store, agent_id, query)
    if "archival_memory_search" in functions:
        candidates += _from_passages(store, agent_id, query)
    if not candidates:
        return None
    texts, under = [one.part.text for one in candidates], [one.part.under for one in candidates]
    held = _held(terms, texts, under)
    least = QUESTION_SHARE if asked else STATEMENT_SHARE
    scores = [
        score * _fits(wanted, one.part.text) * (share >= least)
        for one, score, share in zip(candidates, rank(texts, query, under), held, strict=True)
    ]
    best = max(range(len(candidates)), key=scores.__getitem__)
    if scores[best] <= 0:
        return None
    chosen = candidates[best]
    text = _row(chosen.part, question) if chosen.part.cells else chosen.part.text
    return _found(chosen, text, question, asker)


def _asked(words: str) -> str:
    return " ".join(part for part in sentences(words) if _is_question(part))


def _is_question(sentence: str) -> bool:
    """With its mark, or, as people type, without."""
    return sentence.endswith("?") or bool(_ASKS.match(sentence))


def can_be_answered(words: str) -> bool:
    """Whether something is asked that memory could tell; not how the agent is, or what it can do."""
    asked = _asked(words).lower()
    return not re.search(r"\byou(?:r|rs)?\b", asked) and any(word not in STOP_WORDS for word in telling(asked))


def _found(chosen: _Candidate, text: str, question: str, asker: str) -> Found:
    own = chosen.author and chosen.author == (asker or "user")
    sentence = f"{chosen.author}: {text}" if chosen.author else text
    told = second_person(text) if own else ""
    return Found(chosen.function, sentence, chosen.where, chosen.part.under, chosen.document, told, question)


def second_person(text: str) -> str:
    """What someone said of themselves, as it is said to them: "my dog" becomes "your dog"."""
    told = _FIRST_PERSON.sub(lambda match: _SECOND_PERSON[match[0].lower()], text)
    return told[:1].upper() + told[1:]


def _introduction(store: Store, agent_id: str, question: str, asker: str) -> Found | None:
    """The last words with which who asks has told their name."""
    said = [one for one in _from_messages(store, agent_id, "I am") if one.author == (asker or "user")]
    said += [one for one in _from_messages(store, agent_id, "my name is called") if one.author == (asker or "user")]
    named = [one for one in said if _INTRODUCED.search(one.part.text)]
    newest = max(named, key=lambda one: one.where, default=None)
    return _found(newest, newest.part.text, question, asker) if newest else None


def _terms(question: str, wanted: Kind | None) -> list[str]:
    """The words of a question that its answer should have."""
    words = telling(question)
    said = {*_LIGHT, *(wanted.said if wanted else ())}
    return [word for word in words if word not in said] or words


def _fits(wanted: Kind | None, text: str) -> float:
    if wanted is None or re.search(wanted.answer, text):
        return 1.0
    return 0.0 if wanted.needed else OTHER_KIND


def _held(terms: Sequence[str], texts: Sequence[str], under: Sequence[str]) -> list[float]:
    """Which share of the telling words stands in each sentence, by stems and by how rare each is among them."""
    shares, whole = [0.0] * len(texts), 0.0
    for term in terms:
        either = " ".join([term, *alike(term)])
        here, near = rank(texts, either), rank(under, either)
        holders = sum(a > 0 or b > 0 for a, b in zip(here, near, strict=True))
        weight = math.log(1 + len(texts) / (holders + 1))
        whole += weight
        for index in range(len(texts)):
            shares[index] += weight * (1.0 if here[index] > 0 else NEARBY if near[index] > 0 else 0.0)
    return [share / whole for share in shares] if whole else shares


def _from_messages(store: Store, agent_id: str, words: str) -> list[_Candidate]:
    """What others said. Questions answer nothing, and the agent's own words would only repeat themselves."""
    hits = store.log.search(agent_id, words, page=0, page_size=CANDIDATES).hits
    return [
        _Candidate(
            "conversation_search",
            Part(sentence),
            hit.item.created_at.astimezone().strftime("%Y-%m-%d %H:%M"),
            hit.item.author or "user",
        )
        for hit in hits
        if hit.item.kind == "user_message"
        for sentence in sentences(hit.item.text)
        if not _is_question(sentence)
    ]


def _from_passages(store: Store, agent_id: str, words: str) -> list[_Candidate]:
    hits = store.passages.search(agent_id, words, page=0, page_size=CANDIDATES).hits
    found = []
    for hit in hits:
        passage = hit.item
        heading = str(passage.metadata.get("heading", ""))
        page = passage.metadata.get("page")
        where = f"{passage.uri}, p. {page}" if page else passage.uri or "own note"
        body = passage.text.removeprefix(f"{heading}: ")
        read = parts(body) if passage.uri else [Part(sentence) for sentence in sentences(body)]
        found += [
            _Candidate(
                "archival_memory_search",
                Part(part.text, f"{heading} {part.under}".strip(), part.cells),
                where,
                document=bool(passage.uri),
            )
            for part in read
            if not part.text.endswith("?")
        ]
    return found


def _row(part: Part, question: str) -> str:
    """A row of a table as a sentence: its first cell, and the columns that the question names, or else all."""
    (_, name), *rest = part.cells
    named = [(head, value) for head, value in rest if rank([head], question)[0] > 0] if rest else []
    return f"{name}: {', '.join(f'{head} {value}'.strip() for head, value in named or rest)}."
