"""Messages, summaries and steps."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import replace
from datetime import date

import numpy as np

from ...errors import StoreError
from ...ids import new_id
from ...messages import Message, Usage
from ..records import Hit, Page, Summary, Vectors, WindowChanges, now, stamp
from ..search.dates import bounds_of, days_named
from ..search.questions import asks_for_several, question_in
from ..search.ranking import TURN_CUT, best, rank_turns, spread
from .database import Database, Row
from .message_rows import message_of, row_of, summary_of
from .near_words import NearWords
from .postings import Finder, dated, written
from .row_cache import Codes, Shelf
from .tenancy import scoped
from .turn_ranking import KnownTurns, said_or_named
from .windows import LAST_SUMMARY, Windows

_OWNER = "SELECT edition, embedder, '' AS place FROM agents WHERE id = ?"
_ROWS = """SELECT seq, length(text) + coalesce(length(author), 0) AS size, session_id, author,
           substr(rtrim(text), length(rtrim(text)), 1) = '?' AS asks
           FROM messages WHERE agent_id = ? AND seq > ? AND text <> '' ORDER BY seq"""
_SIZE, _SESSION, _AUTHOR, _ASKS = range(4)  # the facts on a shelf
#: With what the index ``messages_days`` holds, so that no row is read for it.
_OF_AGENT = "FROM messages WHERE agent_id = ? AND text <> ''"
_DAYS = f"{_OF_AGENT} AND created_at >= ? AND created_at < ?"


@scoped
class SQLLog:
    """See :class:`memgpt_autogen.storage.base.Log`."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._window = Windows(database)
        self._shelves: dict[str, tuple[Shelf, Codes]] = {}
        self._turns = KnownTurns()
        self._near = NearWords(database.full_text("messages"))

    def append(self, agent_id: str, messages: Sequence[Message]) -> None:
        self._db.insert("messages", [row_of(agent_id, message) for message in messages])

    def mark_answered(self, agent_id: str) -> None:
        self._db.execute(
            "UPDATE messages SET answered = 1, answered_step = ? WHERE agent_id = ? AND answered = 0",
            *(self._db.step_id, agent_id),
        )

    def replace(self, message: Message, other: Message) -> Message:
        return self._window.replace(message, other)

    def window(self, agent_id: str) -> Sequence[Message]:
        return self._window.changes(agent_id).messages

    def window_changes(self, agent_id: str, since: Hashable = None) -> WindowChanges:
        return self._window.changes(agent_id, since)

    def tail(self, agent_id: str, count: int) -> Sequence[Message]:
        rows = self._db.all("SELECT * FROM messages WHERE agent_id = ? ORDER BY seq DESC LIMIT ?", agent_id, count)
        return [message_of(row) for row in reversed(rows)]

    def heard(self, agent_id: str, step_id: str) -> Sequence[Message]:
        said = "SELECT * FROM messages WHERE agent_id = ? AND kind = 'user_message'"
        rows = self._db.all(f"{said} AND step_id = ? ORDER BY seq", agent_id, step_id)
        if not rows:
            before = "seq < (SELECT min(seq) FROM messages WHERE agent_id = ? AND step_id = ?)"
            rows = self._db.all(f"{said} AND {before} ORDER BY seq DESC LIMIT 1", agent_id, agent_id, step_id)
        return [message_of(row) for row in rows]

    def count(self, agent_id: str) -> int:
        return self._db.number("SELECT count(*) FROM messages WHERE agent_id = ?", agent_id)

    def calls_made(self, agent_id: str, ids: Collection[str]) -> set[str]:
        held = "SELECT * FROM messages WHERE agent_id = ? AND instr(tool_calls, ?) > 0"
        rows = [row for call in ids for row in self._db.all(held, agent_id, json.dumps(call))]
        return {call.id for row in rows for call in message_of(row).tool_calls} & {*ids}

    def search(
        self,
        agent_id: str,
        query: str,
        *,
        page: int,
        page_size: int,
        vector: Vectors | None = None,
        embedder: str = "",
        since: date | None = None,
        until: date | None = None,
        today: date | None = None,
        embed_words: Callable[[Sequence[str]], Vectors] | None = None,
    ) -> Page[Message]:
        query = question_in(query)
        with self._db.held():
            if vector is not None and not self._agree(agent_id, embedder):
                vector = None
            shelf, authors = self._shelf(agent_id)
            if not len(shelf):
                return Page.of(0, page, page_size)
            held = Finder(self._db, "messages", [shelf]).find(query).words
            if vector is not None and embed_words is not None:
                near = self._near.rows([*held], embed_words, embedder, shelf)
                held |= {word: replace(held[word], near=shelf.places(rows)) for word, rows in near.items()}
            words, named = said_or_named(query, held, shelf.fact(_AUTHOR), authors)
            similar = None if vector is None else shelf.compared(vector)[0]
            fit = dated(self._db, _OF_AGENT, [shelf], days_named(query, today or date.today()))
            turns = self._turns.on(shelf, shelf.fact(_SIZE), shelf.fact(_SESSION), shelf.fact(_ASKS))
            ranking = rank_turns(words, turns, named, similar, np.flatnonzero(fit)).with_dates(fit)
            allowed = np.ones(len(shelf), dtype=np.bool_)
            if since or until:
                allowed = written(self._db, _OF_AGENT, [shelf], (since, until))
            waiting = self._db.all("SELECT seq FROM messages WHERE agent_id = ? AND answered = 0", agent_id)
            allowed[shelf.places(np.array([row["seq"] for row in waiting], dtype=np.int64))] = False
            among = np.flatnonzero(ranking.hits(allowed, TURN_CUT))[::-1]  # of equals the newest first
            scores = ranking.scores
            if asks_for_several(query):
                scores = spread(scores, among, turns.sessions)
            empty: Page[Message] = Page.of(len(among), page, page_size)
            places = best(scores, among, empty.first, page_size)
            found = zip(places, self._at(shelf.numbers[places].tolist()), strict=True)
            return replace(empty, hits=[Hit(one, float(scores[at]), float(ranking.relevance[at])) for at, one in found])

    def _shelf(self, agent_id: str) -> tuple[Shelf, Codes]:
        """An agent's messages that have words, up to date, and the codes of their authors."""
        if agent_id not in self._shelves:
            authors, sessions = Codes(), Codes()

            def facts(rows: Sequence[Row]) -> list[tuple[float, ...]]:
                return [
                    (row["size"], sessions(row["session_id"] or ""), authors(row["author"] or ""), row["asks"])
                    for row in rows
                ]

            shelf = Shelf(self._db, agent_id, _OWNER, _ROWS, "message_vectors", facts, 4)
            self._shelves[agent_id] = shelf, authors
        self._shelves[agent_id][0].refresh()
        return self._shelves[agent_id]

    def _at(self, seqs: Sequence[int]) -> list[Message]:
        """The messages of these numbers, in that order."""
        found = self._db.all(f"SELECT * FROM messages WHERE seq {self._db.dialect.these}", self._db.listed(seqs))
        rows = {row["seq"]: row for row in found}
        if len(rows) < len(seqs):
            raise StoreError("A message was deleted while it was being searched. Search again.")
        return [message_of(rows[seq]) for seq in seqs]

    def _agree(self, agent_id: str, embedder: str) -> bool:
        """Drop the vectors of another embedder: the messages go back to the backlog. False: they cannot be dropped."""
        if self._db.one("SELECT 1 FROM agents WHERE id = ? AND embedder NOT IN ('', ?)", agent_id, embedder):
            if self._db.read_only:
                return False
            with self._db.transaction():
                self._db.execute("DELETE FROM message_vectors WHERE owner_id = ?", agent_id)
                self._db.execute("UPDATE agents SET embedder = '' WHERE id = ?", agent_id)
        return True

    def without_vectors(self, agent_id: str, limit: int, embedder: str = "") -> Sequence[Message]:
        if self._db.read_only:
            return []
        with self._db.held():
            if embedder:
                self._agree(agent_id, embedder)
            shelf = self._shelf(agent_id)[0]
            return self._at(shelf.numbers[~shelf.known()][:limit].tolist())

    def put_vectors(self, agent_id: str, embedder: str, ids: Sequence[str], vectors: Vectors) -> None:
        with self._db.transaction():
            self._db.execute("UPDATE agents SET embedder = ? WHERE id = ? AND embedder = ''", embedder, agent_id)
            if self._db.one("SELECT 1 FROM agents WHERE id = ? AND embedder = ?", agent_id, embedder) is None:
                return  # another embedder was there first
            there = self._db.all(
                f"SELECT id, seq FROM messages WHERE id {self._db.dialect.these} AND agent_id = ? AND text <> ''",
                *(self._db.listed(ids), agent_id),
            )
            seqs = {row["id"]: row["seq"] for row in there}
            pairs = zip(ids, vectors, strict=True)
            self._db.put_vectors(
                "message_vectors", [(agent_id, seqs[one], vector) for one, vector in pairs if one in seqs]
            )

    def search_dates(self, agent_id: str, start: date, end: date, *, page: int, page_size: int) -> Page[Message]:
        first, after = bounds_of(start, end)
        total = self._db.number(f"SELECT count(*) {_DAYS}", agent_id, first, after)
        empty: Page[Message] = Page.of(total, page, page_size)
        there = f"SELECT seq {_DAYS} ORDER BY created_at, seq LIMIT ? OFFSET ?"
        rows = self._db.all(
            f"SELECT * FROM messages WHERE seq IN ({there}) ORDER BY created_at, seq",
            *(agent_id, first, after, page_size, empty.first),
        )
        return replace(empty, hits=[Hit(message_of(row), 0.0) for row in rows])

    def add_summary(self, agent_id: str, summary: Summary, *, asked: bool = False) -> None:
        last = self._db.number("SELECT max(seq) FROM messages WHERE agent_id = ?", agent_id)
        row = {
            "id": summary.id or new_id(),
            "agent_id": agent_id,
            "first_message_id": summary.first_message_id,
            "last_message_id": summary.last_message_id,
            "last_seq": self._db.number(
                "SELECT seq FROM messages WHERE id = ? AND agent_id = ?", summary.last_message_id, agent_id
            ),
            "at_seq": None if asked else last,
            "messages": summary.messages,
            "text": summary.text,
            "created_at": stamp(summary.created_at),
        }
        self._db.insert("summaries", [row])

    def last_summary(self, agent_id: str) -> Summary | None:
        row = self._db.one(LAST_SUMMARY, agent_id)
        return summary_of(row) if row else None

    def add_step(self, agent_id: str, outcome: str, model: str, usage: Usage) -> None:
        row = {
            "id": self._db.step_id or new_id(),
            "agent_id": agent_id,
            "outcome": outcome,
            "model": model,
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "cached_tokens": usage.cached_tokens,
            "cost": usage.cost,
            "created_at": now(),
        }
        self._db.insert("steps", [row])

    def extracted(self, agent_id: str) -> str:
        row = self._db.one("SELECT message_id FROM extracted WHERE agent_id = ?", agent_id)
        return row["message_id"] if row else ""

    def mark_extracted(self, agent_id: str, message_id: str) -> None:
        with self._db.transaction():
            self._db.execute("DELETE FROM extracted WHERE agent_id = ?", agent_id)
            self._db.insert("extracted", [{"agent_id": agent_id, "message_id": message_id}])
