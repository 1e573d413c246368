"""Arguments against a schema: what is meant is taken, what is wrong is told."""

from __future__ import annotations

from typing import Any

import pytest

from memgpt_autogen.llm.arguments import fit_arguments

from .conftest import SEARCH, TEXT, schema

NODE = {"type": "object", "properties": {"v": {"type": "integer"}, "next": {"$ref": "#/$defs/N"}}, "required": ["v"]}
ONE: list[tuple[Any, Any, Any]] = [
    (TEXT, "a", "a"),
    (TEXT, 5, "5"),
    ({"type": "integer"}, "12", 12),
    ({"type": "integer"}, 3.0, 3),
    ({"type": "number"}, "2.5", 2.5),
    ({"type": "number"}, 2, 2),
    ({"type": "boolean"}, "False", False),
    ({"type": "boolean"}, 1, True),
    ({"type": "null"}, "null", None),
    ({"type": ["integer", "null"]}, None, None),
    ({"type": "array", "items": {"type": "integer"}}, ["1", 2], [1, 2]),
    ({"type": "array", "items": TEXT}, '["a"]', ["a"]),
    ({"type": "array", "uniqueItems": True, "items": {}}, ["a", "b", "a", {"c": 1}, {"c": 1}], ["a", "b", {"c": 1}]),
    ({"type": "array", "uniqueItems": True, "items": {}}, [1, True, "1"], [1, True, "1"]),
    ({"type": "array", "prefixItems": [TEXT, {"type": "integer"}]}, ["a", "1"], ["a", 1]),
    ({"type": "object", "additionalProperties": {"type": "integer"}}, {"k": "1"}, {"k": 1}),
    (TEXT | {"format": "sentence", "maxLength": 2}, "Mr. A pays 2.5.", "Mr. A pays 2.5."),
    ({"enum": ["human", "persona"]}, "Persona", "persona"),
    ({"enum": [1, 2]}, "2", 2),
    ({"const": "x"}, "x", "x"),
    ({"anyOf": [TEXT, {"type": "null"}]}, "null", "null"),
    ({"anyOf": [{"type": "integer"}, TEXT]}, "7", "7"),
    ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "7", 7),
    ({"allOf": [{"type": "integer"}, {"maximum": 9, "type": "integer"}]}, 9, 9),
    ({"$ref": "#/$defs/N"}, {"v": 1, "next": {"v": "2"}}, {"v": 1, "next": {"v": 2}}),
    ({}, {"any": 1}, {"any": 1}),
]
WRONG: list[tuple[Any, Any, str]] = [
    (TEXT, None, "must be a string, not null"),
    ({"type": "array", "uniqueItems": True, "minItems": 2, "items": TEXT}, ["a", "a"], "at least 2 items, not 1"),
    (TEXT, True, "must be a string"),
    (TEXT | {"maxLength": 2}, "abc", "at most 2 characters, not 3"),
    (TEXT | {"minLength": 2}, "a", "at least 2 characters"),
    ({"type": "integer"}, "two", "must be a whole number"),
    ({"type": "integer"}, True, "must be a whole number"),
    ({"type": "integer"}, 1.5, "must be a whole number"),
    ({"type": "number"}, float("inf"), "must be a number"),
    ({"type": "number"}, "nan", "must be a number"),
    ({"type": "integer", "minimum": 0}, -1, "at least 0, not -1"),
    ({"type": "integer", "maximum": 9}, "10", "at most 9"),
    ({"type": "number", "exclusiveMinimum": 0}, 0, "more than 0"),
    ({"type": "number", "exclusiveMaximum": 1}, 1.0, "less than 1"),
    ({"type": "number", "multipleOf": 0.5}, 0.7, "a multiple of 0.5"),
    ({"type": "boolean"}, "maybe", "true or false"),
    ({"type": "array", "items": TEXT}, "a", "must be a list"),
    ({"type": "array", "minItems": 1}, [], "at least 1 items"),
    ({"type": "array", "items": {"type": "integer"}}, [1, "x"], r"a\[1\] must be"),
    ({"type": "object", "required": ["k"]}, {}, "a lacks k"),
    ({"type": "object", "properties": {}, "additionalProperties": False}, {"k": 1}, "no place for k"),
    ({"type": "object", "propertyNames": {"enum": ["x"]}}, {"k": 1}, "the key 'k' of a must be one of"),
    ({"enum": ["a", "b"]}, "c", 'one of "a", "b", not "c"'),
    ({"enum": [1]}, True, "one of 1"),
    ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, [], "whole number, not .* or .* null"),
    ({"$ref": "#/$defs/N"}, {"v": 1, "next": {}}, "a.next lacks v"),
]


def tool(parameter: Any) -> Any:
    made = schema("f", a=parameter)
    made.parameters["$defs"] = {"N": NODE}  # type: ignore[index]
    return made


@pytest.mark.parametrize(("parameter", "given", "meant"), ONE)
def test_what_is_meant_is_taken(parameter: Any, given: Any, meant: Any) -> None:
    made = fit_arguments(tool(parameter), {"a": given})
    assert made == {"a": meant} and type(made["a"]) is type(meant)


@pytest.mark.parametrize(("parameter", "given", "told"), WRONG)
def test_what_is_wrong_is_told(parameter: Any, given: Any, told: str) -> None:
    with pytest.raises(ValueError, match=rf"^Wrong arguments for f: .*{told}"):
        fit_arguments(tool(parameter), {"a": given})


def test_names_of_arguments() -> None:
    assert fit_arguments(SEARCH, {"Query": "x"}) == {"query": "x", "request_heartbeat": False}
    assert fit_arguments(schema("f", a=TEXT), {"a": "x", "request_heartbeat": True}) == {"a": "x"}
    assert fit_arguments(schema("f", a=TEXT), {"a": "x", "inner_thoughts": "hm"}) == {"a": "x"}
    with pytest.raises(ValueError, match="lacks a"):
        fit_arguments(schema("f", a=TEXT), {})
    with pytest.raises(ValueError, match="no parameter b. Its parameters: a"):
        fit_arguments(schema("f", a=TEXT), {"a": "x", "b": 1})
