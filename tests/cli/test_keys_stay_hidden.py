"""After a whole session with a key, it stands in no file under the home folder and in nothing that was shown."""

from __future__ import annotations

import base64
import io
import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from memgpt_autogen.client import MemGPT
from memgpt_autogen.config import Settings
from memgpt_autogen.errors import MemGPTError
from tests.cli.conftest import Program

KEY = "mk_5ecre7_4bcdef0123456789_of_no_known_form"


class Wants:
    """What the server takes beside the key as a bearer token."""

    also: tuple[str, ...] = ()


@pytest.fixture
def chat_server() -> Iterator[str]:
    """A chat API that wants the key, repeats it in what it refuses, and calls send_message."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({"data": [{"id": "gpt-4o-mini"}]})

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            function = {"name": "send_message", "arguments": json.dumps({"inner_thoughts": "", "message": "Hello."})}
            call = {"id": "call_1", "type": "function", "function": function}
            message = {"role": "assistant", "content": None, "tool_calls": [call]}
            choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
            usage = {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18}
            self._answer(
                {"id": "1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini"}
                | {"choices": [choice], "usage": usage}
            )

        def _answer(self, body: Any) -> None:
            given = self.headers.get("Authorization", "")
            right = given == f"Bearer {KEY}" or any(one in (given, self.path.partition("?")[2]) for one in Wants.also)
            data = json.dumps(
                body if right else {"error": {"message": f"Incorrect API key provided: {given}"}}
            ).encode()
            self.send_response(200 if right else 401)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


@pytest.fixture
def secret_server(chat_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same, without the scheme; it takes the key as a password and in the query instead."""
    monkeypatch.setattr(Wants, "also", (f"Basic {base64.b64encode(f'me:{KEY}'.encode()).decode()}", f"api-key={KEY}"))
    return chat_server.removeprefix("http://")


def holding(folder: Path, key: str) -> list[str]:
    """The files under a folder that hold the key, in any of their bytes."""
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and key.encode() in path.read_bytes()
    ]


def talk(name: str) -> None:
    memgpt = MemGPT(Settings.load())
    agent = memgpt.create_agent(name)
    agent.run([])
    memgpt.user_message(name, "Hello, remember that I like tea.")
    memgpt.close()


@pytest.mark.parametrize("stored", [False, True], ids=["environment", "stored"])
def test_a_key_stands_nowhere_after_a_session(
    memgpt: Program,
    home: Path,
    tmp_path: Path,
    chat_server: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    stored: bool,
) -> None:
    caplog.set_level(logging.DEBUG)
    endpoint = ("--provider", "openai", "--model-endpoint", chat_server, "--model", "gpt-4o-mini")
    if stored:
        (tmp_path / "key").write_text(KEY)
        ran = [memgpt("configure", *endpoint, "--yes", "--key-file", str(tmp_path / "key"), "--keep-key-in", "file")]
    else:
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        ran = [memgpt("configure", *endpoint, "--yes")]
        monkeypatch.setenv("OPENAI_API_BASE", chat_server)
        monkeypatch.setenv("BACKEND_TYPE", "openai")
    assert ran[0].code == 0, ran[0].err
    talk("sam")
    ran += [
        memgpt("list", "agents", "--json"),
        memgpt("list", "models"),
        memgpt("doctor", "--agent", "sam"),
        memgpt("doctor", "--json", "--debug"),
        memgpt("version"),
        memgpt("export", "sam", str(tmp_path / "sam.json")),
        memgpt("delete", "agent", "nobody", "--yes", "--debug"),
    ]
    assert MemGPT(Settings.load()).store.log.count(MemGPT(Settings.load()).store.agents.get("sam").id) > 2
    assert holding(home, KEY) == (["credentials.json"] if stored else [])
    exported = (tmp_path / "sam.json").read_text(encoding="utf-8")
    assert "remember that I like tea" in exported and KEY not in exported
    shown = "".join(one.out + one.err for one in ran) + caplog.text
    assert KEY not in shown


def test_a_key_that_the_server_refuses_and_repeats_is_not_told(
    home: Path, chat_server: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = KEY + "_but_wrong"
    monkeypatch.setenv("OPENAI_API_KEY", wrong)
    monkeypatch.setenv("OPENAI_API_BASE", chat_server)
    monkeypatch.setenv("BACKEND_TYPE", "openai")
    caplog.set_level(logging.DEBUG)
    with pytest.raises(MemGPTError) as told:
        talk("sam")
    assert wrong not in str(told.value)
    assert holding(home, wrong) == []


@pytest.mark.parametrize("form", ["http://me:{key}@{place}", "http://{place}?api-key={key}"])
def test_an_address_with_a_secret_works_and_shows_it_nowhere(
    memgpt: Program,
    home: Path,
    tmp_path: Path,
    secret_server: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    form: str,
) -> None:
    """Given on the command line, it is needed the next day too: it is stored as keys are, and not in the record."""
    caplog.set_level(logging.DEBUG)
    address = form.format(key=KEY, place=secret_server)
    monkeypatch.setattr("sys.stdin", io.StringIO("hello\n"))
    flags = ("--agent", "sam", "--model", "gpt-4o-mini", "--model-endpoint-type", "openai", "--model-endpoint", address)
    ran = [memgpt("run", *flags, "--debug")]
    assert "sam: Hello." in ran[0].out, ran[0].err
    monkeypatch.setattr("sys.stdin", io.StringIO("hello again\n"))
    ran += [memgpt("run", "--agent", "sam", "--debug")]
    assert "sam: Hello." in ran[1].out, ran[1].err
    ran += [
        memgpt("list", "agents", "--json"),
        memgpt("doctor", "--agent", "sam", "--debug"),
        memgpt("export", "sam", str(tmp_path / "sam.json")),
        memgpt(
            "run", "--agent", "eve", "--model-endpoint-type", "openai", "--model-endpoint", f"{address}x", "--debug"
        ),
    ]
    assert holding(home, KEY) == ["credentials.json"] and KEY not in (tmp_path / "sam.json").read_text(encoding="utf-8")
    assert KEY not in "".join(one.out + one.err for one in ran) + caplog.text
