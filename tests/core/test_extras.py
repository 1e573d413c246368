"""Files under one folder, requests to named hosts."""

from __future__ import annotations

import contextlib
import os
import threading
import tracemalloc
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from memgpt_autogen.client import MemGPT
from memgpt_autogen.config import AgentConfig, Settings
from memgpt_autogen.errors import ConfigError
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.messages import ToolCall
from memgpt_autogen.prompts.presets import PRESETS
from memgpt_autogen.storage.sqlite import SQLiteStore
from memgpt_autogen.tools.extras import file_tools, http_tools
from memgpt_autogen.tools.registry import ToolRegistry


@pytest.fixture
def files(tmp_path: Path) -> ToolRegistry:
    (tmp_path / "root").mkdir()
    (tmp_path / "secret.txt").write_text("not for the agent")
    return ToolRegistry(file_tools(tmp_path / "root"))


def ask(registry: ToolRegistry, name: str, **arguments: object) -> tuple[bool, str]:
    result = registry.run(ToolCall(name, {**arguments, "request_heartbeat": False}))
    return not result.failed, result.content


def test_no_preset_has_them(tmp_path: Path) -> None:
    extras = {"read_from_text_file", "append_to_text_file", "http_request"}
    assert not {name for preset in PRESETS.values() for name in preset.functions} & extras
    memgpt = MemGPT(Settings(tmp_path), store=SQLiteStore(None))
    agent = memgpt.create_agent(AgentConfig("sam", preset="memgpt_chat"), model=ScriptedModel([]))
    offered = {schema.name for schema in agent.tools.schemas()}
    assert {"send_message", "pause_heartbeats"} < offered and not offered & extras


def test_what_is_written_can_be_read(files: ToolRegistry) -> None:
    assert ask(files, "append_to_text_file", filename="notes/a.txt", content="one\ntwo")[0]
    assert ask(files, "append_to_text_file", filename="notes/a.txt", content="drei ü")[0]
    assert ask(files, "read_from_text_file", filename="notes/a.txt", line_start=2) == (
        True,
        "Lines 2-3 of 3, quoted:\n> two\n> drei ü",
    )
    assert ask(files, "read_from_text_file", filename="notes/a.txt", line_start=9) == (True, "It has 3 lines.")


@pytest.mark.parametrize("name", ["../secret.txt", "", ".", "/etc/passwd", "notes/../../secret.txt"])
def test_nothing_outside_the_folder_is_touched(files: ToolRegistry, tmp_path: Path, name: str) -> None:
    assert not ask(files, "read_from_text_file", filename=name)[0]
    assert not ask(files, "append_to_text_file", filename=name, content="x")[0]
    assert (tmp_path / "secret.txt").read_text() == "not for the agent"


def test_a_link_does_not_lead_out(files: ToolRegistry, tmp_path: Path) -> None:
    try:
        (tmp_path / "root" / "link").symlink_to(tmp_path / "secret.txt")
    except OSError:
        pytest.skip("links cannot be made here")
    assert not ask(files, "read_from_text_file", filename="link")[0]


def test_a_hard_link_does_not_lead_out(files: ToolRegistry, tmp_path: Path) -> None:
    """Of another name of a file nobody can say where else it stands; so neither is it read nor written to."""
    (tmp_path / "root" / "hard").hardlink_to(tmp_path / "secret.txt")
    assert "another name elsewhere" in ask(files, "read_from_text_file", filename="hard")[1]
    assert "another name elsewhere" in ask(files, "append_to_text_file", filename="hard", content="x")[1]
    assert (tmp_path / "secret.txt").read_text() == "not for the agent"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes there")
def test_what_is_no_file_makes_nobody_wait(files: ToolRegistry, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "root" / "pipe")
    assert not ask(files, "read_from_text_file", filename="pipe")[0]
    assert not ask(files, "append_to_text_file", filename="pipe", content="x")[0]
    assert not ask(files, "read_from_text_file", filename="folder" if (tmp_path / "root" / "folder").mkdir() else "")[0]


@pytest.mark.parametrize("line", [b"x" * 99 + b"\n", b"x" * 100_000_000, "ü".encode() * 1_000_000 + b"\n"])
def test_a_huge_file_is_read_in_part(files: ToolRegistry, tmp_path: Path, line: bytes) -> None:
    with (tmp_path / "root" / "huge.txt").open("wb") as file:
        for _ in range(max(1, 100_000_000 // len(line))):
            file.write(line)
    tracemalloc.start()
    done, told = ask(files, "read_from_text_file", filename="huge.txt", num_lines=2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert done and told.startswith("Lines 1-") and "of more than" in told and len(told) < 21_000 and peak < 5_000_000
    assert "It has more than" in ask(files, "read_from_text_file", filename="huge.txt", line_start=10**9)[1]


def test_faults_are_told_to_the_model(files: ToolRegistry, tmp_path: Path) -> None:
    (tmp_path / "root" / "picture.png").write_bytes(b"\x89PNG\xff\xfe")
    assert "Files: picture.png" in ask(files, "read_from_text_file", filename="missing.txt")[1]
    assert "cannot be read as text" in ask(files, "read_from_text_file", filename="picture.png")[1]
    assert "start at 1" in ask(files, "read_from_text_file", filename="picture.png", line_start=0)[1]
    with pytest.raises(ConfigError, match="no folder"):
        file_tools(tmp_path / "nowhere")


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(OSError):
            for _ in range(1000):
                self.wfile.write(b"word " * 20_000)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(302 if self.path == "/away" else 200)
        self.send_header("location", "http://example.invalid/")
        self.end_headers()
        self.wfile.write(b"got " + body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def host() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_requests_go_to_named_hosts_only(host: str) -> None:
    registry = ToolRegistry(http_tools([host]))
    sent = {"method": "post", "payload_json": '{"a": 1}'}
    assert ask(registry, "http_request", url=f"http://{host}/x", **sent) == (True, '200 OK, quoted:\n> got {"a": 1}')
    assert ask(registry, "http_request", url=f"http://{host}/away", **sent)[1].startswith("302")
    for url in (
        "http://example.invalid/",
        f"http://{host}@example.invalid/",
        f"http://{host}\\@example.invalid/",
        f"http://example.invalid#@{host}/",
        f"file://{host}/etc/passwd",
        "http://127.0.0.1:1/",
    ):
        assert "Requests may go to" in ask(registry, "http_request", url=url, **sent)[1]
    assert "not a method" in ask(registry, "http_request", url=f"http://{host}/", method="TRACE")[1]
    with pytest.raises(ConfigError):
        http_tools([])


def test_of_an_endless_answer_the_start_is_read(host: str) -> None:
    registry = ToolRegistry(http_tools([host]))
    done, told = ask(registry, "http_request", method="GET", url=f"http://{host}/")
    assert done and told.startswith("200 OK, quoted:\n> word") and len(told) < 21_000


def test_a_dead_host_is_a_failed_result() -> None:
    registry = ToolRegistry(http_tools(["127.0.0.1:9"]))
    assert "did not answer" in ask(registry, "http_request", method="GET", url="http://127.0.0.1:9/")[1]
