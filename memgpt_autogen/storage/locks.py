"""One writer per agent: a thread lock within the process, a file lock between processes.

The file lock belongs to the operating system, so a killed process leaves nothing behind.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from ..errors import AgentBusy

_guard = threading.Lock()
_held: dict[str, _Held] = {}

#: Seconds that a turn may be inside one function while another thread waits for the agent. A thread that was started
#: since then is likely the function's own, which then waits for itself; any other is given time.
PATIENCE_OWN, PATIENCE = 10.0, 600.0


class _Held:
    """The thread lock of one agent, and who has it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.thread: int | None = None
        self.turn: _Turn | None = None

    def wait(self) -> None:
        """Take the lock.

        Raises:
            AgentBusy: the turn that has it is stuck in a function, which may well wait for this very thread.
        """
        while not self.lock.acquire(timeout=0.1):
            running = self.turn.function if self.turn else None
            if running and time.monotonic() - running.since > running.patience(threading.get_ident()):
                raise AgentBusy(
                    f"This agent is in the middle of a turn: its function {running.name} has been running for "
                    f"{time.monotonic() - running.since:.0f} seconds. If that function asks the agent itself for "
                    "something, give it an agent of its own; else try again when it is done."
                )


class _Turn:
    """One holding of an agent."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.over = False
        self.function: _Running | None = None


class _Running:
    """A function that runs inside a turn."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.since = time.monotonic()
        self._threads = {thread.ident for thread in threading.enumerate()}

    def patience(self, thread: int) -> float:
        return PATIENCE if thread in self._threads else PATIENCE_OWN


#: The holdings that this code runs inside of. It goes along where a call is handed to another thread with its
#: context (as for AutoGen's async chats), where waiting for the lock would be waiting for oneself.
_inside: ContextVar[tuple[_Turn, ...]] = ContextVar("memgpt_turns", default=())


@contextmanager
def running(name: str) -> Iterator[None]:
    """Say that the turn this code runs inside of is busy with a function of the user's."""
    turns = _inside.get()
    if not turns:
        yield
        return
    turns[-1].function = _Running(name)
    try:
        yield
    finally:
        turns[-1].function = None


@contextmanager
def hold(scope: str, agent_id: str, folder: Path | None) -> Iterator[None]:
    """Hold an agent.

    Args:
        scope: the database, so that equal ids in two databases do not meet.
        agent_id: the agent.
        folder: where lock files stand; None for a store that only this process can see.

    Raises:
        AgentBusy: this very call stack holds it already, or another process does; or the thread that holds it is stuck
            in a function.
    """
    from filelock import FileLock, Timeout

    key = f"{scope}\n{agent_id}"
    with _guard:
        held = _held.setdefault(key, _Held())
    me = threading.get_ident()
    if held.thread == me or any(turn.key == key and not turn.over for turn in _inside.get()):
        raise AgentBusy(
            "This agent is in the middle of a turn, and a nested chat or a tool has asked it for another. "
            "Give the inner chat an agent of its own."
        )
    held.wait()
    try:
        held.thread = me
        turn = held.turn = _Turn(key)
        before = _inside.set((*_inside.get(), turn))
        try:
            if folder is None:
                yield
                return
            folder.mkdir(parents=True, exist_ok=True)
            name = hashlib.sha256(key.encode()).hexdigest()[:16]
            lock = FileLock(folder / f"{name}.lock", mode=0o600)
            try:
                lock.acquire(timeout=0)
            except Timeout as error:
                raise AgentBusy(
                    "This agent is in the middle of a turn in another process. Wait for that turn to end, "
                    "or stop that process, and try again."
                ) from error
            try:
                yield
            finally:
                lock.release()
        finally:
            turn.over = True
            _inside.reset(before)
            held.thread = held.turn = None
    finally:
        held.lock.release()
