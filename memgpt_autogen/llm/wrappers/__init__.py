"""Prompt formats: messages and functions as one string, for servers that take plain prompts.

A format is data: the markers around each role's text and the stop strings. The code is in :class:`Wrapper`, the same
for all; a new format is one more row in :mod:`.formats`.
"""

from __future__ import annotations

from ...errors import ConfigError
from .base import Wrapper
from .families import by_marks, by_name
from .formats import CHATML, ROWS
from .template import Render, from_template

#: The formats by the names that users know.
WRAPPERS: dict[str, Wrapper] = {wrapper.name: wrapper for wrapper in ROWS}
DEFAULT_WRAPPER = CHATML.name
#: Detects the format by the model's chat template or name; else the default.
AUTO = "auto"
_GRAMMAR = "-grammar"
_BY_NAME = {name.casefold(): wrapper for name, wrapper in WRAPPERS.items()}


def get_wrapper(name: str = "") -> Wrapper:
    """The format of that name, in any case, with or without ``-grammar``: a grammar is always used if possible.

    ``auto`` gives the default here; :mod:`..wrapper_detection` asks a server.

    Raises:
        ConfigError: the name is unknown.
    """
    wrapper = CHATML if _plain(name) in ("", AUTO) else _BY_NAME.get(_plain(name))
    if wrapper is None:
        known = ", ".join([*WRAPPERS, AUTO])
        raise ConfigError(f"Unknown model wrapper {name!r}. Known: {known}; each also with {_GRAMMAR} at its end.")
    return wrapper


def is_auto(name: str) -> bool:
    """Whether the name asks for detection."""
    return _plain(name) == AUTO


def named_by(model_wrapper: str, model: str) -> str:
    """The format that a config names; empty: none.

    Old configs give it as the ``model``: ``{"model": "airoboros-l2-70b-2.1"}``.
    """
    return model_wrapper or (model if _plain(model) in _BY_NAME else "")


def _plain(name: str) -> str:
    return name.strip().casefold().removesuffix(_GRAMMAR)


__all__ = [
    "AUTO",
    "DEFAULT_WRAPPER",
    "WRAPPERS",
    "Render",
    "Wrapper",
    "by_marks",
    "by_name",
    "from_template",
    "get_wrapper",
    "is_auto",
    "named_by",
]
