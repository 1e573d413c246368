"""Values that can be stored; rows that make no sense or break a constraint, as errors of the store."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from ...errors import StoreError
from ...events import clean

P = ParamSpec("P")
T = TypeVar("T")

#: What to do about a damaged database.
DAMAGED = (
    'The file is damaged. "memgpt doctor" says what is wrong, "memgpt doctor --repair" saves what can be read; or '
    "restore a backup."
)


class Duplicate(StoreError):
    """A row breaks a constraint: mostly there is another one of its name."""


def storable(value: Any) -> Any:
    """A value as a database can hold it: text without lone surrogates and NUL, whatever door it came in by."""
    if not isinstance(value, str) or (value.isascii() and "\0" not in value):
        return value
    return clean(value)


def reading_rows(convert: Callable[P, T]) -> Callable[P, T]:
    """Have what makes values of rows say so where a row makes no sense, as in a damaged file."""

    @wraps(convert)
    def converted(*args: P.args, **named: P.kwargs) -> T:
        try:
            return convert(*args, **named)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise StoreError(f"A row of the database makes no sense: {error}. {DAMAGED}") from error

    return converted
