"""Retrieval of the one sentence in memory that answers a question best, for models too small to search themselves.

A model of 135 million parameters answers from one sentence where it fails on a page. Candidates are the sentences of
the best hits in recall and archival memory; they are ranked by BM25, by how much of the question they cover and by
whether they contain the type of answer that is asked for.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ..memory.results import remark
from ..printable import label
from ..storage.base import Store
from ..storage.search.irregular_forms import irregular_forms
from ..storage.search.questions import question_in
from ..storage.search.words import STOP_WORDS, rank, telling
from .answer_types import AnswerType, answer_type_of
from .profile import NAME, ProfileField, profile_field
from .sentences import Fragment, fragments, sentences

#: Hits of each memory whose sentences are candidates.
CANDIDATES = 20
#: The share of a statement's words that a sentence must contain.
STATEMENT_SHARE = 0.5
#: The same for a question, whose words are weighted by their inverse document frequency among the candidates.
QUESTION_SHARE = 0.5
#: The factor for a sentence without the type of answer that is asked for.
OTHER_TYPE = 0.4
#: The weight of a word that is in the sentence's context, not in the sentence.
IN_CONTEXT = 0.7

#: Words of a question that its answer rarely repeats.
_LIGHT = frozenset(
    "come comes did do does find found get gets give given gives go goes happen happens have keep kept made make makes "
    "mean means put see take takes tell there use used want wants".split()
)
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
    "we're": "you are",
    "we": "you",
    "us": "you",
    "our": "your",
    "ours": "yours",
    "i've": "you have",
    "i'll": "you will",
    "i'd": "you would",
}
_FORMS = "|".join(sorted(_SECOND_PERSON, key=len, reverse=True)).replace("'", "['’]")
#: With what ends the sentence before, if it is the first word of one.
_FIRST_PERSON = re.compile(rf"((?:^|[.!?] )?)\b({_FORMS})\b(?!['’.]\w)", re.IGNORECASE)
_AUXILIARY = "(?:is|are|was|were|do|does|did|can|could|will|would|has|have|had|should|may|must)"
_ASKS = re.compile(
    rf"(?:(?:who|when|where|why) {_AUXILIARY}|(?:what|which|whose|how)(?! an? )(?: \w+){{0,3}}? {_AUXILIARY})\b[^.!]*$",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"^\s*@?\w+[,:]\s+")


@dataclass(frozen=True)
class Evidence:
    """The best sentence.

    Attributes:
        function: the search that found it.
        sentence: its words.
        source: the file and page, or the date of the message.
        heading: the heading that it is under in its document.
        document: whether it is from a document.
        addressed: the sentence in the second person, for the speaker who said it; empty: said by somebody else.
        question: the question it answers.
    """

    function: str
    sentence: str
    source: str
    heading: str = ""
    document: bool = False
    addressed: str = ""
    question: str = ""


@dataclass(frozen=True)
class _Candidate:
    function: str
    fragment: Fragment
    source: str
    author: str = ""
    document: bool = False
    message_id: str = ""


def retrieve(store: Store, agent_id: str, words: str, functions: Collection[str], asker: str = "") -> Evidence | None:
    """The sentence in memory that matches a person's words best.

    Args:
        store: where memory is.
        agent_id: whose memory.
        words: the question or statement.
        functions: which searches to make: ``conversation_search``, ``archival_memory_search`` or both.
        asker: the speaker's name; empty: unnamed.

    Returns:
        None: no sentence covers enough of the words.
    """
    asked = _questions(words)
    question = question_in(_ADDRESS.sub("", asked or words))
    if "conversation_search" in functions and (field := profile_field(asked)):
        told = _told(store, agent_id, field, question, asker)
        if told or field is NAME:
            return told
    wanted = answer_type_of(question) if asked else None
    terms = _terms(question, wanted)
    query = " ".join([question, *(other for term in telling(question) for other in irregular_forms(term))])
    candidates: list[_Candidate] = []
    if "conversation_search" in functions:
        candidates += _from_messages(store, agent_id, query)
    if "archival_memory_search" in functions:
        candidates += _from_passages(store, agent_id, query)
    if not candidates:
        return None
    texts, contexts = [one.fragment.text for one in candidates], [one.fragment.context for one in candidates]
    coverage = _coverage(terms, texts, contexts)
    least = QUESTION_SHARE if asked else STATEMENT_SHARE
    scores = [
        score * _type_factor(wanted, one.fragment.text) * (share >= least)
        for one, score, share in zip(candidates, rank(texts, query, contexts), coverage, strict=True)
    ]
    best = max(range(len(candidates)), key=scores.__getitem__)
    if scores[best] <= 0:
        return None
    chosen = candidates[best]
    text = _row(chosen.fragment, question) if chosen.fragment.cells else chosen.fragment.text
    return _evidence(chosen, text, question, asker)


def _questions(words: str) -> str:
    """The questions in a text."""
    return " ".join(sentence for sentence in sentences(words) if _is_question(sentence))


def _is_question(sentence: str) -> bool:
    """With a question mark or, as people type, without."""
    return sentence.endswith("?") or bool(_ASKS.match(sentence))


def is_answerable(words: str) -> bool:
    """Whether memory could answer: a question that is not about the agent itself."""
    asked = _questions(words).lower()
    return not re.search(r"\byou(?:r|rs)?\b", asked) and any(word not in STOP_WORDS for word in telling(asked))


def _evidence(chosen: _Candidate, text: str, question: str, asker: str) -> Evidence:
    text = " ".join(text.split())
    own = chosen.author and chosen.author == (asker or "user")
    return Evidence(
        chosen.function,
        remark(text, speaker=chosen.author),
        chosen.source,
        chosen.fragment.context,
        chosen.document,
        second_person(text) if own else "",
        question,
    )


def second_person(text: str) -> str:
    """A text in the first person, in the second: "my dog" becomes "your dog"."""

    def turned(found: re.Match[str]) -> str:
        word = _SECOND_PERSON[found[2].lower().replace("’", "'")]
        return found[1] + (word[0].upper() + word[1:] if found[1] else word)

    whole = _FIRST_PERSON.sub(turned, text)
    return whole[:1].upper() + whole[1:]


def _told(store: Store, agent_id: str, field: ProfileField, question: str, asker: str) -> Evidence | None:
    """The newest sentence in which the speaker told this of themselves."""
    said = [one for query in field.queries for one in _from_messages(store, agent_id, query)]
    own = [one for one in said if one.author == (asker or "user") and field.statement.search(one.fragment.text)]
    newest = max(own, key=lambda one: one.message_id, default=None)
    return _evidence(newest, newest.fragment.text, question, asker) if newest else None


def _terms(question: str, wanted: AnswerType | None) -> list[str]:
    """The words of a question that its answer should contain."""
    words = telling(question)
    said = {*_LIGHT, *(wanted.question_words if wanted else ())}
    return [word for word in words if word not in said] or words


def _type_factor(wanted: AnswerType | None, text: str) -> float:
    if wanted is None or re.search(wanted.answer_pattern, text):
        return 1.0
    return 0.0 if wanted.required else OTHER_TYPE


def _coverage(terms: Sequence[str], texts: Sequence[str], contexts: Sequence[str]) -> list[float]:
    """The share of the terms that each sentence contains, by stems, weighted by inverse document frequency."""
    shares, whole = [0.0] * len(texts), 0.0
    for term in terms:
        either = " ".join([term, *irregular_forms(term)])
        here, near = rank(texts, either), rank(contexts, either)
        matches = sum(a > 0 or b > 0 for a, b in zip(here, near, strict=True))
        weight = math.log(1 + len(texts) / (matches + 1))
        whole += weight
        for index in range(len(texts)):
            shares[index] += weight * (1.0 if here[index] > 0 else IN_CONTEXT if near[index] > 0 else 0.0)
    return [share / whole for share in shares] if whole else shares


def _from_messages(store: Store, agent_id: str, words: str) -> list[_Candidate]:
    """Sentences that others said. Questions answer nothing, and the agent would only repeat its own words."""
    hits = store.log.search(agent_id, words, page=1, page_size=CANDIDATES).hits
    return [
        _Candidate(
            "conversation_search",
            Fragment(sentence),
            hit.item.created_at.astimezone().strftime("%Y-%m-%d %H:%M"),
            hit.item.author or "user",
            message_id=hit.item.id,
        )
        for hit in hits
        if hit.item.kind == "user_message"
        for sentence in sentences(hit.item.text)
        if not _is_question(sentence)
    ]


def _from_passages(store: Store, agent_id: str, words: str) -> list[_Candidate]:
    hits = store.passages.search(agent_id, words, page=1, page_size=CANDIDATES).hits
    candidates = []
    for hit in hits:
        passage = hit.item
        heading = str(passage.metadata.get("heading", ""))
        page = passage.metadata.get("page")
        uri = label(passage.uri)
        source = f"{uri}, p. {label(page)}" if page else uri or "own note"
        body = passage.text.removeprefix(f"{heading}: ")
        read = fragments(body) if passage.uri else [Fragment(sentence) for sentence in sentences(body)]
        candidates += [
            _Candidate(
                "archival_memory_search",
                Fragment(one.text, f"{heading} {one.context}".strip(), one.cells),
                source,
                document=bool(passage.uri),
            )
            for one in read
            if not one.text.endswith("?")
        ]
    return candidates


def _row(row: Fragment, question: str) -> str:
    """A table row as a sentence: its first cell, and the columns that the question names, or else all."""
    (_, name), *rest = row.cells
    named = [(head, value) for head, value in rest if rank([head], question)[0] > 0] if rest else []
    return f"{name}: {', '.join(f'{head} {value}'.strip() for head, value in named or rest)}."
