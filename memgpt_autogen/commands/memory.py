"""Commands about the agent's memory and sources."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import date

from ..agent import Agent
from ..errors import ConfigError
from ..memory import archival as notes
from ..memory import recall as log
from ..memory.provenance import as_of, origins
from ..memory.results import render_page
from ..messages import SEND_MESSAGE, Message
from ..storage.records import Block, Passage
from .excerpt import excerpt
from .formatting import MORE, message_line
from .options import Search, parse_day, search_in

#: Messages that ``/recall`` shows without a query.
LAST = 10
_FIRST = date(1971, 1, 1)
_NO_NOTES = (
    "There are no notes yet. {} writes them when something is worth keeping; documents come in with: memgpt load, "
    "then /attach SOURCE"
)


def memory(agent: Agent, given: str) -> str:
    """``/memory [--why | --as-of DAY]``.

    Raises:
        ConfigError: another option, or what is not a day.
    """
    store = agent.store
    option, _, value = given.strip().partition(" ")
    if option == "--why" and not value:
        return "\n".join(line for block in store.agents.blocks(agent.id) for line in _why(agent, block))
    if option == "--as-of":
        day = parse_day(value.strip() or None)
        if day is not None:
            earlier = [(block.label, as_of(store, block.id, day)) for block in store.agents.blocks(agent.id)]
            return "\n".join(f"{label}\n{text or '(empty)'}" for label, text in earlier if text is not None) or (
                f"{agent.name} did not exist yet on {day}."
            )
    if option:
        raise ConfigError("/memory takes --why, or --as-of and a day such as 2026-11-25.")
    lines = [
        f"{block.label} ({len(block.value)} of {block.limit} characters)\n{block.value or '(empty)'}"
        for block in store.agents.blocks(agent.id)
    ]
    if not agent.preset.core:
        lines.append(f"The preset {agent.preset.name} does not show these to the model.")
    in_view, count = len(store.log.window(agent.id)), store.log.count(agent.id)
    lines.append(f"Recall memory: {count} messages, {in_view} of them in view.")
    lines.append(f"Archival memory: {_archived(agent)}.")
    return "\n".join(lines)


def _archived(agent: Agent) -> str:
    """How many notes the agent has written, and how many passages of documents it can search."""
    sources = agent.store.sources.attached(agent.id)
    documents = sum(source.passages for source in sources)
    notes_count = agent.store.passages.count(agent.id) - documents
    told = f"{notes_count:,} note{'s' * (notes_count != 1)} of {agent.name}'s own"
    if not sources:
        return f"{told}; no documents are attached"
    names = ", ".join(source.name for source in sources)
    return f"{told}; {documents:,} passage{'s' * (documents != 1)} of documents ({names})"


def _why(agent: Agent, block: Block) -> list[str]:
    """The lines of a block, each with when and from which words it was written."""
    lines = [block.label]
    for origin in origins(agent.store, agent.id, block.id):
        when = origin.since.astimezone().strftime("%Y-%m-%d %H:%M")
        said = "; ".join(f'{one.author or "user"}: "{" ".join(one.text.split())[:120]}"' for one in origin.messages)
        lines.append(f"  {origin.line}\n    {when}, {said or 'written by hand, or there from the start'}")
    return lines


def archival(agent: Agent, given: str) -> str:
    """``/archival [QUERY]``: the best lines of each hit; without a query the latest notes, or passages of a source."""
    wanted = search_in(given, sources=True)
    source = wanted.source if wanted.query or wanted.source else ""
    notices: list[str] = []
    found = agent.archival.find(
        wanted.query, wanted.page, source=source, since=wanted.since, until=wanted.until, notices=notices
    )
    count = agent.store.passages.count(agent.id)
    nothing = notes.NOTHING if given and count else _NO_NOTES.format(agent.name)
    if not given:
        notices.append(f"{count} passages; sources attached: {', '.join(attached(agent)) or 'none'}.")
    return "\n".join([*notices, render_page(found, lambda one: _hit(one, wanted), nothing, MORE)])


def _hit(passage: Passage, wanted: Search) -> str:
    text = passage.text if wanted.full else excerpt(passage.text, wanted.query)
    return notes.line_of(replace(passage, text=text))


def recall(agent: Agent, given: str) -> str:
    """``/recall [QUERY]``."""
    wanted = search_in(given, sources=False)
    if not given:
        return _shown([message_line(agent, message) for message in _last(agent, LAST, lambda one: bool(one.text))])
    if wanted.query:
        nothing = log.NOTHING
        found = agent.recall.find(wanted.query, wanted.page, since=wanted.since, until=wanted.until)
    else:
        start, end = wanted.since or _FIRST, wanted.until or date.today()
        nothing = log.nothing_from(start, end)
        found = agent.recall.find_dates(start, end, wanted.page)
    return render_page(found, lambda message: message_line(agent, message), nothing, MORE)


def summarize(agent: Agent, _: str) -> str:
    """``/summarize``."""
    gone, summary = agent.summarize()
    if not gone:
        return "There is nothing to summarise: only the last turn is in view."
    return summary or "The preset writes no summaries; all of it is in recall memory."


def dump(agent: Agent, given: str) -> str:
    """``/dump [NUMBER]``."""
    kept = _last(agent, int(given), _worth_showing) if given else agent.store.log.window(agent.id)
    return _shown([message_line(agent, message, thoughts=True) for message in kept if _worth_showing(message)])


def _worth_showing(message: Message) -> bool:
    return message.role != "tool" or message.author != SEND_MESSAGE  # its result only says that the message was sent


def _last(agent: Agent, count: int, wanted: Callable[[Message], bool]) -> Sequence[Message]:
    """The last ``count`` messages for which ``wanted`` is true, oldest first."""
    there = agent.store.log.count(agent.id)
    count = read = min(count, there)
    while True:
        found = [message for message in agent.store.log.tail(agent.id, read) if wanted(message)]
        if len(found) >= count or read >= there:
            return found[max(len(found) - count, 0) :]
        read = min(2 * read, there)


def _shown(lines: Sequence[str]) -> str:
    return "\n".join(lines) or "There are no messages yet."


def dumpraw(agent: Agent, _: str) -> str:
    """``/dumpraw``."""
    window = agent.store.log.window(agent.id)
    return json.dumps([asdict(message) for message in window], indent=1, ensure_ascii=False, default=str)


def sources(agent: Agent, _: str) -> str:
    """``/sources``."""
    mine = attached(agent)
    known = agent.store.sources.list_sources()
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
    """The names of the attached sources."""
    return [source.name for source in agent.store.sources.attached(agent.id)]


def not_attached(agent: Agent) -> Sequence[str]:
    """The names of the others."""
    mine = attached(agent)
    return [source.name for source in agent.store.sources.list_sources() if source.name not in mine]
