"""Fixtures that several folders of tests share."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from memgpt_autogen.llm.embedded import EmbeddedServer

# Started in the background of a shell, this process ignores Ctrl-C, and so would all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of the real model come first, since they take longest.

    For pytest-xdist: one worker for each file, and one for all tests of the models' folder that share the real server.
    """
    items.sort(key=lambda item: item.get_closest_marker("real_model") is None)
    if config.pluginmanager.hasplugin("xdist"):
        for item in items:
            shared = item.path.parent.name == "llm" and item.get_closest_marker("real_model") is not None
            item.add_marker(pytest.mark.xdist_group("the real server" if shared else str(item.path)))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The code blocks of the documentation, and how each was run."""
    reports = terminalreporter.stats.get("passed", []) + terminalreporter.stats.get("failed", [])
    told = [text for report in reports for name, text in report.user_properties if name == "documentation"]
    if not told:
        return
    run = sum(not text.endswith((": checked", ": shown")) for text in told)
    checked, shown = (sum(text.endswith(f": {how}") for text in told) for how in ("checked", "shown"))
    terminalreporter.section(
        f"{len(told)} blocks of the documentation: {run} run, {checked} checked, {shown} only shown"
    )
    for text in sorted(told):
        if not text.endswith(": shown"):
            terminalreporter.line(f"  {text}")


@pytest.fixture(scope="session")
def embedded_server() -> Iterator[EmbeddedServer]:
    """The bundled model on a real server of 2,048 tokens, the only one of the session."""
    pytest.importorskip("xllamacpp")
    from memgpt_autogen.errors import ConfigError
    from memgpt_autogen.llm.embedded import find_model, shared_server

    try:
        server = shared_server(find_model({}), 2048)
    except ConfigError as error:
        pytest.skip(str(error))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def chroma_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Chroma server, the only one of the session."""
    pytest.importorskip("chromadb")
    with running_chroma(tmp_path_factory.mktemp("chroma")) as address:
        yield address


@contextmanager
def running_chroma(folder: Path, port: int = 0) -> Iterator[str]:
    """A Chroma server, as its own command starts it."""
    import httpx

    program = shutil.which("chroma", path=str(Path(sys.executable).parent))
    assert program
    if not port:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
    command = [program, "run", "--path", str(folder), "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 60
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"http://127.0.0.1:{port}/api/v2/heartbeat").is_success:
                    break
            assert server.poll() is None and time.monotonic() < until, "Chroma did not start"
            time.sleep(0.1)
        yield f"chroma+http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()
