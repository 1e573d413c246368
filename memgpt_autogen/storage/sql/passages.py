"""Searching sources in SQLite: words by FTS5, vectors exactly with numpy, ranked by ``ranking``."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date

import numpy as np

from ...errors import SourceError
from ...events import clean
from ...ids import new_id
from ..records import Hit, Page, Passage, Progress, Vectors, now
from ..search.dates import days_named
from ..search.names import heading_of
from ..search.questions import question_in
from ..search.ranking import PASSAGE_CUT, Floats, Ranking, best
from ..vectors.coded import Query
from .database import Database
from .passage_ranking import OF_SOURCE, dated_notes, rank_shelves
from .passage_shelves import PASSAGES, PassageShelves, passage_of
from .postings import written
from .row_cache import Estimate, Known, Shelf, compare_nearest
from .staging import VISIBLE
from .tenancy import scoped
from .vector_places import forget
from .vector_sync import Outside, key_of

logger = logging.getLogger(__name__)


@scoped
class SQLPassages:
    """See :class:`memgpt_autogen.storage.base.Passages`."""

    def __init__(self, database: Database, shelves: PassageShelves, outside: Outside | None = None) -> None:
        self._db, self._shelves, self._outside = database, shelves, outside
        self._told = False

    def add(self, source_id: str, passages: Sequence[Passage], document_id: str | None = None) -> None:
        moment = now()
        self._db.insert(
            "passages",
            (
                {
                    "id": passage.id or new_id(),
                    "source_id": source_id,
                    "document_id": document_id,
                    "text": passage.text,
                    "heading": heading_of(passage.text, passage.uri),
                    "uri": passage.uri,
                    "metadata": json.dumps(clean(passage.metadata)),
                    "created_at": moment,
                }
                for passage in passages
            ),
        )

    def count(self, agent_id: str) -> int:
        return self._db.number(
            "SELECT sum(passages) FROM sources JOIN attachments ON attachments.source_id = sources.id "
            "WHERE attachments.agent_id = ?",
            agent_id,
        )

    def search(
        self,
        agent_id: str,
        query: str,
        *,
        page: int,
        page_size: int,
        vector: Vectors | None = None,
        embedder: str = "",
        also: Mapping[str, Vectors | None] | None = None,
        source: str | None = None,
        since: date | None = None,
        until: date | None = None,
        today: date | None = None,
    ) -> Page[Passage]:
        query = question_in(query)
        with self._db.held():
            if vector is not None and not self._agree(agent_id, embedder):
                vector = None
            shelves = self._shelves.attached(agent_id, source)
            if not shelves:
                return Page.of(0, page, page_size)
            allowed = np.ones(sum(len(shelf) for shelf in shelves), dtype=np.bool_)
            if since or until:
                allowed = written(self._db, OF_SOURCE, shelves, (since, until))
            if vector is None and not query.strip():
                age = np.concatenate([shelf.numbers for shelf in shelves]).argsort().argsort().astype(np.float32)
                ranking, among = Ranking(age, np.zeros_like(age), allowed), np.flatnonzero(allowed)
            else:
                asked = None if vector is None else {**(also or {}), embedder: vector}
                ranking = self._rank(shelves, query, asked, embedder)
                days = days_named(query, today or date.today())
                ranking = ranking.with_dates(dated_notes(self._db, shelves, days))
                among = np.flatnonzero(ranking.hits(allowed, PASSAGE_CUT))
            empty: Page[Passage] = Page.of(len(among), page, page_size)
            places = best(ranking.scores, among, empty.first, page_size)
            found = zip(places, self._shelves.passages_at(shelves, places), strict=True)
            hits = [Hit(one, float(ranking.scores[at]), float(ranking.relevance[at])) for at, one in found]
            return replace(empty, hits=hits)

    def _rank(
        self, shelves: Sequence[Shelf], query: str, asked: Mapping[str, Vectors | None] | None, embedder: str
    ) -> Ranking:
        """Rank what is on some shelves, side by side, by words and by the vectors asked, if there are any."""
        similar = known = None
        if asked is not None:
            self._see_that_all_are_asked(shelves, asked, embedder)
            each = self._compared(shelves, asked)
            similar, known = (np.concatenate(arrays) for arrays in zip(*each, strict=True))

        def texts(places: Sequence[int]) -> list[str]:
            return [passage.text for passage in self._shelves.passages_at(shelves, places)]

        return rank_shelves(self._db, shelves, query, texts, similar, known)

    def _see_that_all_are_asked(
        self, shelves: Sequence[Shelf], asked: Mapping[str, Vectors | None], embedder: str
    ) -> None:
        """Raises: SourceError: a source's embedder is not among those asked."""
        for shelf in shelves:
            if shelf.embedder and shelf.embedder not in asked:
                row = self._db.one("SELECT name FROM sources WHERE id = ?", shelf.owner_id)
                raise SourceError(
                    f"The vectors of source {(row['name'] if row else shelf.owner_id)!r} were made with "
                    f"{shelf.embedder}, and this agent searches with {embedder}. Use that embedder, or load the source "
                    "again."
                )

    def clean_index(self, agent_id: str) -> list[str]:
        """Have the vectors of an agent's notes made anew, so that none of what was deleted is left in the index.

        Returns:
            What is left there, and why; nothing where the index is clean.
        """
        row = self._db.one(
            "SELECT id, vectors_in || moving_to AS place FROM sources WHERE agent_id = ? AND user_id = ?",
            *(agent_id, self._db.user_id),
        )
        if row is not None and row["place"]:
            forget(self._db, row["id"])
        if self._outside is None:
            gone = self._db.all("SELECT DISTINCT vectors_in FROM vectors_left WHERE user_id = ?", self._db.user_id)
            return [
                f"vectors are left in {row['vectors_in']}, which is not set as the place of vectors" for row in gone
            ]
        try:
            self._outside.drop_left()
            self._outside.index.clean()
        except SourceError as error:
            return [f"vectors are left in {self._outside.index.place}: {error}"]
        return []

    def _usable(self, shelf: Shelf) -> bool:
        """Whether a source's vectors can be asked for, and more of them be kept."""
        if self._outside is None:
            if shelf.place and not self._told:
                self._told = True
                row = self._db.all("SELECT name, vectors_in FROM sources WHERE id = ?", shelf.owner_id)[0]
                logger.warning(
                    "Source %r is searched by words alone: its vectors are in %s. Set vectors to that.", *row
                )
            return not shelf.place
        if _in_file(shelf):
            return True
        return shelf.place in ("", self._outside.index.place) and not self._outside.resting

    def unsettled(self, agent_id: str) -> bool:
        outside, search = self._outside, self._db.vector_search
        if self._db.read_only or (outside is None and search is None) or (outside and outside.resting):
            return False
        with self._db.held():
            shelves = self._shelves.attached(agent_id)
            return any(not outside.settled(one) if outside else self._wants_index(one) for one in shelves)

    def _wants_index(self, shelf: Shelf) -> bool:
        search = self._db.vector_search
        vectors = int(np.count_nonzero(shelf.known()))
        return search is not None and not shelf.place and search.wants_index(shelf.owner_id, vectors)

    def settle(
        self,
        source_id: str | None = None,
        *,
        progress: Progress | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        if self._db.read_only or (self._outside is None and self._db.vector_search is None):
            return
        rows = self._db.all(
            f"SELECT id FROM sources WHERE user_id = ? AND {VISIBLE} AND ? IN (id, '')",
            self._db.user_id,
            source_id or "",
        )
        for row in rows:
            self._settle(row["id"], progress or (lambda done, total: None), stop)
            if stop():
                return

    def _settle(self, source_id: str, progress: Progress, stop: Callable[[], bool]) -> None:
        outside, search = self._outside, self._db.vector_search
        with self._db.held():
            shelf = self._shelves.shelf(source_id)
            done = outside.settled(shelf) if outside else not self._wants_index(shelf)
        if not done and outside:
            outside.settle(source_id, progress, stop)
        elif not done and search:
            search.make_index(source_id)

    def _compared(self, shelves: Sequence[Shelf], asked: Mapping[str, Vectors | None]) -> list[tuple[Floats, Known]]:
        """Of each source the cosines with the query, by its embedder, and which passages have one."""
        found: dict[int, tuple[Floats, Known]] = {}
        queries = {name: Query(vector) for name, vector in asked.items() if vector is not None}
        estimates: dict[str, list[Estimate]] = {}
        for place, shelf in enumerate(shelves):
            query = queries.get(shelf.embedder)
            if query is not None and self._usable(shelf):
                with contextlib.suppress(SourceError):
                    if self._outside and shelf.place:
                        found[place] = self._outside.similar(shelf, query.vector)
                    else:
                        cosines, known, slack = shelf.estimated(query)
                        found[place] = cosines, known
                        estimates.setdefault(shelf.embedder, []).append((shelf, cosines, slack))
        for name, each in estimates.items():
            compare_nearest(each, queries[name])
        used = {shelves[place].embedder for place in found}
        if len(used) > 1:  # what is near for one embedder is far for another: each counts from its own average
            for name in used:
                mine = [place for place in found if shelves[place].embedder == name]
                compared = np.concatenate([found[place][0][found[place][1]] for place in mine])
                average = np.float32(compared.mean() if len(compared) else 0)
                found.update({place: (found[place][0] - average, found[place][1]) for place in mine})
        nothing = [(np.zeros(len(shelf), np.float32), np.zeros(len(shelf), np.bool_)) for shelf in shelves]
        return [found.get(place, nothing[place]) for place in range(len(shelves))]

    def without_vectors(self, agent_id: str, limit: int, embedder: str = "") -> Sequence[Passage]:
        if self._db.read_only:
            return []
        with self._db.held():
            if embedder:
                self._agree(agent_id, embedder)
            missing: list[int] = []
            for shelf in self._shelves.attached(agent_id):
                if (not embedder or shelf.embedder in ("", embedder)) and self._usable(shelf):
                    missing += shelf.numbers[~shelf.known()][: limit - len(missing)].tolist()
            return [self._shelves.passage(seq) for seq in missing]

    def backlog(self, embedder: str, limit: int, source_id: str | None = None, *, after: str = "") -> Sequence[Passage]:
        if self._db.read_only:
            return []
        behind = self._db.number("SELECT seq FROM passages WHERE id = ? AND user_id = ?", after, self._db.user_id)
        where, values = self._waiting(embedder, source_id)
        rows = self._db.all(
            f"{PASSAGES} WHERE {where} AND passages.seq > ? ORDER BY passages.seq LIMIT ?", *values, behind, limit
        )
        return [passage_of(row) for row in rows]

    def waiting(self, embedder: str, source_id: str | None = None) -> int:
        if self._db.read_only:
            return 0
        where, values = self._waiting(embedder, source_id)
        return self._db.number(
            f"SELECT count(*) FROM passages JOIN sources ON sources.id = source_id WHERE {where}", *values
        )

    def _waiting(self, embedder: str, source_id: str | None) -> tuple[str, list[str]]:
        which = f"sources.agent_id IS NULL AND {VISIBLE}" if source_id is None else "sources.id = ?"
        where = (
            f"sources.user_id = ? AND sources.embedder IN ('', ?) AND {which} "
            "AND NOT EXISTS (SELECT 1 FROM passage_vectors WHERE passage_vectors.seq = passages.seq)"
        )
        return where, [self._db.user_id, embedder, *([] if source_id is None else [source_id])]

    def _agree(self, agent_id: str, embedder: str) -> bool:
        """Have the vectors of the agent's own notes made anew where another embedder made them. False: they stay."""
        row = self._db.one("SELECT id FROM sources WHERE agent_id = ? AND embedder NOT IN ('', ?)", agent_id, embedder)
        if row is not None:
            if self._db.read_only:
                return False
            forget(self._db, row["id"])
        return True

    def put_vectors(self, embedder: str, ids: Sequence[str], vectors: Vectors) -> None:
        if self._outside is None:
            with self._db.transaction():
                self._write_vectors(embedder, ids, vectors)
            return
        sources: dict[str, list[tuple[str, str, Vectors]]] = {}
        for passage_id, vector in zip(ids, vectors, strict=True):
            row = self._db.one(
                "SELECT seq, text, source_id, embedder FROM passages JOIN sources ON sources.id = source_id "
                "WHERE passages.id = ? AND sources.user_id = ?",
                *(passage_id, self._db.user_id),
            )
            if row is not None and row["embedder"] in ("", embedder):
                key = key_of(row["seq"], row["text"])
                sources.setdefault(row["source_id"], []).append((passage_id, key, vector))
        for source_id, put in sources.items():
            with self._db.held():
                shelf = self._shelves.shelf(source_id)
                waits = _in_file(shelf)
            batch = np.stack([vector for _, _, vector in put])
            if waits:  # moved with the others
                with self._db.transaction():
                    self._write_vectors(embedder, [passage_id for passage_id, _, _ in put], batch)
                continue
            if shelf.place != self._outside.index.place:
                self._outside.adopt(source_id)
            with self._outside.putting(source_id, [key for _, key, _ in put], batch), self._db.transaction():
                self._write_vectors(
                    embedder, [passage_id for passage_id, _, _ in put], batch, kept=self._outside.index.place
                )

    def _write_vectors(self, embedder: str, ids: Sequence[str], vectors: Vectors, kept: str = "") -> None:
        """Write vectors, or only that there are some, where they are kept elsewhere."""
        rows = self._db.all(
            "SELECT passages.id AS id, seq, source_id, embedder, vectors_in FROM passages "
            "JOIN sources ON sources.id = source_id "
            f"WHERE passages.id {self._db.dialect.these} AND sources.user_id = ?",
            *(self._db.listed(ids), self._db.user_id),
        )
        # Left out: what is gone meanwhile, and what is in a source of another embedder: never two in one.
        fit = {row["id"]: row for row in rows if row["embedder"] in ("", embedder) and row["vectors_in"] == kept}
        for source_id in {row["source_id"] for row in fit.values()}:
            mine = "UPDATE sources SET embedder = ?, dim = ? WHERE embedder = '' AND id = ?"
            self._db.execute(mine, embedder, int(vectors.shape[1]), source_id)
        self._db.put_vectors(
            "passage_vectors",
            [
                (fit[one]["source_id"], fit[one]["seq"], vector[: 0 if kept else None])
                for one, vector in zip(ids, vectors, strict=True)
                if one in fit
            ],
        )


def _in_file(shelf: Shelf) -> bool:
    """Whether a source has vectors, and they are in the file."""
    return not shelf.place and bool(shelf.known().any())
