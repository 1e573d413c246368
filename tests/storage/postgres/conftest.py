from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import pytest

from ...postgres import new_address

if TYPE_CHECKING:
    from memgpt_autogen.storage.postgres.store import PostgresStore

Open = Callable[..., "PostgresStore"]
if importlib.util.find_spec("psycopg") is None:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture
def address() -> str:
    """The address of a store that is not there yet."""
    return new_address()


@pytest.fixture
def opened(address: str) -> Iterator[Open]:
    """Opens that store, or another one."""
    from memgpt_autogen.storage.postgres.store import PostgresStore

    with ExitStack() as stack:

        def opened(where: str = address, **options: Any) -> PostgresStore:
            return stack.enter_context(closing(PostgresStore(where, **options)))

        yield opened


@pytest.fixture
def store(opened: Open) -> PostgresStore:
    return opened()


@pytest.fixture
def agent(store: PostgresStore) -> str:
    return store.agents.create("sam", {"name": "sam"}).id
