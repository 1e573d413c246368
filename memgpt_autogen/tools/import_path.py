"""Functions stored with an agent by import path, never by source code.

Importing a module runs it. So only paths that the user named (in a program, with ``add_function``) or accepted (when an
agent file was imported) are imported, and no modules that merely lie in the current folder.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from importlib.machinery import PathFinder
from inspect import ismodule
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from .registry import ToolRegistry

logger = logging.getLogger(__name__)


def parse_path(path: str) -> tuple[str, str]:
    """Split an import path, ``package.module:function``, into module and name. Imports nothing.

    Raises:
        ConfigError: it is not an import path.
    """
    module, _, name = path.strip().partition(":")
    if not all(part.isidentifier() for part in (*module.split("."), *name.split("."))):
        raise ConfigError(f"{path!r} is not an import path. Write it as package.module:function.")
    return module, name


def check_stranger(path: str) -> None:
    """Check an import path from an untrusted file. Imports nothing.

    Raises:
        ConfigError: it is not an import path, or leads into Python's standard library, as ``os:system`` does.
    """
    module, _ = parse_path(path)
    if module.partition(".")[0] in sys.stdlib_module_names:
        raise ConfigError(
            f"{path!r} is of Python's own library, whose functions are not taken from a file. Add it yourself, with "
            "/add_function, if you want the agent to have it."
        )


def function_at(path: str) -> Callable[..., Any]:
    """The function at an import path, ``package.module:function``.

    Raises:
        ConfigError: as :func:`parse_path`; or nothing can be imported from it; or its module lies in the current folder
            alone, and the program that runs does not.
    """
    module, name = parse_path(path)
    _check_place(module)
    try:
        found: Any = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
            if ismodule(found):  # a module that it imported is not its own
                raise ConfigError(f"{part} in {path} is a module. Functions are named as package.module:function.")
    except AttributeError as error:
        raise ConfigError(f"There is no {name} in {module}. Functions are named as package.module:function.") from error
    except ImportError as error:
        raise ConfigError(
            f"{module} cannot be imported ({error}). Install it, or name its folder in PYTHONPATH."
        ) from error
    except ConfigError:
        raise
    except Exception as error:  # code of a module may raise anything
        raise ConfigError(f"{module} fails when it is imported: {type(error).__name__}: {error}") from error
    if not callable(found):
        raise ConfigError(f"{path} is not a function.")
    function: Callable[..., Any] = found
    return function


def function_name(path: str) -> str:
    """The name under which a model calls the function at an import path."""
    return path.rpartition(":")[2].rpartition(".")[2]


def paths_of(name: str, paths: Sequence[str]) -> list[str]:
    """The import paths among ``paths`` of a function, given by its name or its path.

    Raises:
        ConfigError: there is none; the message lists the names there are.
    """
    found = [path for path in paths if name in (path, function_name(path))]
    if not found:
        known = ", ".join(map(function_name, paths)) or "none"
        raise ConfigError(f"No function {name!r} was added to this agent. Added functions: {known}.")
    return found


def add_remembered(registry: ToolRegistry, paths: Iterable[str]) -> None:
    """Add the functions at these paths; missing ones are skipped with a warning."""
    for path in paths:
        try:
            registry.add(function_at(path))
        except ConfigError as error:
            logger.warning("The agent goes without the function %s: %s", path, error)


def _check_place(module: str) -> None:
    """Refuse a module that is found only in the current folder, as with ``python -c`` and ``python -m``.

    The program's own folder and the folders in ``PYTHONPATH`` are allowed.
    """
    top = module.partition(".")[0]
    if top in sys.modules:
        return
    here = Path.cwd()
    named = [Path(one).resolve() for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one]
    program = getattr(sys.modules.get("__main__"), "__file__", None)
    if here in named or (program and Path(program).resolve().parent == here):
        return
    first = next((entry for entry in sys.path if PathFinder.find_spec(top, [entry or str(here)])), None)
    if first is not None and Path(first).resolve() == here:
        raise ConfigError(
            f"{module} lies in the current folder, {here}, which functions are not taken from. Install it, or name its "
            "folder in PYTHONPATH."
        )
