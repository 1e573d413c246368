"""Functions that an agent remembers by their import path, never by their source."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from ..errors import ConfigError
from .registry import ToolRegistry

logger = logging.getLogger(__name__)


def function_at(path: str) -> Callable[..., Any]:
    """The function at an import path, ``package.module:function``.

    Raises:
        ConfigError: the path is none, or nothing can be imported from it.
    """
    module, _, name = path.strip().partition(":")
    if not all(part.isidentifier() for part in (*module.split("."), *name.split("."))):
        raise ConfigError(f"{path!r} is no import path. Write it as package.module:function.")
    try:
        found: Any = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except AttributeError as error:
        raise ConfigError(f"There is no {name} in {module}. Functions are named as package.module:function.") from error
    except ImportError as error:
        raise ConfigError(
            f"{module} cannot be imported ({error}). Install it, or name its folder in PYTHONPATH."
        ) from error
    except Exception as error:  # what a module runs when it is imported may raise anything
        raise ConfigError(f"{module} fails when it is imported: {type(error).__name__}: {error}") from error
    if not callable(found):
        raise ConfigError(f"{path} is no function.")
    function: Callable[..., Any] = found
    return function


def add_remembered(registry: ToolRegistry, paths: Iterable[str]) -> None:
    """Add the functions at these paths; one that is not there any more is left out, with a warning."""
    for path in paths:
        try:
            registry.add(function_at(path))
        except ConfigError as error:
            logger.warning("The agent goes without the function %s: %s", path, error)
