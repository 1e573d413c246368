"""The input of a chat: a line editor with completion and history, or piped standard input."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from ...redaction import redact
from ..streams import standard_input

#: A line with only this starts and ends a message of several lines.
FENCE = "//"


class Reader(Protocol):
    """Reads the next message or command. ``attended``: a user is at the terminal."""

    attended: bool

    def read(self) -> str:
        """Raises: EOFError: end of input. KeyboardInterrupt: Ctrl-C."""
        ...


class Piped:
    """Lines of standard input."""

    attended = False

    def __init__(self) -> None:
        self._input = standard_input()

    def read(self) -> str:
        """The next message or command.

        Raises:
            EOFError: end of input.
        """
        return _whole(self._line)

    def _line(self) -> str:
        line = self._input.readline()
        if not line:
            raise EOFError
        return line.rstrip("\r\n")


class LineReader:
    """A line editor on the terminal.

    Args:
        history: the history file, of mode 0600 and without keys.
        complete: completions of a text that starts with ``/``.
    """

    attended = True

    def __init__(self, history: Path, complete: Callable[[str], Sequence[tuple[str, str]]]) -> None:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.completion import Completer, Completion
        from prompt_toolkit.completion.base import CompleteEvent
        from prompt_toolkit.document import Document
        from prompt_toolkit.history import FileHistory

        class Commands(Completer):
            def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
                text = document.text_before_cursor
                for whole, told in complete(text) if text.startswith("/") else ():
                    word = text.rpartition(" ")[2]
                    yield Completion(whole, start_position=-len(word), display_meta=told)

        class PrivateHistory(FileHistory):
            def store_string(self, string: str) -> None:
                if redact(string) == string:
                    super().store_string(string)

        os.close(os.open(history, os.O_CREAT | os.O_RDWR, 0o600))
        self._session: PromptSession[str] = PromptSession(
            history=PrivateHistory(str(history)),
            completer=Commands(),
            complete_while_typing=True,
            reserve_space_for_menu=4,
        )

    def read(self) -> str:
        """The next message or command.

        Raises:
            EOFError: Ctrl-D.
            KeyboardInterrupt: Ctrl-C.
        """
        from prompt_toolkit.patch_stdout import patch_stdout

        with patch_stdout(raw=True):  # output of a timed event appears above the prompt
            return _whole(self._session.prompt, "> ", ". ")


@contextmanager
def typing_kept() -> Iterator[None]:
    """Keep what is typed while the program is busy for the next prompt, and off the screen until then.

    The terminal would echo it into the output, and the prompt show it once more. Ctrl-C works as ever. Does nothing
    without a Unix terminal. SIGTERM ends the program through here, so that its shell gets a terminal that echoes.
    """
    try:
        import termios
    except ImportError:  # Windows, whose console echoes nothing that is not read
        yield
        return
    try:
        terminal = sys.stdin.fileno()
        before = termios.tcgetattr(terminal)
    except (OSError, ValueError, termios.error):
        yield
        return
    quiet = [*before]
    quiet[3] &= ~(termios.ECHO | termios.ICANON)
    quiet[6] = [*before[6]]
    quiet[6][termios.VMIN], quiet[6][termios.VTIME] = 1, 0
    termios.tcsetattr(terminal, termios.TCSANOW, quiet)
    ended = signal.getsignal(signal.SIGTERM)
    if ended is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSANOW, before)
        if ended is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, ended)


def _whole(line: Callable[..., str], *marks: str) -> str:
    """A line, or the lines between two lines of ``//``."""
    first = line(*marks[:1])
    if first.strip() != FENCE:
        return first.strip()
    lines: list[str] = []
    try:
        while (more := line(*marks[1:])).strip() != FENCE:
            lines.append(more)
    except EOFError:
        if not lines:
            raise
    return "\n".join(lines).strip()
