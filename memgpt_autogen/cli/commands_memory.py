"""Commands of a chat about what the agent remembers and searches."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from ..messages import Message
from ..tools.memory_tools import SEND_MESSAGE
from .console import confirm

if TYPE_CHECKING:
    from .session import Session

#: Messages that ``/recall`` shows without a query.
LAST = 10


def memory(session: Session, _: str) -> None:
    """``/memory``."""
    agent, store = session.agent, session.agent.store
    for block in store.agents.blocks(agent.id):
        session.view.tell(f"{block.label} ({len(block.value)} of {block.limit} characters)", "bold")
        session.view.tell(block.value or "(empty)")
    if not agent.preset.core:
        session.view.tell(f"The preset {agent.preset.name} does not show these to the model.", "yellow")
    in_view, count = len(store.log.window(agent.id)), store.log.count(agent.id)
    session.view.tell(
        f"Recall memory: {count} messages, {in_view} of them in view. "
        f"Archival memory: {store.passages.count(agent.id)} passages.",
        "dim",
    )


def archival(session: Session, given: str) -> None:
    """``/archival [QUERY]``."""
    agent = session.agent
    if given:
        session.view.tell(agent.archival.search(given, 0))
        return
    attached_ones = ", ".join(source.name for source in agent.store.passages.attached(agent.id)) or "none"
    session.view.tell(
        f"{agent.store.passages.count(agent.id)} passages; sources attached: {attached_ones}. Search them with: "
        "/archival QUERY"
    )


def recall(session: Session, given: str) -> None:
    """``/recall [QUERY]``."""
    agent = session.agent
    if given:
        session.view.tell(agent.recall.search(given, 0))
        return
    _show(session, [message for message in agent.store.log.tail(agent.id, 5 * LAST) if message.text][-LAST:])


def summarize(session: Session, _: str) -> None:
    """``/summarize``."""
    with session.view.waiting():
        gone, summary = session.agent.summarize()
    if not gone:
        session.view.tell("There is nothing to summarise: only the last turn is in view.")
    else:
        session.view.tell(summary or "The preset writes no summaries; all of it is in recall memory.")


def dump(session: Session, given: str) -> None:
    """``/dump [NUMBER]``."""
    log, agent_id = session.agent.store.log, session.agent.id
    _show(session, log.tail(agent_id, int(given)) if given else log.window(agent_id))


def _show(session: Session, messages: Sequence[Message]) -> None:
    if not messages:
        session.view.tell("There are no messages yet.")
    for message in messages:
        if message.role == "tool" and message.author == SEND_MESSAGE:
            continue  # it only says that the words were sent
        when = message.created_at.astimezone().strftime("%m-%d %H:%M")
        speaker = session.agent.name if message.role == "assistant" else message.author or message.kind
        calls = ", ".join(call.name for call in message.tool_calls if call.name != SEND_MESSAGE)
        words = message.text or (message.content if message.role != "assistant" else "")
        session.view.tell(f"{when} {speaker}: {words}{f' [calls {calls}]' if calls else ''}")


def dumpraw(session: Session, _: str) -> None:
    """``/dumpraw``."""
    window = session.agent.store.log.window(session.agent.id)
    session.view.tell(json.dumps([asdict(message) for message in window], indent=1, ensure_ascii=False, default=str))


def sources(session: Session, _: str) -> None:
    """``/sources``."""
    passages = session.agent.store.passages
    mine = {source.id for source in passages.attached(session.agent.id)}
    known = passages.list_sources()
    for source in known:
        session.view.tell(f"{'*' if source.id in mine else ' '} {source.name}: {source.passages} passages")
    if not known:
        session.view.tell("There are no sources yet. Load one with: memgpt load")


def attach(session: Session, given: str) -> None:
    """``/attach SOURCE``."""
    if given in attached(session):
        session.view.tell(f"{given} is attached already.")
        return
    session.agent.attach(given)
    session.view.tell(f"{session.agent.name} can search {given} from now on.")


def detach(session: Session, given: str) -> None:
    """``/detach SOURCE``."""
    session.agent.detach(given)
    session.view.tell(f"{session.agent.name} searches {given} no longer.")


def attached(session: Session) -> Sequence[str]:
    """The names of the sources that are attached."""
    return [source.name for source in session.agent.store.passages.attached(session.agent.id)]


def not_attached(session: Session) -> Sequence[str]:
    """The names of the others."""
    mine = attached(session)
    return [source.name for source in session.agent.store.passages.list_sources() if source.name not in mine]


def wipe(session: Session, _: str) -> None:
    """``/wipe``."""
    agent = session.agent
    count = agent.store.log.count(agent.id)
    if not confirm(
        f"Forget all {count} messages and {agent.name}'s notes, for good?", flag="a terminal, or delete the agent"
    ):
        return
    left = agent.wipe()
    session.view.tell(f"{agent.name} begins anew. Attached sources stay.")
    if left:
        session.view.tell(f"As other agents share them, these blocks are as they were: {', '.join(left)}.", "yellow")
