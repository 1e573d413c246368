"""Prompt formats: messages and functions become one string, for servers that take plain prompts.

A format is data: the markers around each role's text, and what ends a reply. The code that puts them together
is in :class:`Wrapper` and is the same for all; a new format is one more row.
"""

from __future__ import annotations

from ...errors import ConfigError
from .base import Wrapper
from .chatml import CHATML, DOLPHIN

#: The formats by the names that users know.
WRAPPERS: dict[str, Wrapper] = {wrapper.name: wrapper for wrapper in (CHATML, DOLPHIN)}
DEFAULT_WRAPPER = CHATML.name


def get_wrapper(name: str = "") -> Wrapper:
    """The format of that name, with or without ``-grammar``: a grammar is used wherever one can be.

    Raises:
        ConfigError: there is none.
    """
    wrapper = WRAPPERS.get((name or DEFAULT_WRAPPER).removesuffix("-grammar"))
    if wrapper is None:
        raise ConfigError(f"Unknown model wrapper {name!r}. Known: {', '.join(WRAPPERS)}.")
    return wrapper


__all__ = ["DEFAULT_WRAPPER", "WRAPPERS", "Wrapper", "get_wrapper"]
