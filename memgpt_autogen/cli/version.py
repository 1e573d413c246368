"""``memgpt version``."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of

import click

from .. import __version__

#: Packages that a bug report should name, if installed.
BESIDE = ("autogen", "pyautogen", "ag2", "autogen-agentchat", "openai", "chromadb", "xllamacpp", "wordllama")


@click.command()
def version() -> None:
    """Show the versions of this package and of what it uses."""
    click.echo(f"memgpt-autogen {__version__}")
    click.echo(f"Python {platform.python_version()} on {platform.system()} {platform.machine()}")
    for name in BESIDE:
        try:
            click.echo(f"{name} {version_of(name)}")
        except PackageNotFoundError:
            continue
