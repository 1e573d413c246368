"""Errors raised right before or right after a statement of SQLite, wherever it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest

from memgpt_autogen.storage.sqlite import SQLiteStore

When = Literal["before", "after"]
WHENS: tuple[When, When] = ("before", "after")


class Faults:
    """Counts the statements of every connection that is opened meanwhile, and raises at one of them."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self._at: tuple[int, When, type[BaseException]] | None = None

    def set(self, number: int, when: When, error: type[BaseException]) -> None:
        """Raise at the statement of this number, counted from now."""
        self.statements.clear()
        self._at = number, when, error

    def clear(self) -> None:
        self.statements.clear()
        self._at = None

    def reached(self, when: When) -> None:
        at = self._at
        if at and at[:2] == (len(self.statements), when):
            self._at = None
            raise at[2](f"{when} {self.statements[-1]}")


@contextmanager
def raising(monkeypatch: pytest.MonkeyPatch) -> Iterator[Faults]:
    """Have every connection to a file made inside report to the faults."""
    faults, connect = Faults(), sqlite3.connect

    class Connection(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            faults.statements.append(sql)
            faults.reached("before")
            cursor = super().execute(sql, *values)
            faults.reached("after")
            return cursor

    def opened(path: Any, *args: Any, **options: Any) -> sqlite3.Connection:
        return connect(path, *args, **options) if path == ":memory:" else connect(path, factory=Connection, **options)

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", opened)
        yield faults


def assert_clean(store: SQLiteStore) -> None:
    """The connection is outside of any transaction, and another can write at once."""
    database = store._database
    assert not database._connection.in_transaction and not database.in_transaction
    with sqlite3.connect(database.path, timeout=0, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
    other.close()


def at_each_statement(
    faults: Faults, action: Callable[[], object], every: int = 1, most: int = 500
) -> Iterator[tuple[str, str]]:
    """Run an action once for each of its statements, before and after it, each time with an error there.

    Args:
        faults: raise the errors.
        action: what is done each time.
        every: 1: at each statement; an odd number: at every so manieth, others before than after.
        most: statements that the action may have.

    Yields after each run: the statement, and the error (empty: none came out of the action). The caller checks, and
    makes ready what the next run needs. Ends when a run has fewer statements than the number that is next.
    """
    for first, when in enumerate(WHENS, 1):
        for number in range(min(first, every), most, every):
            error = KeyboardInterrupt if number % 2 else sqlite3.OperationalError
            faults.set(number, when, error)
            raised = ""
            try:
                action()
            except BaseException as caught:
                raised = type(caught).__name__
            done, statement = len(faults.statements), faults.statements[min(number, len(faults.statements)) - 1]
            faults.clear()
            if done < number:
                assert not raised
                break
            yield f"{error.__name__} {when} {statement}", raised
        else:
            pytest.fail(f"more than {most} statements")
