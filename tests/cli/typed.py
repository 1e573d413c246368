"""A real terminal in which a program runs, and somebody who types into it and reads its screen."""

from __future__ import annotations

import os
import sys
import termios
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pexpect
import pyte

#: Lines that a screen keeps after they have scrolled away.
HISTORY = 1000
#: Seconds between two looks at what the program has drawn.
_LOOK = 0.2


class Terminal:
    """``memgpt`` with its arguments, in a terminal.

    Args:
        arguments: behind ``memgpt``.
        home: the home folder.
        environ: beside what is needed to run at all.
        columns, lines: the terminal's size.
        patience: seconds to wait for a text.
    """

    def __init__(
        self,
        *arguments: str,
        home: Path,
        environ: Mapping[str, str] | None = None,
        columns: int = 80,
        lines: int = 40,
        patience: float = 20.0,
    ) -> None:
        self._patience = patience
        #: The longest time in seconds in which nothing was drawn while something was waited for.
        self.silence = 0.0
        #: Whether the terminal shows what is typed, as a shell expects it; known at the end.
        self.echoes: bool | None = None
        self.screen = pyte.HistoryScreen(columns, lines, history=HISTORY)
        self._stream = pyte.Stream(self.screen)
        kept = {
            key: value for key, value in os.environ.items() if key in ("PATH", "PYTHONPATH", "HOME", "TMPDIR", "LANG")
        }
        given = {"MEMGPT_HOME": str(home), "TERM": "xterm-256color", "COLORTERM": "truecolor", **(environ or {})}
        self.child: Any = pexpect.spawn(
            sys.executable,
            ["-m", "memgpt_autogen.cli", *arguments],
            env={**kept, "PYTHONIOENCODING": "utf-8", "PROMPT_TOOLKIT_NO_CPR": "1", **given},
            encoding="utf-8",
            codec_errors="replace",
            dimensions=(lines, columns),
        )
        self.raw = ""

    @property
    def text(self) -> str:
        """All that was ever on the screen and is not overwritten, without the blanks at the ends of lines."""
        gone = ["".join(line[x].data for x in range(self.screen.columns)) for line in self.screen.history.top]
        return "\n".join(line.rstrip() for line in [*gone, *self.screen.display]).rstrip()

    @property
    def words(self) -> str:
        """The same with each break and indent as one blank: a narrow terminal breaks lines anywhere."""
        return " ".join(self.text.split())

    def see(self, text: str, *, times: int = 1) -> None:
        """Wait until a text is on the screen.

        Raises:
            AssertionError: it does not come; with the screen.
        """
        self._until(lambda: self.words.count(text) >= times, repr(text))

    def see_one_of(self, *texts: str) -> None:
        """Wait until one of these is on the screen."""
        self._until(lambda: any(text in self.words for text in texts), " or ".join(texts))

    def _until(self, there: Callable[[], bool], what: str) -> None:
        begun = drawn = time.monotonic()
        while not there():
            asked = time.monotonic()
            try:
                piece = self.child.read_nonblocking(65536, timeout=_LOOK)
            except pexpect.TIMEOUT:
                now = time.monotonic()
                assert now < begun + self._patience, f"{what} does not come:\n{self.text}"
                drawn += max(0.0, now - asked - _LOOK)  # time in which this process itself was not run
                continue
            except pexpect.EOF:
                assert there(), f"the program has ended before {what}:\n{self.text}"
                return
            self.silence = max(self.silence, time.monotonic() - drawn)
            drawn = time.monotonic()
            self.raw += piece
            self._stream.feed(piece)

    def type(self, text: str, then: str = "", *, times: int = 1) -> None:
        """Type a line at the chat's prompt, and wait for a text."""
        self._until(self._asked, "the prompt")
        before = len(self.raw)
        self.child.send(text + "\r")
        self._until(lambda: text[:2] in self.raw[before:], f"the echo of {text!r}")
        if then:
            self.see(then, times=times)

    def _asked(self) -> bool:
        line = self.screen.display[self.screen.cursor.y]
        return line.rstrip() in (">", ".") and self.screen.cursor.x == 2

    def press(self, key: str, then: str = "", *, busy: bool = False) -> None:
        """Press a control key, such as ``c``; at the prompt, unless ``busy``."""
        if not busy:
            self._until(self._asked, "the prompt")
        self.child.sendcontrol(key)
        if then:
            self.see(then)

    def end(self) -> int:
        """Wait for the program to end; its exit code."""
        try:
            self._until(lambda: False, "the end")
        except AssertionError:
            if self.child.isalive():
                raise
        modes = termios.tcgetattr(self.child.child_fd)[3]
        self.echoes = bool(modes & termios.ECHO and modes & termios.ICANON)
        self.child.close()
        return int(self.child.exitstatus if self.child.exitstatus is not None else -self.child.signalstatus)
