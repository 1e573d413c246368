"""The agent: takes events in, asks the model step by step, and commits what follows."""

from .agent import Agent

__all__ = ["Agent"]
