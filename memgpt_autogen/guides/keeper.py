"""The fact keeper: saves what people tell of themselves, after the reply and without delaying it.

It works on the messages since the last one it has read, so that a process that ends too early loses nothing: the next
one goes on from there. What it writes carries the step of the message that it comes from. An undone turn thus takes its
facts along, and each line of core memory can tell where it is from.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from functools import partial

from ..agent.guide import Guide, TurnContext
from ..agent.results import Turn
from ..errors import MemGPTError, ToolError
from ..ids import new_id
from ..llm.base import ChatModel
from ..memory.archival import ArchivalMemory
from ..memory.core import HUMAN, CoreMemory
from ..messages import Message, ToolCall, ToolResult, Usage, utc_now
from ..observers import FunctionCalled, FunctionReturned, Observer
from ..prompts import packaged
from ..storage.base import Store
from .corrections import Change, corrections
from .extract import UNNAMED_SPEAKER, extract
from .facts import Fact, capitalised, condensed, has_ended, is_known, is_quotation, named, worth_reading
from .relevant import former

logger = logging.getLogger(__name__)

#: Messages that are read at once; of a longer backlog, the newest.
MOST_MESSAGES = 6
#: Seconds that :meth:`FactKeeper.wait` waits for a running extraction.
SETTLE_SECONDS = 60.0


class FactKeeper:
    """Saves facts for one agent.

    Args:
        store: where the agent lives.
        agent_id: which agent.
        core: its core memory; facts are lines of the block ``human``.
        archival: takes facts that are out of date, and lines that no longer fit the block.
        observers: are told of each line that is saved.
    """

    def __init__(
        self, store: Store, agent_id: str, core: CoreMemory, archival: ArchivalMemory, observers: Sequence[Observer]
    ) -> None:
        self._store = store
        self._agent_id = agent_id
        self._core = core
        self._archival = archival
        self._observers = observers
        self._one_at_a_time = threading.Lock()
        self._thread: threading.Thread | None = None

    def save(self, model: ChatModel) -> None:
        """Extract and save facts from the messages that were not read yet. At most one call of the model.

        Args:
            model: reads the messages.

        Raises:
            ModelError: the model failed; the messages are read the next time.
        """
        with self._one_at_a_time:
            pending = self._pending(self._store.log.window(self._agent_id))
            if not pending:
                return
            known = self._lines()
            read = [message for message in pending if worth_reading(message.text)]
            names = {name for line in known for name in capitalised(line)}
            heard = [(one, self._speaker(one, known)) for one in read]
            facts, usage = extract(model, heard, names) if read else ([], Usage())
            with self._store.lock(self._agent_id):
                for message in read:
                    self._write(message, [fact for fact in facts if fact.message_id == message.id])
                with self._store.transaction(new_id()):
                    self._store.log.mark_extracted(self._agent_id, pending[-1].id)
                    if usage != Usage():
                        self._store.log.add_step(self._agent_id, "facts extracted", model.name, usage)

    def save_in_background(self, model: ChatModel, window: Sequence[Message]) -> None:
        """The same in a thread of its own. Errors are logged; the messages are read the next time.

        Args:
            model: reads the messages.
            window: the messages of the window; without one that was not read yet, no thread is started.
        """
        if self._pending(window):
            self._thread = threading.Thread(target=partial(self._save_quietly, model), daemon=True, name="memgpt-facts")
            self._thread.start()

    def wait(self, seconds: float = SETTLE_SECONDS) -> None:
        """Wait for the thread that :meth:`save_in_background` started, if it still runs."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _save_quietly(self, model: ChatModel) -> None:
        try:
            self.save(model)
        except MemGPTError as error:
            logger.info("Facts could not be saved yet: %s", error)

    def _pending(self, window: Sequence[Message]) -> list[Message]:
        last = self._store.log.extracted(self._agent_id)
        said = [one for one in window if one.kind == "user_message" and one.text and one.id > last and one.answered]
        return said[-MOST_MESSAGES:]

    def _lines(self) -> list[str]:
        """The lines about people, without the first text that says there are none."""
        lines = self._core.block(HUMAN).value.splitlines()
        return [line for line in lines if line.strip() and line.strip() != packaged("humans/basic.txt")]

    def _speaker(self, message: Message, known: Sequence[str]) -> str:
        return message.author or named(known) or UNNAMED_SPEAKER

    def _write(self, message: Message, facts: Sequence[Fact]) -> None:
        """Save the facts of one message, in one transaction with the step of that message."""
        lines = self._lines()
        changes = corrections(message.text, facts, lines)
        lines, added, notes = apply(changes, facts, lines)
        lines, moved = condensed(lines, self._core.block(HUMAN).limit)
        if not (changes or added or notes):
            return
        with self._store.transaction(message.step_id or new_id()):
            for note in [*notes, *moved]:
                self._archival.insert(note)
            try:
                self._core.rewrite(HUMAN, lines)
            except ToolError as error:
                logger.info("Facts could not be written: %s", error)
                return
        for change in changes:
            arguments = {"name": HUMAN, "old_content": change.old, "new_content": change.new}
            self._tell("core_memory_replace", arguments)
        for line in added:
            self._tell("core_memory_append", {"name": HUMAN, "content": line})
        for note in [*notes, *moved]:
            self._tell("archival_memory_insert", {"content": note})

    def _tell(self, function: str, arguments: dict[str, str]) -> None:
        call = ToolCall(function, arguments)
        for observer in self._observers:
            observer(FunctionCalled(call, by_program=True))
            observer(FunctionReturned(ToolResult(call.id, function, "Saved.")))


def apply(
    changes: Sequence[Change], facts: Sequence[Fact], lines: Sequence[str]
) -> tuple[list[str], list[str], list[str]]:
    """What a block says after the changes and with the new facts.

    Returns:
        All lines, those of them that are new, and notes for archival memory: values that were replaced, with the day
        until which they held, facts that are past already, and the words of a correction that facts tell.
    """
    today = utc_now().astimezone()
    day = f"{today.day} {today:%B %Y}"
    after, added, notes = list(lines), [], []
    stated = any(change.new for change in changes) or not all(is_quotation(fact.text) for fact in facts)
    for change in changes:
        at = after.index(change.old)
        after[at : at + 1] = [change.new] if change.new else []
        notes.append(former(change.old, day))
    for fact in facts:
        if is_known(fact.text, after):
            continue
        if has_ended(fact.text) or (changes and is_quotation(fact.text) and stated):
            notes.append(fact.text)
            continue
        after.append(fact.text)
        added.append(fact.text)
    return after, added, notes


class FactGuide(Guide):
    """Starts the fact keeper after each turn; it also reads what an earlier process left.

    Args:
        turn: the turn.
        keeper: of the agent.
    """

    def __init__(self, turn: TurnContext, keeper: FactKeeper) -> None:
        super().__init__(turn)
        self._keeper = keeper

    def after_turn(self, turn: Turn) -> None:
        """Read the new messages in the background."""
        if not turn.pending:
            self._keeper.save_in_background(self.turn.model, self.turn.cached.refresh())
