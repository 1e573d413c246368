"""Validators of answers: each returns what is wrong with an answer, or None."""

from __future__ import annotations

from collections.abc import Callable

from ...config.host_secrets import split_address
from ...errors import ConfigError


def checked(value: str, check: Callable[[str], str | None], flag: str) -> str:
    """The value, if it is valid.

    Raises:
        ConfigError: it is not; the message names the flag.
    """
    if wrong := check(value):
        raise ConfigError(f"{flag}: {wrong}")
    return value


def is_there(said: str) -> str | None:
    """Not empty."""
    return None if said.strip() else "A name is needed."


def is_address(said: str) -> str | None:
    """An address, without a password."""
    if not said.strip() or " " in said.strip():
        return "An address is needed, such as http://127.0.0.1:8080."
    if split_address(said)[1]:
        return "Leave passwords and keys out of the address: a key is asked for, or read with --key-file."
    return None


def is_chroma(said: str) -> str | None:
    """An address of Chroma, without a token."""
    if said.startswith(("chroma:///", "chroma+http://", "chroma+https://")):
        return "Leave the token out: set MEMGPT_VECTORS to the whole address instead." if "@" in said else None
    return "An address is needed: chroma:///folder or chroma+http://host:port."


def is_window(said: str) -> str | None:
    """A number of tokens, or empty."""
    return None if not said or (said.isdigit() and int(said) >= 512) else "A number of tokens, 512 or more."
