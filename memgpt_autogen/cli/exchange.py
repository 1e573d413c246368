"""``memgpt export`` and ``memgpt import``."""

from __future__ import annotations

from pathlib import Path

import click

from ..config import Settings
from ..errors import NameTaken
from .console import confirm, note, say
from .store import open_store


@click.command()
@click.argument("agent")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Write over a file that is there.")
def export(agent: str, file: Path, yes: bool) -> None:
    """Write an agent into one readable JSON file: all that it remembers, and its configuration without keys.

    Sources that it searches are named in the file, not held.
    """
    from ..exchange import export_agent

    with open_store(Settings.load(), read_only=True) as store:
        store.agents.get(agent)
        if file.exists() and not yes and not confirm(f"Write over {file}?"):
            return
        export_agent(store, agent, file)
    say(f"Written: {file}")


@click.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--name", default="", help="Another name for the agent.")
def import_(file: Path, name: str) -> None:
    """Read an agent from a file that "export" wrote, or from a JSON chat log of the original MemGPT.

    A chat log is a list of messages with role and content, as its command savechat wrote; what it inserted into
    archival memory is taken from its calls.
    """
    from ..exchange import import_agent

    settings = Settings.load()
    with open_store(settings, create=True) as store:
        try:
            came = import_agent(store, file, name)
        except NameTaken as error:
            raise NameTaken(f"{str(error).partition('.')[0]}. Give the other a name with --name.") from error
    say(f"Imported: {came.name}, with {came.messages} messages and {came.notes} notes in archival memory.")
    if came.missing:
        names = ", ".join(came.missing)
        note(
            f"It was attached to {names}, which {'is' if len(came.missing) == 1 else 'are'} not here. Load and attach."
        )
