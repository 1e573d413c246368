"""Ranking messages: what the tables tell of who said them, and what of them is kept between queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..search.ranking import Floats, Places, Postings, Turns
from ..search.text import terms
from ..search.words import telling
from .postings import COMMON
from .row_cache import Codes, Shelf


class KnownTurns:
    """What ranking needs of the messages on each shelf, made anew only when the shelf has changed."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, Turns]] = {}

    def on(self, shelf: Shelf, sizes: Floats, sessions: Floats, asks: Floats) -> Turns:
        """The turns on a shelf, given some facts of each."""
        known = self._known.get(shelf.owner_id)
        if known is None or known[0] != shelf.changes:
            turns = Turns(np.ascontiguousarray(sizes), sessions.astype(np.intp), np.flatnonzero(asks))
            known = self._known[shelf.owner_id] = shelf.changes, turns
        return known[1]


def said_or_named(
    query: str, held: Mapping[str, Postings], author: Floats, authors: Codes
) -> tuple[list[Postings], Places]:
    """Postings where who said a message is one of its words, and the messages whose author is named.

    The name of somebody who said very much is left out of the words, like any very common word.
    """
    names = [(code, terms(name)) for name, code in authors.values.items()]
    called = {word: codes for word in telling(query) if (codes := [code for code, parts in names if word in parts])}
    named = np.zeros(len(author), dtype=np.bool_)
    others = any(len(postings.places) for word, postings in held.items() if word not in called)
    words = {**held}
    for word, codes in called.items():
        said = np.logical_or.reduce([author == code for code in codes])
        named |= said
        if np.count_nonzero(said) > COMMON and others:
            words.pop(word, None)
        elif word in held:
            said[held[word].places] = True
            words[word] = replace(held[word], places=np.flatnonzero(said), near=None)
    return [*words.values()], np.flatnonzero(named)
