"""Passages' vectors in Chroma (https://www.trychroma.com): in a folder of this machine, or on a server or cluster.

One collection for each source, named after its id. The texts stay in the store: a collection holds nothing but keys and
vectors. Chroma is imported at the first use, which takes a second.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np

from ...errors import ConfigError, MemGPTError, MissingDependency, SourceError
from ..records import Vectors

#: Seconds for one request to a server, and for learning whether it is there.
TIMEOUT, KNOCK = 15.0, 3.0
#: How widely a collection is searched: more finds more of what is near, and takes longer.
WIDTH = 500
#: Seconds for cleaning a folder.
CLEANING = 600
#: Dropped vectors stay in free pages of Chroma's database, and those of whole segments in folders of theirs.
_CLEAN = """
import pathlib, shutil, sqlite3, sys, uuid
folder = pathlib.Path(sys.argv[1])
database = sqlite3.connect(folder / "chroma.sqlite3", isolation_level=None, timeout=10)
segments = {row[0] for row in database.execute("SELECT id FROM segments")}
database.execute("VACUUM")
database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
for place in folder.iterdir():
    try:
        orphan = place.is_dir() and not place.is_symlink() and str(uuid.UUID(place.name)) not in segments
    except ValueError:
        continue
    if orphan:
        shutil.rmtree(place)
