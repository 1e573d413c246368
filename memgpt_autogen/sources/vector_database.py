"""Loads passages with their vectors from a Chroma collection or a pgvector table."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ..errors import SourceError, not_known
from .base import Document
from .sql import reading, short

#: Passages per fetch.
BATCH = 500
#: Default columns and metadata keys, in order of preference.
TEXTS = ("text", "content", "document", "page_content", "body", "chunk", "passage")
ORIGINS = ("file_path", "file_name", "filename", "source", "uri", "url", "file", "path", "title")
PAGES = ("page", "page_number", "page_label")


class VectorDatabaseLoader:
    """Passages that are already split and embedded; they are stored unchanged.

    Args:
        url: ``chroma:///folder`` (a Chroma folder), ``chroma+http://host:port`` (a server), or the SQLAlchemy URL
            of a PostgreSQL with pgvector.
        collection: the collection, or the table.
        embedder: what made the vectors, such as ``text-embedding-3-small``. Stored with the source: only an agent with
            the same embedder can search by them.
        text, vector, key: the table's columns; default: found by their type and usual names.

    Raises:
        SourceError: a required argument is missing.
    """

    unit = "passage"

    def __init__(
        self, url: str, collection: str = "", *, embedder: str = "", text: str = "", vector: str = "", key: str = ""
    ) -> None:
        if not embedder.strip():
            raise SourceError(
                "Say what made the vectors (--embedder, embedder=...), such as wordllama-256 or "
                "text-embedding-3-small: vectors of different models cannot be compared."
            )
        self._url, self._name, self.embedder = url, collection, embedder.strip()
        self._columns = {"text": text, "vector": vector, "key": key}
        self._dim = 0

    def load(self) -> Iterator[Document]:
        """The passages, each with its vector.

        Raises:
            SourceError: the database cannot be reached, there is no such collection or table, or no text in it.
            MissingDependency: the package that reads it is not installed.
        """
        passages = self._from_chroma() if self._url.startswith("chroma") else self._from_pgvector()
        found = False
        for key, text, vector, metadata in passages:
            if not text or not text.strip() or vector is None:
                continue
            found = True
            if len(vector) != (self._dim or len(vector)):
                raise SourceError(f"The vectors are not all of one length: {self._dim} and {len(vector)}.")
            self._dim = len(vector)
            yield Document(text.replace("\0", ""), *_origin(metadata, self._name), vector, key)
        if not found:
            raise SourceError(f"There are no passages with text and vectors in {self._name}.")

    def _from_chroma(self) -> Iterator[tuple[str, str, Sequence[float], Mapping[str, Any]]]:
        with _chroma(self._url) as client:
            yield from self._of_collection(client)

    def _of_collection(self, client: Any) -> Iterator[tuple[str, str, Sequence[float], Mapping[str, Any]]]:
        names = [one.name for one in client.list_collections()]
        name = self._name or (names[0] if len(names) == 1 else "")
        if name not in names:
            raise SourceError(not_known(f"There is no collection named {name!r}.", name, "Collections", names))
        self._name = name
        collection, offset = client.get_collection(name, embedding_function=None), 0
        while True:
            got = collection.get(limit=BATCH, offset=offset, include=["documents", "metadatas", "embeddings"])
            if not got["ids"]:
                return
            documents, metadatas = got["documents"] or [], got["metadatas"] or []
            yield from zip(got["ids"], documents, got["embeddings"], (one or {} for one in metadatas), strict=True)
            offset += len(got["ids"])

    def _from_pgvector(self) -> Iterator[tuple[str, str, Sequence[float], Mapping[str, Any]]]:
        with reading(self._url) as connection:
            from sqlalchemy import text

            if connection.dialect.name != "postgresql":
                raise SourceError("Vectors are read from Chroma (chroma:///folder) and from PostgreSQL with pgvector.")
            key, words, vector, others = self._found_columns(connection)
            quote = connection.dialect.identifier_preparer.quote
            chosen = [
                f"CAST({quote(key)} AS text)",
                quote(words),
                f"CAST({quote(vector)} AS text)",
                *map(quote, others),
            ]
            table = ".".join(quote(part) for part in self._name.split("."))
            rows = connection.execute(text(f"SELECT {', '.join(chosen)} FROM {table} ORDER BY {quote(key)}"))
            for found, said, numbers, *rest in rows.yield_per(BATCH):
                about = dict(zip(others, rest, strict=True))
                yield str(found), said or "", json.loads(numbers) if numbers else None, _flat(about)  # type: ignore[misc]

    def _found_columns(self, connection: Any) -> tuple[str, str, str, list[str]]:
        from sqlalchemy import text

        if not self._name:
            raise SourceError("Name the table that holds the vectors.")
        schema, _, table = self._name.rpartition(".")
        query = (
            "SELECT a.attname, t.typname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid "
            "WHERE a.attrelid = to_regclass(:name) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
        )
        quote = connection.dialect.identifier_preparer.quote
        regclass = f"{quote(schema)}.{quote(table)}" if schema else quote(table)
        kinds = {name: kind for name, kind in connection.execute(text(query), {"name": regclass})}
        if not kinds:
            raise SourceError(f"There is no table {self._name!r} in {short(self._url)}.")
        vectors = [name for name, kind in kinds.items() if kind in ("vector", "halfvec")]
        texts = [name for name, kind in kinds.items() if kind in ("text", "varchar", "bpchar")]
        texts.sort(key=lambda name: TEXTS.index(name.lower()) if name.lower() in TEXTS else len(TEXTS))
        usual = {"vector": vectors, "text": texts, "key": [name for name in kinds if name.lower() in ("id", "uuid")]}
        usual["key"] += list(kinds)
        chosen = {}
        for part, candidates in usual.items():
            chosen[part] = self._columns[part] or next(iter(candidates), "")
            if chosen[part] not in kinds:
                raise SourceError(
                    f"The table {self._name} has no column for the {part}{' ' + chosen[part] if chosen[part] else ''}. "
                    f"Name one with --{part}. Columns: {', '.join(kinds)}."
                )
        others = [
            name for name, kind in kinds.items() if name not in chosen.values() and kind not in ("vector", "bytea")
        ]
        return chosen["key"], chosen["text"], chosen["vector"], others


@contextmanager
def _chroma(url: str) -> Iterator[Any]:
    """A client. Every failure becomes one clear error."""
    from ..storage.vectors import chroma

    chroma.check_address(url)
    folder = chroma.folder_of(url)
    if folder and not (folder / "chroma.sqlite3").is_file():
        raise SourceError(f"There is no Chroma database in {folder}. Check the path: chroma:///folder.")
    with chroma.failures(chroma.without_token(url)):
        client = chroma.connect(url)
        try:
            yield client
        finally:
            client.close()


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row's other columns, with JSON objects among them merged in."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            flat.update(value)
        elif isinstance(value, (str, int, float, bool)):
            flat[name] = value
    return flat


def _origin(metadata: Mapping[str, Any], name: str) -> tuple[str, dict[str, Any]]:
    """The origin of a passage by its metadata, and the metadata for readers."""
    origin = next((str(metadata[one]) for one in ORIGINS if metadata.get(one)), name)
    page = next((metadata[one] for one in PAGES if metadata.get(one) not in (None, "")), None)
    kept = {key: value for key, value in metadata.items() if isinstance(value, (str, int, float, bool))}
    return origin, {**kept, **({"page": page} if page is not None else {})}
