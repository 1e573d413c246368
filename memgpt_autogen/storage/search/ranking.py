"""How answers are ranked: every weight and every formula, and nothing else.

Measured in ``docs/decisions/0003-ranking.md`` and ``0009-dates-names-and-counts.md``. What is known of a word are its
*holders*, the places (row numbers) of the texts that hold it, and for passages how often. In turns, which are short,
it only counts whether.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

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
#: What a hit loses for each better one of its session where the query asks for several things.
SPREAD = 0.05
#: In a longer log only so many turns, the nearest, can be hits by their meaning alone.
MEANT = 5_000

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
            relevance, score = (float(np.where(hits, of, -np.inf).max()) for of in (self.relevance, self.scores))
            hits &= (self.relevance >= max(RELEVANCE_CUT * relevance, 1e-6)) | (self.scores >= cut * score)
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
    shares = np.zeros(len(sizes), dtype=np.float32)
    for word in words:
        shares[word.places] += np.float32(_weight(word, len(sizes)))
    return Ranking(scores, _relevance(shares, sum(_weight(word, len(sizes)) for word in words), similar), found)


@dataclass(frozen=True)
class Turns:
    """The turns of conversations, in their order, and what follows from them for every query.

    Attributes:
        sizes: of each turn, in any unit.
        sessions: which sitting each belongs to, as numbers from 0.
        asking: turns that end in a question.
    """

    sizes: Floats
    sessions: Places
    asking: Places

    def __len__(self) -> int:
        return len(self.sizes)

    @cached_property
    def average(self) -> float:
        """The average size of a turn."""
        return float(self.sizes.mean()) if len(self) else 0.0

    @cached_property
    def window_average(self) -> float:
        """The average size of a turn together with those around it."""
        summed = float(self.sizes.sum(dtype=np.float64))
        for step in range(1, NEAR + 1):
            together = self.sessions[step:] == self.sessions[: max(len(self) - step, 0)]
            summed += float(np.sum((self.sizes[step:] + self.sizes[: len(together)])[together], dtype=np.float64))
        return summed / max(len(self), 1)

    @cached_property
    def session_lengths(self) -> Floats:
        """What the length of each session takes off."""
        return _length(np.bincount(self.sessions, self.sizes).astype(np.float32), GROUP_LENGTH)


class _Neighbours:
    """Some turns and those around each, in the same session; ``places`` of the turns, rising."""

    def __init__(self, turns: Turns, places: Places) -> None:
        self._places = places
        self._beside: list[tuple[int, Places, Floats]] = []
        mine, last = turns.sessions[places], len(turns) - 1
        for step in (*range(-NEAR, 0), *range(1, NEAR + 1)):
            beside = np.minimum(np.maximum(places + step, 0), last)
            together = (turns.sessions[beside] == mine) & (beside == places + step)
            self._beside.append((abs(step), beside, together.astype(np.float32)))

    def summed(self, values: Floats, weights: Sequence[float] | None = None) -> Floats:
        """The sum of each turn's value and those of its neighbours; ``values`` of all turns."""
        total = values[self._places] * np.float32(weights[0] if weights else 1)
        for step, beside, together in self._beside:
            near = values[beside] * together
            total += near * np.float32(weights[step]) if weights else near
        return np.asarray(total, dtype=np.float32)


