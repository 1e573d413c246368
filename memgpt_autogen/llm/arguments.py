"""Checks a call's arguments against the function's JSON Schema and corrects what is unambiguous.

Weak models write ``"3"`` for 3, ``"false"`` for false, ``"Human"`` for ``"human"``, omit ``request_heartbeat`` and
repeat items of a set. These are corrected; anything else gives an error message for the model. The supported keywords
are those that pydantic writes; ``format`` and ``pattern`` are left to the function's own validation.
"""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..messages import ToolSchema
from .reply_schema import HEARTBEAT, SENTENCE, THOUGHTS, resolve

_DEEPEST = 40
_YES, _NO = ("true", "yes", "1"), ("false", "no", "0")


def fit_arguments(tool: ToolSchema, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments, corrected to fit the function's schema.

    Raises:
        ValueError: they do not fit; the message is written for the model.
    """
    properties: Mapping[str, Any] = tool.parameters.get("properties") or {}
    given = {_key(key, properties, arguments): value for key, value in arguments.items() if key != THOUGHTS}
    if HEARTBEAT not in properties:
        given.pop(HEARTBEAT, None)
    elif given.get(HEARTBEAT) is None:
        given[HEARTBEAT] = False
    needed = [key for key in tool.parameters.get("required") or () if key not in given and key != THOUGHTS]
    if needed:
        raise ValueError(f"The call of {tool.name} lacks {', '.join(needed)}.")
    unknown = [key for key in given if key not in properties]
    if unknown and not tool.parameters.get("additionalProperties"):
        expected = ", ".join(key for key in properties if key != THOUGHTS) or "none"
        raise ValueError(f"{tool.name} has no parameter {', '.join(unknown)}. Its parameters: {expected}.")
    checker = _Checker(tool.parameters)
    try:
        return {key: checker.fit(properties.get(key), value, key) for key, value in given.items()}
    except ValueError as error:
        raise ValueError(f"Wrong arguments for {tool.name}: {error}.") from None


def _key(key: str, properties: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    if key in properties:
        return key
    same = [name for name in properties if name.casefold() == key.strip().casefold() and name not in given]
    return same[0] if len(same) == 1 else key


class _Checker:
    """Fits values to one function's schema. With ``lax`` unambiguous mistakes are corrected."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self.root = root

    def fit(self, schema: Any, value: Any, where: str, lax: bool = True, depth: int = 0) -> Any:
        if not isinstance(schema, Mapping) or depth > _DEEPEST:
            return value
        if "$ref" in schema:
            return self.fit(resolve(self.root, str(schema["$ref"])), value, where, lax, depth + 1)
        if "const" in schema or schema.get("enum"):
            return _chosen([schema["const"]] if "const" in schema else schema["enum"], value, where, lax)
        branches = schema.get("anyOf") or schema.get("oneOf")
        if not branches and isinstance(schema.get("type"), (list, tuple)):
            branches = [{**schema, "type": kind} for kind in schema["type"]]
        if branches:
            return self._any(branches, value, where, lax, depth)
        for part in schema.get("allOf") or ():
            value = self.fit(part, value, where, lax, depth + 1)
        read = _READERS.get(str(schema.get("type")))
        if read is None:
            return value
        value = read(value, where, lax)
        if schema.get("uniqueItems") and isinstance(value, list):
            value = list({json.dumps(item, sort_keys=True, default=str): item for item in value}.values())
        _bounds(schema, value, where)
        if isinstance(value, list):
            return self._items(schema, value, where, lax, depth)
        return self._members(schema, value, where, lax, depth) if isinstance(value, dict) else value

    def _any(self, branches: Sequence[Any], value: Any, where: str, lax: bool, depth: int) -> Any:
        faults: list[str] = []
        for loosely in (False, True) if lax else (False,):
            for branch in branches:
                try:
                    return self.fit(branch, value, where, loosely, depth + 1)
                except ValueError as error:
                    faults.append(str(error))
        raise ValueError(" or ".join(dict.fromkeys(faults[-len(branches) :])))

    def _items(self, schema: Mapping[str, Any], value: list[Any], where: str, lax: bool, depth: int) -> list[Any]:
        first = schema.get("prefixItems") or ()
        kinds = [*first, *[schema.get("items")] * (len(value) - len(first))]
        return [
            self.fit(kind, item, f"{where}[{index}]", lax, depth + 1)
            for index, (kind, item) in enumerate(zip(kinds, value, strict=False))
        ]

    def _members(self, schema: Mapping[str, Any], value: dict[str, Any], where: str, lax: bool, depth: int) -> Any:
        missing = [key for key in schema.get("required") or () if key not in value]
        if missing:
            raise ValueError(f"{where} lacks {', '.join(missing)}")
        known: Mapping[str, Any] = schema.get("properties") or {}
        others = schema.get("additionalProperties")
        extra = [key for key in value if key not in known]
        if extra and others is False:
            raise ValueError(f"{where} has no place for {', '.join(extra)}")
        for key in extra:
            self.fit(schema.get("propertyNames"), key, f"the key {key!r} of {where}", False, depth + 1)
        return {
            key: self.fit(known.get(key, others), item, f"{where}.{key}", lax, depth + 1) for key, item in value.items()
        }


def _chosen(options: Sequence[Any], value: Any, where: str, lax: bool) -> Any:
    for option in options:
        if option == value and isinstance(option, bool) == isinstance(value, bool):
            return option
    if lax and isinstance(value, (str, int, float)):
        meant = [one for one in options if _folded(one) == _folded(value)]
        if len(meant) == 1:
            return meant[0]
    shown = ", ".join(json.dumps(one, ensure_ascii=False) for one in options)
    raise ValueError(f"{where} must be one of {shown}, not {_shown(value)}")


def _folded(value: Any) -> str:
    return (value if isinstance(value, str) else json.dumps(value)).strip().casefold()


def _string(value: Any, where: str, lax: bool) -> Any:
    if isinstance(value, str):
        return value
    if lax and isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise ValueError(f"{where} must be a string, not {_shown(value)}")


def _integer(value: Any, where: str, lax: bool) -> Any:
    number = _number(value, where, lax, "a whole number")
    if isinstance(number, int):
        return number
    if number.is_integer():
        return int(number)
    raise ValueError(f"{where} must be a whole number, not {_shown(value)}")


def _number(value: Any, where: str, lax: bool, what: str = "a number") -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) != math.inf and value == value:
        return value
    if lax and isinstance(value, str):
        for kind in (int, float):
            try:
                return _number(kind(value), where, False, what)
            except ValueError:
                continue
    raise ValueError(f"{where} must be {what}, not {_shown(value)}")


