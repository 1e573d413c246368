"""Where documents come from: the contract in ``base``, loaders beside it, splitting in ``split``."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

from ..errors import ConfigError
from .base import Loader

#: The loaders by name, as ``module:class`` in this folder.
LOADERS = {
    "directory": "directory:DirectoryLoader",
    "webpage": "webpage:WebpageLoader",
    "database": "database:DatabaseLoader",
    "vector-database": "vector_database:VectorDatabaseLoader",
}


def make_loader(kind: str, **arguments: Any) -> Loader:
    """A loader by its name.

    Args:
        kind: a key of ``LOADERS``.
        arguments: the loader's own.

    Raises:
        ConfigError: an unknown kind or argument; the message has the known ones.
        SourceError: the arguments cannot work.
        MissingDependency: it needs a package that is not installed.
    """
    if kind not in LOADERS:
        raise ConfigError(f"There is no loader {kind!r}. Loaders: {', '.join(LOADERS)}.")
    module, _, name = LOADERS[kind].partition(":")
    make = getattr(import_module(f".{module}", __package__), name)
    known = inspect.signature(make).parameters
    if unknown := sorted(set(arguments) - set(known)):
        raise ConfigError(f"The loader {kind} knows no {', '.join(unknown)}. It knows: {', '.join(known)}.")
    loader: Loader = make(**arguments)
    return loader
