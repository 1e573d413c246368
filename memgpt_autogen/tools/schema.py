"""JSON Schemas of functions from signature and docstring, and validation of arguments.

1. The signature gives names, types and defaults; a type may be an ``Annotated[..., "description"]``.
2. The docstring gives the description of the function and of each argument (Google, NumPy, ReST or Epydoc style).
3. pydantic turns both into a model, the model into a schema, and later a model's arguments into Python values.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any

from docstring_parser import parse as parse_docstring
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.errors import PydanticSchemaGenerationError
from pydantic.json_schema import GenerateJsonSchema

from ..errors import ConfigError, ToolError
from ..messages import ToolSchema


class Signature:
    """A function's schema; parses its arguments.

    Args:
        function: any callable with named parameters.
        name: the name for the model; default: its own.
        description: the description for the model; default: its docstring.

    Raises:
        ConfigError: its parameters cannot be passed by name, or have types without a JSON Schema.
    """

    def __init__(self, function: Callable[..., Any], name: str = "", description: str = "") -> None:
        self.name = name or getattr(function, "__name__", type(function).__name__)
        documented = parse_docstring(inspect.getdoc(function) or "")
        told = [documented.short_description, documented.long_description]
        self.description = description or "\n".join(part for part in told if part)
        self._model = _model(self.name, function, {p.arg_name: p.description or "" for p in documented.params})
        self.schema = ToolSchema(
            self.name, self.description, _tidy(self._model.model_json_schema(schema_generator=_Schemas))
        )

    def read(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments as Python values.

        Raises:
            ToolError: they are invalid; the message lists the errors for the model.
        """
        try:
            checked = self._model.model_validate(dict(arguments))
        except ValidationError as error:
            faults = "; ".join(
                f"{'.'.join(map(str, fault['loc'])) or 'arguments'}: {fault['msg']}" for fault in error.errors()
            )
            expected = ", ".join(self.schema.parameters.get("properties", {})) or "none"
            raise ToolError(f"Wrong arguments for {self.name}: {faults}. Its parameters: {expected}.") from None
        return {name: getattr(checked, name) for name in checked.model_fields_set}


class _Schemas(GenerateJsonSchema):
    """Schemas as pydantic generates them, except where those are too wide."""

    def decimal_schema(self, schema: Any) -> dict[str, Any]:
        """A number; pydantic's schema also allows any string, most of which it then rejects."""
        found = super().decimal_schema(schema)
        return next((one for one in found.get("anyOf") or () if one.get("type") == "number"), found)


def _model(name: str, function: Callable[..., Any], described: Mapping[str, str]) -> type[BaseModel]:
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except (NameError, TypeError) as error:
        raise ConfigError(f"The types of {name} cannot be read: {error}.") from error
    fields: dict[str, Any] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise ConfigError(f"{name}: a model gives arguments by name, so {parameter} cannot be among them.")
        hint = hints.get(parameter.name, Any)
        default = ... if parameter.default is parameter.empty else parameter.default
        notes = _notes(hint)
        told = described.get(parameter.name) or (notes[0] if notes else "")
        fields[parameter.name] = (hint, Field(default, description=told.replace("\n", " ") or None))
    try:
        return create_model(name, __config__=ConfigDict(extra="forbid", protected_namespaces=()), **fields)
    except (PydanticSchemaGenerationError, NameError) as error:
        raise ConfigError(f"{name} takes a type that cannot be written as JSON: {error}.") from error


def _notes(hint: Any) -> list[str]:
    """The texts in an ``Annotated``, which Python 3.10 wraps in an Optional if the default is None."""
    annotated = [hint, *typing.get_args(hint)]
    return [note for one in annotated for note in getattr(one, "__metadata__", ()) if isinstance(note, str)]


def _tidy(schema: Any) -> Any:
    """Without titles and the ban on other keys, which the model need not read (``read`` enforces the ban)."""
    if isinstance(schema, dict):
        kept = {
            key: value
            for key, value in schema.items()
            if not (key == "title" and isinstance(value, str)) and (key, value) != ("additionalProperties", False)
        }
        return {
            key: {name: _tidy(item) for name, item in value.items()} if key in ("properties", "$defs") else _tidy(value)
            for key, value in kept.items()
        }
    if isinstance(schema, list):
        return [_tidy(item) for item in schema]
    return schema
