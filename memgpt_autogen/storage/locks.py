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
from typing import TYPE_CHECKING

from ..errors import AgentBusy, StoreError
from ..workers import waiting
from .files import tighten

if TYPE_CHECKING:
    from filelock import BaseFileLock

_guard = threading.Lock()
_held: dict[str, _Held] = {}

#: Seconds that a turn may be inside one function while another thread waits for the agent. A thread that was started
#: since then is likely the function's own, which then waits for itself; any other is given time.
WAIT_OF_NEW_THREADS, WAIT_OF_OTHERS = 10.0, 600.0


class _Held:
    """The thread lock of one agent, and who has it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # one that knows its owner: an interrupt may come right after it was taken
        self.thread: int | None = None
        self.turn: _Turn | None = None
        self.file: BaseFileLock | None = None  # kept, because making one costs more than taking it

    def wait(self, patiently: bool = True) -> None:
        """Take the lock.

        Raises:
            AgentBusy: the turn that has it is stuck in a function, which may well wait for this very thread; or any
                turn has it, if not ``patiently``.
        """
        while not self._lock.acquire(timeout=0.1 if patiently else 0):
            if not patiently:
                raise AgentBusy("This agent is in the middle of a turn in another thread. Wait for that turn to end.")
            running = self.turn.function if self.turn else None
            if running and time.monotonic() - running.since > running.longest_wait(threading.get_ident()):
                raise AgentBusy(
                    f"This agent is in the middle of a turn: its function {running.name} has been running for "
                    f"{time.monotonic() - running.since:.0f} seconds. If that function asks the agent itself for "
                    "something, give it an agent of its own; else try again when it is done."
                )

    def let_go(self) -> None:
        """Release the lock if this thread has it."""
        if getattr(self._lock, "_is_owned")():  # noqa: B009 - as threading.Condition asks; typeshed does not know it
            self.thread = self.turn = None
            self._lock.release()


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

    def longest_wait(self, thread: int) -> float:
        """Seconds that a thread waits for the agent."""
        return WAIT_OF_OTHERS if thread in self._threads else WAIT_OF_NEW_THREADS


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
def hold(scope: str, agent_id: str, folder: Path | None, wait: float = 0.0, *, patient: bool = True) -> Iterator[None]:
    """Hold an agent.

    Args:
        scope: the database, so that equal ids in two databases do not meet.
        agent_id: the agent.
        folder: where lock files stand; None for a store that only this process can see.
        wait: seconds to wait for another process.
        patient: wait for another thread of this process; else it counts as busy.

    Raises:
        AgentBusy: this very call stack holds it already, or another process does; or the thread that holds it is stuck
            in a function.
    """
    key = f"{scope}\n{agent_id}"
    with _guard:
        held = _held.setdefault(key, _Held())
    me = threading.get_ident()
    if held.thread == me or any(turn.key == key and not turn.over for turn in _inside.get()):
        raise AgentBusy(
            "This agent is in the middle of a turn, and a nested chat or a tool has asked it for another. "
            "Give the inner chat an agent of its own."
        )
    turn = _Turn(key)
    inside = _inside.get()
    try:
        with waiting():
            held.wait(patient)
        held.thread, held.turn = me, turn
        _inside.set((*inside, turn))
        if folder is None:
            yield
        else:
            with _file_lock(held, folder, hashlib.sha256(key.encode()).hexdigest()[:16], wait):
                yield
    finally:
        turn.over = True
        _inside.set(inside)
        held.let_go()


def busy_elsewhere(waited: float) -> AgentBusy:
    """The error where another process holds an agent, after so many seconds of waiting."""
    told = f" (waited {waited:g} s for it)" if waited else ""
    return AgentBusy(
        f"This agent is in the middle of a turn in another process{told}. Wait for that turn to end, "
        "or stop that process, and try again."
    )


@contextmanager
def _file_lock(held: _Held, folder: Path, name: str, wait: float) -> Iterator[None]:
    """Keep other processes out.

    Raises:
        AgentBusy: another process has it.
        StoreError: the folder cannot be written.
    """
    path = folder / f"{name}.lock"
    lock = held.file = held.file or _new_file_lock(path)
    tighten(path)
    try:
        try:
            with waiting():
                lock.acquire(timeout=wait)
        except TimeoutError as error:  # filelock's own is one
            raise busy_elsewhere(wait) from error
        except OSError as error:
            raise _not_writable(lock.lock_file, error) from error
        yield
    finally:
        lock.release()  # does nothing where it was not taken


def _new_file_lock(path: Path) -> BaseFileLock:
    """A lock file in a folder that is there, for this user alone.

    Raises:
        StoreError: the folder cannot be written.
    """
    from filelock import FileLock

    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise _not_writable(path, error) from error
    return FileLock(path, mode=0o600)


def _not_writable(path: str | Path, error: OSError) -> StoreError:
    return StoreError(
        f"Cannot write the lock file {path}: {error.strerror}. Fix the permissions of that folder, "
        "or set MEMGPT_HOME to a folder that you may write to."
    )
