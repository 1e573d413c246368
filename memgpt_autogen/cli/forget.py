"""``memgpt forget``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import click

from ..config import Settings
from ..errors import TracesLeft
from ..storage.records import FREE_PAGES
from .console import confirm, note, say
from .store import open_store

#: How many excerpts are shown.
SHOWN = 10


@click.command()
@click.argument("agent")
@click.option("--about", required=True, metavar="TEXT", help="Delete everything that contains these words.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget(agent: str, about: str, yes: bool) -> None:
    """Delete what an agent remembers about something: messages, notes, lines of core memory, sentences of summaries.

    Shows what it finds and asks. This cannot be undone: the text is also removed from the database file. All that
    contains all of the words, in any inflected form, is found. Documents in sources stay.
    """
    from ..forget import find_about, out_of_reach
    from ..forget import forget as delete

    settings = Settings.load()
    with open_store(settings) as store:
        found = find_about(store, agent, about)
        if not found:
            # The file may still hold traces of what was deleted before.
            _show_receipt(delete(store, agent, about, home=settings.home).removed)
            note(f"{agent} remembers nothing with the words of {about!r}.")
            return
        for one in found[:SHOWN]:
            say(f"{one.kind}: {one.excerpt}")
        if len(found) > SHOWN:
            say(f"... and {len(found) - SHOWN} more")
        counts = ", ".join(f"{number} × {kind}" for kind, number in Counter(one.kind for one in found).items())
        if yes or confirm(f"Delete {counts}? This cannot be undone."):
            try:
                _show_receipt(delete(store, agent, about, home=settings.home).removed)
            except TracesLeft as error:
                _show_receipt(error.receipt.removed)
                raise
            say(f"Not reached: {'; '.join(out_of_reach(store, agent, about, home=settings.home))}.")
            say(f"Forgotten: {counts}.")


def _show_receipt(removed: Mapping[str, int]) -> None:
    for place, count in removed.items():
        say(f"Removed from {place}" + (f": {count}" if place != FREE_PAGES else ""))
