"""One writer per agent: a thread lock within the process, a file lock between processes.

The file lock belongs to the operating system, so a killed process leaves nothing behind.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from ..errors import AgentBusy

_guard = threading.Lock()
_held: dict[str, _Held] = {}


class _Held:
    """The thread lock of one agent, and who has it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.thread: int | None = None


class _Turn:
    """One holding of an agent."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.over = False


#: The holdings that this code runs inside of. It goes along where a call is handed to another thread with its
#: context (as for AutoGen's async chats), where waiting for the lock would be waiting for oneself.
_inside: ContextVar[tuple[_Turn, ...]] = ContextVar("memgpt_turns", default=())


@contextmanager
def hold(scope: str, agent_id: str, folder: Path | None) -> Iterator[None]:
    """Hold an agent.

    Args:
        scope: the database, so that equal ids in two databases do not meet.
        agent_id: the agent.
        folder: where lock files stand; None for a store that only this process can see.

    Raises:
        AgentBusy: this very call stack holds it already, or another process does.
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
    with held.lock:
        held.thread = me
        turn = _Turn(key)
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
            held.thread = None
