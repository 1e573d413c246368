"""``memgpt export`` and ``memgpt import``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..config import Settings
from ..errors import NameTaken
from .console import confirm, interactive, note, say
from .store import open_store

if TYPE_CHECKING:
    from ..exchange import Brings, Imported


@click.command()
@click.argument("agent")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Overwrite an existing file.")
def export(agent: str, file: Path, yes: bool) -> None:
    """Write an agent into one readable JSON file: all that it remembers, and its configuration without keys.

    The file names the attached sources, but does not contain them.
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
@click.option("--allow-functions", is_flag=True, help="Let it call the Python functions that the file names.")
@click.option("--keep-model", is_flag=True, help="Use the model and embedder that the file names, at their addresses.")
def import_(file: Path, name: str, allow_functions: bool, keep_model: bool) -> None:
    """Read an agent from a file that "export" wrote, or from a JSON chat log of the original MemGPT.

    A file is data: its functions, and the server that it names, are shown and left out unless a flag or an answer
    accepts them. A chat log is a list of messages with role and content, as the command savechat wrote it; its archival
    memory is restored from the calls in it.
    """
    from ..exchange import import_agent, read_agent_file

    settings = Settings.load()
    read = read_agent_file(file, name)
    _show(read.brings)
    if read.brings.functions and not allow_functions and interactive():
        allow_functions = confirm("Let it call these functions?", flag="--allow-functions")
    if (read.brings.model or read.brings.embedding) and not keep_model and interactive():
        keep_model = confirm("Send what is said to this server?", flag="--keep-model")
    with open_store(settings, create=True) as store:
        try:
            came = import_agent(store, read, allow_functions=allow_functions, keep_model=keep_model)
        except NameTaken as error:
            raise NameTaken(f"{str(error).partition('.')[0]}. Give the other a name with --name.") from error
    _tell(came)


def _show(brings: Brings) -> None:
    """Show what the file contains besides memories."""
    rows = {
        "functions": ", ".join(brings.functions),
        "model": brings.model,
        "embedder": brings.embedding,
        "hosts": ", ".join(brings.hosts),
        "sources": ", ".join(brings.sources),
        "system prompt": "its own" if brings.system else "",
    }
    for what, found in rows.items():
        if found:
            note(found, label=f"The file brings {what}")


def _tell(came: Imported) -> None:
    say(f"Imported: {came.name}, with {came.messages} messages and {came.notes} notes in archival memory.")
    if came.left_out.functions:
        note("Its functions were left out. Take them with --allow-functions, if you know what they do.")
    if came.left_out.model or came.left_out.embedding:
        note("Its model was left out, and yours answers. Take it with --keep-model, if you know the server.")
    if came.missing:
        names = ", ".join(came.missing)
        note(
            f"It was attached to {names}, which {'is' if len(came.missing) == 1 else 'are'} not here. Load and attach."
        )
