"""A sign of life in the terminal while the user waits: what is being done, and for how long.

One spinner serves the program. It draws from a thread of its own, so that it moves whatever the program is doing, and
whoever writes to the terminal hides it first. Between lines it is a line of its own. In the middle of a line, where an
answer is being streamed, it is one character, shown once no more words have come for a moment.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

#: Seconds between two frames; until a spinner appears in a line that is being written; until the time is told.
_FRAME, _STALLED, _TOLD = 0.1, 0.4, 2.0
_FRAMES, _PLAIN_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "|/-\\"


class Activity:
    """The spinner.

    Attributes:
        column: where the cursor stands in a line that is being written; 0: at the start of one.
    """

    def __init__(self) -> None:
        self.column = 0
        self._lock = threading.RLock()
        self._labels: list[str] = []
        self._instead = ""  # of the innermost label, until something is written
        self._begun = self._written = 0.0
        self._drawn = False
        self._thread: threading.Thread | None = None

    @contextmanager
    def running(self, label: str) -> Iterator[None]:
        """Show the spinner while the block runs. Blocks may be nested; the innermost label is shown.

        Only where a rich terminal is; elsewhere nothing is drawn.
        """
        out = _console()
        if not out.is_terminal or out.is_dumb_terminal:
            yield
            return
        outer = len(self._labels)
        try:
            with self._lock:
                self._labels.append(label)
                self._begun = time.monotonic()
                self._draw(out)
                if self._thread is None:
                    self._thread = threading.Thread(target=self._spin, args=(out,), name="memgpt spinner", daemon=True)
                    self._thread.start()
            yield
        finally:
            with self._lock:
                self._erase(out)
                del self._labels[outer:]
                self._instead, self._begun = "", time.monotonic()

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Keep the spinner away while the block writes to the terminal or asks a question."""
        with self._lock:
            if self._drawn:
                self._erase(_console())
            self._instead = ""
            try:
                yield
            finally:
                self._begun = self._written = time.monotonic()

    def tell(self, what: str) -> None:
        """Show this in place of the label until something is written; empty: show the label again."""
        with self._lock:
            self._instead, self._begun = what, time.monotonic()

    def _spin(self, out: Console) -> None:
        while True:
            time.sleep(_FRAME)
            with self._lock:
                if not self._labels:
                    self._thread = None
                    return
                self._draw(out)

    def _draw(self, out: Console) -> None:
        from rich.text import Text

        now = time.monotonic()
        frames = _FRAMES if _can_show(_FRAMES) else _PLAIN_FRAMES
        frame = frames[int(now / _FRAME) % len(frames)]
        if self.column:
            if now - self._written >= _STALLED and self.column < out.width - 1:
                out.print(Text(frame, "dim"), end="")
                out.file.write("\b")
                self._drawn = True
        else:
            seconds = now - self._begun
            label = (self._instead or self._labels[-1]) + (f" {seconds:.0f} s" if seconds >= _TOLD else "")
            line = Text(f"{frame} {label}", "dim", no_wrap=True, overflow="crop")
            line.truncate(out.width - 1)
            _erase_line(out)
            out.print(line, end="", soft_wrap=True)
            self._drawn = True
        out.file.flush()

    def _erase(self, out: Console) -> None:
        if self._drawn:
            self._drawn = False
            if self.column:
                out.file.write(" \b")
            else:
                _erase_line(out)
            out.file.flush()


def _console() -> Console:
    from .safe_console import SafeConsole

    return SafeConsole(highlight=False, markup=False, emoji=False)


def _erase_line(out: Console) -> None:
    from rich.control import Control
    from rich.segment import ControlType

    out.control(Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2)))


def _can_show(text: str) -> bool:
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return False
    return True


#: The program's spinner.
ACTIVITY = Activity()
