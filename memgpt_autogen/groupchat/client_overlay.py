"""AutoGen's client with another ``create`` in the ``openai`` client inside it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from ..llm.openai_errors import raising_errors

Create = Callable[..., Any]


def with_create(client: Any, replacement: Callable[[Create], Create]) -> Any:
    """A copy of an ``OpenAIWrapper`` whose providers are called through ``replacement(create)``.

    A provider whose client is of another kind is called as it is.
    """
    clone = copy.copy(client)
    clone._clients = [_replaced(one, replacement) for one in client._clients]
    return clone


def with_errors_raised(client: Any) -> Any:
    """A copy that raises, and retries, an error which a router sends with status 200; AutoGen would fall over it."""
    return with_create(client, lambda create: lambda **request: raising_errors(lambda: create(**request)))


def _replaced(client: Any, replacement: Callable[[Create], Create]) -> Any:
    inner: Any = getattr(client, "_oai_client", None)
    if not hasattr(inner, "chat"):
        return client
    completions = inner.chat.completions
    clone = copy.copy(client)
    overlay = _Overlay(completions, create=replacement(completions.create))
    clone._oai_client = _Overlay(inner, chat=_Overlay(inner.chat, completions=overlay))
    return clone


class _Overlay(SimpleNamespace):
    """An object with some of its attributes replaced."""

    def __init__(self, inner: Any, **instead: Any) -> None:
        super().__init__(**instead)
        self.__dict__["inner"] = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["inner"], name)
