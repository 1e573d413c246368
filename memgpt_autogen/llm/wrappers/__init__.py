"""Prompt formats: messages and functions become one string, for servers that take plain prompts.

A format is data: the markers around each role's text, and what ends a reply. The code that puts them together
is in :class:`Wrapper` and is the same for all; a new format is one more row in :mod:`.formats`.
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
#: The format of the model that the server runs, by its chat template or its name; else the default.
AUTO = "auto"
_GRAMMAR = "-grammar"
_BY_NAME = {name.casefold(): wrapper for name, wrapper in WRAPPERS.items()}


def get_wrapper(name: str = "") -> Wrapper:
    """The format of that name, in any case, with or without ``-grammar``: a grammar is used wherever one can be.

    ``auto`` gives the default here; whoever can ask a server does so, see :mod:`..auto`.

    Raises:
        ConfigError: there is none.
    """
    wrapper = CHATML if _plain(name) in ("", AUTO) else _BY_NAME.get(_plain(name))
    if wrapper is None:
        known = ", ".join([*WRAPPERS, AUTO])
        raise ConfigError(f"Unknown model wrapper {name!r}. Known: {known}; each also with {_GRAMMAR} at its end.")
    return wrapper


def is_auto(name: str) -> bool:
    """Whether that name asks for the server's own template."""
    return _plain(name) == AUTO


def named_by(model_wrapper: str, model: str) -> str:
    """The name of the format that a config asks for; empty if it asks for none.

    Old configs name it as the ``model``: ``{"model": "airoboros-l2-70b-2.1"}``.
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
