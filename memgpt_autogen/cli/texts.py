"""``memgpt add``: personas and humans, as text files in the home folder."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Literal

import click

from ..config import Settings
from ..config.home import make_folder, write_private
from ..errors import ConfigError, NameTaken
from ..prompts import names
from ..text_encoding import decoded
from . import console
from .console import say
from .streams import standard_input

Plural = Literal["personas", "humans"]
PLURALS: dict[str, Plural] = {"persona": "personas", "human": "humans"}


@click.command()
@click.argument("kind", type=click.Choice([*PLURALS]))
@click.argument("name", required=False, metavar="NAME")
@click.option("--name", "named", help="The name, as in the original MemGPT.", hidden=True)
@click.option("--text", help="The text itself.")
@click.option("--file", type=click.File("rb"), help="A file with the text; - is standard input.")
@click.option("--replace", is_flag=True, help="Replace an existing text of that name.")
def add(
    kind: str, name: str | None, named: str | None, text: str | None, file: IO[bytes] | None, replace: bool
) -> None:
    """Add a persona (who an agent is) or a human (whom it talks to) under a NAME."""
    settings = Settings.load()
    name = name or named
    if not name:
        raise click.UsageError(f"Give the {kind} a name, as in: memgpt add {kind} NAME --text TEXT")
    if not name.replace("_", "").replace("-", "").isalnum():
        raise click.UsageError(f"{name!r} cannot be a name: letters, digits, - and _ only.")
    path = settings.home / PLURALS[kind] / f"{name}.txt"
    taken = name in names(PLURALS[kind], settings.home)
    if taken and not replace:
        raise NameTaken(f"There is a {kind} named {name!r} already. Choose another name, or add --replace.")
    written = _written(kind, text, file)
    make_folder(settings.home)
    write_private(path, written + "\n")
    say(f"Written: {path}")


def _written(kind: str, text: str | None, file: IO[bytes] | None) -> str:
    if text is not None and file is not None:
        raise click.UsageError("Give either --text or --file, not both.")
    if file is not None:
        text = decoded(file.read())
    elif text is None:
        if not console.interactive():
            raise click.UsageError(f"What is the {kind}'s text? Give it with --text or --file.")
        say(f"The {kind}'s text, then Ctrl-D (Windows: Ctrl-Z, Enter) on a line of its own:", "dim")
        text = standard_input().read()
    if not text.strip():
        raise ConfigError(f"The {kind}'s text is empty. Nothing was written.")
    return text.strip()


def own_text(kind: str, name: str, settings: Settings) -> Path:
    """The file of a persona or human in the home folder.

    Raises:
        ConfigError: the user has none of that name.
    """
    from ..errors import not_known

    folder = settings.home / PLURALS[kind]
    path = folder / f"{name}.txt"
    own = sorted(file.stem for file in folder.glob("*.txt"))
    if name in own:
        return path
    if name in names(PLURALS[kind]):
        raise ConfigError(f"The {kind} {name!r} comes with the package and cannot be deleted.")
    raise ConfigError(not_known(f"There is no {kind} named {name!r}.", name, f"Your {PLURALS[kind]}", own))
