"""The table of stores: which engine keeps a store of an address. A new engine is a folder and a row."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import cast

from ..errors import ConfigError
from .base import Engine

#: The scheme of an address, and its engine as ``module:name`` in this folder. The path of a file has no scheme.
ENGINES: Mapping[str, str] = {
    "": "sqlite.engine:SQLiteEngine",
    "sqlite": "sqlite.engine:SQLiteEngine",
    "postgresql": "postgres.engine:PostgresEngine",
    "postgres": "postgres.engine:PostgresEngine",
}
#: The address of a store in memory, which ends with its process.
IN_MEMORY = "sqlite:///:memory:"


def engine_of(address: str | Path) -> Engine:
    """The engine of an address: the path of an SQLite file, or ``SCHEME://...`` with a scheme of the table.

    Raises:
        ConfigError: an unknown scheme; the message names those there are.
    """
    scheme, there, _ = str(address).partition("://")
    row = ENGINES.get(scheme.lower() if there else "")
    if row is None:
        known = ", ".join(f"{name}://" for name in ENGINES if name)
        raise ConfigError(f"No store is kept at an address that begins with {scheme}://. Known: a path, {known}.")
    module, _, name = row.partition(":")
    return cast(Engine, getattr(import_module(f".{module}", __package__), name)())
