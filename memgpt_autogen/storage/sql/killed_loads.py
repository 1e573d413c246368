"""Loadings that a killed process began: found and removed when a store is opened."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from ...errors import StoreError
from .database import Database
from .staging import remove_some

#: Passages deleted in one transaction, seconds in between in which others may write, and seconds for all of it: what is
#: left then is removed at the next opening.
BATCH, BREATH, SECONDS = 500, 0.001, 5.0


@dataclass(frozen=True)
class KilledLoad:
    """What is left of a loading, in words; the hidden source that holds it, and the name of the one it was for."""

    told: str
    place: str
    source: str


def killed_loads(database: Database) -> Sequence[KilledLoad]:
    """Loadings that nobody works on any more."""
    found = []
    rows = database.all(
        "SELECT id, loading_for, passages FROM sources WHERE user_id = ? AND loading_for IS NOT NULL", database.user_id
    )
    for row in rows:
        with _alone(database, row["loading_for"]) as alone:
            if alone:
                told = f"{row['passages']} passages of a loading of {row['loading_for']!r} that was killed"
                found.append(KilledLoad(told, row["id"], row["loading_for"]))
    return found


def remove_killed_loads(database: Database) -> Sequence[KilledLoad]:
    """Remove them; those that are gone."""
    deadline, gone = time.monotonic() + SECONDS, []
    for one in killed_loads(database):
        with _alone(database, one.source) as alone:
            while alone and remove_some(database, one.place, BATCH) and time.monotonic() < deadline:
                time.sleep(BREATH)
        if alone and database.one("SELECT 1 FROM sources WHERE id = ?", one.place) is None:
            gone.append(one)
    return gone


@contextmanager
def _alone(database: Database, source: str) -> Iterator[bool]:
    """Keep others from loading a source meanwhile; whether nobody was loading it."""
    with ExitStack() as stack:
        try:
            stack.enter_context(database.lock(f"source {source}", patient=False))
        except StoreError:  # somebody is, or it cannot be locked
            yield False
        else:
            yield True
