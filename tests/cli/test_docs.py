"""Every command and option is explained, and docs/cli.md says what the program says."""

from __future__ import annotations

import click
import pytest

from memgpt_autogen.cli.docs import PAGE, every_command, page

COMMANDS = dict(every_command())


@pytest.mark.parametrize("name", [*COMMANDS])
def test_every_command_and_option_has_a_help_text(name: str) -> None:
    command = COMMANDS[name]
    assert (command.help or "").strip(), f"{name} has no docstring"
    bare = [one.opts[0] for one in command.params if isinstance(one, click.Option) and not (one.help or "").strip()]
    assert not bare, f"{name}: no help for {', '.join(bare)}"


def test_the_page_is_what_the_program_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "Write it anew: python -m memgpt_autogen.cli.docs"
