"""``memgpt migrate-store``."""

from __future__ import annotations

import click

from ..errors import StoreError
from ..redaction import redact
from ..storage.copying import copy_store
from ..storage.engines import engine_of
from .console import say
from .progress import Bars


@click.command("migrate-store")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
def migrate_store(source: str, target: str) -> None:
    """Copy everything in one store to another, and see that both hold the same.

    FROM and TO are paths of SQLite files or addresses such as postgresql://user@host/database. TO must be empty, or be
    what an interrupted copy of FROM has begun: then it goes on there. Stop all programs that use FROM meanwhile. FROM
    is left as it is; set storage in config.json, or MEMGPT_STORAGE, to TO afterwards.
    """
    if not engine_of(source).exists(source):
        raise StoreError(f"There is no store {source}.")
    with (
        engine_of(source).every_row(source, read_only=True) as old,
        engine_of(target).every_row(target) as new,
        Bars() as bars,
    ):
        copied = copy_store(old, new, lambda done, total: bars("copying", done, total))
    for table, count in copied.rows.items():
        say(f"{table}: {count}, sha256 {copied.digests[table][:16]} in both")
    say(f"{redact(target)} holds what {redact(source)} holds: {sum(copied.rows.values())} rows.")
