"""Every agent at a glance, by few queries and without what searching needs: a list is there at once."""

from __future__ import annotations

from ..records import AgentOverview
from .agents import SQLAgents
from .database import Database


def agents_of(database: Database) -> list[AgentOverview]:
    """The agents of the database's user, oldest first."""
    counts = database.all(
        "SELECT agent_id, count(*) FROM messages WHERE user_id = ? GROUP BY agent_id", database.user_id
    )
    messages = {row[0]: int(row[1]) for row in counts}
    attached: dict[str, list[str]] = {}
    for agent_id, name in database.all(
        "SELECT attachments.agent_id, sources.name FROM attachments JOIN sources ON sources.id = source_id "
        "WHERE sources.agent_id IS NULL AND sources.user_id = ? ORDER BY sources.id",
        database.user_id,
    ):
        attached.setdefault(agent_id, []).append(name)
    agents = SQLAgents(database).list()
    return [AgentOverview(row, messages.get(row.id, 0), attached.get(row.id, [])) for row in agents]
