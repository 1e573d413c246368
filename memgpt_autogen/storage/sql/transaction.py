"""The ``with`` block of a transaction."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager
from types import TracebackType


class Transaction(AbstractContextManager[None]):
    """Runs a span, and ends it also where an interrupt comes between its beginning and the body of the ``with``."""

    def __init__(self, span: Generator[None, None, None]) -> None:
        self._span = span

    def __enter__(self) -> None:
        try:
            next(self._span)
        except BaseException:
            self._span.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                next(self._span, None)
            else:
                self._span.throw(error)
        finally:
            self._span.close()
            error = None  # else a cycle keeps the frames, and with them open cursors, until it is collected
