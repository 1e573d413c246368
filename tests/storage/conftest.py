"""The stores that the contract suite runs on: one row for each way to open one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from memgpt_autogen.storage.base import Store
from memgpt_autogen.storage.engines import engine_of

from ..postgres import new_address

Open = Callable[..., Store]
#: The address of a new store, given an empty folder. A new engine is a row here.
STORES: dict[str, Callable[[Path], str]] = {
    "sqlite-path": lambda folder: str(folder / "memgpt.db"),
    "sqlite-url": lambda folder: f"sqlite:///{folder / 'memgpt.db'}",
    "sqlite-memory": lambda folder: "sqlite:///:memory:",
    "postgres": lambda folder: new_address(),
}
#: Stores that end with the one who opened them.
ALONE = {"sqlite-memory"}


@pytest.fixture(params=STORES)
def again(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the store once more; the first call makes it."""
    address = STORES[request.param](tmp_path)
    twice = "again" in request.function.__code__.co_varnames
    if twice and request.param in ALONE:
        pytest.skip("it can be opened only once")
    with ExitStack() as stack:

        def opened(**options: Any) -> Store:
            return stack.enter_context(closing(engine_of(address).open(address, **options)))

        yield opened


@pytest.fixture
def store(again: Open) -> Store:
    return again()


@pytest.fixture
def agent(store: Store) -> str:
    return store.agents.create("sam", {"name": "sam"}).id
