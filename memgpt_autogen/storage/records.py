"""What a store is given, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from ..messages import Message, utc_now

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

#: Shape (n, dim), or (dim,) for one. A text, so that listing agents does not load numpy.
Vectors: TypeAlias = "npt.NDArray[np.float32]"
#: Told ``(done, total)``.
Progress: TypeAlias = Callable[[int, int], None]
H = TypeVar("H")
#: The relevance from which a hit is about the query (``docs/decisions/0011-what-is-a-hit.md``).
RELEVANT = 0.35


@dataclass(frozen=True)
class AgentRow:
    """An agent's record. ``config`` is an :class:`~memgpt_autogen.config.AgentConfig` as JSON types."""

    id: str
    name: str
    config: Mapping[str, Any]
    created_at: datetime


@dataclass(frozen=True)
class Block:
    """One block of core memory. ``limit`` is in characters; ``version`` counts the edits from 1."""

    id: str
    label: str
    value: str
    limit: int
    version: int


@dataclass(frozen=True)
class BlockVersion:
    """One version of a block's text.

    Attributes:
        version: counted from 1.
        value: the whole text.
        step_id: the step that wrote it; empty: written by hand. Where the program saved facts from a message, it is
            the step of that message.
        created_at: when, in UTC.
    """

    version: int
    value: str
    step_id: str
    created_at: datetime


@dataclass(frozen=True)
class Summary:
    """What stands in for the messages from the first to the last (both included); ``messages`` counts them.

    A summary folds in the one before it, so the range it stands for begins with the agent's first message.
    """

    text: str
    first_message_id: str
    last_message_id: str
    messages: int = 0
    id: str = ""
    created_at: datetime = field(default_factory=utc_now)


@dataclass(frozen=True)
class WindowChanges:
    """What has changed in an agent's window since it was read.

    Attributes:
        mark: names this state of the window; given back to ask for what changes after it.
        whole: ``messages`` are the whole window: forget what was read before.
        summary: the last summary, which the window begins after.
        messages: those that came since, in order.
        unanswered: the ids of all messages that no step has answered yet.
        replaced: messages that stand in the place of earlier ones, by the ids of those.
    """

    mark: Hashable
    whole: bool
    summary: Summary | None
    messages: Sequence[Message]
    unanswered: frozenset[str]
    replaced: Mapping[str, Message] = field(default_factory=dict)


@dataclass(frozen=True)
class Undone:
    """What was taken back.

    Attributes:
        turns: how many turns.
        messages: theirs, oldest first.
        blocks: labels of the core memory blocks that have their earlier text again.
        notes: passages that are gone from archival memory.
        summaries: how many were dropped; what they stood for is in view again.
        waiting: how many messages wait for an answer again.
    """

    turns: int
    messages: tuple[Message, ...]
    blocks: tuple[str, ...]
    notes: int
    summaries: int
    waiting: int


@dataclass(frozen=True)
class Remembered:
    """One thing that an agent remembers: what kind of thing, and a piece of its text."""

    kind: str
    excerpt: str


#: What a receipt calls the parts of a file that no row uses any more.
FREE_PAGES = "free pages of the file and its write-ahead log"


class Forgotten(tuple[Remembered, ...]):
    """What was deleted, with the receipt.

    Attributes:
        removed: how much was removed from where: messages, notes, core memory and its versions, summaries, settings,
            the full text index, vectors, the file's free pages.
        left: where traces still stand, and why; empty: nowhere in the store.
    """

    removed: Mapping[str, int]
    left: tuple[str, ...]

    def __new__(
        cls, found: Iterable[Remembered] = (), removed: Mapping[str, int] | None = None, left: Iterable[str] = ()
    ) -> Forgotten:
        made = super().__new__(cls, found)
        made.removed, made.left = dict(removed or {}), tuple(left)
        return made


@dataclass(frozen=True)
class Source:
    """A named set of passages. ``embedder`` and ``dim`` are empty and 0 until vectors are there."""

    id: str
    name: str
    embedder: str
    dim: int
    passages: int
    created_at: datetime


@dataclass(frozen=True)
class Passage:
    """A piece of text in archival memory.

    Attributes:
        text: what is searched and shown.
        uri: where it comes from; empty for an agent's own notes.
        metadata: page, heading, position: whatever tells a reader where to look.
    """

    text: str
    uri: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""
    source: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True)
class DocumentRow:
    """One document of a source. ``digest`` changes with its content; ``uri`` is its own within the source."""

    id: str
    uri: str
    digest: str


@dataclass(frozen=True)
class Hit(Generic[H]):
    """One answer of a search.

    Attributes:
        item: what was found.
        score: greater is better; scores of two searches cannot be compared.
        relevance: 0 to 1, and comparable: the share of the query's informative words that stand in it, each counting by
            its rarity (for a message, half where a word stands only in those around it); where it was searched by
            meaning too, the mean of that and the cosine.
    """

    item: H
    score: float
    relevance: float = 0.0

    @property
    def relevant(self) -> bool:
        """Whether it is about the query, and not merely the best there is."""
        return self.relevance >= RELEVANT


@dataclass(frozen=True)
class Page(Generic[H]):
    """A page of answers, best first.

    Attributes:
        hits: those on this page.
        total: how many there are on all pages.
        page: its number, from 1.
        page_size: how many hits a page has at most.
    """

    hits: Sequence[Hit[H]]
    total: int
    page: int
    page_size: int

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return -(-self.total // self.page_size)

    @property
    def first(self) -> int:
        """The rank of its first hit, from 0."""
        return (self.page - 1) * self.page_size

    @classmethod
    def of(cls, total: int, page: int, page_size: int) -> Page[H]:
        """An empty page of so many answers; the last or the first where there is none of that number."""
        return cls((), total, min(max(page, 1), max(-(-total // page_size), 1)), page_size)


@dataclass(frozen=True)
class AgentOverview:
    """An agent's record, how many messages it has, and the names of the sources that it searches."""

    row: AgentRow
    messages: int
    sources: list[str]


@dataclass(frozen=True)
class Health:
    """The state of a database.

    Attributes:
        faults: what is wrong, one sentence each; empty: it is whole.
        counts: rows of the tables that matter to a user.
        format: the version of its schema.
        left: what killed processes left, and what forgetting left; removed at the next opening.
        swept: when (ISO 8601, UTC) what was removed, the newest first.
        checked_index: whether the index could be compared with the content word by word: not in a file that is only
            read.
    """

    faults: tuple[str, ...]
    counts: Mapping[str, int]
    format: int
    left: tuple[str, ...]
    swept: tuple[tuple[str, str], ...]
    checked_index: bool


@dataclass(frozen=True)
class Repaired:
    """What a repair did.

    Attributes:
        kept: the old file, under its new name.
        saved: rows by table.
        unread: rows that could not be read or kept, by table, as far as that can be told.
    """

    kept: Path
    saved: Mapping[str, int]
    unread: Mapping[str, int]


def now() -> str:
    """The present moment as it is stored: ISO 8601, UTC, microseconds, so that text order is time order."""
    return stamp(datetime.now(timezone.utc))


def stamp(moment: datetime) -> str:
    """A moment as it is stored."""
    return moment.astimezone(timezone.utc).isoformat(timespec="microseconds")
