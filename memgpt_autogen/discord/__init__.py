"""A Discord bot: each user talks with an agent of their own in direct messages. Needs the extra ``discord``."""

from __future__ import annotations

from ..errors import MissingDependency

try:
    import discord as _discord  # noqa: F401
    from cryptography import fernet as _fernet  # noqa: F401
except ImportError as _error:
    raise MissingDependency("The Discord bot needs discord.py.", "memgpt-autogen[discord]") from _error

from .bot import DiscordBot
from .keys import UserKeys
from .users import Users

__all__ = ["DiscordBot", "UserKeys", "Users"]
