"""Output in an encoding that lacks a character, input in any encoding, and files of the home folder likewise."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from memgpt_autogen.cli.app import main
from memgpt_autogen.cli.streams import PipedInput

from ..llm.conftest import Loopback
from ..llm.test_openai import calls, chat
from .conftest import Program

pytest.importorskip("openai")


@pytest.fixture
def loopback(monkeypatch: pytest.MonkeyPatch, home: Path) -> Iterator[Loopback]:
    server = Loopback()
    for name, value in {"API_BASE": f"{server.address}/v1", "API_KEY": "key-of-the-test", "MODEL": "m"}.items():
        monkeypatch.setenv(f"OPENAI_{name}", value)
    monkeypatch.setenv("BACKEND_TYPE", "openai")
    yield server
    server.close()


def talk(monkeypatch: pytest.MonkeyPatch, typed: bytes, encoding: str = "utf-8") -> tuple[int, str]:
    """A chat with these bytes piped in; its exit code, and its output in that encoding."""
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(typed), encoding=encoding))
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, io.TextIOWrapper(shown, encoding=encoding, write_through=True))
    with pytest.raises(SystemExit) as ended:
        main(["run", "--agent", "s", "--quiet", "--yes"])
    return int(ended.value.code or 0), shown.getvalue().decode(encoding)


@pytest.mark.parametrize("encoding", ["cp1252", "gbk", "ascii", "cp437", "koi8_r"])
def test_a_reply_is_shown_whatever_the_terminal_can_show(
    loopback: Loopback, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    words = "Fine 🎉 – thanks, 会议 é"
    loopback.always["/v1/chat/completions"] = chat(tool_calls=calls(("send_message", {"message": words}))).body
    code, shown = talk(monkeypatch, b"hi\n", encoding)
    assert code == 0 and words.encode(encoding, "backslashreplace").decode(encoding) in shown


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
def test_a_command_behind_a_byte_order_mark_is_a_command(
    loopback: Loopback, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    code, shown = talk(monkeypatch, "/memory\n".encode(encoding))
    assert code == 0 and "characters" in shown
    assert not [request for request in loopback.requests if request.method == "POST"], "no model was asked"


@pytest.mark.parametrize(
    ("data", "encoding", "lines"),
    [
        ("Grüße\nzwei\n".encode(), "utf-8", ["Grüße\n", "zwei\n"]),
        ("\ufeff/memory\n".encode(), "cp1252", ["/memory\n"]),
        ("Grüße\n".encode("cp1252"), "cp1252", ["Grüße\n"]),
        ("Grüße\n".encode("cp1252"), "utf-8", ["Grüße\n"]),
        ("会议在三号会议室\n".encode("gbk"), "gbk", ["会议在三号会议室\n"]),
        ("Grüße\r\n会议".encode("utf-16"), "utf-8", ["Grüße\r\n", "会议"]),
        (b"cut \xff here\n", "utf-8", ["cut ÿ here\n"]),
        (b"", "utf-8", []),
    ],
)
def test_lines_are_read_in_their_encoding(data: bytes, encoding: str, lines: list[str]) -> None:
    given = PipedInput(io.BytesIO(data), encoding)
    assert list(iter(given.readline, "")) == lines
    assert PipedInput(io.BytesIO(data), encoding).read() == "".join(lines)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8-sig", "utf-16"])
def test_a_text_in_another_encoding_is_added(memgpt: Program, home: Path, tmp_path: Path, encoding: str) -> None:
    (tmp_path / "k.txt").write_bytes("Ich heiße König".encode(encoding))
    assert memgpt("add", "persona", "k", "--file", str(tmp_path / "k.txt")).code == 0
    assert (home / "personas" / "k.txt").read_text(encoding="utf-8") == "Ich heiße König\n"
