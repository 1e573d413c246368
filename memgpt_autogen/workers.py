"""Threads that run turns for asynchronous callers.

Each call has a thread of its own while it runs, so that no agent waits for a slow model of another. Python runs one
thread at a time, so only a few of them compute at once, and the event loop gets its turn between them; who waits for a
model does not count.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")

#: Threads at once; a number that is not reached. Idle threads are used again.
MOST_THREADS = 10_000
#: Threads that compute at once, and seconds after which one goes on all the same: those before it may wait for it.
COMPUTING, PATIENCE = 2, 0.5

_threads = ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="memgpt")
_slots = threading.BoundedSemaphore(COMPUTING)


class _Slot:
    """The right of one thread to compute, where it has taken one."""

    def __init__(self) -> None:
        self._taken = False

    def take(self) -> None:
        """Wait for a slot, but not for ever."""
        self._taken = _slots.acquire(timeout=PATIENCE)

    def give_back(self) -> None:
        """Let another thread compute."""
        if self._taken:
            self._taken = False
            _slots.release()


_mine: ContextVar[_Slot | None] = ContextVar("memgpt_slot", default=None)


def run_in_thread(call: Callable[[], T], *, computes: bool = True) -> asyncio.Future[T]:
    """Run a call in a thread of its own, with a copy of the context; awaited in the running event loop.

    Args:
        call: runs a turn.
        computes: False: it only waits for another thread.
    """
    import asyncio

    run = functools.partial(copy_context().run, _in_a_slot, call) if computes else call
    return asyncio.get_running_loop().run_in_executor(_threads, run)


def _in_a_slot(call: Callable[[], T]) -> T:
    slot = _Slot()
    _mine.set(slot)
    slot.take()
    try:
        return call()
    finally:
        slot.give_back()


@contextmanager
def waiting() -> Iterator[None]:
    """Say that this thread waits for something, such as a model, and does not compute meanwhile."""
    slot = _mine.get()
    if slot is None:
        yield
        return
    slot.give_back()
    try:
        yield
    finally:
        slot.take()