def rank_turns(
    words: Sequence[Postings],
    turns: Turns,
    named: Places,
    similar: Floats | None = None,
    also: Places | None = None,
) -> Ranking:
    """Rank the turns of conversations.

    Only turns that may be hits are looked at: those near a holder of a word, the nearest in meaning, and ``also``. So
    the time depends on how many hold the words, hardly on the length of the log.

    Args:
        words: postings of each word, without counts.
        turns: all of them.
        named: turns whose speaker the query names.
        similar: cosines with the query, 0 where there is no vector; None: by words alone.
        also: other turns that are to be ranked, such as those of a day that the query names.
    """
    count, at = len(turns), _candidates(words, turns, similar, also)
    near = _Neighbours(turns, at)
    sessions, sizes = turns.sessions[at], turns.sizes[at]
    turn_length = _length(sizes, TURN_LENGTH, average=turns.average)
    window_length = _length(near.summed(turns.sizes), GROUP_LENGTH, average=turns.window_average)
    by_session = np.zeros(len(turns.session_lengths), dtype=np.float32)
    scores, shares, values = (np.zeros(size, dtype=np.float32) for size in (len(at), len(at), count))
    for word in words:
        places = word.places
        if word.near is not None:
            values[word.near] = NEAR_WORD
            places = places if len(places) else word.near
        values[word.places] = 1
        own, window = values[at], near.summed(values)
        holding = np.bincount(turns.sessions[places], minlength=len(by_session))
        session = holding if word.near is None else np.bincount(sessions, own, minlength=len(by_session))
        rarity = _rarity(len(places), count)
        scores += rarity * (_often(own, turn_length) + np.float32(WINDOW) * _often(window, window_length))
        sittings = _rarity(int(np.count_nonzero(holding)), len(holding))
        by_session += sittings * _often(session.astype(np.float32), turns.session_lengths)
        shares += np.float32(_weight(word, count)) * np.where(own == 1, np.float32(1), BESIDE * (window >= 1))
        values[word.places] = 0
        if word.near is not None:
            values[word.near] = 0
    found = scores > 0
    if len(words) == 1:  # to look up a word is not to ask: what stands around it is no answer
        found = np.isin(at, words[0].places, assume_unique=True)
    scores = _scaled(scores + SESSION * by_session[sessions])
    scores += LENGTH * sizes / (sizes + max(turns.average, 1.0))
    meaning = None
    if similar is not None:
        meaning = similar[at]
        found |= meaning > 0
        scores += TURN_MEANING * _scaled(np.maximum(near.summed(similar, NEAR_MEANING), 0))
    relevance = _relevance(shares, sum(_weight(word, count) for word in words), meaning)
    ranking = Ranking(_put(count, at, scores), _put(count, at, relevance), _put(count, at, found))
    ranking.scores[named] += SPEAKER
    ranking.scores[turns.asking] -= QUESTION
    return ranking


def _candidates(words: Sequence[Postings], turns: Turns, similar: Floats | None, also: Places | None) -> Places:
    """The turns that may be hits, rising."""
    count = len(turns)
    held = np.zeros(count + 2 * NEAR, dtype=np.bool_)
    for word in words:
        held[word.places + NEAR] = True
        if word.near is not None:
            held[word.near + NEAR] = True
    looked = np.logical_or.reduce([held[start : start + count] for start in range(2 * NEAR + 1)])
    if similar is not None:
        looked[np.argpartition(similar, -MEANT)[-MEANT:] if count > MEANT else slice(None)] = True
    if also is not None:
        looked[also] = True
    return np.flatnonzero(looked)


def _put(count: int, at: Places, values: npt.NDArray[np.generic]) -> npt.NDArray[Any]:
    placed = np.zeros(count, dtype=values.dtype)
    placed[at] = values
    return placed


def spread(scores: Floats, among: Places, groups: Places) -> Floats:
    """Scores where each hit has something taken off for every better one of its group.

    Args:
        scores: of all rows.
        among: the hits; of equals the first counts as the better one.
        groups: a number for each row.
    """
    order = among[np.argsort(-scores[among], kind="stable")]
    grouped = np.argsort(groups[order], kind="stable")
    mine = groups[order][grouped]
    starts = np.flatnonzero(np.diff(mine, prepend=mine[:1] - 1))
    before = np.arange(len(mine)) - np.repeat(starts, np.diff(starts, append=len(mine)))
    lowered = scores.copy()
    lowered[order[grouped]] -= np.float32(SPREAD) * before.astype(np.float32)
    return lowered


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


def _weight(word: Postings, count: int) -> float:
    """What a word counts for the relevance."""
    return _rarity(max(len(word.places), 1), count) if word.informative else 0.0


def _relevance(shares: Floats, whole: float, similar: Floats | None) -> Floats:
    """The share of the informative words that a row holds, by their rarity; with vectors its mean with the cosine."""
    if whole:
        shares = shares / np.float32(whole)
    return shares if similar is None else np.asarray((shares + np.maximum(similar, 0)) / 2, dtype=np.float32)


def _rarity(holders: int, count: int) -> float:
    return float(np.log(1 + (count - holders + 0.5) / (holders + 0.5)))


def _often(times: Floats, length: Floats, k1: float = K1) -> Floats:
    return np.asarray(times * np.float32(k1 + 1) / (times + length), dtype=np.float32)


def _length(sizes: Floats, weight: float, k1: float = K1, average: float | None = None) -> Floats:
    if average is None:
        average = float(sizes.mean()) if len(sizes) else 0.0
    return np.asarray(k1 * (1 - weight + weight * sizes / (average or 1.0)), dtype=np.float32)


def _scaled(scores: Floats) -> Floats:
    top = float(scores.max()) if len(scores) else 0.0
    return np.asarray(scores / np.float32(top), dtype=np.float32) if top > 0 else scores
