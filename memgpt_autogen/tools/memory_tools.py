"""The functions through which a model manages its memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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

    def conversation_search(query: str, page: int = 1) -> str:
        """Search all earlier messages by words."""
        return recall.search(query, page)

    def conversation_search_date(start_date: str, end_date: str, page: int = 1) -> str:
        """List earlier messages from day to day (YYYY-MM-DD)."""
        start, end = _day(start_date), _day(end_date)
        if end < start:
            raise ToolError(f"end_date {end} is before start_date {start}.")
        return recall.search_dates(start, end, page)

    def archival_memory_insert(content: str) -> str:
        """Store text for good, understandable by itself."""
        return archival.insert(content)

    def archival_memory_search(query: str, page: int = 1) -> str:
        """Search stored text and attached documents."""
        return archival.search(query, page)

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

    def of_messages(query: str, page: int = 1) -> None:
        recall.prepare(query)

    def of_passages(query: str, page: int = 1) -> None:
        archival.prepare(query)

    def tool(function: Callable[..., str], **options: Any) -> Tool:
        return Tool(Signature(function), function, memory=True, **options)

    tools = (  # in the order in which the model sees them
        tool(send_message, heartbeat=False, narrow=speech),
        tool(core_memory_append, writes=True, narrow=blocks),
        tool(core_memory_replace, writes=True, narrow=blocks),
        tool(conversation_search, again=True, prepare=of_messages),
        tool(conversation_search_date, again=True),
        tool(archival_memory_insert, writes=True),
        tool(archival_memory_search, again=True, prepare=of_passages),
        tool(pause_heartbeats, heartbeat=False),
    )
    return {one.signature.name: one for one in tools}


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        raise ToolError(f"{text!r} is no day. Write YYYY-MM-DD.") from None
