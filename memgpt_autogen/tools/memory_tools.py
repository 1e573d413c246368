"""The functions through which a model manages its memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Protocol

from ..errors import ToolError
from ..memory.archival import ArchivalMemory
from ..memory.core import CoreMemory
from ..memory.recall import RecallMemory
from .registry import Tool
from .schema import Signature

MAX_PAUSE_MINUTES = 360


class Pausable(Protocol):
    """Whatever can hold back timed events."""

    def __call__(self, minutes: int) -> None: ...


def memory_tools(
    core: CoreMemory,
    recall: RecallMemory,
    archival: ArchivalMemory,
    pause: Pausable,
    message: Mapping[str, Any] | None = None,
) -> dict[str, Tool]:
    """Every memory function, by name; a preset says which of them an agent gets.

    Args:
        core, recall, archival: what they work on.
        pause: holds back timed events.
        message: JSON Schema keywords that narrow what ``send_message`` may say.
    """

    def send_message(message: str) -> str:
        """Say something."""
        if not message.strip():
            raise ToolError("There is nothing to say: message is empty.")
        return "Sent."

    def core_memory_append(name: str, content: str) -> str:
        """Add to a core memory block."""
        return core.append(name, content)

    def core_memory_replace(name: str, old_content: str, new_content: str) -> str:
        """Change text in a core memory block.

        Args:
            old_content: Exactly as it stands.
            new_content: Empty to delete.
        """
        return core.replace(name, old_content, new_content)

    def conversation_search(query: str, page: int = 0) -> str:
        """Search all earlier messages by words."""
        return recall.search(query, _checked(page))

    def conversation_search_date(start_date: str, end_date: str, page: int = 0) -> str:
        """List earlier messages from day to day (YYYY-MM-DD)."""
        start, end = _day(start_date), _day(end_date)
        if end < start:
            raise ToolError(f"end_date {end} is before start_date {start}.")
        return recall.search_dates(start, end, _checked(page))

    def archival_memory_insert(content: str) -> str:
        """Store text for good, understandable by itself."""
        return archival.insert(content)

    def archival_memory_search(query: str, page: int = 0) -> str:
        """Search stored text and attached documents."""
        return archival.search(query, _checked(page))

    def pause_heartbeats(minutes: int) -> str:
        """Ignore timed events, at most 360 minutes."""
        if not 0 <= minutes <= MAX_PAUSE_MINUTES:
            raise ToolError(f"minutes must be between 0 and {MAX_PAUSE_MINUTES}, not {minutes}.")
        pause(minutes)
        return f"Timed events are paused for {minutes} minutes."

    def speech() -> Mapping[str, Mapping[str, Any]]:
        return {"message": message or {}}

    def blocks() -> Mapping[str, Mapping[str, Any]]:
        return {"name": {"enum": core.labels()}}

    def of_messages(query: str, page: int = 0) -> None:
        recall.prepare(query)

    def of_passages(query: str, page: int = 0) -> None:
        archival.prepare(query)

    searches: Sequence[tuple[Callable[..., str], Callable[..., None] | None]] = (
        (conversation_search, of_messages),
        (conversation_search_date, None),
        (archival_memory_search, of_passages),
    )
    tools = [
        Tool(Signature(send_message), send_message, memory=True, heartbeat=False, narrow=speech),
        Tool(Signature(core_memory_append), core_memory_append, memory=True, narrow=blocks),
        Tool(Signature(core_memory_replace), core_memory_replace, memory=True, narrow=blocks),
        Tool(Signature(archival_memory_insert), archival_memory_insert, memory=True),
        *(Tool(Signature(search), search, memory=True, again=True, prepare=prepare) for search, prepare in searches),
        Tool(Signature(pause_heartbeats), pause_heartbeats, memory=True, heartbeat=False),
    ]
    return {tool.signature.name: tool for tool in tools}


def _checked(page: int) -> int:
    if page < 0:
        raise ToolError(f"page starts at 0; {page} is not a page.")
    return page


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        raise ToolError(f"{text!r} is no day. Write YYYY-MM-DD.") from None