def _boolean(value: Any, where: str, lax: bool) -> Any:
    if isinstance(value, bool):
        return value
    said = _folded(value) if lax and isinstance(value, (str, int)) else ""
    if said in _YES + _NO:
        return said in _YES
    raise ValueError(f"{where} must be true or false, not {_shown(value)}")


def _null(value: Any, where: str, lax: bool) -> Any:
    if value is None or (lax and isinstance(value, str) and value.strip().casefold() in ("null", "none")):
        return None
    raise ValueError(f"{where} must be null, not {_shown(value)}")


def _array(value: Any, where: str, lax: bool) -> Any:
    value = _parsed(value) if lax else value
    if isinstance(value, list):
        return value
    raise ValueError(f"{where} must be a list, not {_shown(value)}")


def _object(value: Any, where: str, lax: bool) -> Any:
    value = _parsed(value) if lax else value
    if isinstance(value, dict):
        return value
    raise ValueError(f"{where} must be an object, not {_shown(value)}")


def _parsed(value: Any) -> Any:
    """A list or an object that was passed as a JSON string."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return value


_READERS: Mapping[str, Callable[[Any, str, bool], Any]] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "null": _null,
    "array": _array,
    "object": _object,
}


_LIMITS: Mapping[str, tuple[str, Callable[[float, float], bool]]] = {
    "minimum": ("at least", operator.ge),
    "maximum": ("at most", operator.le),
    "exclusiveMinimum": ("more than", operator.gt),
    "exclusiveMaximum": ("less than", operator.lt),
    "multipleOf": ("a multiple of", lambda value, step: not step or abs(value / step - round(value / step)) < 1e-9),
}


def _bounds(schema: Mapping[str, Any], value: Any, where: str) -> None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        for key, (words, holds) in _LIMITS.items():
            limit = schema.get(key)
            if isinstance(limit, (int, float)) and not holds(value, limit):
                raise ValueError(f"{where} must be {words} {limit}, not {value}")
    if isinstance(value, (str, list, dict)):
        kind, unit = {str: ("Length", "characters"), list: ("Items", "items")}.get(type(value), ("Properties", "keys"))
        low, high = schema.get(f"min{kind}"), schema.get(f"max{kind}")
        if schema.get("format") == SENTENCE:
            high = None  # only the grammar enforces it, and that counts "2.5" and "Mr." as one character
        if low is not None and len(value) < low:
            raise ValueError(f"{where} must have at least {low} {unit}, not {len(value)}")
        if high is not None and len(value) > high:
            raise ValueError(f"{where} must have at most {high} {unit}, not {len(value)}")


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)[:60]
