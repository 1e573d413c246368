"""Every agent at a glance, by one query and without what searching needs: a list is there at once."""

from __future__ import annotations

from pathlib import Path

from ..records import AgentOverview
from .agents import SQLiteAgents
from .upkeep import open_database


def agents_at(path: Path, user_id: str = "local") -> list[AgentOverview]:
    """The agents in a file, oldest first.

    Raises:
        StoreError: the file cannot be opened.
    """
    database, _ = open_database(path, user_id=user_id, read_only=True)
    try:
        counts = {row[0]: row[1] for row in database.all("SELECT agent_id, count(*) FROM messages GROUP BY agent_id")}
        attached: dict[str, list[str]] = {}
        for agent_id, name in database.all(
            "SELECT attachments.agent_id, sources.name FROM attachments JOIN sources ON sources.id = source_id "
            "WHERE sources.agent_id IS NULL ORDER BY sources.id"
        ):
            attached.setdefault(agent_id, []).append(name)
        return [
            AgentOverview(row, counts.get(row.id, 0), attached.get(row.id, [])) for row in SQLiteAgents(database).list()
        ]
    finally:
        database.close()
