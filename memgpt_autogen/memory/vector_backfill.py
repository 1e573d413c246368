"""Computes the vectors of texts after they were written: in the foreground with progress, or in a background thread.

Texts are found by full text search as soon as they are written. Vectors follow in batches; each is embedded without
holding the store and written in one short transaction. Whenever a backfill is interrupted, its finished batches stay,
and the next one continues from there.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from ..embeddings.base import Embedder
from ..errors import MemGPTError, SourceError
from ..messages import Message
from ..storage.base import Store
from ..storage.records import Passage, Progress

logger = logging.getLogger(__name__)

T = TypeVar("T", Message, Passage)

#: Texts in the first batch, and at most. A batch that takes longer than SLOW seconds is followed by a smaller one, so
#: that stopping never takes long.
FIRST_BATCH, LARGEST_BATCH, SLOW = 16, 256, 0.5
#: Seconds to wait for the current batch when stopping; longest pause between two batches.
STOP_SECONDS, MAX_PAUSE = 5.0, 0.25


def backfill(
    store: Store,
    embedder: Embedder,
    source_id: str | None = None,
    *,
    progress: Progress | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> int:
    """Compute the missing vectors of a source, or of all sources that agents share.

        with bar: backfill(memgpt.store, memgpt.embedder, source.id, progress=lambda done, total: bar.update(...))

    Sources of another embedder are left as they are.

    Args:
        store: where the passages are.
        embedder: makes the vectors.
        source_id: None: all sources.
        progress: called with ``(done, total)`` before the first batch and after each; not if there is nothing to do.
        stop: called between batches; True ends the backfill.

    Returns:
        How many passages got a vector.

    Raises:
        SourceError: the embedder cannot be reached or refused.
    """
    passages = store.passages
    passages.settle(source_id, stop=stop)
    total = passages.waiting(embedder.name, source_id) if progress else 0
    if progress and not total:
        return 0
    done, size, last = 0, FIRST_BATCH, ""
    if progress:
        progress(0, total)
    while not stop() and (batch := passages.backlog(embedder.name, size, source_id, after=last)):
        took = embed_batch(embedder, batch, text_of, passages.put_vectors)
        done, last, size = done + len(batch), batch[-1].id, _next_size(size, took)
        if progress:
            progress(done, max(total, done))
    return done


def backfill_agent(store: Store, embedder: Embedder, agent_id: str, stop: Callable[[], bool] = lambda: False) -> None:
    """Compute the missing vectors of an agent's messages, notes and attached sources.

    Raises:
        SourceError: the embedder cannot be reached or refused.
    """
    log, passages = store.log, store.passages
    _fill(log.without_vectors, agent_id, embedder, spoken, partial(log.put_vectors, agent_id), stop)
    _fill(passages.without_vectors, agent_id, embedder, text_of, passages.put_vectors, stop)


def _fill(
    missing: Callable[[str, int, str], Sequence[T]],
    agent_id: str,
    embedder: Embedder,
    text: Callable[[T], str],
    put: Callable[..., None],
    stop: Callable[[], bool],
) -> None:
    size, last = FIRST_BATCH, ""
    while not stop() and (batch := missing(agent_id, size, embedder.name)) and batch[-1].id != last:
        last = batch[-1].id  # seen again if the store refused its vector because another embedder was first
        size = _next_size(size, embed_batch(embedder, batch, text, put))


def spoken(message: Message) -> str:
    """The text of a message that is embedded."""
    return f"{message.author}: {message.text}" if message.author else message.text


def text_of(passage: Passage) -> str:
    """The text of a passage that is embedded."""
    return passage.text


def embed_batch(embedder: Embedder, batch: Sequence[T], text: Callable[[T], str], put: Callable[..., None]) -> float:
    """Embed and write a batch; returns the seconds it took."""
    started = time.monotonic()
    vectors = embedder.embed([text(one) for one in batch])
    put(embedder.name, [one.id for one in batch], vectors)
    return time.monotonic() - started


def _next_size(size: int, took: float) -> int:
    return min(2 * size, LARGEST_BATCH) if took < SLOW / 2 else max(1, size // 2) if took > SLOW else size


class _Backfill(threading.Thread):
    """Computes the backlog, then ends. It pauses as long as it works, so that turns get the processor."""

    def __init__(self, store: Store, embedder: Embedder) -> None:
        super().__init__(name="memgpt-backlog", daemon=True)
        self.store, self._embedder = store, embedder
        self.agents: set[str] = set()
        self.more = True
        self._stopping = threading.Event()
        self._since = time.monotonic()

    def run(self) -> None:
        try:
            while not self._stopping.is_set():
                with _guard:
                    if not self.more:
                        _running.pop(_key(self.store, self._embedder), None)
                        return
                    self.more, agents = False, sorted(self.agents)
                reached = self._settle()
                for agent_id in agents:
                    backfill_agent(self.store, self._embedder, agent_id, self._pause)
                if reached:
                    backfill(self.store, self._embedder, stop=self._pause)
        except Exception as error:  # nobody could catch it; the next search tries again
            if not self._stopping.is_set():
                level = logging.WARNING if isinstance(error, MemGPTError) else logging.ERROR
                logger.log(level, "Only full text search works for now: %s", error)
        with _guard:
            _running.pop(_key(self.store, self._embedder), None)

    def _settle(self) -> bool:
        """Synchronise the database with the vector index; whether the index can be reached."""
        try:
            self.store.passages.settle(stop=self._pause)
        except SourceError:
            return False  # logged before
        return True

    def _pause(self) -> bool:
        """Pause for a moment; whether to stop."""
        stopped = self._stopping.wait(min(time.monotonic() - self._since, MAX_PAUSE))
        self._since = time.monotonic()
        return stopped

    def stop(self) -> None:
        """End after the current batch."""
        self._stopping.set()
        if self is not threading.current_thread():
            self.join(STOP_SECONDS)


_guard = threading.Lock()
_running: dict[tuple[int, str], _Backfill] = {}


def backfill_in_background(store: Store, embedder: Embedder, agent_id: str = "") -> None:
    """Compute the missing vectors of all shared sources, and of an agent's notes and messages, in a thread that ends
    when done.

    Returns at once. A thread that already runs checks once more before it ends.
    """
    with _guard:
        filling = _running.get(_key(store, embedder))
        new = filling is None or not filling.is_alive()
        if filling is None or new:
            filling = _running[_key(store, embedder)] = _Backfill(store, embedder)
        filling.more = True
        if agent_id:
            filling.agents.add(agent_id)
        if new:
            filling.start()


def stop_backfill(store: Store | None = None) -> None:
    """Stop the threads of a store (None: of every store) after their current batches, before it is closed."""
    with _guard:
        threads = [one for one in _running.values() if store is None or one.store is store]
    for thread in threads:
        thread.stop()


def _key(store: Store, embedder: Embedder) -> tuple[int, str]:
    return id(store), embedder.name


# A thread that embeds while the interpreter shuts down would crash it.
atexit.register(stop_backfill)
