"""``python -m memgpt_autogen.cli.docs`` writes ``docs/cli.md``, from the commands themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from .app import app
from .chat.slash_commands import COMMANDS

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "cli.md"
WIDTH = 100
_HEAD = """# The program `memgpt`

Written by `python -m memgpt_autogen.cli.docs` from the commands themselves: do not edit. `memgpt` and `memgpt-autogen`
are the same program; each help text is also shown by `memgpt COMMAND --help`.

An error is one sentence that names the next step. The exit code is 1, or 2 for a wrong command line. `--debug` on any
command shows the log and the traceback. Piped output is plain: no frames, tabs between columns. Without a terminal no
question is asked: the error names the flag that answers it. `NO_COLOR` is respected.
"""
_CHAT = """## Commands within a chat

Typed into `memgpt run`. A day is written as `2026-11-21`; pages begin with 1.

| | |
|---|---|
"""


def every_command(command: click.Command = app, name: str = "memgpt") -> Iterator[tuple[str, click.Command]]:
    """Each command with its full name, groups before their subcommands."""
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=name)
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            if found is not None:
                yield from every_command(found, f"{name} {below}")


def page() -> str:
    """The page's text."""
    parts = [_HEAD]
    for name, command in every_command():
        context = click.Context(
            command, info_name=name, terminal_width=WIDTH, max_content_width=WIDTH, help_option_names=["-h", "--help"]
        )
        shown = "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
        depth = "#" * (1 + len(name.split()))
        parts.append(f"{depth} {name}\n\n```text\n{shown}\n```\n")
    parts.append(_CHAT + "".join(f"| `{one.usage}` | {one.help} |\n" for one in COMMANDS))
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
    click.echo(f"Written: {PAGE}")
