"""What SQLite raises, as errors of the store that say what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from ...errors import StoreError

P = ParamSpec("P")
T = TypeVar("T")

#: What SQLite's module raises, also where a message of its own or a text cannot be decoded.
FAILURES = (sqlite3.Error, OverflowError, UnicodeError)


class Duplicate(StoreError):
    """A row breaks a constraint: mostly there is another one of its name."""


#: What to do where a file cannot be written.
READ_ONLY = "Fix the permissions of the file and of its folder, or set MEMGPT_HOME to a folder that you may write to."
_DAMAGED = (
    'The file is damaged. "memgpt doctor" says what is wrong, "memgpt doctor --repair" saves what can be read; or '
    "restore a backup."
)
_ADVICE = (
    ("full", "The disk is full: make room and try again; nothing of this step was written."),
    ("locked", "Another process is writing to it for a long time: close that one and try again."),
    ("readonly", READ_ONLY),
    ("unable to open", READ_ONLY),
    ("malformed", _DAMAGED),
    ("corrupt", _DAMAGED),
    ("UTF-8 column", _DAMAGED),
    ("can't decode", _DAMAGED),
    ("can't encode", "A text holds half of a character (a surrogate): leave it out."),
    ("not a database", f"{_DAMAGED} If it is a file of another kind, move it away, or set MEMGPT_HOME."),
    ("closed database", "Open the store anew."),
    ("FOREIGN KEY", "What it belongs to was deleted meanwhile, perhaps by another program."),
    ("user-defined function", "It was interrupted, and nothing of this step was written. Try again."),
    ("disk I/O", "The disk does not answer as it should: check it, and make a copy of the folder."),
)


def reading_rows(convert: Callable[P, T]) -> Callable[P, T]:
    """Have what makes values of rows say so where a row makes no sense, as in a damaged file."""

    @wraps(convert)
    def converted(*args: P.args, **named: P.kwargs) -> T:
        try:
            return convert(*args, **named)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise StoreError(f"A row of the database makes no sense: {error}. {_DAMAGED}") from error

    return converted


def advice(error: Exception) -> str:
    """What to do about an error of SQLite, in a sentence or two."""
    text = str(error)
    return next((advice for sign, advice in _ADVICE if sign in text), "Nothing of this step was written.")
