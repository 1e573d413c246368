"""Output and questions of the commands.

Text is wrapped to the terminal's width, and not wrapped if the output is piped. ``NO_COLOR`` is respected. A question
needs a terminal; without one the error names the flag that answers it. Ctrl-C and Ctrl-D at a question end the program
with "Stopped." and exit code 1.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..printable import printable
from ..redaction import redact
from .activity import ACTIVITY

if TYPE_CHECKING:
    from questionary import Question
    from rich.console import Console

#: The width below which a table would break words.
_NARROW = 60
#: Checks an answer: returns what is wrong with it, or None.
Check = Callable[[str], "str | None"]


def console(*, stderr: bool = False) -> Console:
    """A rich console on the current standard output, or standard error."""
    from .safe_console import SafeConsole

    made = SafeConsole(stderr=stderr, highlight=False, markup=False, emoji=False)
    made.soft_wrap = not made.is_terminal
    return made


def echo(text: str, *, err: bool = False) -> None:
    """Print a line without wrapping or colour, for other programs."""
    click.echo(printable(text), err=err)


def interactive() -> bool:
    """Whether questions can be asked: standard input and standard output are terminals."""
    return sys.stdin is not None and sys.stdout is not None and sys.stdin.isatty() and sys.stdout.isatty()


def debugging() -> bool:
    """Whether ``--debug`` was given, to the program or to a command."""
    context = click.get_current_context(silent=True)
    return bool(context and context.find_root().meta.get(__name__))


def set_debugging(context: click.Context, _: click.Parameter | None, value: bool) -> None:
    """The callback of every ``--debug``."""
    if value:
        context.find_root().meta[__name__] = True


# -- saying -----------------------------------------------------------------------------------------------------------


def say(text: str = "", style: str = "") -> None:
    """Print text on standard output, without rich markup."""
    with ACTIVITY.hidden():
        console().print(text, style=style or None)


def note(text: str, label: str = "Note", style: str = "yellow") -> None:
    """Print a remark on standard error, so that piped output stays clean."""
    from rich.text import Text

    with ACTIVITY.hidden():
        console(stderr=True).print(Text.assemble((f"{label}: ", f"bold {style}"), text))


def quoted(name: str) -> str:
    """A name quoted for a command line."""
    return name if re.fullmatch(r"[\w.-]+", name) else '"' + name.replace('"', '\\"') + '"'


def show_rows(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], *, as_json: bool = False) -> None:
    """Print rows as a table, as blocks on a narrow terminal, or tab-separated without a header if piped.

    Args:
        columns: the keys to show, in order; also the header.
        rows: key -> value.
        as_json: print every key of the rows as one JSON array instead.
    """
    if as_json:
        echo(json.dumps(list(rows), indent=2, ensure_ascii=False))
        return
    if not sys.stdout.isatty():
        for row in rows:
            echo("\t".join(" ".join(str(row.get(column, "")).split()) for column in columns))
        return
    from rich import box
    from rich.table import Table
    from rich.text import Text

    out = console()
    if out.width < _NARROW:
        for row in rows:
            out.print(Text(str(row.get(columns[0], "")), style="bold"))
            for column in columns[1:]:
                out.print(Text(f"  {column}: {row.get(column, '')}"))
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        numbers = all(isinstance(row.get(column), int) for row in rows)
        table.add_column(column, justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(str(row.get(column, ""))) for column in columns))
    out.print(table)


# -- asking -----------------------------------------------------------------------------------------------------------


def ask(question: str, *, flag: str, default: str = "", hidden: bool = False, check: Check | None = None) -> str:
    """A line of text.

    Args:
        question: ends in a question mark or colon.
        flag: the equivalent on the command line, named if there is no terminal.
        default: the answer of Enter alone.
        hidden: do not show what is typed.
        check: returns what is wrong with an answer; the question is repeated until it is None.

    Raises:
        click.UsageError: there is no terminal.
        click.Abort: Ctrl-C or Ctrl-D.
    """
    _need_terminal(question, flag)
    import questionary

    def valid(text: str) -> bool | str:
        wrong = check(text.strip()) if check else None
        return wrong or True

    kind = questionary.password if hidden else questionary.text
    return str(_answer(kind(printable(question), default=default, validate=valid, qmark="?"))).strip()


def choose(question: str, choices: Mapping[str, str], *, flag: str, default: str = "") -> str:
    """One of several, with the arrow keys.

    Args:
        question: ends in a question mark or colon.
        choices: returned value -> shown text (under 38 characters), in order.
        flag: the equivalent on the command line.
        default: the one selected at first.

    Raises:
        click.UsageError: there is no terminal.
        click.Abort: Ctrl-C or Ctrl-D.
    """
    _need_terminal(question, flag)
    import questionary

    rows = [questionary.Choice(printable(shown), value=value) for value, shown in choices.items()]
    first = next((row for row in rows if row.value == default), None)
    return str(_answer(questionary.select(printable(question), rows, default=first, qmark="?", instruction=" ")))


def confirm(question: str, *, flag: str = "--yes", default: bool = False) -> bool:
    """Yes or no: a key, then Enter, so that the rest of a typed word does not answer the next question.

    Raises:
        click.UsageError: there is no terminal.
        click.Abort: Ctrl-C or Ctrl-D.
    """
    _need_terminal(question, flag)
    import questionary

    return bool(_answer(questionary.confirm(printable(question), default=default, qmark="?", auto_enter=False)))


def _need_terminal(question: str, flag: str) -> None:
    if not interactive():
        raise click.UsageError(
            f"There is no terminal to ask on ({question.rstrip(':?')}). Say it on the command line, with {flag}.",
            click.get_current_context(silent=True),
        )


def _answer(question: Question) -> Any:
    bindings = question.application.key_bindings

    def stop(event: Any) -> None:
        event.app.exit(exception=EOFError)

    if bindings is not None and hasattr(bindings, "add"):
        bindings.add("c-d", eager=True)(stop)  # a list of choices does not know it
    try:
        with ACTIVITY.hidden():
            return question.unsafe_ask()
    except (KeyboardInterrupt, EOFError) as error:
        raise click.Abort from error


# -- what the core logs -----------------------------------------------------------------------------------------------


class Notes(logging.Handler):
    """Shows warnings of the log as notes on standard error; with ``--debug`` the whole log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Show one record."""
        try:
            if record.levelno >= logging.WARNING:
                note(redact(record.getMessage()))
            else:
                note(redact(record.getMessage()), label=record.name.rpartition(".")[2], style="cyan")
        except Exception:
            self.handleError(record)


def show_log(debug: bool) -> None:
    """Start showing the log."""
    logger = logging.getLogger("memgpt_autogen")
    if not any(isinstance(handler, Notes) for handler in logger.handlers):
        logger.addHandler(Notes())
    logger.setLevel(logging.DEBUG if debug else logging.WARNING)
    logger.propagate = debug
