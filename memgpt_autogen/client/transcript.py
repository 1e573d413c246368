"""One turn as a list of entries for programs: all at once, or as a stream."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Generator
from queue import SimpleQueue
from typing import Any

from .. import events
from ..agent import Agent
from ..messages import SEND_MESSAGE
from ..observers import (
    AgentEvent,
    Discarded,
    FunctionCalled,
    FunctionReturned,
    InnerThoughts,
    Said,
    SpeechDelta,
    ThoughtDelta,
)
from ..workers import run_in_thread

TranscriptEntry = dict[str, Any]
#: Seconds that the end of a stopped turn is waited for; a model that does not stream tells nothing for a while.
STOP_SECONDS = 2.0
_END: TranscriptEntry = {}


def entry_of(event: AgentEvent) -> TranscriptEntry | None:
    """The entry for an event of the agent: a dict with one of these keys.

    ``internal_monologue``, ``assistant_message``, ``function_call`` (``name({...})``), ``function_return`` (beside it
    ``status``: ``success`` or ``error``); in a stream also ``internal_monologue_part``, ``assistant_message_part``, and
    ``discarded`` where these are void. None: this event has no entry.
    """
    match event:
        case InnerThoughts(text):
            return {"internal_monologue": text}
        case Said(text):
            return {"assistant_message": text}
        case FunctionCalled(call) if call.name != SEND_MESSAGE:
            return {
                "function_call": f"{call.name}({json.dumps(dict(call.arguments), ensure_ascii=False, default=str)})"
            }
        case FunctionReturned(result) if result.name != SEND_MESSAGE or result.failed:
            return {"function_return": result.content, "status": "error" if result.failed else "success"}
        case ThoughtDelta(text):
            return {"internal_monologue_part": text}
        case SpeechDelta(text):
            return {"assistant_message_part": text}
        case Discarded(why):
            return {"discarded": why}
    return None


def entries(agent: Agent, message: str, name: str | None = None) -> list[TranscriptEntry]:
    """Send a message to an agent; the entries of the whole turn."""
    found: list[TranscriptEntry] = []

    def watch(event: AgentEvent) -> None:
        entry = entry_of(event)
        if entry:
            found.append(entry)

    agent.observers.append(watch)
    try:
        agent.run([events.user_message(message, name=name)])
    finally:
        agent.observers.remove(watch)
    return found


class _Stopped(BaseException):
    """Raised in the turn's thread when the reader of the stream has gone: the turn ends at its last whole step."""


def stream(agent: Agent, message: str, name: str | None = None) -> Generator[TranscriptEntry, None, None]:
    """The same as a stream, with parts. Closing the iterator ends the turn at its last whole step.

    The turn runs in its own thread; its errors are raised here.
    """
    queue: SimpleQueue[TranscriptEntry | BaseException | None] = SimpleQueue()
    gone = threading.Event()

    def watch(event: AgentEvent) -> None:
        if threading.current_thread() is not thread:
            return  # another turn of the same agent
        if gone.is_set():
            raise _Stopped
        entry = entry_of(event)
        if entry:
            queue.put(entry)

    def turn() -> None:
        try:
            agent.run([events.user_message(message, name=name)], stream=True)
        except BaseException as error:
            queue.put(error)
        else:
            queue.put(None)
        finally:
            agent.observers.remove(watch)

    thread = threading.Thread(target=turn, name=f"turn of {agent.name}", daemon=True)
    agent.observers.append(watch)
    try:
        thread.start()
        while (entry := queue.get()) is not None:
            if isinstance(entry, BaseException):
                raise entry
            yield entry
    finally:
        gone.set()  # the turn ends with the next thing that it tells
        thread.join(STOP_SECONDS)


async def unblocked(found: Generator[TranscriptEntry, None, None]) -> AsyncIterator[TranscriptEntry]:
    """The entries of :func:`stream`, each awaited in a thread. Closing this iterator closes that one."""
    try:
        while (entry := await run_in_thread(lambda: next(found, _END), computes=False)) is not _END:
            yield entry
    finally:
        await run_in_thread(found.close, computes=False)
