"""Keys, addresses and names as people paste them: with blanks, quotes, a carriage return or an editor's dashes."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping

from ..errors import ConfigError
from .host_secrets import HostSecret

_QUOTES = ('""', "''", "``", "“”", "„“", "”“", "‘’", "‚‘", "«»", "‹›")
_INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060\u00ad"
#: What editors make of a hyphen.
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—−", "-"))
_KEYS = ("OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_KEY")
_ADDRESSES = ("OPENAI_API_BASE", "OPENAI_BASE_URL", "AZURE_OPENAI_ENDPOINT")
_WORDS = ("BACKEND_TYPE", "OPENAI_MODEL", "OPENAI_API_VERSION", "AZURE_OPENAI_VERSION", "MEMGPT_EMBEDDED_MODEL")


def bare(value: str) -> str:
    """A value without the blanks, invisible signs and pairs of quotes around it."""
    while True:
        shorter = value.strip().strip(_INVISIBLE).strip()
        if shorter[:1] + shorter[-1:] in _QUOTES and len(shorter) > 1:
            shorter = shorter[1:-1]
        if shorter == value:
            return value
        value = shorter


def pasted_key(key: str, name: str) -> str:
    """A key as it is meant; ``name`` is where it stood.

    Raises:
        ConfigError: a sign is left that no key has.
    """
    meant = bare(key).translate(_DASHES)
    _check(meant, name, lambda sign: sign.isascii() and sign.isprintable())
    if meant == key:
        return key
    return HostSecret(meant, key.host) if isinstance(key, HostSecret) else meant


def pasted_address(address: str, name: str) -> str:
    """An address as it is meant; ``name`` is where it stood.

    Raises:
        ConfigError: there is a blank or an unprintable sign within it.
    """
    meant = bare(address).translate(_DASHES)
    _check(meant, name, lambda sign: sign.isprintable() and not sign.isspace())
    return meant


def _check(value: str, name: str, allowed: Callable[[str], bool]) -> None:
    wrong = next(((place, sign) for place, sign in enumerate(value, 1) if not allowed(sign)), None)
    if wrong:
        called = unicodedata.name(wrong[1], f"U+{ord(wrong[1]):04X}").lower()
        raise ConfigError(f"{name} has a sign in it that cannot be there: {called}, at place {wrong[0]}. Copy it anew.")


class Environment(Mapping[str, str]):
    """An environment whose keys, addresses and names are read as they are meant.

    Reading one that cannot be right raises ConfigError with the variable's name.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def __getitem__(self, name: str) -> str:
        value = self._variables[name]
        if name in _KEYS:
            return pasted_key(value, name)
        if name in _ADDRESSES:
            return pasted_address(value, name)
        return bare(value) if name in _WORDS else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)
