"""Where the vectors of a source are kept, as its row says."""

from __future__ import annotations

from .database import Database


def forget(database: Database, source_id: str) -> None:
    """Have the vectors of a source made anew, wherever they were."""
    with database.transaction():
        database.execute("DELETE FROM passage_vectors WHERE owner_id = ?", source_id)
        for column in ("vectors_in", "moving_to"):
            leave(database, source_id, column)
        database.execute(
            "UPDATE sources SET vectors_in = '', moving_to = '', embedder = '', dim = 0 WHERE id = ?", source_id
        )


def leave(database: Database, source_id: str, column: str) -> None:
    """Note that what a source has in an index is to be removed there."""
    database.execute(
        "INSERT INTO vectors_left (source_id, user_id, vectors_in) "
        f"SELECT id, user_id, {column} FROM sources WHERE id = ? AND {column} <> '' ON CONFLICT DO NOTHING",
        source_id,
    )
