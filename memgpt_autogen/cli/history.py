"""``memgpt log``, ``diff``, ``blame``, ``revert`` and ``show``: what an agent did, turn by turn."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING

import click

from ..commands.options import parse_day
from ..config import Settings
from ..errors import ConfigError
from .console import confirm, echo, note, say
from .store import open_store

if TYPE_CHECKING:
    from ..memory.history import MemoryChange, MemoryHistory
    from ..messages import Message, ToolCall
    from ..storage.base import Store
    from ..storage.base.history import StepRow, TurnRow

_TEXT = 100
AGENT = click.argument("agent")


@contextmanager
def _history(agent: str, *, read_only: bool = True) -> Iterator[tuple[Store, str, MemoryHistory]]:
    from ..memory.history import MemoryHistory

    with open_store(Settings.load(), read_only=read_only) as store:
        agent_id = store.agents.get(agent).id
        yield store, agent_id, MemoryHistory(store, agent_id)


@click.command()
@AGENT
@click.option("--last", default=20, show_default=True, type=click.IntRange(1), help="How many turns.")
@click.option("--memory", is_flag=True, help="Only turns that changed core memory or notes, and edits by hand.")
def log(agent: str, last: int, memory: bool) -> None:
    """Show the turns of an agent: what was said, what it cost, and each change of core memory and notes."""
    with _history(agent) as (store, agent_id, history):
        changes = history.changes()
        by_turn: dict[int, list[MemoryChange]] = {}
        for change in changes:
            by_turn.setdefault(change.turn, []).append(change)
        turns = [turn for turn in history.turns if not memory or turn.number in by_turn][-last:]
        steps = {step.id: step for step in store.history.steps(agent_id)}
        entries = [(turn.started, _turn_lines(store, agent_id, turn, by_turn, steps)) for turn in turns]
        first = turns[0].started if turns and len(turns) == last else None
        for change in by_turn.get(0, ()):
            if first is None or change.at >= first:
                entries.append((change.at, [f"by hand  {_when(change.at)}", *_change_lines(change)]))
        for _, lines in sorted(entries, key=lambda entry: entry[0]):
            for line in lines:
                say(line)
        if not entries:
            note(f"{agent} has taken no turn yet." if not memory else "No turn has changed core memory or notes yet.")


@click.command()
@AGENT
@click.option("--since", required=True, metavar="TURN|DAY", help="A turn's number, or a day such as 2026-11-25.")
def diff(agent: str, since: str) -> None:
    """Show what has changed in core memory and notes since after a turn, or since the end of a day."""
    with _history(agent) as (_, _, history):
        turn = int(since) if since.isdecimal() else None
        lines = history.diff(turn=turn, day=None if turn is not None else _day(since))
        for line in lines:
            say(line, style="green" if line[:1] == "+" else "red" if line[:1] == "-" else "")
        if not lines:
            note(f"Nothing has changed since {'turn ' if turn is not None else ''}{since}.")


@click.command()
@AGENT
def blame(agent: str) -> None:
    """Show each line of core memory with the turn and the message that it comes from."""
    with _history(agent) as (_, _, history):
        place = ""
        for blamed in history.blame():
            if blamed.place != place:
                place = blamed.place
                say(place, style="bold")
            turn = f"turn {blamed.turn}" if blamed.turn else "no turn"
            said = "; ".join(_said(message) for message in blamed.messages)
            say(f"  {blamed.line}")
            say(f"    {turn}, {_when(blamed.since)}: {said or 'written by hand, or there from the start'}", style="dim")


@click.command()
@AGENT
@click.argument("turn", type=int)
@click.option("--yes", is_flag=True, help="Do not ask.")
def revert(agent: str, turn: int, yes: bool) -> None:
    """Take back what one turn wrote to core memory and notes. Its messages stay; to undo whole turns, use /pop.

    Lines that were changed since are not guessed at: then nothing is taken back.
    """
    with _history(agent, read_only=False) as (_, _, history):
        planned = [change for change in history.changes() if change.turn == history.turn(turn).number]
        if not planned:
            note(f"Turn {turn} wrote nothing to core memory or notes.")
            return
        for change in planned:
            for line in _change_lines(change):
                say(line)
        if yes or confirm(f"Take this back from the memory of {agent}?"):
            done = history.revert(turn)
            count = sum(len(change.removed) + len(change.added) for change in done)
            say(f"Taken back: {count} line{'s' * (count != 1)} of turn {turn}.")


@click.command()
@AGENT
@click.option("--turn", "number", type=int, help="The turn's number; default: the last.")
@click.option(
    "--prompt", is_flag=True, help="Print each prompt of the turn as JSON, equal to the byte to what was sent."
)
@click.option("--call", "call_number", type=click.IntRange(1), help="Only this model call of the turn, from 1.")
def show(agent: str, number: int | None, prompt: bool, call_number: int | None) -> None:
    """Show one turn: messages, thoughts, calls and results; or the prompts that the model was sent in it."""
    with _history(agent) as (store, agent_id, history):
        turn = history.turn(number if number is not None else max(len(history.turns), 1))
        if prompt:
            _show_prompts(store, agent_id, turn, call_number)
            return
        for message in store.history.messages(agent_id, turn):
            say(_message_line(message))


def _show_prompts(store: Store, agent_id: str, turn: TurnRow, call_number: int | None) -> None:
    """Print prompts, and say on standard error whether each is what was sent.

    Raises:
        ConfigError: none is recorded, or there is no such call.
    """
    from ..memory.prompt_log import past_prompts

    found = past_prompts(store, agent_id, turn.steps)
    if not found:
        raise ConfigError(f"No prompt of turn {turn.number} is recorded: it is older than the records of prompts.")
    if call_number and call_number > len(found):
        raise ConfigError(f"Turn {turn.number} has {len(found)} model calls; there is no call {call_number}.")
    for at, past in enumerate(found, start=1):
        if call_number in (None, at):
            _print_exactly(past.sent.to_json())
            gone = f"{past.gone} of its messages are forgotten" if past.gone else "parts of it were changed since"
            note(f"call {at}, {past.row.model}: " + ("equal to what was sent." if past.exact else f"{gone}."), "Prompt")


def _print_exactly(text: str) -> None:
    """A line, byte by byte; in a terminal, without what a terminal obeys."""
    if sys.stdout.isatty():
        echo(text)
    else:
        click.echo(text.encode())


# -- lines ------------------------------------------------------------------------------------------------------------


def _turn_lines(
    store: Store,
    agent_id: str,
    turn: TurnRow,
    changes: dict[int, list[MemoryChange]],
    steps: dict[str, StepRow],
) -> list[str]:
    lines = [f"turn {turn.number}  {_when(turn.started)}"]
    lines += [f"  {_said(message)}" for message in store.history.messages(agent_id, turn) if message.text]
    lines += [line for change in changes.get(turn.number, ()) for line in _change_lines(change)]
    made = [steps[step] for step in turn.steps if step in steps]
    tokens = f"{sum(step.usage.prompt_tokens for step in made)} + {sum(step.usage.completion_tokens for step in made)}"
    cost = sum(step.usage.cost for step in made)
    lines.append(f"  {len(made)} model call{'s' * (len(made) != 1)}, {tokens} tokens{f', ${cost:.4f}' * bool(cost)}")
    return lines


def _change_lines(change: MemoryChange) -> list[str]:
    removed, added = [f"- {line}" for line in change.removed], [f"+ {line}" for line in change.added]
    return [f"  {change.place}  {line}" for line in [*removed, *added]]


def _said(message: Message) -> str:
    text = " ".join(message.text.split())
    speaker = message.author or ("agent" if message.role == "assistant" else "user")
    return f'{speaker}: "{text[:_TEXT]}{"…" * (len(text) > _TEXT)}"'


def _message_line(message: Message) -> str:
    """One message in full."""
    if message.role == "assistant":
        thoughts = [f"({message.content})"] if message.content else []
        return "\n".join(["agent: " + " ".join(thoughts), *(f"  {_call(call)}" for call in message.tool_calls)])
    return f"{message.author or message.kind}: {message.content}"


def _call(call: ToolCall) -> str:
    from ..commands.formatting import call_line

    return call_line(call)


def _when(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M")


def _day(text: str) -> date | None:
    try:
        return parse_day(text)
    except ConfigError:
        raise ConfigError(f"{text!r} is neither a turn's number nor a day such as 2026-11-25.") from None
