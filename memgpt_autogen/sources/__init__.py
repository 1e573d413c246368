"""Loaders of documents: the protocol in ``base``, a module for each loader, splitting into passages in ``split``.

To add a loader, write a module with its class and add a row to :data:`LOADERS`; ``memgpt load`` gets a command for it
from the parameters of its constructor and their docstring.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

from ..errors import ConfigError
from .base import Loader

#: The loaders by name, as ``module:class`` in this package.
LOADERS = {
    "directory": "directory:DirectoryLoader",
    "webpage": "webpage:WebpageLoader",
    "database": "database:DatabaseLoader",
    "vector-database": "vector_database:VectorDatabaseLoader",
}


def loader_class(kind: str) -> type[Loader]:
    """The class of a loader, imported at first use.

    Args:
        kind: a key of ``LOADERS``.

    Raises:
        ConfigError: an unknown kind; the message lists the known ones.
        MissingDependency: it needs a package that is not installed.
    """
    if kind not in LOADERS:
        raise ConfigError(f"There is no loader {kind!r}. Loaders: {', '.join(LOADERS)}.")
    module, _, name = LOADERS[kind].partition(":")
    found: type[Loader] = getattr(import_module(f".{module}", __package__), name)
    return found


def make_loader(kind: str, **arguments: Any) -> Loader:
    """A loader by its name.

    Args:
        kind: a key of ``LOADERS``.
        arguments: those of its constructor.

    Raises:
        ConfigError: an unknown kind or argument; the message lists the known ones.
        SourceError: invalid arguments.
        MissingDependency: it needs a package that is not installed.
    """
    make = loader_class(kind)
    known = inspect.signature(make).parameters
    if unknown := sorted(set(arguments) - set(known)):
        raise ConfigError(f"The loader {kind} knows no {', '.join(unknown)}. It knows: {', '.join(known)}.")
    loader: Loader = make(**arguments)
    return loader
