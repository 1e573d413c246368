"""Checks that classic AutoGen is installed. Several distributions install it into the same folder, ``autogen``."""

from __future__ import annotations

import importlib.metadata
import warnings

from ..errors import MissingDependency

_DISTRIBUTIONS = ("autogen", "pyautogen", "ag2", "autogen-agentchat")


def owners() -> list[str]:
    """The installed distributions that own the ``autogen`` folder, with their versions."""
    found = []
    for name in _DISTRIBUTIONS:
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        if any(file.parts[:1] == ("autogen",) for file in distribution.files or ()):
            found.append(f"{name} {distribution.version}")
    return found


def check() -> None:
    """Check that classic AutoGen is installed; warn if two distributions have overwritten each other's files.

    Raises:
        MissingDependency: it is not installed.
    """
    try:
        from autogen import ConversableAgent  # noqa: F401
    except ImportError as error:
        raise MissingDependency(
            "MemGPTAgent needs classic AutoGen (a package with autogen.ConversableAgent), which is not installed. "
            "(autogen-agentchat 0.4 and later, pyautogen 0.10 and ag2 1.0 do not have it.)",
            "memgpt-autogen[autogen]",
        ) from error
    installed = owners()
    if len(installed) > 1:
        warnings.warn(
            f"Several distributions share the folder autogen/: {', '.join(installed)}. Which files win depends on the "
            "order they were installed in. Uninstall all but one, then reinstall that one.",
            stacklevel=2,
        )


check()
