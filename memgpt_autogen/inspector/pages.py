"""What each page shows, read from the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..embeddings.base import Embedder
from ..errors import ConfigError
from ..memory.archival import ArchivalMemory
from ..memory.history import Blamed, MemoryChange, MemoryHistory
from ..memory.prompt_log import past_prompts
from ..memory.recall import RecallMemory
from ..messages import Message
from ..storage.base import Store
from ..storage.base.history import StepRow, TurnRow
from ..storage.records import AgentRow, Page, Passage
from ..views.plots import totals, usage_plots
from ..views.window import window_of

#: Turns on a page of the log, changes on a page of the history, hits on a page of a search.
TURNS, CHANGES, HITS = 20, 50, 10

Query = Mapping[str, str]
Values = dict[str, Any]


@dataclass(frozen=True)
class Inspected:
    """One agent and what its pages are made from."""

    store: Store
    row: AgentRow
    embedder: Embedder | None = None

    @property
    def id(self) -> str:
        """The agent's id."""
        return self.row.id

    def history(self) -> MemoryHistory:
        """Its history as it stands now."""
        return MemoryHistory(self.store, self.id)

    def state(self) -> str:
        """Changes whenever a page may show something else."""
        blocks = ",".join(f"{block.version}" for block in self.store.agents.blocks(self.id))
        notes, messages = self.store.passages.count(self.id), self.store.log.count(self.id)
        return f"{self.store.history.last_prompt(self.id)} {messages} {notes} {blocks}"


def memory(agent: Inspected, _: Query) -> Values:
    """The window, and core memory line by line."""
    blamed: dict[str, list[Blamed]] = {}
    for line in agent.history().blame():
        blamed.setdefault(line.place, []).append(line)
    return {
        "window": window_of(agent.store, agent.id),
        "blocks": agent.store.agents.blocks(agent.id),
        "blamed": blamed,
        "messages": agent.store.log.count(agent.id),
        "passages": agent.store.passages.count(agent.id),
        "turns": agent.store.turns(agent.id),
    }


@dataclass(frozen=True)
class ShownTurn:
    """A turn of the log: its messages, changes of memory, and steps."""

    row: TurnRow
    messages: Sequence[Any]
    changes: Sequence[MemoryChange]
    steps: Sequence[StepRow]


def log(agent: Inspected, query: Query) -> Values:
    """The turns, the newest first."""
    history = agent.history()
    pages = max(-(-len(history.turns) // TURNS), 1)
    page = _number(query.get("page"), 1, most=pages)
    chosen = history.turns[::-1][(page - 1) * TURNS : page * TURNS]
    return {"shown": _shown(agent, history, chosen), "page": page, "pages": pages}


def turn(agent: Inspected, query: Query) -> Values:
    """One turn, and the prompts that the model was sent in it."""
    history = agent.history()
    row = history.turn(_number(query.get("turn"), 0, least=0))
    prompts = past_prompts(agent.store, agent.id, row.steps)
    return {"shown": _shown(agent, history, [row]), "prompts": prompts, "last": len(history.turns)}


def _shown(agent: Inspected, history: MemoryHistory, rows: Sequence[TurnRow]) -> list[ShownTurn]:
    changes: dict[int, list[MemoryChange]] = {}
    for change in history.changes():
        changes.setdefault(change.turn, []).append(change)
    steps = {step.id: step for step in agent.store.history.steps(agent.id)}
    return [
        ShownTurn(
            row,
            agent.store.history.messages(agent.id, row),
            changes.get(row.number, ()),
            [steps[step] for step in row.steps if step in steps],
        )
        for row in rows
    ]


def changes(agent: Inspected, query: Query) -> Values:
    """Every change of core memory and notes, the newest first."""
    found: list[list[MemoryChange]] = []
    for change in agent.history().changes()[::-1]:
        if found and change.turn and found[-1][0].turn == change.turn:
            found[-1].insert(0, change)
        else:
            found.append([change])
    pages = max(-(-len(found) // CHANGES), 1)
    page = _number(query.get("page"), 1, most=pages)
    return {"groups": found[(page - 1) * CHANGES : page * CHANGES], "page": page, "pages": pages}


def search(agent: Inspected, query: Query) -> Values:
    """Hits in recall or archival memory."""
    words, where = query.get("q", "").strip(), query.get("in", "recall")
    page = _number(query.get("page"), 1)
    found: Page[Message] | Page[Passage] | None = None
    if words and where == "archival":
        found = ArchivalMemory(agent.store, agent.id, agent.embedder, HITS).find(words, page)
    elif words:
        found = RecallMemory(agent.store, agent.id, HITS, agent.embedder).find(words, page)
    return {"q": words, "where": where, "found": found}


def sources(agent: Inspected, _: Query) -> Values:
    """All sources, with what each was loaded from, and which are attached."""
    attached = {source.id for source in agent.store.sources.attached(agent.id)}
    every = sorted(agent.store.sources.list_sources(), key=lambda source: (source.id not in attached, source.name))
    return {
        "sources": every,
        "attached": attached,
        "documents": {source.id: agent.store.sources.documents(source.id) for source in every},
    }


def usage(agent: Inspected, _: Query) -> Values:
    """Tokens, pressure and cost over time."""
    steps = agent.store.history.steps(agent.id)
    return {"plots": usage_plots(steps, agent.store.history.prompts(agent.id)), "totals": totals(steps)}


def manage(agent: Inspected, query: Query) -> Values:
    """Undo, forget and export; ``about``: what forgetting would delete."""
    about = query.get("about", "").strip()
    return {
        "about": about,
        "found": agent.store.remembered(agent.id, about) if about else None,
        "turns": agent.store.turns(agent.id),
    }


#: The pages of an agent: path -> title, and what is shown there. In the order of the navigation.
PAGES: Mapping[str, tuple[str, Callable[[Inspected, Query], Values]]] = {
    "memory": ("Memory", memory),
    "log": ("Log", log),
    "changes": ("History", changes),
    "search": ("Search", search),
    "sources": ("Sources", sources),
    "usage": ("Usage", usage),
    "manage": ("Manage", manage),
}


def _number(text: str | None, otherwise: int, *, least: int = 1, most: int = 10**9) -> int:
    """A number from a query.

    Raises:
        ConfigError: it is none.
    """
    if not text:
        return otherwise
    if not text.isdecimal() or len(text) > 9:
        raise ConfigError(f"{text!r} is not a number.")
    return max(min(int(text), most), least)
