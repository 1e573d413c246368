"""Threads of asynchronous callers: none waits for another, and few compute at once."""

from __future__ import annotations

import asyncio
import threading
import time

from memgpt_autogen import workers
from memgpt_autogen.workers import COMPUTING, run_in_thread, waiting


def test_forty_calls_that_wait_do_not_hold_up_another() -> None:
    released = threading.Event()

    def wait_for_the_last() -> None:
        with waiting():
            assert released.wait(30)

    async def all_at_once() -> None:
        slow = [run_in_thread(wait_for_the_last) for _ in range(40)]
        await run_in_thread(released.set)
        await asyncio.gather(*slow)

    asyncio.run(all_at_once())


def test_few_compute_at_once() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def compute() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1

    async def all_at_once() -> None:
        await asyncio.gather(*(run_in_thread(compute) for _ in range(12)))

    asyncio.run(all_at_once())
    assert most == COMPUTING


def test_who_computes_for_long_is_not_waited_for_for_ever() -> None:
    """Calls that hold every slot may wait for the very one that has none."""
    patience = workers.PATIENCE
    released = threading.Event()

    async def all_at_once() -> None:
        holding = [run_in_thread(lambda: released.wait(30)) for _ in range(COMPUTING)]
        await run_in_thread(released.set)
        assert all(await asyncio.gather(*holding))

    started = time.monotonic()
    asyncio.run(all_at_once())
    assert time.monotonic() - started < patience + 20


def test_an_error_gives_the_slot_back() -> None:
    async def fail() -> None:
        for _ in range(2 * COMPUTING):
            done = await asyncio.gather(run_in_thread(lambda: 1 // 0), return_exceptions=True)
            assert isinstance(done[0], ZeroDivisionError)

    asyncio.run(fail())
    assert workers._slots.acquire(blocking=False)
    workers._slots.release()
