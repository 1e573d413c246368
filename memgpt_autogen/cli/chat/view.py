"""Displays a chat: inner thoughts, function calls, their results and speech, each in its own style.

On a terminal: thoughts dim and italic after ``~``, calls coloured after ``->``, results after ``<-``, speech bright
after the agent's name; text appears as it is written. Elsewhere plain text with labels.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

from ...commands.formatting import call_line, cut
from ...events import render
from ...messages import SEND_MESSAGE
from ...observers import (
    AgentEvent,
    Discarded,
    EventReceived,
    Evicted,
    FunctionCalled,
    FunctionReturned,
    InnerThoughts,
    Said,
    SpeechDelta,
    ThoughtDelta,
)
from ...printable import one_line, printable
from ..activity import ACTIVITY
from ..console import console, note

#: Kind of line -> its prefix and style on a terminal, and its label elsewhere.
LOOKS = {
    "thought": ("~ ", "dim italic", "(thinks) "),
    "call": ("-> ", "cyan", "(calls) "),
    "result": ("<- ", "dim cyan", "(gets) "),
    "failure": ("! ", "yellow", "(fails) "),
    "event": ("* ", "dim", "(hears) "),
    "move": ("= ", "dim", "(moves) "),
}
SPEECH = "bold bright_white"


class View:
    """Draws one chat. An observer of the agent.

    Args:
        name: the agent's.
        fancy: draw for a terminal; else plain text.
        quiet: only speech, without the name.
        debug: also events, and results at full length.
    """

    def __init__(self, name: str, *, fancy: bool, quiet: bool = False, debug: bool = False) -> None:
        self.name, self.fancy, self._quiet, self._debug = one_line(name), fancy, quiet, debug
        self._open: tuple[str, int] | None = None  # what is being streamed
        self._column = 0
        self._word = ""
        self._streamed: list[str] = []  # the kinds that were streamed
        self._mutex = threading.RLock()

    # -- the observer ---------------------------------------------------------------------------------------------

    def watch(self, event: AgentEvent) -> None:
        """Draw one event of the agent."""
        with self._drawing():
            self._draw(event)

    def _draw(self, event: AgentEvent) -> None:
        match event:
            case ThoughtDelta(text, call):
                self._piece("thought", call, text)
            case SpeechDelta(text, call):
                self._piece("speech", call, text)
            case Discarded(why):
                self.finish()
                self._streamed.clear()
                self._line("failure", f"Taken back: {why}")
            case InnerThoughts(text):
                self.finish()
                if "thought" not in self._streamed:
                    self._line("thought", text)
                self._streamed = [kind for kind in self._streamed if kind != "thought"]
            case Said(text):
                self.finish()
                if "speech" in self._streamed:
                    self._streamed.remove("speech")
                else:
                    self.speech(text)
            case FunctionCalled(call, by_program) if call.name != SEND_MESSAGE:
                self.finish()
                self._line("call", call_line(call) + " (by the preset)" * by_program, short=True)
            case FunctionReturned(result) if result.name != SEND_MESSAGE or result.failed:
                self.finish()
                self._line("failure" if result.failed else "result", result.content, short=True)
            case EventReceived(message) if self._debug:
                self._line("event", render(message))
            case Evicted(messages):
                self._line("move", f"{messages} messages moved from view into recall memory.")

    def _piece(self, kind: str, call: int, text: str) -> None:
        if self._quiet and kind == "thought":
            return
        if self._open != (kind, call):
            self.finish()
            self._open = (kind, call)
            self._streamed.append(kind)
            self._begin(kind)
        self._write(text, SPEECH if kind == "speech" else LOOKS[kind][1])

    # -- lines ----------------------------------------------------------------------------------------------------

    def speech(self, text: str) -> None:
        """Draw a message of the agent."""
        self._begin("speech")
        self._write(text, SPEECH)
        self._end(SPEECH)

    def _line(self, kind: str, text: str, short: bool = False) -> None:
        if self._quiet or not text:
            return
        style = LOOKS[kind][1]
        if short and not self._debug:
            text = cut(text, self._width() - 4 if self.fancy else 500)
        self._begin(kind)
        self._write(text, style)
        self._end(style)

    def finish(self) -> None:
        """End the line that is being streamed, if any."""
        with self._drawing():
            if self._open:
                kind, _ = self._open
                self._open = None
                self._end(SPEECH if kind == "speech" else LOOKS[kind][1])

    def _begin(self, kind: str) -> None:
        if kind != "speech":
            mark = LOOKS[kind][0] if self.fancy else LOOKS[kind][2]
            self._put(mark, LOOKS[kind][1])
        elif not self._quiet:
            self._put(f"{self.name}: ", "bold green")

    def _write(self, text: str, style: str) -> None:
        """Write streamed text, wrapped between words although the rest is not known yet."""
        for character in printable(text):
            if character in " \n\t":
                self._flush(style)
                if character == "\n":
                    self._newline()
                elif self._column:
                    self._put(" ", style)
            else:
                self._word += character

    def _flush(self, style: str) -> None:
        from rich.cells import cell_len

        if self.fancy and self._column and self._column + cell_len(self._word) > self._width() - 1:
            self._newline()
        if self._word:
            self._put(self._word, style)
            self._word = ""

    def _end(self, style: str) -> None:
        self._flush(style)
        if self._column:
            self._newline()

    def _put(self, text: str, style: str) -> None:
        from rich.cells import cell_len
        from rich.text import Text

        if self.fancy:
            console().print(Text(text, style), end="", soft_wrap=True)
        else:
            sys.stdout.write(text)
        sys.stdout.flush()
        self._column += cell_len(text)

    def _newline(self) -> None:
        sys.stdout.write("\n")
        sys.stdout.flush()
        self._column = 0

    def _width(self) -> int:
        return console().width

    # -- beside the chat ------------------------------------------------------------------------------------------

    def tell(self, text: str, style: str = "", *, raw: bool = False) -> None:
        """Output of the program, such as a command's result; ``raw``: not wrapped."""
        with self._drawing():
            self.finish()
            console().print(text, style=style or None, soft_wrap=raw or None)

    def show_pairs(self, pairs: Sequence[tuple[str, str]], width: int) -> None:
        """Two columns, such as commands and descriptions; below each other on a narrow terminal."""
        narrow = self._width() < 2 * width
        for left, right in pairs:
            self.tell(f"{left}\n    {right}" if narrow else f"{left:<{width}}  {right}")

    def hint(self, text: str) -> None:
        """A dim remark, only on a terminal."""
        if self.fancy:
            self.tell(text, "dim")

    def error(self, text: str) -> None:
        """An error message, on standard error."""
        with self._drawing():
            self.finish()
            note(text, label="Error", style="red")

    @contextmanager
    def waiting(self, what: str = "") -> Iterator[None]:
        """Show a spinner, on a terminal, whenever nothing is being drawn; ``what``: else that the agent thinks."""
        label = f"{what or f'{self.name} is thinking'} (Ctrl-C stops)"
        with ACTIVITY.running(label) if self.fancy else nullcontext():
            try:
                yield
            finally:
                self.finish()
                self._streamed.clear()

    @contextmanager
    def _drawing(self) -> Iterator[None]:
        """Keep other threads and the spinner from drawing meanwhile."""
        with self._mutex, ACTIVITY.hidden():
            try:
                yield
            finally:
                ACTIVITY.column = self._column
