"""One chat in the terminal: user input, the agent's turns, and timed events in between."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from ... import events
from ...agent.results import Turn
from ...errors import MemGPTError, ModelError
from ..console import debugging, note
from .input import Reader
from .view import View

if TYPE_CHECKING:
    from ...agent import Agent
    from ...client import MemGPT

#: Seconds to wait for a timed event's turn at the end of a chat. Completed steps are kept in any case.
TIMER_WAIT = 2.0
#: Words that, alone on a line, are meant for the program and not the agent.
LEAVING = ("exit", "quit")
_GREET = "A new chat begins, and nobody has spoken yet. Greet your user with send_message."


class Session:
    """A chat with one agent.

    Args:
        memgpt: the client.
        agent: the agent.
        view: draws the chat.
        reader: reads the input.
        command: runs a slash command.
        stream: show words as they are written.
        every: the interval of timed events; None: none.
        yes: ask no questions.

    Attributes:
        over: the chat should end.
        failed: the last turn ended in an error.
    """

    def __init__(
        self,
        memgpt: MemGPT,
        agent: Agent,
        view: View,
        reader: Reader,
        command: Callable[[Session, str], None],
        *,
        stream: bool = False,
        every: timedelta | None = None,
        yes: bool = False,
    ) -> None:
        self.memgpt, self.view, self.yes = memgpt, view, yes
        self.over = self.failed = False
        self.stream, self._reader, self._command, self._every = stream, reader, command, every
        self._turn = threading.Lock()  # one turn is drawn at a time
        self._closing = threading.Event()
        self.go_on_with(agent)

    def go_on_with(self, agent: Agent) -> None:
        """Continue with this agent, which was opened again."""
        with self._turn:
            self.agent = agent
            agent.observers.append(self.view.watch)

    def greet(self) -> None:
        """Have the agent speak first."""
        self.turn(
            lambda: self.agent.run([events.login(None), events.heartbeat(_GREET)], must_speak=True, stream=self.stream)
        )

    def resume(self) -> None:
        """Tell the agent that its user is back, without a turn."""
        (last,) = self.agent.store.log.tail(self.agent.id, 1) or (None,)
        if last and (last.kind != "login" or last.answered):
            self.agent.hear([events.login(last.created_at)])

    def loop(self) -> None:
        """Talk until the user ends it."""
        timer = threading.Thread(target=self._tick, name="memgpt timer", daemon=True)
        if self._every:
            timer.start()
        asked = False
        try:
            while not self.over:
                text = ""
                try:
                    text = self._reader.read()
                    asked = False
                    if text:
                        self.take(text)
                except (KeyboardInterrupt, click.Abort):
                    if not self._reader.attended:
                        raise
                    if asked:
                        return
                    asked = not text
                    self.view.hint("Ctrl-C once more, or Ctrl-D, ends the chat." if asked else "Stopped.")
                except EOFError:
                    return
        finally:
            self._closing.set()
            if timer.is_alive():
                timer.join(TIMER_WAIT)

    def take(self, text: str) -> None:
        """Handle input: a slash command, or a message to the agent."""
        if text.startswith("/"):
            with _Errors(self), self.view.waiting(text):
                self._command(self, text)
        elif text.casefold() in LEAVING:
            note(f"/exit ends the chat. Nothing was said to {self.agent.name}.")
        else:
            self.turn(lambda: self.agent.run([events.user_message(text)], stream=self.stream))

    def turn(self, run: Callable[[], Turn]) -> None:
        """Run a turn and draw it. Ctrl-C stops it; the message then stays unanswered until the next turn."""
        with _Errors(self, " What you said is kept; /retry asks once more."), self._turn:
            try:
                with self.view.waiting():
                    run()
            except KeyboardInterrupt:
                if not self._reader.attended:
                    raise
                self.view.tell(
                    "Stopped. What you said is kept, and is answered with your next message, or by /retry.", "yellow"
                )

    def _tick(self) -> None:
        assert self._every is not None
        seconds = self._every.total_seconds()
        while not self._closing.wait(seconds):
            with _Errors(self), self._turn:
                if not self._closing.is_set():
                    self.agent.run([events.timer(f"every {told(self._every)}")])
                    self.view.finish()


class _Errors:
    """Shows an error of the package as one sentence and continues. ``kept`` is added if the model failed."""

    def __init__(self, session: Session, kept: str = "") -> None:
        self._session, self._kept = session, kept

    def __enter__(self) -> None:
        self._session.failed = False

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, MemGPTError):
            return False
        self._session.failed = True
        if debugging():
            import traceback

            self._session.view.tell("".join(traceback.format_exception(error)), "dim")
        with suppress(BrokenPipeError):
            self._session.view.error(f"{error}{self._kept if isinstance(error, ModelError) else ''}")
        return True


def told(span: timedelta) -> str:
    """A span of time in words: ``90s``, ``10m``, ``2h``."""
    seconds = int(span.total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds % size == 0 and seconds:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
