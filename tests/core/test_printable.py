"""What others wrote, made safe for a terminal."""

from __future__ import annotations

import json

import pytest

from memgpt_autogen.errors import MemGPTError, SourceError
from memgpt_autogen.printable import one_line, printable


@pytest.mark.parametrize(
    "evil",
    ["\x1b[31m", "\x9b31m", "\r", "\b", "\x07", "\x7f", "\u202e", "\u2066", "\u200f", "\u2028", "\ud800", "\U000e0041"],
)
def test_what_a_terminal_obeys_is_escaped_as_json_does(evil: str) -> None:
    shown = printable(f"a{evil}b")
    assert shown.isascii() and shown.isprintable()
    if evil != "\ud800":
        assert json.loads(printable(json.dumps(f"a{evil}b", ensure_ascii=False))) == f"a{evil}b"
    assert evil not in str(SourceError(f"{evil}.txt cannot be read.")) and evil not in repr(MemGPTError(evil))


@pytest.mark.parametrize(
    "text", ["Zürich, 東京, عربي", "a\n\tb", "👩\u200d👩\u200d👧 \u00a0", "می\u200cخواهم", "e\u0301"]
)
def test_what_people_write_stays(text: str) -> None:
    assert printable(text) == text


def test_a_name_is_one_line() -> None:
    assert one_line("a\n\tb") == "a\\n\\tb" and one_line("sam") == "sam"
