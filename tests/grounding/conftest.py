"""The agents and scripted models of the core's tests."""

from ..core.conftest import build, script, store

__all__ = ["build", "script", "store"]
