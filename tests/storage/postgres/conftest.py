from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from memgpt_autogen.storage.postgres.store import PostgresStore

from ...postgres import new_address

Open = Callable[..., PostgresStore]


@pytest.fixture
def address() -> str:
    """The address of a store that is not there yet."""
    return new_address()


@pytest.fixture
def opened(address: str) -> Iterator[Open]:
    """Opens that store, or another one."""
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
