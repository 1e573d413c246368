"""Schemas from signatures, and the running of calls."""

from __future__ import annotations

import enum
from decimal import Decimal
from typing import Annotated, Any, Literal, Optional

import pytest
from pydantic import BaseModel, Field

from memgpt_autogen.errors import ConfigError, StoreError
from memgpt_autogen.messages import ToolCall
from memgpt_autogen.tools.registry import Tool, ToolRegistry
from memgpt_autogen.tools.schema import Signature


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Point(BaseModel):
    x: float
    y: float = 0.0


def paint(
    colour: Colour,
    where: Point,
    times: int = 1,
    note: Optional[str] = None,  # noqa: UP045
    mode: Literal["fast", "slow"] = "fast",
    tags: Annotated[list[str] | None, "free words"] = None,
) -> str:
    """Paint a point.

    More about it.

    Args:
        colour: Which colour.
        times: How often.
    """
    assert isinstance(colour, Colour) and isinstance(where, Point)
    return f"{colour.value} at {where.x},{where.y} x{times} {note} {mode} {tags}"


def test_decimals_are_numbers_and_sets_are_lists() -> None:
    def pay(amount: Annotated[Decimal, Field(ge=0)], tags: set[str]) -> None: ...

    signature = Signature(pay)
    assert signature.schema.parameters["properties"]["amount"] == {"minimum": 0.0, "type": "number"}
    assert signature.schema.parameters["properties"]["tags"]["uniqueItems"] is True
    read = signature.read({"amount": 0.1, "tags": ["a", "b"]})
    assert read == {"amount": Decimal("0.1"), "tags": {"a", "b"}}


def test_signature_and_docstring_make_the_schema() -> None:
    schema = Signature(paint).schema
    assert schema.name == "paint" and schema.description == "Paint a point.\nMore about it."
    properties = schema.parameters["properties"]
    assert list(properties) == ["colour", "where", "times", "note", "mode", "tags"]
    assert properties["times"] == {"default": 1, "description": "How often.", "type": "integer"}
    assert properties["tags"]["description"] == "free words"
    assert schema.parameters["required"] == ["colour", "where"]
    assert "title" not in str(schema.parameters)


def test_a_parameter_called_title_stays() -> None:
    def file(title: str) -> str:
        return title

    assert "title" in Signature(file).schema.parameters["properties"]


def test_a_dict_keeps_the_type_of_its_values() -> None:
    def count(words: dict[str, int]) -> str:
        return str(words)

    words = Signature(count).schema.parameters["properties"]["words"]
    assert words["additionalProperties"] == {"type": "integer"}


def test_arguments_become_python_values() -> None:
    registry = ToolRegistry([Tool(Signature(paint), paint)])
    result = registry.run(ToolCall("paint", {"colour": "red", "where": {"x": 1}, "request_heartbeat": True}))
    assert (result.failed, result.content) == (False, "red at 1.0,0.0 x1 None fast None")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"where": {"x": 1}}, "colour: Field required"),
        ({"colour": "green", "where": {"x": 1}}, "colour: Input should be 'red' or 'blue'"),
        ({"colour": "red", "where": {"x": "east"}}, "where.x"),
        ({"colour": "red", "where": {"x": 1}, "size": 3}, "size: Extra inputs"),
    ],
)
def test_wrong_arguments_are_named_for_the_model(arguments: dict[str, Any], told: str) -> None:
    result = ToolRegistry([Tool(Signature(paint), paint)]).run(ToolCall("paint", arguments))
    assert result.failed and told in result.content and "Its parameters: colour, where" in result.content


def test_an_unknown_function_lists_the_known_ones() -> None:
    result = ToolRegistry([Tool(Signature(paint), paint)]).run(ToolCall("draw", {}))
    assert result.failed and result.content == "There is no function 'draw'. Functions: paint."


def test_a_call_that_could_not_be_parsed_never_runs() -> None:
    ran = []

    def act() -> None:
        ran.append(1)

    registry = ToolRegistry()
    registry.add(act)
    assert registry.run(ToolCall("act", {}, error="the JSON was cut")).failed and not ran
    assert registry.run(ToolCall("act", {})).content == "Done."


def test_what_a_function_raises_is_told_to_the_model() -> None:
    def divide(a: int, b: int) -> float:
        return a / b

    registry = ToolRegistry()
    registry.add(divide)
    result = registry.run(ToolCall("divide", {"a": 1, "b": 0}))
    assert result.failed and result.content == "ZeroDivisionError: division by zero"


def test_a_fault_of_the_store_is_not_the_model_s_business() -> None:
    def save() -> None:
        raise StoreError("the disk is full")

    registry = ToolRegistry()
    registry.add(save)
    with pytest.raises(StoreError):
        registry.run(ToolCall("save", {}))


def test_functions_that_no_model_can_call_are_refused() -> None:
    def scattered(*numbers: int) -> int:
        return sum(numbers)

    async def later() -> None:
        pass

    with pytest.raises(ConfigError, match="by name"):
        Signature(scattered)
    with pytest.raises(ConfigError, match="async"):
        ToolRegistry().add(later)
    registry = ToolRegistry()
    registry.add(paint)
    with pytest.raises(ConfigError, match="already"):
        registry.add(paint)


def test_answers_of_any_type_become_text() -> None:
    def table() -> list[dict[str, object]]:
        return [{"ü": 1, "when": Point(x=1)}]

    registry = ToolRegistry()
    registry.add(table)
    assert registry.run(ToolCall("table", {})).content.startswith('[{"ü": 1')
