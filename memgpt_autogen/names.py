"""What is said of a name that is not known."""

from __future__ import annotations

from collections.abc import Iterable


def not_known(told: str, name: str, label: str, known: Iterable[str]) -> str:
    """``told``, the closest name there is, and all of them.

    >>> not_known("There is no agent named 'sma'.", "sma", "Agents", ["sam", "zoe"])
    "There is no agent named 'sma'. Did you mean 'sam'? Agents: sam, zoe."
    """
    from difflib import get_close_matches

    there = list(known)
    near = get_close_matches(name, there, n=1)
    meant = f" Did you mean {near[0]!r}?" if near and near[0] != name else ""
    return f"{told}{meant} {label}: {', '.join(there) or 'none yet'}."
