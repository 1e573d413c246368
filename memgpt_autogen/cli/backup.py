"""``memgpt backup``."""

from __future__ import annotations

from pathlib import Path

import click

from ..config import Settings
from ..errors import StoreError
from ..storage.engines import engine_of
from .console import confirm, say


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Overwrite an existing file.")
def backup(file: Path, yes: bool) -> None:
    """Copy the whole store into one file, as of this moment, while agents may be running.

    A store in PostgreSQL becomes an SQLite file: memgpt migrate-store FILE postgresql://... puts it back. To restore
    an SQLite store, stop all programs that use it, remove memgpt.db-wal and memgpt.db-shm beside memgpt.db in the home
    folder, and replace memgpt.db by the copy. It has no keys and no vectors that are kept in Chroma.
    """
    settings = Settings.load()
    address, engine = settings.database, engine_of(settings.database)
    if not engine.exists(address):
        raise StoreError(f"There is no store {settings.database} yet. Make an agent with: memgpt run")
    if file.exists() and not yes and not confirm(f"Write over {file}?"):
        return
    engine.backup(address, file)
    say(f"Written: {file}")
