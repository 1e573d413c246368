"""The history of an agent's memory: every change with its turn, memory as of a turn or day, and its reversal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from difflib import SequenceMatcher, unified_diff
from itertools import pairwise

from ..errors import ConfigError, UndoRefused
from ..messages import Message
from ..storage.base import Store
from ..storage.base.history import TurnRow
from ..storage.records import Block, BlockVersion
from .provenance import origins

#: What the changes of archival memory are listed under, beside the labels of blocks.
NOTES = "notes"


@dataclass(frozen=True)
class MemoryChange:
    """One change of core memory, or a new note in archival memory.

    Attributes:
        place: the label of the block, or :data:`NOTES`.
        removed, added: lines.
        turn: the number of the turn that made it; 0: none, such as an edit by hand or by another agent.
        at: when, in UTC.
    """

    place: str
    removed: tuple[str, ...]
    added: tuple[str, ...]
    turn: int
    at: datetime


@dataclass(frozen=True)
class Blamed:
    """Where a line of core memory comes from.

    Attributes:
        place: the label of its block.
        line: the line.
        turn: as of :class:`MemoryChange`.
        since: when it was written, in UTC.
        messages: what was said then; empty: it is a first text, or was written by hand.
    """

    place: str
    line: str
    turn: int
    since: datetime
    messages: Sequence[Message]


class MemoryHistory:
    """The history of one agent, as it stands now.

    Args:
        store: where the agent lives.
        agent_id: which agent.

    Attributes:
        turns: its turns, oldest first.
    """

    def __init__(self, store: Store, agent_id: str) -> None:
        self._store = store
        self._agent_id = agent_id
        self.turns: Sequence[TurnRow] = store.history.turns(agent_id)
        self._numbers: Mapping[str, int] = {step: turn.number for turn in self.turns for step in turn.steps}

    def turn(self, number: int) -> TurnRow:
        """The turn of a number.

        Raises:
            ConfigError: there is none; the message says which there are.
        """
        if not 1 <= number <= len(self.turns):
            there = f"They are numbered 1 to {len(self.turns)}." if self.turns else "It has not taken one yet."
            raise ConfigError(f"There is no turn {number}. {there}")
        return self.turns[number - 1]

    def changes(self) -> list[MemoryChange]:
        """Every change, oldest first. The first texts of blocks are none."""
        found: list[MemoryChange] = []
        for block, versions in self._blocks():
            for before, after in pairwise(versions):
                removed, added = line_changes(before.value, after.value)
                turn = self._numbers.get(after.step_id, 0)
                found.append(MemoryChange(block.label, removed, added, turn, after.created_at))
        for note in self._store.history.notes(self._agent_id):
            turn = self._numbers.get(note.step_id, 0)
            found.append(MemoryChange(NOTES, (), tuple(note.text.splitlines()), turn, note.created_at))
        return sorted(found, key=lambda change: change.at)

    def core(self, *, turn: int | None = None, day: date | None = None) -> dict[str, str]:
        """Core memory by label as it was after a turn (0: before the first), at the end of a day in local time, or now.

        Raises:
            ConfigError: there is no such turn.
        """
        after = None
        if turn:
            self.turn(turn)
        if turn is not None and turn < len(self.turns):
            after = self.turns[turn].started
        texts = {}
        for block, versions in self._blocks():
            kept = [one for one in versions if self._is_of(one, turn, after, day)]
            if kept:
                texts[block.label] = kept[-1].value
        return texts

    def _is_of(self, version: BlockVersion, turn: int | None, after: datetime | None, day: date | None) -> bool:
        """Whether a version was there then. What the program saved of a turn later on counts to that turn."""
        if day is not None:
            return version.created_at.astimezone().date() <= day
        number = self._numbers.get(version.step_id, 0)
        if turn is None or version.version == 1:
            return True
        return number <= turn if number else after is None or version.created_at < after

    def diff(self, *, turn: int | None = None, day: date | None = None) -> list[str]:
        """What has changed since after a turn, or since the end of a day: a unified diff, and new notes as ``+`` lines.

        Raises:
            ConfigError: there is no such turn.
        """
        before, now = self.core(turn=turn, day=day), self.core()
        since = f"turn {turn}" if day is None else f"{day}"
        lines: list[str] = []
        for label in now:
            earlier, later = before.get(label, "").splitlines(), now[label].splitlines()
            lines += unified_diff(earlier, later, f"{label} ({since})", f"{label} (now)", n=1, lineterm="")
        new = [one for one in self.changes() if one.place == NOTES and self._is_since(one, turn, day)]
        if new:
            lines += [f"+++ {NOTES} since {since}", *(f"+{line}" for note in new for line in note.added)]
        return lines

    def _is_since(self, change: MemoryChange, turn: int | None, day: date | None) -> bool:
        if day is not None:
            return change.at.astimezone().date() > day
        if change.turn:
            return change.turn > (turn or 0)
        return not turn or (turn < len(self.turns) and change.at >= self.turns[turn].started)

    def blame(self) -> list[Blamed]:
        """Each line of core memory, with the turn and the messages that it comes from."""
        found = []
        for block, versions in self._blocks():
            steps = {version.created_at: version.step_id for version in versions}
            for origin in origins(self._store, self._agent_id, block.id):
                turn = self._numbers.get(steps.get(origin.since, ""), 0)
                found.append(Blamed(block.label, origin.line, turn, origin.since, origin.messages))
        return found

    def revert(self, number: int) -> list[MemoryChange]:
        """Take back what a turn wrote to core memory and notes; its messages stay. All of it or nothing.

        Returns:
            What was changed for that.

        Raises:
            ConfigError: there is no such turn, or a block would grow over its limit.
            UndoRefused: a line that the turn wrote has been changed since. Nothing was taken back.
            AgentBusy: the agent is in the middle of a turn elsewhere.
        """
        steps = {*self.turn(number).steps}
        with self._store.lock(self._agent_id), self._store.transaction():
            done = []
            for block, versions in self._blocks():
                written = [at for at, one in enumerate(versions) if at and one.step_id in steps]
                if written:
                    done.append(
                        self._restored(block, versions[written[0] - 1].value, versions[written[-1]].value, number)
                    )
            notes = [note for note in self._store.history.notes(self._agent_id) if note.step_id in steps]
            self._store.history.delete_notes(self._agent_id, [note.id for note in notes])
            gone = [MemoryChange(NOTES, tuple(note.text.splitlines()), (), number, note.created_at) for note in notes]
        return [*(change for change in done if change.removed or change.added), *gone]

    def _restored(self, block: Block, before: str, after: str, turn: int) -> MemoryChange:
        """Undo the change from one text to the other in what the block says now."""
        lost, new = line_changes(before, after)
        lines = block.value.splitlines()
        for line in new:
            if line not in lines:
                raise UndoRefused(
                    f"Turn {turn} wrote {line!r} to the block {block.label}, and that line has been changed since. "
                    "Nothing was taken back; edit the block by hand, or take back the later turn first."
                )
            lines.remove(line)
        order = before.splitlines()
        for line in lost:
            above = [lines.index(one) for one in order[: order.index(line)] if one in lines]
            lines.insert(max(above, default=-1) + 1, line)
        value = "\n".join(lines)
        if len(value) > block.limit:
            raise ConfigError(
                f"The block {block.label} would have {len(value)} characters; its limit is {block.limit}."
            )
        written = self._store.agents.write_block(block.id, value, agent_id=self._agent_id)
        moment = self._store.agents.versions(written.id)[-1].created_at
        return MemoryChange(block.label, new, lost, turn, moment)

    def _blocks(self) -> Iterator[tuple[Block, Sequence[BlockVersion]]]:
        for block in self._store.agents.blocks(self._agent_id):
            yield block, self._store.agents.versions(block.id)


def line_changes(before: str, after: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The lines that one text has and the other has not: those removed, and those added."""
    old, new = before.splitlines(), after.splitlines()
    removed: list[str] = []
    added: list[str] = []
    for tag, start, end, first, last in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            removed += old[start:end]
            added += new[first:last]
    return tuple(removed), tuple(added)
