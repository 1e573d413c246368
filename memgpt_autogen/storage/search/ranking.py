"""How answers are ranked: every weight and every formula, and nothing else.

Measured in ``docs/decisions/0003-ranking.md`` and ``0009-dates-names-and-counts.md``. What is known of a word are its
*holders*, the places (row numbers) of the texts that hold it, and for passages how often. In turns, which are short,
it only counts whether.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]

#: BM25: how soon more of the same word counts less, and how much a text's length takes off.
K1, PASSAGE_K1 = 1.2, 2.0
PASSAGE_LENGTH, TURN_LENGTH, GROUP_LENGTH = 0.9, 0.3, 1.0

#: Passages: two words of the query side by side, and the meaning, beside the words (scaled to their best) at 1.
PAIRS = 0.5
PASSAGE_MEANING = 0.7
#: What a passage gains whose heading stands in the query or in one of the first few hits, and how many those are.
NAMED, LINKING = 0.4, 5

#: What a text gains that was written in a time which the query names, and how much of that in the days after: people
#: tell of a thing some days later.
DATED, AFTERWARDS, DAYS_AFTER = 0.5, 0.6, 10

#: Turns of a conversation: the turns around and the session, beside the turn itself at 1 ...
WINDOW, SESSION = 1.5, 1.0
#: ... and, beside all words (scaled to their best): who is named in the query, whether the turn only asks, how much it
#: says (half of it at the average length), the meaning.
SPEAKER, QUESTION, LENGTH, TURN_MEANING = 0.2, 0.1, 0.25, 0.3
#: How far around a turn one looks, and what the meaning of the turns there counts.
NEAR = 2
NEAR_MEANING = (1.0, 0.75, 0.5)
#: What a word of like meaning counts beside the word itself.
NEAR_WORD = 0.2

#: What is a hit: a score of at least so much of the best, or at least so much of the best relevance.
PASSAGE_CUT, TURN_CUT, RELEVANCE_CUT = 0.25, 0.4, 0.5
#: What a word counts for the relevance of a turn that does not stand in it but in those around.
BESIDE = 0.5


@dataclass(frozen=True)
class Postings:
    """Where a word stands.

    Attributes:
        places: rising, each once.
        counts: how often it stands in each; None: once.
        informative: whether it tells what a text is about.
        near: places of words of like meaning, in any order.
    """

    places: Places
    counts: Floats | None = None
    informative: bool = True
    near: Places | None = None


@dataclass(frozen=True)
class Ranking:
    """What is known of each row.

    Attributes:
        scores: greater is better; only their order says something.
        relevance: 0 to 1, comparable between queries; see :class:`~memgpt_autogen.storage.records.Hit`.
        found: rows that hold a word, or are near to the query in meaning.
    """

    scores: Floats
    relevance: Floats
    found: npt.NDArray[np.bool_]

    def with_dates(self, fit: Floats) -> Ranking:
        """With more for rows of the days that the query names; ``fit``: how well each fits them, 0 to 1."""
        return self.with_gains(DATED * fit)

    def with_gains(self, gains: Floats) -> Ranking:
        """With more for some rows, which then are found, too."""
        return Ranking(self.scores + gains, self.relevance, self.found | (gains > 0))

    def hits(self, allowed: npt.NDArray[np.bool_], cut: float) -> npt.NDArray[np.bool_]:
        """Which of the rows that are allowed are hits, beside the best of them."""
        hits = allowed & self.found
        if hits.any():
            relevant = self.relevance >= max(RELEVANCE_CUT * float(self.relevance[hits].max()), 1e-6)
            hits &= relevant | (self.scores >= cut * float(self.scores[hits].max()))
        return hits


def rank_passages(
    words: Sequence[Postings],
    pairs: Sequence[Places],
    sizes: Floats,
    similar: Floats | None = None,
    compared: npt.NDArray[np.bool_] | None = None,
) -> Ranking:
    """Rank passages.

    Args:
        words: postings of each word.
        pairs: holders of each two words that are neighbours in the query.
        sizes: of all passages, in any unit.
        similar: cosines with the query, 0 where there is no vector; None: by words alone.
        compared: those whose cosine is known; of the others it is an upper bound. None: all.
    """
    scores = np.zeros(len(sizes), dtype=np.float32)
    length = _length(sizes, PASSAGE_LENGTH, PASSAGE_K1)
    for weight, sets in ((1.0, words), (PAIRS, [Postings(places) for places in pairs])):
        for one in sets:
            times = np.ones(len(one.places), dtype=np.float32) if one.counts is None else one.counts
            rarity = weight * _rarity(len(one.places), len(sizes))
            scores[one.places] += rarity * _often(times, length[one.places], PASSAGE_K1)
    found, scores = scores > 0, _scaled(scores)
    if similar is not None:
        found |= (similar > 0) if compared is None else compared & (similar > 0)
        scores += PASSAGE_MEANING * _scaled(np.maximum(similar, 0))
    return Ranking(scores, _relevance(words, len(sizes), similar), found)


def rank_turns(
    words: Sequence[Postings],
    sizes: Floats,
    sessions: Places,
    named: Places,
    asking: Places,
    similar: Floats | None = None,
) -> Ranking:
    """Rank the turns of conversations, which are given in their order.

    Args:
        words: postings of each word, without counts.
        sizes: of all turns, in any unit.
        sessions: which sitting each belongs to, as numbers from 0.
        named: turns whose speaker the query names.
        asking: turns that end in a question.
        similar: cosines with the query, 0 where there is no vector; None: by words alone.
    """
    count = len(sizes)
    together = [sessions[step:] == sessions[: count - step] for step in range(1, NEAR + 1)]
    session_sizes = np.bincount(sessions, sizes).astype(np.float32)
    turn_length = _length(sizes, TURN_LENGTH)
    window_length = _length(_around(sizes, together), GROUP_LENGTH)
    session_length = _length(session_sizes, GROUP_LENGTH)
    scores, by_session = np.zeros(count, dtype=np.float32), np.zeros(len(session_sizes), dtype=np.float32)
    windows = []
    for word in words:
        own, places = np.zeros(count, dtype=np.float32), word.places
        if word.near is not None:
            own[word.near] = NEAR_WORD
            places = places if len(places) else word.near
        own[word.places] = 1
        window = _around(own, together)
        windows.append(window)
        holding = np.bincount(sessions[places], minlength=len(session_sizes))
        session = holding if word.near is None else np.bincount(sessions, own, minlength=len(session_sizes))
        rarity = _rarity(len(places), count)
        scores += rarity * _often(own, turn_length)
        scores += WINDOW * rarity * _often(window, window_length)
        sittings = _rarity(int(np.count_nonzero(holding)), len(holding))
        by_session += sittings * _often(session.astype(np.float32), session_length)
    found = scores > 0
    if len(words) == 1:  # to look up a word is not to ask: what stands around it is no answer
        found = np.zeros(count, dtype=np.bool_)
        found[words[0].places] = True
    scores = _scaled(scores + SESSION * by_session[sessions])
    scores[named] += SPEAKER
    scores[asking] -= QUESTION
    scores += LENGTH * sizes / (sizes + max(float(sizes.mean()), 1.0))
    if similar is not None:
        found |= similar > 0
        scores += TURN_MEANING * _scaled(np.maximum(_around(similar, together, NEAR_MEANING), 0))
    return Ranking(scores, _relevance(words, count, similar, windows), found)


def best(scores: Floats, among: Places, first: int, count: int) -> list[int]:
    """The places from rank ``first`` on (0: the best), the earlier place first among equals."""
    last = min(first + count, len(among))
    if first >= last:
        return []
    found = scores[among]
    if last < len(among):
        limit = np.partition(found, len(found) - last)[len(found) - last]
        among = among[found >= limit]
        found = scores[among]
    order = np.argsort(-found, kind="stable")[first:last]
    return [int(among[index]) for index in order]


def _relevance(
    words: Sequence[Postings], count: int, similar: Floats | None, windows: Sequence[Floats] | None = None
) -> Floats:
    """The share of the informative words that each row holds, by their rarity; with vectors its mean with the cosine.

    ``windows``: how often each word stands around each row.
    """
    shares, whole = np.zeros(count, dtype=np.float32), 0.0
    for number, word in enumerate(words):
        if word.informative:
            rarity = _rarity(max(len(word.places), 1), count)
            whole += rarity
            held = np.zeros(count, dtype=np.float32) if windows is None else BESIDE * (windows[number] >= 1)
            held[word.places] = 1
            shares += np.float32(rarity) * held
    if whole:
        shares /= np.float32(whole)
    return shares if similar is None else np.asarray((shares + np.maximum(similar, 0)) / 2, dtype=np.float32)


def _rarity(holders: int, count: int) -> float:
    return float(np.log(1 + (count - holders + 0.5) / (holders + 0.5)))


def _often(times: Floats, length: Floats, k1: float = K1) -> Floats:
    return np.asarray(times * np.float32(k1 + 1) / (times + length), dtype=np.float32)


def _length(sizes: Floats, weight: float, k1: float = K1) -> Floats:
    average = float(sizes.mean()) if len(sizes) else 0.0
    return np.asarray(k1 * (1 - weight + weight * sizes / (average or 1.0)), dtype=np.float32)


def _around(
    values: Floats, together: Sequence[npt.NDArray[np.bool_]], weights: Sequence[float] | None = None
) -> Floats:
    """The sum of each turn's value and those of its neighbours."""
    weights = weights or (1.0,) * (len(together) + 1)
    summed = values * np.float32(weights[0])
    for step, (same, weight) in enumerate(zip(together, weights[1:], strict=True), start=1):
        if len(same):
            kept = same * np.float32(weight)
            summed[step:] += values[:-step] * kept
            summed[:-step] += values[step:] * kept
    return summed


def _scaled(scores: Floats) -> Floats:
    top = float(scores.max()) if len(scores) else 0.0
    return np.asarray(scores / np.float32(top), dtype=np.float32) if top > 0 else scores
