"""Ctrl-C in the middle of an import takes effect when the import is done.

A module whose import was interrupted stays half loaded, and what uses it later fails with errors that make no sense.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_IMPORTING = "<frozen importlib"
#: Seconds until an interrupt that came during an import is delivered again.
_AGAIN = 0.02


@contextmanager
def interrupts_between_imports() -> Iterator[None]:
    """Have Ctrl-C raise ``KeyboardInterrupt`` only while no import is running in the main thread.

    Does nothing in another thread, or where somebody else handles the signal.
    """
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    above = frame
    while above is not None:
        if above.f_code.co_filename.startswith(_IMPORTING):
            again = threading.Timer(_AGAIN, _deliver, [number])
            again.daemon = True
            again.start()
            return
        above = above.f_back
    signal.default_int_handler(number, frame)


def _deliver(number: int) -> None:
    """Send the signal to the main thread, where it ends a wait such as ``time.sleep`` too."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, number)
    else:
        signal.raise_signal(number)
