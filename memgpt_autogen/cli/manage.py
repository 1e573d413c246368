"""``memgpt delete``, ``attach`` and ``detach``."""

from __future__ import annotations

import click

from ..config import Settings
from .console import confirm, say
from .store import open_store
from .texts import own_text


@click.command()
@click.argument("kind", type=click.Choice(["agent", "source", "human", "persona"]))
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(kind: str, name: str, yes: bool) -> None:
    """Delete an agent with its memory, a source with its passages, or a human or persona of yours.

    Asks first. Deleting an agent keeps its sources; deleting a source keeps its agents.
    """
    settings = Settings.load()
    if kind in ("human", "persona"):
        path = own_text(kind, name, settings)
        if yes or confirm(f"Delete {path}?"):
            path.unlink()
            say(f"Deleted: {path}")
        return
    with open_store(settings) as store:
        if kind == "agent":
            agent = store.agents.get(name)
            what = f"the agent {name!r} with its {store.log.count(agent.id)} messages"
            if yes or confirm(f"Delete {what}? This cannot be undone."):
                with store.lock(agent.id):
                    store.agents.delete(agent.id)
                say(f"Deleted: {what}.")
        else:
            source = store.sources.get_source(name)
            what = f"the source {name!r} with its {source.passages} passages"
            if yes or confirm(f"Delete {what}? This cannot be undone."):
                store.sources.delete_source(source.id)
                say(f"Deleted: {what}.")


_AGENT = click.option("--agent", required=True, help="The agent's name.")
_SOURCE = click.option("--data-source", "--source", "source", required=True, help="The source's name.")


@click.command()
@_AGENT
@_SOURCE
def attach(agent: str, source: str) -> None:
    """Let an agent search a loaded source. The agent is told."""
    from ..library.attachments import attach

    with open_store(Settings.load()) as store:
        row = store.agents.get(agent)
        if any(one.name == source for one in store.sources.attached(row.id)):
            say(f"{source} is attached to {agent} already.")
            return
        found = attach(store, row.id, source)
    say(f"{agent} can search {source}: {found.passages} passages.")


@click.command()
@_AGENT
@_SOURCE
def detach(agent: str, source: str) -> None:
    """Stop an agent from searching a source. The source stays."""
    from ..library.attachments import detach

    with open_store(Settings.load()) as store:
        detach(store, store.agents.get(agent).id, source)
    say(f"{agent} searches {source} no longer.")
