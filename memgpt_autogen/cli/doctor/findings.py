"""The result type of checks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One line of ``memgpt doctor``.

    Attributes:
        about: what was checked.
        state: ``ok``; ``-``: absent and not needed; ``note``: works, but could be better; ``bad``: broken.
        found: the result.
        todo: the next step.
    """

    about: str
    state: Literal["ok", "-", "note", "bad"]
    found: str
    todo: str = ""


Findings = Iterator[Finding]
