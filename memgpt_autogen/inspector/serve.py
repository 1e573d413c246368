"""Serves the page on a loopback port, until it is stopped."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..embeddings.base import Embedder
from ..errors import ConfigError, MissingDependency
from ..storage.base import Store

if TYPE_CHECKING:
    from types import FrameType

    import uvicorn

    from .app import Inspector


def serve(
    store: Store,
    home: Path,
    told: Callable[[str], None],
    *,
    agent_id: str = "",
    embedder: Embedder | None = None,
    port: int = 0,
) -> None:
    """Serve until Ctrl-C.

    Args:
        store: whose agents are shown.
        home: the home folder.
        told: given the address with its token, once the page can be loaded.
        agent_id: the agent to open; empty: the list of agents.
        embedder: for searches.
        port: 0: any that is free.

    Raises:
        MissingDependency: the extra ``inspect`` is not installed.
        ConfigError: the port is taken.
    """
    try:
        from .app import Inspector
        from .security import LOOPBACK, new_token
    except ImportError as error:
        raise MissingDependency("The page needs starlette, uvicorn and jinja2.", "memgpt-autogen[inspect]") from error
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((LOOPBACK, port))
        except OSError as error:
            raise ConfigError(f"Port {port} cannot be used: {error.strerror}. Give another one with --port.") from error
        port, token = listening.getsockname()[1], new_token()
        inspector = Inspector(store, token, port, home, embedder)
        listening.listen()
        told(f"http://{LOOPBACK}:{port}/{token}/" + (f"{agent_id}/memory" if agent_id else ""))
        with suppress(KeyboardInterrupt):
            server_of(inspector).run(sockets=[listening])


def server_of(inspector: Inspector) -> uvicorn.Server:
    """A server that ends the streams of its pages before it stops."""
    import uvicorn

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            inspector.stop()
            super().handle_exit(sig, frame)

    return Server(
        uvicorn.Config(
            inspector.app, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=3
        )
    )
