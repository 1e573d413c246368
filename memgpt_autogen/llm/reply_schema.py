"""The JSON Schema of a reply: one function call in which everything is bounded.

An unbounded string can run into the token limit, which makes the reply unparseable. So every string, list and free-form
object gets a limit here. References are inlined, because servers and grammars resolve them differently.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..messages import ToolSchema
from ..servers import Dialect

THOUGHTS = "inner_thoughts"
HEARTBEAT = "request_heartbeat"
STRING_LIMIT = 1000
THOUGHTS_LIMIT = 300
LIST_LIMIT = 20
_TIGHT_LIST = 3
#: A ``format`` of our own: one sentence that ends in a full stop. It keeps the smallest models from rambling.
SENTENCE = "sentence"
#: String formats that the grammar enforces; of others it bounds only the length.
FORMATS = ("date", "time", "date-time", "uuid", "duration")
_FORMAT_LENGTH = 40
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_SCALARS = ("string", "number", "boolean", "null")
#: The depth to which references are inlined before a value is treated as free-form: schemas may be recursive.
_DEPTH = 6

Json = dict[str, Any]


def select(tools: Sequence[ToolSchema], only: Collection[str] | None) -> list[ToolSchema]:
    """The functions that a reply may call.

    Raises:
        ValueError: there are none.
    """
    chosen = [tool for tool in tools if only is None or tool.name in only]
    if not chosen:
        raise ValueError(f"None of the functions {sorted(only or ())} is on offer: {[t.name for t in tools]}.")
    return chosen


@dataclass(frozen=True)
class ReplyFormat:
    """The constraints on a reply.

    Attributes:
        dialect: the GBNF dialect of the server.
        inner_thoughts: whether a call starts with inner thoughts.
        string_limit: most characters of a string without a smaller ``maxLength``.
        message_limit: most characters of strings named ``message``.
        thoughts_limit: most characters of the inner thoughts.
        list_limit: most items of a list, and keys of a free-form object, without a smaller bound.
    """

    dialect: Dialect = "full"
    inner_thoughts: bool = True
    string_limit: int = STRING_LIMIT
    message_limit: int = STRING_LIMIT
    thoughts_limit: int = THOUGHTS_LIMIT
    list_limit: int = LIST_LIMIT

    def within(self, limit: int, least: int, tools: Sequence[ToolSchema], tight: bool) -> ReplyFormat:
        """The same constraints reduced to a token limit.

        Words have more than two characters per token. ``tight`` assumes one, as for digits and rare characters, for
        every string of the longest call, and short lists.
        """
        most = 2 * limit
        if tight:
            strings = 1 + max(len(tool.parameters.get("properties") or {}) for tool in tools)
            most = max(16, (limit - least) // strings)
        return replace(
            self,
            string_limit=min(self.string_limit, most),
            message_limit=min(self.message_limit, most),
            thoughts_limit=min(self.thoughts_limit, most),
            list_limit=min(self.list_limit, _TIGHT_LIST) if tight else self.list_limit,
        )


def call_schema(tools: Sequence[ToolSchema], form: ReplyFormat = ReplyFormat()) -> Json:
    """The JSON Schema of a reply: one ``anyOf`` branch for each function."""
    branches = []
    for tool in tools:
        parameters = _Bounder(tool.parameters, form).schema()
        if form.inner_thoughts:
            thoughts = {"type": "string", "minLength": 1, "maxLength": form.thoughts_limit}
            rest = {key: value for key, value in parameters["properties"].items() if key != THOUGHTS}
            needed = [key for key in parameters["required"] if key != THOUGHTS]
            parameters |= {"properties": {THOUGHTS: thoughts} | rest, "required": [THOUGHTS, *needed]}
        branches.append(
            {
                "type": "object",
                "properties": {"function": {"const": tool.name}, "params": parameters},
                "required": ["function", "params"],
                "additionalProperties": False,
            }
        )
    return {"anyOf": branches}


class _Bounder:
    """Rewrites a function's parameter schema without references and with everything bounded."""

    def __init__(self, parameters: Mapping[str, Any], form: ReplyFormat) -> None:
        self.root = parameters
        self.form = form

    def schema(self) -> Json:
        properties: Mapping[str, Any] = self.root.get("properties") or {}
        return self._closed(properties, self.root.get("required") or (), depth=0)

    def _closed(self, properties: Mapping[str, Any], required: Collection[str], depth: int) -> Json:
        return {
            "type": "object",
            "properties": {key: self._value(value, key, depth + 1) for key, value in properties.items()},
            "required": [key for key in properties if key in required],
            "additionalProperties": False,
        }

    def _value(self, schema: Any, key: str, depth: int) -> Json:
        if not isinstance(schema, Mapping):
            return self._anything(depth)
        if depth > _DEPTH:
            return self._flat(schema, key, depth)
        if "$ref" in schema:
            return self._value(self._resolve(str(schema["$ref"])), key, depth + 1)
        if "const" in schema or schema.get("enum"):
            return {"enum": [schema["const"]] if "const" in schema else list(schema["enum"])}
        for union in ("anyOf", "oneOf"):
            if schema.get(union):
                return {
                    "anyOf": [self._value(branch, key, depth + 1) for branch in self._branches(schema[union], depth)]
                }
        if len(schema.get("allOf") or ()) == 1:
            return self._value(schema["allOf"][0], key, depth + 1)
        kind = schema.get("type") or ("object" if schema.get("properties") else None)
        if isinstance(kind, (list, tuple)):
            return {"anyOf": [self._value({**schema, "type": one}, key, depth + 1) for one in kind]}
        return self._typed(kind, schema, key, depth)

    def _typed(self, kind: Any, schema: Mapping[str, Any], key: str, depth: int) -> Json:
        if kind == "string":
            limit = self.form.message_limit if key == "message" else self.form.string_limit
            low = int(schema.get("minLength") or 0)
            high = max(low, min(int(schema.get("maxLength", limit)), limit))
            if schema.get("format") in FORMATS:
                return {"type": "string", "format": schema["format"], "minLength": 0, "maxLength": _FORMAT_LENGTH}
            kept = {"format": SENTENCE} if schema.get("format") == SENTENCE else {}
            return {"type": "string", "minLength": low, "maxLength": high, **kept}
        if kind in ("integer", "number"):
            return {"type": kind, **{k: schema[k] for k in _BOUNDS if k in schema}}
        if kind in ("boolean", "null"):
            return {"type": kind}
        if kind == "array" and schema.get("prefixItems"):
            each = [self._value(item, key, depth + 1) for item in schema["prefixItems"]]
            return {"type": "array", "prefixItems": each, "minItems": len(each), "maxItems": len(each)}
        if kind == "array":
            low = int(schema.get("minItems") or 0)
            high = max(low, min(int(schema.get("maxItems", LIST_LIMIT)), self.form.list_limit))
            items = self._value(schema.get("items"), key, depth + 1)
            return {"type": "array", "items": items, "minItems": low, "maxItems": high}
        if kind == "object" and (schema.get("properties") or _is_empty_record(schema)):
            return self._closed(schema["properties"], schema.get("required") or (), depth)
        if kind == "object" and schema.get("additionalProperties") is not False:
            return self._dict(self._value(schema.get("additionalProperties"), key, depth + 1), schema)
        if kind == "object":
            return self._closed({}, (), depth)
        return self._anything(depth)

    def _dict(self, values: Json, schema: Mapping[str, Any] | None = None) -> Json:
        schema = schema or {}
        low = int(schema.get("minProperties") or 0)
        high = max(low, min(int(schema.get("maxProperties", LIST_LIMIT)), self.form.list_limit))
        made: Json = {"type": "object", "additionalProperties": values, "minProperties": low, "maxProperties": high}
        names = schema.get("propertyNames")
        if isinstance(names, Mapping):
            made["propertyNames"] = self._value({"type": "string", **names}, "", _DEPTH)
        return made

    def _branches(self, branches: Sequence[Any], depth: int) -> Sequence[Any]:
        """The branches of a union that can be generated: none that only a pattern describes and, at the maximum depth
        of a recursive type, only those that end it.
        """
        known = [one for one in branches if not (isinstance(one, Mapping) and "pattern" in one)] or branches
        if depth < _DEPTH - 1:
            return known
        return [one for one in known if isinstance(one, Mapping) and one.get("type") in _SCALARS] or known

    def _flat(self, schema: Mapping[str, Any], key: str, depth: int) -> Json:
        """A value at the depth where references are no longer inlined: the smallest that the schema allows."""
        if "$ref" in schema:
            resolved = self._resolve(str(schema["$ref"]))
            closed = not isinstance(resolved, Mapping) or "$ref" in resolved or "anyOf" in resolved
            return self._anything(depth) if closed else self._flat(resolved, key, depth)
        for union in ("anyOf", "oneOf"):
            if schema.get(union):
                ends = [one for one in schema[union] if isinstance(one, Mapping) and "$ref" not in one] or schema[union]
                return self._flat(ends[-1], key, depth)
        if "const" in schema or schema.get("enum"):
            return {"enum": [schema["const"]] if "const" in schema else list(schema["enum"])}
        kind = schema.get("type")
        if kind == "array" and not schema.get("minItems"):
            return {"type": "array", "items": {"type": "null"}, "minItems": 0, "maxItems": 0}
        if kind == "object" and depth < 3 * _DEPTH and (schema.get("properties") or not schema.get("minProperties")):
            needed = schema.get("required") or ()
            return self._closed(
                {k: v for k, v in (schema.get("properties") or {}).items() if k in needed}, needed, depth
            )
        return self._typed(kind, schema, key, depth) if kind in (*_SCALARS, "integer") else self._anything(depth)

    def _anything(self, depth: int) -> Json:
        scalar = [self._typed(kind, {}, "", depth) for kind in _SCALARS]
        if depth > 2:
            return {"anyOf": scalar}
        inner = {"anyOf": list(scalar)}
        many = {"type": "array", "items": inner, "minItems": 0, "maxItems": self.form.list_limit}
        return {"anyOf": [*scalar, many, self._dict(inner)]}

    def _resolve(self, reference: str) -> Any:
        return resolve(self.root, reference)


def _is_empty_record(schema: Mapping[str, Any]) -> bool:
    """Whether an object schema is a class without fields, as opposed to a free-form object."""
    return "properties" in schema and not schema.get("additionalProperties")


def resolve(root: Mapping[str, Any], reference: str) -> Any:
    """The definition that ``#/$defs/Name`` refers to; None if there is none."""
    found: Any = root
    for part in reference.removeprefix("#").strip("/").split("/"):
        found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, Mapping) else None
    return found
