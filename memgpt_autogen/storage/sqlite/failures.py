"""What SQLite raises, as errors of the store that say what to do."""

from __future__ import annotations

import sqlite3

from ..sql.rows import DAMAGED

#: What SQLite's module raises, also where a message of its own or a text cannot be decoded.
FAILURES = (sqlite3.Error, OverflowError, UnicodeError)


#: What to do where a file cannot be written.
READ_ONLY = "Fix the permissions of the file and of its folder, or set MEMGPT_HOME to a folder that you may write to."
_ADVICE = (
    ("full", "The disk is full: make room and try again; nothing of this step was written."),
    ("locked", "Another process is writing to it for a long time: close that one and try again."),
    ("readonly", READ_ONLY),
    ("unable to open", READ_ONLY),
    ("malformed", DAMAGED),
    ("corrupt", DAMAGED),
    ("UTF-8 column", DAMAGED),
    ("can't decode", DAMAGED),
    ("can't encode", "A text holds half of a character (a surrogate): leave it out."),
    ("not a database", f"{DAMAGED} If it is a file of another kind, move it away, or set MEMGPT_HOME."),
    ("closed database", "Open the store anew."),
    ("FOREIGN KEY", "What it belongs to was deleted meanwhile, perhaps by another program."),
    ("user-defined function", "It was interrupted, and nothing of this step was written. Try again."),
    ("disk I/O", "The disk does not answer as it should: check it, and make a copy of the folder."),
)


def advice(error: Exception) -> str:
    """What to do about an error of SQLite, in a sentence or two."""
    text = str(error)
    return next((advice for sign, advice in _ADVICE if sign in text), "Nothing of this step was written.")
