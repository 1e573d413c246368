"""A terminal that is typed into by the test: what prompt_toolkit asks is answered from a string of keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from memgpt_autogen.cli import console

DOWN, UP, ENTER, CTRL_C, CTRL_D = "\x1b[B", "\x1b[A", "\r", "\x03", "\x04"


@contextmanager
def typed(monkeypatch: pytest.MonkeyPatch, keys: str) -> Iterator[None]:
    """Questions are asked inside, and answered with these keys."""
    monkeypatch.setattr(console, "interactive", lambda: True)
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        pipe.send_text(keys)
        yield
