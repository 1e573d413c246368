"""``memgpt backup``."""

from __future__ import annotations

from pathlib import Path

import click

from ..config import Settings
from ..errors import StoreError
from .console import confirm, say


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Overwrite an existing file.")
def backup(file: Path, yes: bool) -> None:
    """Copy the whole store into one file, as of this moment, while agents may be running.

    To restore it, stop all programs that use the store, remove memgpt.db-wal and memgpt.db-shm beside memgpt.db in the
    home folder, and replace memgpt.db by the copy. It has no keys and no vectors that are kept in Chroma.
    """
    from ..storage.sqlite.backup import backup as copy

    settings = Settings.load()
    if not settings.database.exists():
        raise StoreError(f"There is no store {settings.database} yet. Make an agent with: memgpt run")
    if file.exists() and not yes and not confirm(f"Write over {file}?"):
        return
    copy(settings.database, file)
    say(f"Written: {file}")
