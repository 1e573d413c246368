"""An agent's window as its prompts show it, kept between turns.

Each turn brings it up to date by what has changed, whichever process wrote it, so that a turn costs the same however
long the window is. It holds nothing that is not in the store.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import date

from ..events import render_next, system_alert
from ..llm.base import ChatModel
from ..messages import Message, ToolCall
from ..storage.base import Store
from ..storage.records import Summary
from .window import Pairing

#: A text whose size tells whether a model's estimate of tokens has moved.
_PROBE = "The quick brown fox jumps over the lazy dog, and 42 grey geese look on. " * 4
#: The share by which it may move before all messages are counted again.
_DRIFT = 0.03
#: Models whose counts are kept at once.
_MODELS = 4


@dataclass
class _Counts:
    """The tokens of the messages shown, as one model counts them.

    Attributes:
        probe: the size of a known text when they were counted.
        sizes: of each message.
        total: their sum.
        stale: places of messages that have changed since.
        known: sizes by id and content, of messages that are about to come.
    """

    probe: int
    sizes: list[int] = field(default_factory=list)
    total: int = 0
    stale: set[int] = field(default_factory=set)
    known: dict[tuple[str, str], int] = field(default_factory=dict)


class WindowCache:
    """The window of one agent: the summary of evicted messages, then the messages.

    Args:
        store: where the window is.
        agent_id: whose it is.
        clock: whether events show their time.

    Attributes:
        summary: what stands in for the messages before the window.
        messages: the window in the order of the log, as the store has it.
        shown: what a prompt shows of it: the summary first, if there is one, and every result after its call.
        lock: held while it is read or brought up to date: chats in several threads share one agent.
    """

    def __init__(self, store: Store, agent_id: str, *, clock: bool = True) -> None:
        self.lock = threading.RLock()
        self._store = store
        self._agent_id = agent_id
        self._clock = clock
        self._mark: Hashable = None
        self._counts: dict[str, _Counts] = {}
        self._start(None)

    def _start(self, summary: Summary | None) -> None:
        """Begin anew; sizes that were counted before are kept for messages that are still there."""
        for counts in self._counts.values():
            shown = self.shown[: len(counts.sizes)]
            counts.known = {(one.id, one.content): size for one, size in zip(shown, counts.sizes, strict=True)}
            counts.sizes, counts.total, counts.stale = [], 0, set()
        self.summary = summary
        self.messages: list[Message] = []
        self.shown: list[Message] = []
        self._pairing = Pairing()
        self._places: dict[str, int] = {}  # of each message in ``messages``
        self._shown_places: dict[str, int] = {}
        self._unanswered: set[str] = set()
        self._day: date | None = None
        if summary:
            self._show(len(self.shown), _as_message(summary))
        self._lead = len(self.shown)

    def refresh(self) -> Sequence[Message]:
        """Bring it up to date; its messages, in the order of the log.

        Raises:
            StoreError: the store failed.
        """
        with self.lock:
            self._refresh()
            return self.messages

    def _refresh(self) -> None:
        since, self._mark = self._mark, None  # where this is interrupted, the next time begins anew
        changes = self._store.log.window_changes(self._agent_id, since)
        if any(message.tool_calls for message in changes.replaced.values()):  # its results are to be found anew
            changes = self._store.log.window_changes(self._agent_id)
        if changes.whole:
            self._start(changes.summary)
        for earlier, message in changes.replaced.items():
            if earlier in self._places:
                self._replace(earlier, message)
        for message in changes.messages:
            self._places[message.id] = len(self.messages)
            self.messages.append(message)
            if not message.answered:
                self._unanswered.add(message.id)
        for place in self._pairing.add(changes.messages):
            self._show(self._lead + place, self._pairing.messages[place])
        for changed in self._unanswered ^ changes.unanswered:
            if changed in self._places:
                self._answer(changed, changed not in changes.unanswered)
        self._mark = changes.mark

    # -- what is in it --------------------------------------------------------------------------------------------

    def __contains__(self, message_id: object) -> bool:
        """Whether a message is in the window."""
        return message_id in self._places

    @property
    def shown_messages(self) -> Sequence[Message]:
        """What is shown without the summary."""
        return self.shown[self._lead :]

    def through(self, leaving: Set[str]) -> Sequence[Message]:
        """The messages at the start of the log that leave with these, which are the first that are shown.

        A result that came late stands further on in the log than its call. It stays there, and without its call it is
        not shown any more.
        """
        end = 0
        for place, message in enumerate(self.messages):
            if message.id in leaving:
                end = place + 1
            elif message.role != "tool":
                break
        return self.messages[:end]

    @property
    def logged(self) -> Sequence[Message]:
        """What is shown without the summary, as it stands in the log."""
        return self._pairing.messages

    @property
    def open_calls(self) -> Sequence[tuple[Message, ToolCall]]:
        """Calls without a result, in order, each with its message."""
        return [*self._pairing.open_calls.values()]

    def calls_of(self, conversation: str | None) -> list[ToolCall]:
        """The calls of one conversation that have no result yet, in order."""
        return [call for message, call in self.open_calls if message.conversation_id in (None, conversation)]

    @property
    def call_ids(self) -> Set[str]:
        """The ids of all calls."""
        return self._pairing.call_ids

    @property
    def unanswered(self) -> list[Message]:
        """The messages that no step has answered yet, in the order of the log."""
        return [self.messages[place] for place in sorted(self._places[one] for one in self._unanswered)]

    # -- how large it is ------------------------------------------------------------------------------------------

    def sizes(self, model: ChatModel) -> tuple[Sequence[int], int]:
        """The tokens of each message that is shown, and their sum. Each message is counted once."""
        counts = self._of(model)
        for place in [*sorted(counts.stale), *range(len(counts.sizes), len(self.shown))]:
            message = self.shown[place]
            size = counts.known.get((message.id, message.content))
            size = model.count([message]) if size is None else size
            if place < len(counts.sizes):
                counts.total -= counts.sizes[place]
                counts.sizes[place] = size
            else:
                counts.sizes.append(size)
            counts.total += size
        counts.stale.clear()
        counts.known.clear()
        return counts.sizes, counts.total

    def size(self, model: ChatModel, message: Message) -> int:
        """The tokens of a message that is about to come into the window."""
        size = model.count([message])
        if counts := self._counts.get(model.name):
            counts.known[message.id, message.content] = size
        return size

    def _of(self, model: ChatModel) -> _Counts:
        """A model's counts; new ones where its estimate has moved since."""
        probe = model.count_tokens(_PROBE)
        counts = self._counts.pop(model.name, None)
        if counts is None or abs(probe - counts.probe) > _DRIFT * counts.probe:
            counts = _Counts(probe)
        while len(self._counts) >= _MODELS:
            self._counts.pop(next(iter(self._counts)))
        self._counts[model.name] = counts
        return counts

    # -- keeping it -----------------------------------------------------------------------------------------------

    def _show(self, place: int, message: Message) -> None:
        """Put a message where the prompt shows it: at the end, or in the place of another of the same role."""
        if place == len(self.shown):
            shown, self._day = render_next(message, self._day, clock=self._clock)
            self.shown.append(shown)
            self._shown_places[message.id] = place
            return
        del self._shown_places[self.shown[place].id]
        self._shown_places[message.id] = place
        self.shown[place], _ = render_next(message, self._day_before(place), clock=self._clock)
        for counts in self._counts.values():
            if place < len(counts.sizes):
                counts.stale.add(place)

    def _day_before(self, place: int) -> date | None:
        events = (self.shown[at] for at in range(place - 1, -1, -1))
        last = next((one for one in events if one.role == "user"), None)
        return last.created_at.astimezone().date() if last else None

    def _replace(self, earlier: str, message: Message) -> None:
        """Put a message in the place of one of the same role and time."""
        at = self._places.pop(earlier)
        self._places[message.id] = at
        self.messages[at] = message
        self._unanswered.discard(earlier)
        if not message.answered:
            self._unanswered.add(message.id)
        if (place := self._shown_places.get(earlier)) is not None:
            self._pairing.messages[place - self._lead] = message
            self._show(place, message)

    def _answer(self, message_id: str, answered: bool) -> None:
        """Note that a message is answered, or waits again: nothing of it that is shown changes."""
        at = self._places[message_id]
        self.messages[at] = replace(self.messages[at], answered=answered)
        (self._unanswered.discard if answered else self._unanswered.add)(message_id)
        if (place := self._shown_places.get(message_id)) is not None:
            self._pairing.messages[place - self._lead] = self.messages[at]
            self.shown[place] = replace(self.shown[place], answered=answered)


def _as_message(summary: Summary) -> Message:
    told = f"{summary.messages} earlier messages have left your view; they are in recall memory (conversation_search)."
    alert = system_alert(f"{told} Your notes on them: {summary.text}" if summary.text else told, at=summary.created_at)
    return Message(role="user", content=alert.content, kind=alert.kind, id=summary.id, created_at=summary.created_at)
