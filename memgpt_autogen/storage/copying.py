"""Moving everything that a store holds, of all users, to another store: in batches, resumable, and verified."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import StoreError
from ..ids import new_id
from .records import Progress, now
from .sql.database import Database

#: Rows that are read and written in one go.
BATCH = 500
#: Each table, after those that its rows refer to, with its key and its other columns.
TABLES: dict[str, tuple[str, str]] = {
    "agents": ("id", "user_id step_id name config created_at edition embedder"),
    "steps": (
        "id",
        "user_id step_id agent_id outcome model prompt_tokens completion_tokens cached_tokens cost created_at",
    ),
    "blocks": ("id", "user_id step_id label value char_limit version created_at"),
    "block_versions": ("block_id version", "user_id step_id agent_id value created_at"),
    "agent_blocks": ("agent_id block_id", "user_id step_id position"),
    "messages": (
        "seq",
        "id user_id step_id agent_id conversation_id session_id role kind author content text tool_calls call_id "
        "answered created_at answered_step images",
    ),
    "summaries": (
        "id",
        "user_id step_id agent_id first_message_id last_message_id last_seq messages text created_at at_seq",
    ),
    "sources": (
        "id",
        "user_id step_id name agent_id embedder dim created_at edition passages vectors_in loading_for moving_to",
    ),
    "attachments": ("agent_id source_id", "user_id step_id created_at"),
    "documents": ("id", "user_id step_id source_id uri digest created_at"),
    "passages": ("seq", "id user_id step_id source_id document_id text uri metadata created_at heading"),
    "message_vectors": ("number", "user_id step_id owner_id seq vector"),
    "passage_vectors": ("number", "user_id step_id owner_id seq vector"),
    "vectors_left": ("source_id vectors_in", "user_id step_id"),
    "conversations": ("id", "user_id step_id agent_id peer created_at"),
    "conversation_entries": ("conversation_id position", "user_id step_id digest"),
    "pauses": ("number", "user_id step_id agent_id until"),
    "extracted": ("agent_id", "user_id step_id message_id"),
    "prompts": ("id", "user_id step_id agent_id model base parts tools options digest created_at"),
    "prompt_texts": ("agent_id digest", "user_id step_id text words"),
    "upkeep": ("id", "user_id step_id kind told created_at"),
}
#: The note in a store that is being filled: ``upkeep.kind``.
_FILLING = "filling"


@dataclass(frozen=True)
class Copied:
    """What a copy did.

    Attributes:
        rows: how many each table holds; tables without any are left out.
        digests: of the content of each table, the same in both stores.
    """

    rows: dict[str, int]
    digests: dict[str, str]


def copy_store(source: Database, target: Database, progress: Progress = lambda done, total: None) -> Copied:
    """Copy all rows, and see that both stores hold the same.

    Args:
        source: of all users; nothing may write to it meanwhile.
        target: of all users; empty, or what an earlier copy of the same store has begun to fill.
        progress: told how many rows are copied.

    Raises:
        StoreError: the target holds something else; a store fails; the two do not agree afterwards.
    """
    _see_that_it_may_be_filled(source, target)
    total = sum(source.number(f"SELECT count(*) FROM {table}") for table in TABLES) - _notes(source)
    done = 0
    for table in TABLES:
        last = _last_key(target, table)
        done += target.number(f"SELECT count(*) FROM {table}") - (_notes(target) if table == "upkeep" else 0)
        progress(done, max(total, done))
        for batch in _batches(source, table, last):
            with target.transaction():
                target.insert(table, [_put(target, row) for row in batch])
            done += len(batch)
            progress(done, max(total, done))
    with target.transaction():
        for row in source.all("SELECT id, passages, edition FROM sources"):  # counted while passages came in
            target.execute(
                "UPDATE sources SET passages = ?, edition = ? WHERE id = ?", row["passages"], row["edition"], row["id"]
            )
    target.numbered()
    copied = _compare(source, target)
    target.execute("DELETE FROM upkeep WHERE kind = ?", _FILLING)
    return copied


def _notes(database: Database) -> int:
    return database.number("SELECT count(*) FROM upkeep WHERE kind = ?", _FILLING)


def _see_that_it_may_be_filled(source: Database, target: Database) -> None:
    note = target.one("SELECT told FROM upkeep WHERE kind = ?", _FILLING)
    if note is not None and note["told"] != source.path:
        raise StoreError(f"{target.path} is being filled from {note['told']}. Go on with that, or take an empty store.")
    if note is None:
        full = [table for table in TABLES if target.number(f"SELECT count(*) FROM {table}")]
        if full:
            raise StoreError(f"{target.path} holds {', '.join(full)} already. Move a store into an empty one only.")
        row = {"id": new_id(), "user_id": "", "step_id": None, "kind": _FILLING, "told": source.path}
        target.insert("upkeep", [{**row, "created_at": now()}])


def _key(table: str) -> str:
    return ", ".join(TABLES[table][0].split())


def _not_a_note(table: str) -> str:
    return f"kind <> '{_FILLING}'" if table == "upkeep" else "true"


def _last_key(database: Database, table: str) -> Sequence[Any] | None:
    """The key up to which a table is filled."""
    falling = ", ".join(f"{column} DESC" for column in TABLES[table][0].split())
    row = database.one(f"SELECT {_key(table)} FROM {table} WHERE {_not_a_note(table)} ORDER BY {falling} LIMIT 1")
    return [*row] if row is not None else None


def _batches(database: Database, table: str, last: Sequence[Any] | None = None) -> Iterator[list[dict[str, Any]]]:
    """The rows of a table in the order of their key, behind a key if there is one."""
    key, columns = (part.split() for part in TABLES[table])
    read = [f"{database.dialect.vector} AS vector" if column == "vector" else column for column in (*key, *columns)]
    start = f"SELECT {', '.join(read)} FROM {table} WHERE {_not_a_note(table)}"
    end = f"ORDER BY {_key(table)} LIMIT {BATCH}"
    behind = f"AND ({_key(table)}) > ({', '.join('?' * len(key))})"
    while True:
        rows = database.all(f"{start} {end}") if last is None else database.all(f"{start} {behind} {end}", *last)
        if not rows:
            return
        yield [_plain(database, dict(zip((*key, *columns), row, strict=True))) for row in rows]
        last = [rows[-1][place] for place in range(len(key))]


def _plain(database: Database, row: dict[str, Any]) -> dict[str, Any]:
    """A row whose vector is bytes of little-endian floats, whatever the engine keeps."""
    if "vector" in row:
        import numpy as np

        data = np.frombuffer(row["vector"] or b"", dtype=database.dialect.floats)
        return {**row, "vector": data.astype("<f4").tobytes()}
    return row


def _put(database: Database, row: dict[str, Any]) -> dict[str, Any]:
    if "vector" in row:
        import numpy as np

        return {**row, "vector": database.stored_vector(np.frombuffer(row["vector"], dtype="<f4"))}
    return row


def _compare(source: Database, target: Database) -> Copied:
    """Raises: StoreError: a table of one does not hold what that of the other holds."""
    rows: dict[str, int] = {}
    digests: dict[str, str] = {}
    for table in TABLES:
        here, there = _digest(source, table), _digest(target, table)
        if here != there:
            raise StoreError(
                f"The copy does not agree with {source.path}: {table} has {here[0]} rows there and {there[0]} in "
                f"{target.path}. Was it written to meanwhile? Stop what uses it, empty the new store, and try again."
            )
        if here[0]:
            rows[table], digests[table] = here
    return Copied(rows, digests)


def _digest(database: Database, table: str) -> tuple[int, str]:
    """How many rows a table has, and a digest of all they hold."""
    count, digest = 0, hashlib.sha256()
    for batch in _batches(database, table):
        for row in batch:
            count += 1
            plain = {name: value.hex() if isinstance(value, bytes) else value for name, value in row.items()}
            digest.update(json.dumps(plain, sort_keys=True).encode())
    return count, digest.hexdigest()
