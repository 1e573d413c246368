"""The memory functions: how the model manages its memory.

To add one, write it as a method of :class:`MemoryFunctions` and list it in ``tools``; presets without a list of their
own offer it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Protocol

from ..errors import ToolError
from ..memory.archival import ArchivalMemory
from ..memory.core import CoreMemory
from ..memory.recall import RecallMemory
from ..storage.search.dates import Days, days_meant
from .registry import Tool
from .schema import Signature

MAX_PAUSE_MINUTES = 360


class Pausable(Protocol):
    """Pauses timed events."""

    def __call__(self, minutes: int) -> None: ...


class MemoryFunctions:
    """The functions through which a model manages its memory, as methods.

    The model sees the name, the docstring and the parameters of each. A preset says which of them an agent gets.

    Args:
        core, recall, archival: the memories that they work on.
        pause: holds back timed events.
        message: JSON Schema keywords that narrow the ``message`` of ``send_message``.
    """

    def __init__(
        self,
        core: CoreMemory,
        recall: RecallMemory,
        archival: ArchivalMemory,
        pause: Pausable,
        message: Mapping[str, Any] | None = None,
    ) -> None:
        self._core, self._recall, self._archival = core, recall, archival
        self._pause, self._message = pause, message or {}

    def tools(self) -> dict[str, Tool]:
        """Every function by its name, in the order in which the model sees them."""
        tools = (
            _tool(self.send_message, heartbeat=False, narrow=lambda: {"message": self._message}),
            _tool(self.core_memory_append, writes=True, narrow=self._blocks),
            _tool(self.core_memory_replace, writes=True, narrow=self._blocks),
            _tool(self.conversation_search, heartbeat=False, again=True, prepare=self._prepare_messages),
            _tool(self.conversation_search_date, heartbeat=False, again=True),
            _tool(self.archival_memory_insert, writes=True),
            _tool(self.archival_memory_search, heartbeat=False, again=True, prepare=self._prepare_passages),
            _tool(self.pause_heartbeats, heartbeat=False, timed=True),
        )
        return {one.signature.name: one for one in tools}

    def send_message(self, message: str) -> str:
        """Say something."""
        if not message.strip():
            raise ToolError("There is nothing to say: message is empty.")
        return "Sent."

    def core_memory_append(self, name: str, content: str) -> str:
        """Add to a core memory block."""
        return self._core.append(name, content)

    def core_memory_replace(self, name: str, old_content: str, new_content: str) -> str:
        """Change old_content, exactly as it stands in a core memory block; empty new_content deletes it."""
        return self._core.replace(name, old_content, new_content)

    def conversation_search(self, query: str, page: int = 1) -> str:
        """Search all earlier messages by words."""
        return self._recall.search(query, page)

    def conversation_search_date(self, start_date: str, end_date: str, page: int = 1) -> str:
        """List earlier messages from day to day (YYYY-MM-DD)."""
        start, end = _days(start_date)[0], _days(end_date)[1]
        if end < start:
            raise ToolError(f"end_date {end} is before start_date {start}.")
        return self._recall.search_dates(start, end, page)

    def archival_memory_insert(self, content: str) -> str:
        """Store text for good, understandable by itself."""
        return self._archival.insert(content)

    def archival_memory_search(self, query: str, page: int = 1) -> str:
        """Search stored text and attached documents."""
        return self._archival.search(query, page)

    def pause_heartbeats(self, minutes: int) -> str:
        """Ignore timed events, at most 360 minutes."""
        if not 0 <= minutes <= MAX_PAUSE_MINUTES:
            raise ToolError(f"minutes must be between 0 and {MAX_PAUSE_MINUTES}, not {minutes}.")
        self._pause(minutes)
        return f"Timed events are paused for {minutes} minutes."

    def _blocks(self) -> Mapping[str, Mapping[str, Any]]:
        return {"name": {"enum": self._core.labels()}}

    def _prepare_messages(self, query: str, page: int = 1) -> None:
        self._recall.prepare(query)

    def _prepare_passages(self, query: str, page: int = 1) -> None:
        self._archival.prepare(query)


def _tool(function: Callable[..., str], **options: Any) -> Tool:
    return Tool(Signature(function), function, memory=True, **options)


def _days(text: str) -> Days:
    try:
        return days_meant(text, date.today())
    except ValueError as error:
        raise ToolError(str(error)) from None
