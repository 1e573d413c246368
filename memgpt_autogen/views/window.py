"""The context window of an agent, part by part, from the last prompt that its model was sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..llm.tokens import TokenCounter
from ..memory.prompt_log import PastPrompt, rebuilt
from ..messages import Message
from ..storage.base import Store
from ..storage.records import Page, Passage
from .render import fragment


@dataclass(frozen=True)
class WindowPart:
    """A part of the window. ``name`` is a word for styles; ``messages`` counts them, 0 where it is not made of any."""

    name: str
    title: str
    tokens: int
    messages: int = 0


@dataclass(frozen=True)
class WindowView:
    """The window when the model was last called.

    Attributes:
        parts: in the order of the prompt, what is kept for the reply and what is free last.
        size: tokens of the whole window.
        used: tokens of the prompt.
        counted: whether the server counted ``used``; the parts are in proportion to an estimate in any case.
        model: the model's name.
        at: when, in UTC.
    """

    parts: Sequence[WindowPart]
    size: int
    used: int
    counted: bool
    model: str
    at: datetime

    def _repr_html_(self) -> str | None:
        return fragment("window", self)


@dataclass(frozen=True)
class Found:
    """What a search found, as a notebook shows it: pages of messages and passages."""

    messages: Page[Message]
    passages: Page[Passage]

    def _repr_html_(self) -> str | None:
        return fragment("found", self.messages, self.passages)


_TITLES = {
    "system": "System prompt",
    "core": "Core memory",
    "functions": "Functions",
    "summary": "Summary and alerts",
    "said": "What others said",
    "replies": "The agent's replies",
    "results": "Results of functions",
    "reply": "Kept for the reply",
    "free": "Free",
}


def window_of(store: Store, agent_id: str) -> WindowView | None:
    """The window of an agent; None: its model was not called yet, or before prompts were recorded."""
    last = store.history.last_prompt(agent_id)
    row = store.history.prompt(agent_id, last) if last else None
    if row is None:
        return None
    past = rebuilt(store, agent_id, row)
    step = next((step for step in reversed(store.history.steps(agent_id)) if step.id == row.step_id), None)
    counted = step.usage.prompt_tokens if step else 0
    sizes, messages = _sizes(past, [block.value for block in store.agents.blocks(agent_id)])
    estimate = sum(sizes.values())
    used = counted or estimate
    tokens = {name: round(size * used / max(estimate, 1)) for name, size in sizes.items()}
    size = max(int(row.options.get("window") or 0), used)
    tokens["reply"] = min(int(row.options.get("max_tokens") or 0), size - used)
    tokens["free"] = max(size - used - tokens["reply"], 0)
    parts = [WindowPart(name, title, tokens.get(name, 0), messages.get(name, 0)) for name, title in _TITLES.items()]
    return WindowView([part for part in parts if part.tokens], size, used, bool(counted), row.model, row.created_at)


def _sizes(past: PastPrompt, blocks: Sequence[str]) -> tuple[dict[str, int], dict[str, int]]:
    """Estimated tokens, and the number of messages, by part."""
    counter = TokenCounter()
    sizes, messages = dict.fromkeys(_TITLES, 0), dict.fromkeys(_TITLES, 0)
    sizes["functions"] = counter.count_messages([], past.sent.tools)
    for message in past.sent.messages:
        size = counter.count_messages([message])
        if message.role == "system":
            core = counter.count(message.content[_start_of_core(message.content, blocks) :])
            sizes["core"] += core
            sizes["system"] += size - core
            continue
        part = _part_of(message)
        sizes[part] += size
        messages[part] += 1
    return sizes, messages


def _start_of_core(content: str, blocks: Sequence[str]) -> int:
    """Where core memory begins in a system message: it stands at its end."""
    starts = [content.find("\n\nCore memory:\n")]
    starts += [content.find(value) for value in blocks if value.strip()]
    return min((start for start in starts if start > 0), default=len(content))


def _part_of(message: Message) -> str:
    if message.role == "assistant":
        return "replies"
    if message.role == "tool":
        return "results"
    return "summary" if message.kind in ("system_alert", "heartbeat", "login", "document_attached") else "said"


def html_of_agent(store: Store, agent_id: str, name: str) -> str | None:
    """An agent for a notebook: its window and core memory; None: Jinja is not installed."""
    counts = {
        "messages": store.log.count(agent_id),
        "passages": store.passages.count(agent_id),
        "turns": store.turns(agent_id),
    }
    return fragment("agent", name, window_of(store, agent_id), store.agents.blocks(agent_id), counts)
