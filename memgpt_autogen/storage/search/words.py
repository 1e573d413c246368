"""A person's words as an FTS5 query."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from functools import cache, lru_cache
from itertools import pairwise

from .text import fts_phrase, normal, phrases, searchable, terms

#: How :func:`.search_text.searchable` text is told apart into words and reduced to stems, in every full text table.
TOKENIZER = """porter unicode61 remove_diacritics 2 categories 'L* M* N* Co'"""
#: Words that say nothing about what is looked for. A query of nothing but these keeps them.
STOP_WORDS = frozenset(
    "a about am an and any are as at be been but by can could did do does for from get got had has have he her here "
    "hers him his how i if in into is it its just know long many me much my of often on or our please she should so "
    "than that the their them then there these they this those to too us very was we were what when where which who "
    "whom whose why will with would you your".split()
)
#: Words that one can hold a conversation with and say nothing about anything.
SMALL_TALK = frozenset(
    "amazing awesome bit bye called cool day else evening fine fun glad good goodbye great haha happy hello help "
    "hey hi joke kind let lets lol lot lots lovely morning name named nice night no nope oh ok okay really right "
    "said say see something sorry sounds sure talk tell thank thanks thing things think today tomorrow up welcome "
    "well wow yeah yep yes".split()
)


def fts_query(text: str) -> str:
    """Any of the words that matter, each quoted so that nothing in it is taken as syntax. Empty: no words at all."""
    return " OR ".join(map(fts_phrase, telling(text)))


def telling(text: str) -> list[str]:
    """The words that matter, each once; all of them where none does."""
    return _telling(terms(text))


def telling_phrases(text: str) -> list[str]:
    """The same, with what is written without spaces whole: for those who want all of a word and not any part of it."""
    return _telling(phrases(text))


def _telling(words: Sequence[str]) -> list[str]:
    each = list(dict.fromkeys(words))
    return [word for word in each if _matters(word)] or each


def pairs(text: str) -> list[tuple[str, str]]:
    """Words that matter and stand side by side: names, terms, the parts of a code."""
    return list(dict.fromkeys(pair for pair in pairwise(terms(text)) if all(map(_matters, pair))))


def informative(word: str) -> bool:
    """Whether a word tells what a text is about."""
    return _matters(word) and word not in SMALL_TALK


def _matters(word: str) -> bool:
    return word not in STOP_WORDS and (len(word) > 1 or word.isdigit() or not word.isascii())


class _Tokenizer:
    """Asks FTS5 itself, so that a term here is one there."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._terms = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._terms.execute(f'CREATE VIRTUAL TABLE words USING fts5(word, tokenize="{TOKENIZER}")')
        self._terms.execute("CREATE VIRTUAL TABLE terms USING fts5vocab(words, instance)")

    def __call__(self, text: str) -> list[tuple[str, int]]:
        with self._lock:
            self._terms.execute("INSERT INTO words VALUES (?)", (text,))
            terms = self._terms.execute("SELECT term, offset FROM terms").fetchall()
            self._terms.execute("DELETE FROM words")
        return terms


@cache
def _tokenizer() -> _Tokenizer:
    return _Tokenizer()


def indexed(text: str) -> list[tuple[str, int]]:
    """The terms under which a full text index keeps a text, with the place of each, from 0."""
    return _tokenizer()(searchable(text))


def asked(phrase: str) -> list[str]:
    """The terms of a phrase of a query, in order."""
    return [term for term, _ in _tokenizer()(phrase)]


@lru_cache(10_000)
def stem(word: str) -> str | None:
    """The term under which a full text index keeps a word; None: it is not one term."""
    terms = _tokenizer()(word)
    return terms[0][0] if len(terms) == 1 else None


def rank(texts: Sequence[str], query: str, headings: Sequence[str] | None = None) -> list[float]:
    """BM25 of a handful of texts among themselves, by a passing FTS5 table.

    Args:
        texts: what is ranked.
        query: a person's words.
        headings: of each text; they count half.

    Returns:
        A score for each text, 0 where no word is found; greater is better.
    """
    scores = [0.0] * len(texts)
    words = fts_query(query)
    if not words or not texts:
        return scores
    with closing(sqlite3.connect(":memory:")) as passing:
        passing.execute(f'CREATE VIRTUAL TABLE ranked USING fts5(heading, text, tokenize="{TOKENIZER}")')
        heads = map(searchable, headings or [""] * len(texts))
        rows = zip(range(len(texts)), heads, map(searchable, texts), strict=True)
        passing.executemany("INSERT INTO ranked (rowid, heading, text) VALUES (?, ?, ?)", rows)
        found = passing.execute("SELECT rowid, -bm25(ranked, 0.5, 1.0) FROM ranked WHERE ranked MATCH ?", (words,))
        for row, score in found:
            scores[row] = score
    return scores


def holders(texts: Sequence[str], about: str) -> set[int]:
    """Places of the texts that hold all the words, by their stems, or ``about`` as it stands."""
    exact = normal(about).strip()
    found = {place for place, text in enumerate(texts) if exact in normal(text)}
    words = " AND ".join(map(fts_phrase, telling_phrases(about)))
    with closing(sqlite3.connect(":memory:")) as passing:
        passing.execute(f'CREATE VIRTUAL TABLE texts USING fts5(text, tokenize="{TOKENIZER}")')
        passing.executemany("INSERT INTO texts (rowid, text) VALUES (?, ?)", enumerate(map(searchable, texts)))
        return found | {row[0] for row in passing.execute("SELECT rowid FROM texts WHERE texts MATCH ?", (words,))}
