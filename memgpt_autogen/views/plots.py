"""Plots as data for inline SVG: columns and lines in a box of fixed size, drawn by ``templates/parts.html``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from ..storage.base.history import PromptRow, StepRow
from .render import moment

#: Columns of a plot at most: of more steps, several share one.
COLUMNS = 90


@dataclass(frozen=True)
class Column:
    """One column: its box in shares of the plot, and what it stands for."""

    x: float
    width: float
    height: float
    label: str


@dataclass(frozen=True)
class Plot:
    """One plot.

    Attributes:
        name: a word for styles.
        title: what is drawn.
        columns: from left to right.
        top: the value at its upper edge, as text.
        told: the figures that matter, as a sentence.
        first, last: when the first and the last call were made, as text.
        line: a share of the height at which a line is drawn, such as a limit; None: no line.
        line_label: what it means.
    """

    name: str
    title: str
    columns: Sequence[Column]
    top: str
    told: str
    first: str
    last: str
    line: float | None = None
    line_label: str = ""


def usage_plots(steps: Sequence[StepRow], prompts: Sequence[PromptRow], warn: float = 0.7) -> list[Plot]:
    """Tokens sent, pressure and cost by step. Steps that were undone count too: they were paid for."""
    if not steps:
        return []
    windows = {row.step_id: int(row.options.get("window") or 0) for row in prompts}
    tokens = [float(step.usage.prompt_tokens) for step in steps]
    written = [float(step.usage.completion_tokens) for step in steps]
    cached = sum(step.usage.cached_tokens for step in steps)
    told = f"{_number(sum(tokens))} tokens sent in {len(steps)} model calls, {_number(sum(written))} written"
    told += f", {_number(cached)} of those sent came from the server's cache." if cached else "."
    plots = [_plot("tokens", "Tokens of each prompt", steps, tokens, max(tokens), _number, told)]
    shares = [step.usage.prompt_tokens / windows[step.id] if windows.get(step.id) else 0.0 for step in steps]
    if any(shares):
        told = f"The prompt filled {shares[-1]:.0%} of the window at the last call, {max(shares):.0%} at most."
        plot = _plot(
            "pressure", "Pressure: share of the window that the prompt fills", steps, shares, 1.0, _percent, told
        )
        plots.append(replace(plot, line=warn, line_label=f"about where the agent is warned ({warn:.0%})"))
    costs = [*accumulate(step.usage.cost for step in steps)]
    if costs[-1]:
        plots.append(_plot("cost", "Cost so far", steps, costs, costs[-1], _dollars, f"{_dollars(costs[-1])} in all."))
    return plots


def totals(steps: Sequence[StepRow]) -> list[Mapping[str, object]]:
    """Calls, tokens and cost by model."""
    rows: dict[str, dict[str, float]] = {}
    for step in steps:
        row = rows.setdefault(step.model, {"calls": 0, "sent": 0, "written": 0, "cached": 0, "cost": 0.0})
        row["calls"] += 1
        row["sent"] += step.usage.prompt_tokens
        row["written"] += step.usage.completion_tokens
        row["cached"] += step.usage.cached_tokens
        row["cost"] += step.usage.cost
    return [{"model": model, **row} for model, row in rows.items()]


def _plot(
    name: str,
    title: str,
    steps: Sequence[StepRow],
    values: Sequence[float],
    top: float,
    shown: Callable[[float], str],
    told: str,
) -> Plot:
    share = max(1, -(-len(values) // COLUMNS))
    groups = [range(start, min(start + share, len(values))) for start in range(0, len(values), share)]
    width = 1 / max(len(groups), 12)
    columns = []
    for at, group in enumerate(groups):
        highest = max(values[place] for place in group)
        label = f"{shown(highest)}, {_when(steps[group[-1]])}" + (
            f", the most of {len(group)} calls" if len(group) > 1 else ""
        )
        columns.append(Column(at * width, width, min(highest / top, 1.0) if top else 0.0, label))
    return Plot(name, title, columns, shown(top), told, _when(steps[0]), _when(steps[-1]))


def _when(step: StepRow) -> str:
    return moment(step.created_at)


def _number(value: float) -> str:
    return f"{value:,.0f}"


def _percent(value: float) -> str:
    return f"{value:.0%}"


def _dollars(value: float) -> str:
    return f"${value:,.4f}"
