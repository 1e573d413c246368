"""``memgpt inspect``."""

from __future__ import annotations

import click

from ..config import Settings
from .console import note, say
from .store import open_store


@click.command()
@click.argument("agent", required=False)
@click.option("--port", default=0, help="The port of the page; default: any that is free.")
@click.option("--browser/--no-browser", default=True, help="Open the page in the browser.")
def inspect(agent: str | None, port: int, browser: bool) -> None:
    """Show what an agent remembers on a page of your browser: window, core memory, log, search, sources, usage.

    The page is served on this machine alone, under an address that only you are given, until Ctrl-C. It loads nothing
    from elsewhere, follows the agent while it runs, and can edit core memory, undo, forget and export.
    """
    from ..client import MemGPT
    from ..inspector.serve import serve

    def told(address: str) -> None:
        say(f"The page is at {address}")
        note("Whoever has this address can read and change the memory. Ctrl-C ends it.")
        if browser:
            click.launch(address)

    settings = Settings.load()
    with open_store(settings) as store:
        agent_id = store.agents.get(agent).id if agent else ""
        serve(store, settings.home, told, agent_id=agent_id, embedder=MemGPT(settings, store=store).embedder, port=port)
