"""The page on a loopback port, and a headless Chromium to look at it."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from memgpt_autogen import MemGPT, Settings
from memgpt_autogen.agent import Agent
from memgpt_autogen.storage.sqlite import SQLiteStore

from .life import lived

HOUSE = Path(__file__).resolve().parents[2]
CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)


@dataclass
class Site:
    """A served page.

    Attributes:
        address: of the list of agents, with the token.
        origin: scheme, host and port.
        agent: whose memory it shows; its model is scripted.
    """

    address: str
    origin: str
    agent: Agent
    memgpt: MemGPT

    def page(self, name: str) -> str:
        """The address of a page of the agent."""
        return f"{self.address}{self.agent.id}/{name}"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A site with an agent of its own."""
    yield from served(tmp_path)


@pytest.fixture(scope="session")
def shared_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site for tests that only look."""
    yield from served(tmp_path_factory.mktemp("inspected"))


def served(home: Path) -> Iterator[Site]:
    for package in ("jinja2", "starlette", "uvicorn"):
        pytest.importorskip(package)
    from memgpt_autogen.inspector.app import Inspector
    from memgpt_autogen.inspector.serve import server_of

    memgpt = MemGPT(Settings(home=home, environ={}), store=SQLiteStore(home / "memgpt.db"), embedder=None)
    agent = lived(memgpt)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port, token = listening.getsockname()[1], "secret-of-the-test"
        inspector = Inspector(memgpt.store, token, port, home)
        server = server_of(inspector)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield Site(f"http://127.0.0.1:{port}/{token}/", f"http://127.0.0.1:{port}", agent, memgpt)
        inspector.stop()
        server.should_exit = True
        thread.join(10)
    memgpt.close()


@contextmanager
def launched(driver: Any) -> Iterator[Any]:
    """Chromium without a window, as Playwright's driver starts it."""
    sandbox = [] if os.name != "posix" or os.geteuid() else ["--no-sandbox"]  # root may not use the sandbox
    browser = driver.chromium.launch(executable_path=CHROMIUM, args=[*sandbox, "--disable-gpu"])
    yield browser
    browser.close()


@pytest.fixture(scope="package")
def chromium() -> Iterator[Any]:
    """One browser for all tests. It ends with them, since its event loop is in the way of tests that run their own."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM:
        pytest.skip("no Chromium is installed (Debian: apt-get install chromium)")
    with playwright.sync_playwright() as driver, launched(driver) as browser:
        yield browser
