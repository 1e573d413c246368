"""Changes to the last reply of an agent: other inner thoughts, other words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..errors import UndoRefused
from ..events import clean
from ..messages import SEND_MESSAGE, Message
from ..storage.base import Store

#: Messages from the end of the log among which the last reply is looked for: a turn of many calls and results.
LOOK_BACK = 100


def replace_thoughts(store: Store, agent_id: str, text: str) -> str:
    """Replace the last inner thoughts; returns those that were there.

    Raises:
        UndoRefused: the agent has not replied yet.
    """
    last = _last_reply(store, agent_id, lambda _: True)
    store.log.replace(last, replace(last, content=clean(text)))
    return last.content


def replace_words(store: Store, agent_id: str, text: str) -> str:
    """Replace what the agent said last; returns the words that were there.

    Raises:
        UndoRefused: the agent has said nothing yet.
    """
    last = _last_reply(store, agent_id, lambda reply: any(call.name == SEND_MESSAGE for call in reply.tool_calls))
    *_, spoken = (call for call in last.tool_calls if call.name == SEND_MESSAGE)
    calls = tuple(
        replace(call, arguments={**call.arguments, "message": clean(text)}) if call is spoken else call
        for call in last.tool_calls
    )
    said = "\n".join(str(call.arguments.get("message", "")) for call in calls if call.name == SEND_MESSAGE)
    store.log.replace(last, replace(last, tool_calls=calls, text=said))
    return str(spoken.arguments.get("message", ""))


def _last_reply(store: Store, agent_id: str, wanted: Callable[[Message], bool]) -> Message:
    for message in reversed(store.log.tail(agent_id, LOOK_BACK)):
        if message.role == "assistant" and wanted(message):
            return message
    raise UndoRefused("This agent has said nothing yet that could be changed.")
