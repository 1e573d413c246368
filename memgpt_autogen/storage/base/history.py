"""The contract of a store's history: turns and steps in order, notes with their steps, and records of prompts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from ...messages import Message, Usage


@dataclass(frozen=True)
class TurnRow:
    """One turn: the events that came in, and all that the agent did about them.

    Attributes:
        number: counted from 1, among the turns that were not undone.
        steps: ids of the transactions that wrote its messages, in order. The first took the events in.
        first_message_id, last_message_id: its messages in the log, both included.
        started: when, in UTC.
    """

    number: int
    steps: tuple[str, ...]
    first_message_id: str
    last_message_id: str
    started: datetime


@dataclass(frozen=True)
class StepRow:
    """One step: a model call and what came of it. ``outcome`` is ``undone`` where it was taken back."""

    id: str
    outcome: str
    model: str
    usage: Usage
    created_at: datetime


@dataclass(frozen=True)
class NoteRow:
    """A note in archival memory; ``step_id`` is empty where it was not written in a turn."""

    id: str
    text: str
    step_id: str
    created_at: datetime


@dataclass(frozen=True)
class PromptRow:
    """How to put one prompt together again; see :mod:`memgpt_autogen.memory.prompt_log`.

    Attributes:
        id: a UUIDv7.
        step_id: the step that the model's reply led to.
        model: the model's name.
        base: the id of the prompt that ``parts`` copy from; empty: none.
        parts: the prompt's messages, as JSON types.
        tools: the digest of the functions' schemas among the texts; empty: none were on offer.
        options: further arguments of the call, and the model's context window (``window``), as JSON types.
        digest: of the whole prompt as it was sent.
        created_at: when, in UTC.
    """

    id: str
    step_id: str
    model: str
    base: str
    parts: Sequence[Any]
    tools: str
    options: Mapping[str, Any]
    digest: str
    created_at: datetime


@dataclass(frozen=True)
class PromptText:
    """A text that prompts share. ``words`` tells what people or models wrote from schemas, which nobody forgets."""

    digest: str
    text: str
    words: bool = field(default=True)


class History(Protocol):
    """What happened when, and what was sent."""

    def turns(self, agent_id: str) -> Sequence[TurnRow]:
        """Every turn, oldest first."""
        ...

    def messages(self, agent_id: str, turn: TurnRow) -> Sequence[Message]:
        """The messages of a turn, oldest first."""
        ...

    def messages_by_id(self, agent_id: str, ids: Collection[str]) -> Mapping[str, Message]:
        """Those of these messages that are there."""
        ...

    def steps(self, agent_id: str) -> Sequence[StepRow]:
        """Every step, oldest first, with those that were undone."""
        ...

    def notes(self, agent_id: str) -> Sequence[NoteRow]:
        """The agent's own notes in archival memory, oldest first."""
        ...

    def delete_notes(self, agent_id: str, ids: Collection[str]) -> int:
        """Delete some of the agent's own notes; how many were there."""
        ...

    def add_prompt(self, agent_id: str, prompt: PromptRow, texts: Sequence[PromptText]) -> None:
        """Record a prompt in the step that is being written, with texts that may be there already."""
        ...

    def last_prompt(self, agent_id: str) -> str:
        """The id of the newest record; empty: there is none."""
        ...

    def prompt(self, agent_id: str, prompt_id: str) -> PromptRow | None:
        """One record."""
        ...

    def prompts(self, agent_id: str, steps: Collection[str] | None = None) -> Sequence[PromptRow]:
        """The records of these steps, oldest first; None: all."""
        ...

    def prompt_texts(self, agent_id: str, digests: Collection[str]) -> Mapping[str, str]:
        """Those of these texts that are there."""
        ...
