"""The contract of a store: what is kept, and how it is asked for.

A store has five parts, one for each kind of thing: ``agents`` (with their core memory blocks), ``log`` (messages,
summaries, steps), ``passages`` (sources and what is in them), ``conversations`` (what of a chat an agent has taken
in), and the store itself, which gives transactions and locks. Every row carries the ``user_id`` of the store and the
``step_id`` of the transaction that wrote it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

from ..messages import Message, Usage
from .records import (
    AgentOverview,
    AgentRow,
    Block,
    BlockVersion,
    DocumentRow,
    Forgotten,
    Health,
    Page,
    Passage,
    Progress,
    Remembered,
    Repaired,
    Source,
    Summary,
    Undone,
    Vectors,
)


class Agents(Protocol):
    """Agents and their core memory."""

    def create(self, name: str, config: Mapping[str, Any]) -> AgentRow:
        """Raises: NameTaken."""
        ...

    def get(self, name: str) -> AgentRow:
        """Raises: AgentNotFound, naming those there are."""
        ...

    def list(self) -> Sequence[AgentRow]: ...
    def update(self, agent_id: str, config: Mapping[str, Any]) -> None: ...
    def delete(self, agent_id: str) -> None: ...
    def pause(self, agent_id: str, until: datetime) -> None: ...

    def paused_until(self, agent_id: str) -> datetime | None:
        """Until when timed events are ignored."""
        ...

    def blocks(self, agent_id: str) -> Sequence[Block]: ...
    def add_block(self, agent_id: str, label: str, value: str, limit: int) -> Block: ...

    def share_block(self, agent_id: str, block_id: str) -> None:
        """Put another agent's block into this one's core memory: the same block, not a copy."""
        ...

    def write_block(self, block_id: str, value: str, *, agent_id: str) -> Block:
        """A new version of a block. The old ones are kept."""
        ...

    def versions(self, block_id: str) -> Sequence[BlockVersion]:
        """All versions of a block, oldest first."""
        ...


class Log(Protocol):
    """Messages, summaries and steps of each agent, in the order they were written."""

    def append(self, agent_id: str, messages: Sequence[Message]) -> None: ...
    def mark_answered(self, agent_id: str) -> None: ...

    def window(self, agent_id: str) -> Sequence[Message]:
        """The messages after the last summary: what is in context."""
        ...

    def tail(self, agent_id: str, count: int) -> Sequence[Message]:
        """The last messages, oldest first."""
        ...

    def heard(self, agent_id: str, step_id: str) -> Sequence[Message]:
        """The user messages that a step took in, or the last one before a step that took in none."""
        ...

    def count(self, agent_id: str) -> int: ...

    def calls_made(self, agent_id: str, ids: Collection[str]) -> set[str]:
        """Those of these ids that are of calls which the agent made."""
        ...

    def search(
        self,
        agent_id: str,
        query: str,
        *,
        page: int,
        page_size: int,
        vector: Vectors | None = None,
        embedder: str = "",
        since: date | None = None,
        until: date | None = None,
        today: date | None = None,
        embed_words: Callable[[Sequence[str]], Vectors] | None = None,
    ) -> Page[Message]:
        """Messages by words, and by meaning where a vector of the query is given; never those still unanswered.

        A hit holds words of the query (the name of who said it is one of its words), stands beside such where the query
        has several, or is near in meaning; what is far less relevant than the best is none. Pages start at 1; where
        there is none of that number it is the last. ``since`` and ``until``: only messages of these days (local time,
        both included). ``today``: what "last May" in the query is counted from; None: the present day. ``embed_words``:
        gives the vectors of single words, by which words of like meaning are found too.
        """
        ...

    def without_vectors(self, agent_id: str, limit: int, embedder: str = "") -> Sequence[Message]:
        """The backlog: messages that have words and no vector yet, or none of the embedder that is named."""
        ...

    def put_vectors(self, agent_id: str, embedder: str, ids: Sequence[str], vectors: Vectors) -> None: ...

    def search_dates(self, agent_id: str, start: date, end: date, *, page: int, page_size: int) -> Page[Message]:
        """Messages of these days (local time, both included), oldest first."""
        ...

    def replace(self, message: Message, other: Message) -> None:
        """Put another message in the place of one, under an id of its own."""
        ...

    def add_summary(self, agent_id: str, summary: Summary, *, asked: bool = False) -> None:
        """``asked``: it is no part of a turn, and outlasts an undo of turns that it does not stand for."""
        ...

    def last_summary(self, agent_id: str) -> Summary | None: ...
    def add_step(self, agent_id: str, outcome: str, model: str, usage: Usage) -> None: ...

    def extracted(self, agent_id: str) -> str:
        """The id of the last message from which facts were extracted; empty: none yet."""
        ...

    def mark_extracted(self, agent_id: str, message_id: str) -> None:
        """Record that facts were extracted up to this message."""
        ...


class Passages(Protocol):
    """Sources, their passages, and which agent may search which."""

    def create_source(self, name: str) -> Source:
        """Raises: NameTaken."""
        ...

    def get_source(self, name: str) -> Source:
        """Raises: SourceError, naming those there are."""
        ...

    def list_sources(self) -> Sequence[Source]: ...
    def delete_source(self, source_id: str) -> None: ...
    def clear(self, source_id: str) -> None:
        """Delete what a source holds, and keep the source and its attachments."""
        ...

    def documents(self, source_id: str) -> Sequence[DocumentRow]:
        """What a source was loaded from."""
        ...

    def add_document(self, source_id: str, uri: str, digest: str) -> str:
        """The id of a new document of a source."""
        ...

    def stage(self, name: str) -> str:
        """The id of a new hidden source, for documents that are on their way into the source of a name."""
        ...

    def publish(self, name: str, place: str, outdated: Iterable[str]) -> Source:
        """Move all documents of a hidden source into the source of a name, at once; it is made if it is not there.

        Args:
            name: the source's name.
            place: the hidden source, which ends with that.
            outdated: ids of documents of the source that are gone or changed; so are passages without a document.

        Raises:
            StoreError: there is no such hidden source.
        """
        ...

    def left_over(self, name: str) -> Sequence[str]:
        """The ids of the hidden sources of a name: of a load that is at work, or of one that did not end."""
        ...

    def discard_staged(self, name: str) -> None:
        """Delete hidden sources of a name, in transactions between which others may write."""
        ...

    def add(self, source_id: str, passages: Sequence[Passage], document_id: str | None = None) -> None:
        """Add passages, those of a document if one is named."""
        ...

    def own_source(self, agent_id: str) -> str:
        """The id of the source that holds what the agent itself inserts. Made at first use."""
        ...

    def attach(self, agent_id: str, source_id: str) -> None: ...
    def detach(self, agent_id: str, source_id: str) -> None: ...
    def attached(self, agent_id: str) -> Sequence[Source]: ...
    def count(self, agent_id: str) -> int:
        """Passages the agent can search."""
        ...

    def search(
        self,
        agent_id: str,
        query: str,
        *,
        page: int,
        page_size: int,
        vector: Vectors | None = None,
        embedder: str = "",
        also: Mapping[str, Vectors | None] | None = None,
        source: str | None = None,
        since: date | None = None,
        until: date | None = None,
        today: date | None = None,
    ) -> Page[Passage]:
        """Passages by words, and by meaning where a vector of the query is given.

        Args:
            agent_id: whose notes and attached sources.
            query: a person's words. Neither these nor a vector: every passage, the newest first.
            page, page_size: which hits; pages start at 1, and where there is none of that number it is the last.
            vector, embedder: the query's vector, and who made it.
            also: by other embedders, for the sources that these made; None: those are searched by words alone.
            source: only the attached source of this name; empty: only the agent's own notes.
            since, until: only what was written on these days (local time, both included).
            today: what "last May" in the query is counted from, for the agent's own notes; None: the present day.

        Raises:
            SourceError: an attached source is of an embedder that is not named; no source of that name is attached.
        """
        ...

    def without_vectors(self, agent_id: str, limit: int, embedder: str = "") -> Sequence[Passage]:
        """The backlog: passages of this agent that have no vector yet; its own notes, none of the one named."""
        ...

    def backlog(self, embedder: str, limit: int, source_id: str | None = None, *, after: str = "") -> Sequence[Passage]:
        """Passages without a vector, in the order written, of one source or of all that agents share.

        Sources of other embedders are left out. ``after``: the id of a passage to go on behind.
        """
        ...

    def waiting(self, embedder: str, source_id: str | None = None) -> int:
        """How many passages ``backlog`` would give in all."""
        ...

    def put_vectors(self, embedder: str, ids: Sequence[str], vectors: Vectors) -> None: ...

    def unsettled(self, agent_id: str) -> bool:
        """Whether ``settle`` has something to do for what an agent searches."""
        ...

    def settle(
        self,
        source_id: str | None = None,
        *,
        progress: Progress | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """Where vectors are kept in an index: move those there that are in the file, and hold the index against it.

        May take minutes, does not hold the store meanwhile, and goes on where it was interrupted. Searches use what
        they find: the vectors in the file until all are moved.

        Args:
            source_id: None: all sources.
            progress: told ``(done, total)`` of the vectors moved.
            stop: asked between batches.

        Raises:
            SourceError: the index cannot be reached.
        """
        ...


class Conversations(Protocol):
    """What of each chat an agent has taken in: ordered digests of messages."""

    def open(self, agent_id: str, peer: str, *, taken: Sequence[str]) -> str:
        """The id of the latest conversation with ``peer`` that is not in ``taken``, or of a new one."""
        ...

    def entries(self, conversation_id: str) -> Sequence[str]: ...
    def append(self, conversation_id: str, digests: Sequence[str]) -> None: ...


class Store(Protocol):
    """Everything an agent keeps. Safe to use from several threads and several processes."""

    @property
    def folder(self) -> Path | None:
        """Where the store notes files that are being written on this machine; None: nowhere."""
        ...

    @property
    def agents(self) -> Agents: ...
    @property
    def log(self) -> Log: ...
    @property
    def passages(self) -> Passages: ...
    @property
    def conversations(self) -> Conversations: ...

    def transaction(self, step_id: str | None = None) -> AbstractContextManager[None]:
        """All or nothing. Inside another transaction it joins that one."""
        ...

    def undo(self, agent_id: str, turns: int, *, keep_incoming: bool = False) -> Undone:
        """Take the last turns back: messages, edits of core memory, archival notes, summaries; all or nothing.

        What they answered without its being a part of them waits again.

        Args:
            agent_id: whose turns.
            turns: how many; where there are fewer, all there are.
            keep_incoming: leave what came in at the start of the first of them, unanswered.

        Raises:
            UndoRefused: there is no turn, or someone else has edited a shared block since.
        """
        ...

    def turns(self, agent_id: str) -> int:
        """How many turns :meth:`undo` could take back."""
        ...

    def wipe(self, agent_id: str) -> Sequence[str]:
        """Forget every message and note, and give each block its first text; sources stay attached.

        Returns:
            Labels of blocks that other agents share: those are left as they are.
        """
        ...

    def dump(self, agent_id: str) -> Mapping[str, Any]:
        """Everything of an agent but vectors, as JSON types; attached sources by name."""
        ...

    def load(self, name: str, config: Mapping[str, Any], data: Mapping[str, Any]) -> tuple[AgentRow, Sequence[str]]:
        """Put an agent in that ``dump`` gave, under ids of its own; all of it or nothing.

        Returns:
            The agent, and the names of sources that are not there and so not attached.

        Raises:
            NameTaken: there is an agent of that name.
        """
        ...

    def remembered(self, agent_id: str, about: str) -> Sequence[Remembered]:
        """Everything of an agent that holds all the words of ``about`` that matter."""
        ...

    def forget(self, agent_id: str, about: str) -> Forgotten:
        """Delete that, so that nothing of it is left in the store's files either, nor of what was deleted before.

        Returns:
            What was deleted, with the receipt.

        Raises:
            TracesLeft: it is deleted, and the files could not be cleaned; asked once more, it goes on with that.
        """
        ...

    def lock(self, agent_id: str, wait: float = 0.0) -> AbstractContextManager[None]:
        """Hold an agent for oneself. Another thread of this process waits.

        Args:
            agent_id: the agent.
            wait: seconds to wait for another process.

        Raises:
            AgentBusy: another process still holds it, or this thread does already.
        """
        ...

    def close(self) -> None: ...


class Engine(Protocol):
    """One kind of store: what is done with it by its address. A row of :data:`memgpt_autogen.storage.engines.ENGINES`.

    Every method raises StoreError where the store cannot be reached, is damaged, or is of a newer version.
    """

    def open(
        self, address: str, *, user_id: str = "local", read_only: bool = False, vectors: str | None = None
    ) -> Store:
        """Open a store; unless ``read_only`` it is made if it is not there.

        Args:
            address: as of :func:`memgpt_autogen.storage.engines.engine_of`.
            user_id: whose agents and sources these are.
            read_only: refuse to write.
            vectors: the address of an index that keeps the vectors of passages; None: the store itself.
        """
        ...

    def exists(self, address: str) -> bool:
        """Whether there is a store."""
        ...

    def agents(self, address: str, user_id: str = "local") -> Sequence[AgentOverview]:
        """Every agent, oldest first, by few queries and without loading what searches need."""
        ...

    def check(self, address: str) -> Health:
        """Check whether the store is intact. Changes nothing."""
        ...

    def repair(self, address: str) -> Repaired:
        """Save what can be read into a new store in the place of the damaged one, which is kept."""
        ...

    def backup(self, address: str, target: Path) -> None:
        """Copy the store into one file, as of one moment, while others write.

        Raises:
            ConfigError: the file cannot be written.
        """
        ...
