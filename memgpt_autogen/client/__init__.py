"""The client for Python programs: opens agents, talks to them, loads documents."""

from .client import MemGPT

__all__ = ["MemGPT"]
