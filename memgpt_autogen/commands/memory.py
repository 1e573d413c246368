"""Commands about what the agent remembers and searches."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date

from ..agent import Agent
from ..messages import SEND_MESSAGE, Message
from .options import search_in

#: Messages that ``/recall`` shows without a query.
LAST = 10
_FIRST = date(1971, 1, 1)


def memory(agent: Agent, _: str) -> str:
    """``/memory``."""
    store = agent.store
    lines = [
        f"{block.label} ({len(block.value)} of {block.limit} characters)\n{block.value or '(empty)'}"
        for block in store.agents.blocks(agent.id)
    ]
    if not agent.preset.core:
        lines.append(f"The preset {agent.preset.name} does not show these to the model.")
    in_view, count = len(store.log.window(agent.id)), store.log.count(agent.id)
    lines.append(f"Recall memory: {count} messages, {in_view} of them in view.")
    lines.append(f"Archival memory: {store.passages.count(agent.id)} passages.")
    return "\n".join(lines)


def archival(agent: Agent, given: str) -> str:
    """``/archival [QUERY]``; without a query the latest notes, or passages of the source that is named."""
    wanted = search_in(given, sources=True)
    source = wanted.source if wanted.query or wanted.source else ""
    found = agent.archival.search(wanted.query, wanted.page, source=source, since=wanted.since, until=wanted.until)
    if given:
        return found
    attached_ones = ", ".join(attached(agent)) or "none"
    return f"{agent.store.passages.count(agent.id)} passages; sources attached: {attached_ones}.\n{found}"


def recall(agent: Agent, given: str) -> str:
    """``/recall [QUERY]``."""
    wanted = search_in(given, sources=False)
    if wanted.query:
        return agent.recall.search(wanted.query, wanted.page, since=wanted.since, until=wanted.until)
    if given:
        return agent.recall.search_dates(wanted.since or _FIRST, wanted.until or date.today(), wanted.page)
    return _shown(agent, [message for message in agent.store.log.tail(agent.id, 5 * LAST) if message.text][-LAST:])


def summarize(agent: Agent, _: str) -> str:
    """``/summarize``."""
    gone, summary = agent.summarize()
    if not gone:
        return "There is nothing to summarise: only the last turn is in view."
    return summary or "The preset writes no summaries; all of it is in recall memory."


def dump(agent: Agent, given: str) -> str:
    """``/dump [NUMBER]``."""
    log = agent.store.log
    return _shown(agent, log.tail(agent.id, int(given)) if given else log.window(agent.id))


def _shown(agent: Agent, messages: Sequence[Message]) -> str:
    lines = []
    for message in messages:
        if message.role == "tool" and message.author == SEND_MESSAGE:
            continue  # it only says that the words were sent
        when = message.created_at.astimezone().strftime("%m-%d %H:%M")
        speaker = agent.name if message.role == "assistant" else message.author or message.kind
        calls = ", ".join(call.name for call in message.tool_calls if call.name != SEND_MESSAGE)
        words = message.text or (message.content if message.role != "assistant" else "")
        lines.append(f"{when} {speaker}: {words}{f' [calls {calls}]' if calls else ''}")
    return "\n".join(lines) or "There are no messages yet."


def dumpraw(agent: Agent, _: str) -> str:
    """``/dumpraw``."""
    window = agent.store.log.window(agent.id)
    return json.dumps([asdict(message) for message in window], indent=1, ensure_ascii=False, default=str)


def sources(agent: Agent, _: str) -> str:
    """``/sources``."""
    mine = attached(agent)
    known = agent.store.passages.list_sources()
    lines = [f"{'*' if source.name in mine else ' '} {source.name}: {source.passages} passages" for source in known]
    return "\n".join(lines) or "There are no sources yet. Load one with: memgpt load"


def attach(agent: Agent, given: str) -> str:
    """``/attach SOURCE``."""
    if given in attached(agent):
        return f"{given} is attached already."
    agent.attach(given)
    return f"{agent.name} can search {given} from now on."


def detach(agent: Agent, given: str) -> str:
    """``/detach SOURCE``."""
    agent.detach(given)
    return f"{agent.name} searches {given} no longer."


def attached(agent: Agent) -> Sequence[str]:
    """The names of the sources that are attached."""
    return [source.name for source in agent.store.passages.attached(agent.id)]


def not_attached(agent: Agent) -> Sequence[str]:
    """The names of the others."""
    mine = attached(agent)
    return [source.name for source in agent.store.passages.list_sources() if source.name not in mine]
