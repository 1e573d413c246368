"""Methods that compare equal to the ones they override, for AutoGen's registry of reply functions.

AutoGen keeps reply functions in a list and finds them by ``==``: its agents replace ``ConversableAgent``'s LLM reply,
and scripts look it up. Whether they name it by ``ConversableAgent`` or by a subclass, they find the same entry.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import MethodType
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class _Override:
    def __init__(self, function: Any, overridden: Any) -> None:
        functools.update_wrapper(self, function)
        # The attributes by which ``inspect`` recognises functions and coroutine functions.
        self.__code__ = function.__code__
        self.__defaults__ = function.__defaults__
        self.__kwdefaults__ = function.__kwdefaults__
        self._function = function
        self._overridden = overridden

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self._function, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*args, **kwargs)

    def __eq__(self, other: object) -> bool:
        return other is self or other is self._overridden

    def __hash__(self) -> int:
        return hash(self._overridden)

    def __deepcopy__(self, memo: Any) -> _Override:
        return self

    def __repr__(self) -> str:
        return repr(self._function)


def overrides(overridden: Any) -> Callable[[F], F]:
    """Decorate a method so that, taken from the class, it equals the method that it overrides."""

    def decorated(function: F) -> F:
        equal: Any = _Override(function, overridden)
        return equal  # type: ignore[no-any-return]

    return decorated
