"""Where each line of core memory comes from, and what core memory said on an earlier day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from ..messages import Message
from ..storage.base import Store
from ..storage.records import BlockVersion


@dataclass(frozen=True)
class Origin:
    """The origin of one line of core memory.

    Attributes:
        line: the line.
        since: when it was written, in UTC.
        messages: what was said then; empty: it is a first text, or was written by hand.
    """

    line: str
    since: datetime
    messages: Sequence[Message]


def origins(store: Store, agent_id: str, block_id: str) -> list[Origin]:
    """The origin of each line of a block, in the order of the lines."""
    versions = store.agents.versions(block_id)
    found = []
    for line in versions[-1].value.splitlines() if versions else ():
        if line.strip():
            version = _written(line, versions)
            heard = store.log.heard(agent_id, version.step_id) if version.step_id and version.version > 1 else ()
            found.append(Origin(line, version.created_at, heard))
    return found


def _written(line: str, versions: Sequence[BlockVersion]) -> BlockVersion:
    """The version from which on a block has had a line without a break."""
    for earlier, later in zip(reversed(versions[:-1]), reversed(versions), strict=False):
        if line not in earlier.value.splitlines():
            return later
    return versions[0]


def as_of(store: Store, block_id: str, day: date) -> str | None:
    """The text of a block at the end of a day (local time); None: it did not exist yet."""
    before = [one for one in store.agents.versions(block_id) if one.created_at.astimezone().date() <= day]
    return before[-1].value if before else None