"""
_FORMS = "chroma:///folder, chroma+http://host:port or chroma+https://host:port"


class ChromaVectors:
    """A :class:`memgpt_autogen.storage.base.VectorIndex` in Chroma. Safe to use from several threads.

    Args:
        url: ``chroma:///folder`` (one process at a time), or ``chroma+http://host:port`` (``chroma+https:``), with
            ``?tenant=…&database=…`` where the server has several, and ``TOKEN@`` before the host where it wants one.

    Raises:
        ConfigError: another form of address.
        MissingDependency: the extra ``chroma`` is not installed.
    """

    def __init__(self, url: str) -> None:
        check_address(url)
        self.place = without_token(url)
        self._url = url
        self._client: Any = None
        self._opening = threading.Lock()
        self._collections: dict[str, Any] = {}

    def put(self, source_id: str, keys: Sequence[str], vectors: Vectors) -> None:
        """Keep vectors of length 1, shape (len(keys), dim), in place of those of the same keys."""
        with self._reached() as client:
            size = client.get_max_batch_size()
            for start in range(0, len(keys), size):
                batch = {"ids": list(keys[start : start + size]), "embeddings": vectors[start : start + size]}
                if not self._ask(client, source_id, "upsert", batch)[0]:
                    self._collections[source_id] = client.get_or_create_collection(
                        _name(source_id),
                        embedding_function=None,
                        configuration={
                            "hnsw": {"space": "cosine", "ef_search": WIDTH, "ef_construction": 200, "max_neighbors": 32}
                        },
                    )
                    self._collections[source_id].upsert(**batch)

    def nearest(self, source_id: str, vector: Vectors, count: int) -> tuple[Sequence[str], Vectors]:
        """The keys nearest to a vector of length 1, and their cosines, best first; found by HNSW, so not exactly."""
        if count < 1:
            return [], np.zeros(0, dtype=np.float32)
        wanted = {"query_embeddings": [vector.reshape(-1)], "n_results": count, "include": ["distances"]}
        with self._reached() as client:
            there, found = self._ask(client, source_id, "query", wanted)
        if not there:
            return [], np.zeros(0, dtype=np.float32)
        return found["ids"][0], 1 - np.asarray(found["distances"][0], dtype=np.float32)

    def keys(self, source_id: str) -> set[str]:
        """Every key of a source."""
        with self._reached() as client:
            there, found = self._ask(client, source_id, "get", {"include": []})
        return set(found["ids"]) if there else set()

    def remove(self, source_id: str, keys: Sequence[str]) -> None:
        """Forget some vectors."""
        with self._reached() as client:
            size = client.get_max_batch_size()
            for start in range(0, len(keys), size):
                self._ask(client, source_id, "delete", {"ids": list(keys[start : start + size])})

    def drop(self, source_id: str) -> None:
        """Forget all vectors of a source."""
        from chromadb.errors import NotFoundError

        with self._reached() as client:
            self._collections.pop(source_id, None)
            with contextlib.suppress(NotFoundError):
                client.delete_collection(_name(source_id))

    def clean(self) -> None:
        """Leave nothing of what was dropped in the folder. What a server keeps is out of reach.

        Raises:
            SourceError: the folder could not be cleaned.
        """
        folder = folder_of(self._url)
        if folder is None or not (folder / "chroma.sqlite3").is_file():
            return
        self.close()
        # Another process, since Chroma's own SQLite has the file open in this one, and closing it would drop its locks.
        ran = subprocess.run(
            [sys.executable, "-I", "-c", _CLEAN, str(folder)], capture_output=True, text=True, timeout=CLEANING
        )
        if ran.returncode:
            told = ran.stderr.strip().rpartition("\n")[2]
            raise SourceError(f"Chroma at {self.place} could not be cleaned: {told}")

    def close(self) -> None:
        """Let go of the folder or the connection."""
        self._collections.clear()
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(Exception):
                client.close()

    def _ask(self, client: Any, source_id: str, method: str, arguments: Mapping[str, Any]) -> tuple[bool, Any]:
        """Whether a source has a collection (another thread or program may have dropped it), and what it answers."""
        from chromadb.errors import NotFoundError

        try:
            if source_id not in self._collections:
                found = client.get_collection(_name(source_id), embedding_function=None)
                self._collections[source_id] = found
            return True, getattr(self._collections[source_id], method)(**arguments)
        except (NotFoundError, KeyError):
            self._collections.pop(source_id, None)
            return False, None

    @contextlib.contextmanager
    def _reached(self) -> Iterator[Any]:
        """The client. Whatever it raises becomes one clear line."""
        try:
            with failures(self.place):
                with self._opening:
                    if self._client is None:
                        self._client = connect(self._url)
                yield self._client
        except SourceError:
            self._collections.clear()  # a collection may have been made anew
            if folder_of(self._url) is None:
                self._client = None
            raise


@contextlib.contextmanager
def failures(place: str) -> Iterator[None]:
    """Whatever Chroma raises becomes one clear line."""
    try:
        yield
    except MemGPTError:
        raise
    except Exception as error:  # its own errors, the HTTP client's, those of its Rust core: they share no base
        raise SourceError(f"Chroma at {place} failed: {' '.join(str(error).split())[:200]}") from error


def check_address(url: str) -> None:
    """Raises: ConfigError: another form of address; MissingDependency: the extra ``chroma`` is not installed."""
    parts = urlsplit(url)
    remote = parts.scheme in ("chroma+http", "chroma+https") and parts.hostname
    folder = parts.scheme == "chroma" and not parts.netloc and parts.path.startswith("/") and parts.path.strip("/")
    if not remote and not folder:
        raise ConfigError(f"Chroma is at {_FORMS}, not at {without_token(url)!r}.")
    if find_spec("chromadb") is None:
        raise MissingDependency("What is in Chroma needs chromadb.", "memgpt-autogen[chroma]")


def folder_of(url: str) -> Path | None:
    """The folder that an address names, if it names one."""
    parts = urlsplit(url)
    path = unquote(parts.path)
    if re.match(r"/[A-Za-z]:", path):  # Windows: chroma:///C:/folder
        path = path[1:]
    return Path(path) if parts.scheme == "chroma" else None


def connect(url: str) -> Any:
    """Chroma's client for an address that :func:`check_address` has passed; a folder is made if it is not there.

    Raises:
        SourceError: no server answers there.
    """
    import chromadb
    from chromadb.config import Settings

    settings = Settings(anonymized_telemetry=False)
    if folder := folder_of(url):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return chromadb.PersistentClient(str(folder), settings=settings)
    import httpx

    parts, secure = urlsplit(url), url.startswith("chroma+https")
    port = parts.port or (443 if secure else 8000)
    try:
        # Chroma's own client waits for ever.
        httpx.get(f"http{'s' * secure}://{parts.hostname}:{port}/api/v2/heartbeat", timeout=KNOCK).raise_for_status()
    except httpx.HTTPError as error:
        raise SourceError(
            f"Chroma at {without_token(url)} cannot be reached ({error}). Is it running (chroma run), is the address "
            "right?"
        ) from error
    query = parse_qs(parts.query)
    token = unquote(parts.username or "")
    client = chromadb.HttpClient(
        host=str(parts.hostname),
        port=port,
        ssl=secure,
        headers={"X-Chroma-Token": token} if token else None,
        settings=settings,
        **{key: query[key][0] for key in ("tenant", "database") if key in query},
    )
    session = getattr(getattr(client, "_server", None), "_session", None)
    if isinstance(session, httpx.Client):
        session.timeout = httpx.Timeout(TIMEOUT)
    return client


def _name(source_id: str) -> str:
    return f"memgpt-{source_id}"


def without_token(url: str) -> str:
    """An address as it may be seen."""
    token, at, _ = urlsplit(url).netloc.rpartition("@")
    return url.replace(f"//{token}{at}", "//", 1)
