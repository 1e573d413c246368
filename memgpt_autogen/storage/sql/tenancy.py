"""Every call of a store is for one user: what is named by its id must be that user's."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from ...errors import AgentNotFound, StoreError
from .database import Database

T = TypeVar("T")

#: Arguments that name a row, and the table it is in.
_TABLES = {
    "agent_id": "agents",
    "block_id": "blocks",
    "source_id": "sources",
    "document_id": "documents",
    "conversation_id": "conversations",
}


def scoped(kind: type[T]) -> type[T]:
    """Have every public method of a class check that the ids it is given are of rows of its user.

    The class keeps its database in ``_db``.
    """
    for name in dir(kind):
        method = getattr(kind, name)
        if not name.startswith("_") and inspect.isfunction(method) and not hasattr(method, "__wrapped__"):
            places = [
                (place, parameter, _TABLES[parameter])
                for place, parameter in enumerate(inspect.signature(method).parameters)
                if parameter in _TABLES
            ]
            if places:
                setattr(kind, name, _checked(method, places))
    return kind


def _checked(method: Callable[..., Any], places: list[tuple[int, str, str]]) -> Callable[..., Any]:
    @wraps(method)
    def checked(self: Any, *args: Any, **named: Any) -> Any:
        for place, parameter, table in places:
            key = args[place - 1] if place <= len(args) else named.get(parameter)
            if key:
                check_owner(self._db, table, key)
        return method(self, *args, **named)

    return checked


def check_owner(database: Database, table: str, key: str) -> None:
    """See that a row is of the user of the database. Who it belongs to never changes, so each is looked up once.

    Raises:
        StoreError: it is another user's, or gone; of agents, AgentNotFound.
    """
    if (table, key) in database.owned:
        return
    if database.one(f"SELECT 1 FROM {table} WHERE id = ? AND user_id = ?", key, database.user_id) is None:
        what = table.rstrip("s")
        told = f"There is no {what} with the id {key!r}. It was deleted, or belongs to another user."
        raise AgentNotFound(told) if table == "agents" else StoreError(told)
    database.owned.add((table, key))
