"""Progress: bars on a terminal, occasional lines if the output is piped, nothing for short work."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING

import click

from .console import console

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

#: Seconds before anything is shown, and between two lines without a terminal.
SOON, BETWEEN = 1.0, 10.0


class Bars:
    """One bar per stage, on standard error. Called with the stage, the amount done and the total (0: unknown)."""

    def __init__(self) -> None:
        self._console = console(stderr=True)
        self._begun = self._told = time.monotonic()
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Bars:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._progress:
            self._progress.stop()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Update the bar of a stage."""
        now = time.monotonic()
        if now - self._begun < SOON:
            return
        if self._console.is_terminal:
            self._draw(stage, done, total)
        elif now - self._told >= BETWEEN:
            self._told = now
            click.echo(f"{stage}: {done:,}{f' of {total:,}' if total else ''}", err=True)

    def _draw(self, stage: str, done: int, total: int) -> None:
        if self._progress is None:
            from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

            self._progress = Progress(
                TextColumn("{task.description:<10}"),
                BarColumn(),
                TextColumn("{task.completed:,}"),
                TaskProgressColumn(),
                TimeElapsedColumn(),
                console=self._console,
                transient=True,
            )
            self._progress.start()
        if stage not in self._tasks:
            self._tasks[stage] = self._progress.add_task(stage, total=total or None)
        self._progress.update(self._tasks[stage], completed=done, total=total or None)
