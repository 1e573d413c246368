"""Ranking passages: what the tables tell of a query's words, names and days, put together by ``ranking``."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from ..search.dates import Days
from ..search.names import heading_of, names_in, phrases_in
from ..search.ranking import LINKING, NAMED, Floats, Ranking, best, rank_passages
from .database import Database, FullText, Numbers
from .postings import Finder, dated
from .row_cache import Shelf

#: Passages that one heading stands for at most. What begins more of them (a speaker, a running title) names none.
SAME = 10
#: SQL of the passages of a source.
OF_SOURCE = "FROM passages WHERE source_id = ?"


def rank_shelves(
    database: Database,
    shelves: Sequence[Shelf],
    query: str,
    texts: Callable[[Sequence[int]], Sequence[str]],
    similar: Floats | None = None,
    compared: npt.NDArray[np.bool_] | None = None,
) -> Ranking:
    """Rank what is on some shelves, side by side: by words and meaning, and then by the names in what is found.

    Args:
        database: where the passages are.
        shelves: none of them empty.
        query: a person's words.
        texts: reads the passages at some places.
        similar, compared: as for :func:`.ranking.rank_passages`.
    """
    finder = Finder(database, "passages", shelves)
    held = finder.find(query, counts=True)
    sizes = np.concatenate([shelf.fact(0) for shelf in shelves])
    ranking = rank_passages([*held.words.values()], held.pairs, sizes, similar, compared)
    first = texts(best(ranking.scores, np.flatnonzero(ranking.found), 0, LINKING))
    gains = np.zeros_like(sizes)
    gains[
        finder.places(linked(database.full_text("passages"), [shelf.owner_id for shelf in shelves], query, first))
    ] = NAMED
    return ranking.with_gains(gains)


def dated_notes(database: Database, shelves: Sequence[Shelf], days: Sequence[Days]) -> Floats:
    """How well the days of an agent's own notes fit; the day of a document's passages is only that of its loading."""
    each = [np.zeros(len(shelf), dtype=np.float32) for shelf in shelves]
    for place, shelf in enumerate(shelves):
        if days and database.one("SELECT 1 FROM sources WHERE id = ? AND agent_id IS NOT NULL", shelf.owner_id):
            each[place] = dated(database, OF_SOURCE, [shelf], days)
    return np.concatenate(each)


def linked(index: FullText, source_ids: Sequence[str], query: str, texts: Sequence[str]) -> Numbers:
    """The passages, rising, whose heading stands in a query or in one of some texts.

    Who asks for the birthplace of a film's director names the film; the passage on the director is found by the name
    that the passage on the film tells.

    Args:
        index: of the passages.
        source_ids: whose passages.
        query: a person's words.
        texts: of the first hits. None links to passages of its own heading.
    """
    names = dict.fromkeys(phrases_in(query))
    for text in texts:
        own = heading_of(text)
        names.update(dict.fromkeys(name for name in names_in(text) if name != own))
    groups = index.headed(list(names), source_ids, SAME + 1)
    found = {seq for seqs in groups if len(seqs) <= SAME for seq in seqs}
    return np.array(sorted(found), dtype=np.int64)
