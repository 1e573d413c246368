"""Records (frozen dataclasses) to and from JSON types: invalid keys are reported by name, secrets are left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from ..errors import ConfigError
from .host_secrets import split_address, without_secrets

R = TypeVar("R")
#: Fields that hold a secret.
_SECRET = ("api_key", "login")


def to_dict(record: Any) -> dict[str, Any]:
    """The record as JSON types, without secrets."""

    def clean(key: str, value: Any) -> Any:
        if key == "settings":
            return without_secrets(value)
        if key in ("model_endpoint", "endpoint"):
            return split_address(value)[0]
        if isinstance(value, Mapping):
            return {inner: clean(inner, item) for inner, item in value.items() if inner not in _SECRET}
        return value

    return {key: clean(key, value) for key, value in asdict(record).items() if key not in _SECRET}


def from_dict(kind: type[R], data: Mapping[str, Any]) -> R:
    """Build a record from JSON types.

    Raises:
        ConfigError: a key is unknown (the message lists the known ones) or has the wrong type, or the record is
            invalid.
    """
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(data) - known)
    if unknown:
        raise ConfigError(
            f"Unknown setting{'s' * (len(unknown) > 1)} {', '.join(map(_short, unknown[:10]))} in {kind.__name__}. "
            f"Known: {', '.join(sorted(known))}."
        )
    values = dict(data)
    hints = get_type_hints(kind)
    for key, value in values.items():
        nested = next((one for one in _kinds(hints[key]) if isinstance(one, type) and is_dataclass(one)), None)
        if nested is not None and isinstance(value, Mapping):
            values[key] = from_dict(nested, value)
        elif nested is not None and hasattr(nested, "of"):  # its shorter form
            values[key] = nested.of(value)
    for f in fields(kind):  # type: ignore[arg-type]
        if f.name not in values and f.default is MISSING and f.default_factory is MISSING:
            raise ConfigError(f"{kind.__name__} needs a {f.name}.")
    for key, hint in hints.items():
        if key in values:
            _check_type(f"{key} in {kind.__name__}", hint, values[key])
    return kind(**values)


def _kinds(hint: Any) -> list[Any]:
    """The classes that a type hint allows."""
    return [get_origin(one) or one for one in (get_args(hint) if isinstance(hint, UnionType) else [hint])]


def _check_type(what: str, hint: Any, value: Any) -> None:
    """Check a value against its field's type, as far as JSON types allow."""
    kinds = _kinds(hint)
    fits = isinstance(value, (*kinds, int) if float in kinds else tuple(kinds))
    if not fits or (isinstance(value, bool) and bool not in kinds):
        names = " or ".join("None" if one is NoneType else one.__name__ for one in kinds)
        raise ConfigError(f"{what} must be {names}, not {_short(repr(value))}.")


def _short(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:100]}..."
