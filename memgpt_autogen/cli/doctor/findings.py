"""What a check found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One line of ``memgpt doctor``.

    Attributes:
        about: what was looked at.
        state: ``ok``; ``-``: not there, and nothing needs it; ``note``: works, but could be better; ``bad``: broken.
        found: what was found.
        todo: what to do about it.
    """

    about: str
    state: Literal["ok", "-", "note", "bad"]
    found: str
    todo: str = ""


Findings = Iterator[Finding]
