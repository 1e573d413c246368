"""Text as searches see it, in any language: one form for all spellings of a word, and words where none are written.

Queries, the full text index, ``forget`` and retrieval all read text through this module, so that they agree on what a
word is. Chinese, Japanese, Korean, Thai, Lao, Khmer and Burmese are read as overlapping pairs of characters, as
Lucene's CJK analyzer reads them: no dictionary, and a word is found within any compound or before any particle.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

#: What is dropped: marks on Latin, Greek and Cyrillic letters, the points of Hebrew and Arabic, Arabic's filler, and
#: invisible signs.
_DROPPED = re.compile(
    "[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670"
    "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]"
)
_CJK = "\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u31a0-\u31ff"
_CJK += "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_HANGUL = "\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3"
#: Base letters, and the vowels and tones that belong to the one before.
_SOUTH_EAST = "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e81-\u0eb0\u0eb2\u0eb3\u0ebd-\u0ec6\u0edc-\u0edf"
_SOUTH_EAST += "\u1000-\u102a\u103f\u1050-\u1055\u1780-\u17b3"
_SOUTH_EAST_MARKS = (
    "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u102b-\u103e\u1056-\u1059\u17b4-\u17d3"
)
#: Vowel signs of India and Tibet: parts of words, though ``\w`` leaves them out.
_INDIC_MARKS = "\u0900-\u0903\u093a-\u094f\u0955-\u0957\u0962\u0963\u0981-\u0983\u09bc-\u09cd\u0a01-\u0a03\u0a3c-\u0a4d"
_INDIC_MARKS += "\u0a81-\u0a83\u0abc-\u0acd\u0b01-\u0b03\u0b3c-\u0b57\u0b82\u0bbe-\u0bcd\u0c00-\u0c04\u0c3c-\u0c56"
_INDIC_MARKS += (
    "\u0c81-\u0c83\u0cbc-\u0cd6\u0d00-\u0d03\u0d3b-\u0d4d\u0d82\u0d83\u0dca-\u0ddf\u0f35-\u0f39\u0f71-\u0fbc"
)
_RUN = f"[{_CJK}{_HANGUL}{_SOUTH_EAST}{_SOUTH_EAST_MARKS}]+"
_IN_RUNS = re.compile(_RUN)
_WORD = re.compile(rf"(?P<run>{_RUN})|(?:(?!{_RUN})[\w{_INDIC_MARKS}])+")
#: One character as a reader sees it: with its vowels and tones.
_CHARACTER = re.compile(rf"[^{_SOUTH_EAST_MARKS}][{_SOUTH_EAST_MARKS}]*|[{_SOUTH_EAST_MARKS}]+")


def normal(text: str) -> str:
    """The text in one spelling: composed, of usual width, in lower case, without accents."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFC", _DROPPED.sub("", unicodedata.normalize("NFD", folded)))


def phrases(text: str) -> list[str]:
    """The words of a text in order, each as the terms of the index, parted by spaces where it is several."""
    return [" ".join(_pairs(found[0])) if found["run"] else found[0] for found in _WORD.finditer(normal(text))]


def terms(text: str) -> list[str]:
    """The terms of the index that a query asks for, in order."""
    return [term for phrase in phrases(text) for term in phrase.split()]


def searchable(text: str) -> str:
    """The text as the full text index is given it.

    English stays as it is, since the index folds its case. The last character of a run stands alone as well, so that
    each character begins a term and is found by itself.
    """
    if text.isascii():
        return text
    return _IN_RUNS.sub(lambda run: f" {' '.join(_pairs(run[0], last=True))} ", normal(text))


def fts_phrase(phrase: str) -> str:
    """A phrase as an FTS5 string; of a single character that is no word, whatever begins with it."""
    return f'"{phrase}"*' if begins(phrase) else f'"{phrase}"'


def begins(phrase: str) -> bool:
    """Whether a phrase stands for all terms that begin with it: a single character that is no word."""
    return len(phrase) == 1 and _IN_RUNS.fullmatch(phrase) is not None


def _pairs(run: str, *, last: bool = False) -> list[str]:
    characters = _CHARACTER.findall(run)
    pairs = [one + other for one, other in pairwise(characters)]
    return pairs + characters[-1:] if last or not pairs else pairs
