"""How commands speak and ask.

Texts wrap to the terminal's width, however narrow, and are left whole where the output is piped. ``NO_COLOR`` is
respected. A question needs a terminal; without one, what is told is the flag that answers it. Ctrl-C and Ctrl-D at a
question end the program with "Stopped." and exit code 1.
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

if TYPE_CHECKING:
    from questionary import Question
    from rich.console import Console

#: Columns under which a table would break words.
_NARROW = 60
#: A question's answer is checked with one of these: what is wrong with it, or None.
Check = Callable[[str], "str | None"]


def console(*, stderr: bool = False) -> Console:
    """A rich console on the present standard output, or standard error."""
    from .safe_console import SafeConsole

    made = SafeConsole(stderr=stderr, highlight=False, markup=False, emoji=False)
    made.soft_wrap = not made.is_terminal
    return made


def echo(text: str, *, err: bool = False) -> None:
    """A line that is neither wrapped nor coloured, as other programs read it."""
    click.echo(printable(text), err=err)


def interactive() -> bool:
    """Whether somebody can be asked: both standard input and standard output are a terminal."""
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
    """A text on standard output; brackets in it are just brackets."""
    console().print(text, style=style or None)


def note(text: str, label: str = "Note", style: str = "yellow") -> None:
    """A remark on standard error, so that piped output stays clean."""
    from rich.text import Text

    console(stderr=True).print(Text.assemble((f"{label}: ", f"bold {style}"), text))


def quoted(name: str) -> str:
    """A name as it is typed in a command line."""
    return name if re.fullmatch(r"[\w.-]+", name) else '"' + name.replace('"', '\\"') + '"'


def show_rows(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], *, as_json: bool = False) -> None:
    """Rows as a table, one below the other on a narrow terminal; tab-separated without heads where output is piped.

    Args:
        columns: the keys to show, in order; they are the table's heads too.
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
        flag: how to say it on the command line, told where nobody can be asked.
        default: what Enter alone says.
        hidden: do not show what is typed.
        check: what is wrong with an answer; it is asked for again until that is None.

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
        choices: what is returned -> what is shown, in order. Keep the latter under 38 characters.
        flag: how to say it on the command line.
        default: the one that the cursor is on at first.

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
    """Yes or no: a key, then Enter, so that whoever types a word does not say its rest to what comes next.

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
        return question.unsafe_ask()
    except (KeyboardInterrupt, EOFError) as error:
        raise click.Abort from error


# -- what the core logs -----------------------------------------------------------------------------------------------


class Notes(logging.Handler):
    """Shows what the core warns of as notes on standard error; with ``--debug``, everything that it logs."""

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
    """Show what the core logs from now on."""
    logger = logging.getLogger("memgpt_autogen")
    if not any(isinstance(handler, Notes) for handler in logger.handlers):
        logger.addHandler(Notes())
    logger.setLevel(logging.DEBUG if debug else logging.WARNING)
    logger.propagate = debug
