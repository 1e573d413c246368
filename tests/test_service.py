"""The example service: two processes of it behind one port, with agents of many users on one PostgreSQL."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from .postgres import new_address
from .storage.other_process import ROOT


@pytest.fixture
def address() -> str:
    return new_address(pool_size=6)


@pytest.fixture
def url(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    home = str(tmp_path_factory.mktemp("home"))
    command = [sys.executable, "-m", "uvicorn", "--factory", "tests.service:app", "--workers", "2", "--port", str(port)]
    environment = {**os.environ, "MEMGPT_STORAGE": address, "MEMGPT_HOME": home}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE) as service:
        try:
            for left in range(600, -1, -1):
                try:
                    httpx.get(f"http://127.0.0.1:{port}/agents", headers={"X-User": "nobody"}, timeout=20)
                    break
                except httpx.TransportError:
                    assert left and service.poll() is None
                    time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            service.send_signal(signal.SIGTERM)


def test_two_processes_serve_the_agents_of_many_users(url: str) -> None:
    users, times = [f"user{number}" for number in range(6)], 4

    def talk(user: str) -> list[str]:
        said = []
        for number in range(times):
            sent = {"message": f"{user} says {number}"}
            answer = httpx.post(f"{url}/agents/sam/messages", json=sent, headers={"X-User": user}, timeout=60)
            assert answer.status_code == 200, answer.text
            said += answer.json()["said"]
        return said

    with ThreadPoolExecutor(len(users)) as threads:
        said = [*threads.map(talk, users)]
    assert len({words for each in said for words in each}) == 2  # two processes have answered
    for user in users:
        listed = httpx.get(f"{url}/agents", headers={"X-User": user}, timeout=60).json()
        assert [one["name"] for one in listed] == ["sam"]
        assert listed[0]["messages"] == times * 3  # the message, the call that answers, its result
    assert httpx.post(f"{url}/agents/sam/messages", json={}, headers={"X-User": "user1"}, timeout=60).status_code == 400
