"""Attaches sources to agents and detaches them. The agent is not opened, so that its model is not needed."""

from __future__ import annotations

from dataclasses import replace

from .. import events
from ..errors import SourceError, not_known
from ..storage.base import Store
from ..storage.records import Source


def attach(store: Store, agent_id: str, source: str) -> Source:
    """Let an agent search a source; an event tells it so.

    Raises:
        SourceError: there is no such source.
    """
    found = store.sources.get_source(source)
    with store.transaction():
        store.sources.attach(agent_id, found.id)
        store.log.append(agent_id, [replace(events.document_attached(found.name, found.passages), answered=True)])
    return found


def detach(store: Store, agent_id: str, source: str) -> Source:
    """Stop an agent from searching a source. The source stays.

    Raises:
        SourceError: it is not attached.
    """
    attached = {one.name: one for one in store.sources.attached(agent_id)}
    if source not in attached:
        told = f"The source {source!r} is not attached to this agent."
        raise SourceError(not_known(told, source, "Attached", attached))
    store.sources.detach(agent_id, attached[source].id)
    return attached[source]
