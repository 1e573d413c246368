"""Random functions, of every type that pydantic can write a schema for, and what a real server makes of them.

Used by the tests, and at length by ``benchmarks/grammars.py``.
"""
# ruff: noqa: UP007, UP045 (these types are values here, and | does not join all of them)

from __future__ import annotations

import enum
import inspect
import keyword
from dataclasses import make_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, Optional, Union
from uuid import UUID

import httpx
import jsonschema
from hypothesis import strategies as st
from pydantic import BaseModel, Field, create_model

from memgpt_autogen.llm.grammar import to_gbnf
from memgpt_autogen.llm.repair import check_calls, parse_calls
from memgpt_autogen.llm.reply_schema import Dialect, ReplyFormat
from memgpt_autogen.messages import ToolSchema
from memgpt_autogen.tools.schema import Signature


class Tree(BaseModel):
    """A type that holds itself, in every way that ends."""

    label: str
    left: Optional[Tree] = None
    children: list[Tree] = []
    named: dict[str, Tree] = {}


SCALARS = (str, int, float, bool, date, datetime, time, timedelta, UUID, Decimal, bytes, None, Any)
NAMES = st.from_regex(r"[a-zA-Z_àé名][a-zA-Z0-9_é前]{0,12}", fullmatch=True).filter(
    lambda name: name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("_")
)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@st.composite
def literals(draw: Any) -> Any:
    values = draw(st.lists(st.one_of(WORDS, st.integers(-99, 99), st.booleans()), min_size=1, max_size=4))
    return Literal[tuple(values)]


@st.composite
def enums(draw: Any) -> Any:
    values = draw(st.lists(st.one_of(WORDS, st.integers(-9, 9)), min_size=1, max_size=3, unique=True))
    return enum.Enum("Choice", {f"V{index}": value for index, value in enumerate(values)})


@st.composite
def bounded_texts(draw: Any) -> Any:
    low = draw(st.integers(0, 30))
    return Annotated[str, Field(min_length=low, max_length=low + draw(st.integers(0, 2000)))]


@st.composite
def bounded_numbers(draw: Any) -> Any:
    low = draw(st.integers(-1000, 1000))
    return Annotated[draw(st.sampled_from([int, float])), Field(ge=low, le=low + draw(st.integers(0, 10**6)))]


@st.composite
def nested(draw: Any, inner: Any) -> Any:
    fields = draw(st.dictionaries(NAMES, st.tuples(inner, st.booleans()), max_size=3))
    needed = {name: hint for name, (hint, required) in fields.items() if required}
    if draw(st.booleans()):
        return make_dataclass("Record", list(needed.items()))
    made = {name: (hint, ...) if required else (Optional[hint], None) for name, (hint, required) in fields.items()}
    return create_model("Nested", **made)


def _wider(inner: Any) -> Any:
    sizes = st.tuples(st.integers(0, 3), st.integers(0, 30))
    return st.one_of(
        inner.map(lambda one: Optional[one]),
        st.tuples(inner, inner).map(lambda pair: Union[pair]),
        inner.map(lambda one: list[one]),
        st.tuples(inner, sizes).map(
            lambda made: Annotated[list[made[0]], Field(min_length=made[1][0], max_length=sum(made[1]))]
        ),
        inner.map(lambda one: dict[str, one]),
        st.tuples(inner, inner).map(lambda pair: tuple[pair]),
        nested(inner),
    )


def hints(later: bool = True) -> Any:
    """Types of arguments; ``later``: also bounds on numbers, which no grammar here holds."""
    plain = [st.sampled_from(SCALARS), literals(), enums(), bounded_texts(), st.just(set[str]), st.just(Tree)]
    return st.recursive(st.one_of(*plain, *([bounded_numbers()] if later else [])), _wider, max_leaves=5)


@st.composite
def signatures(draw: Any, later: bool = True) -> Signature:
    parameters, annotations = [], {}
    for name in draw(st.lists(NAMES, max_size=4, unique=True)):
        hint = draw(hints(later))
        annotations[name] = Optional[hint] if draw(st.booleans()) else hint
        default = None if annotations[name] != hint else inspect.Parameter.empty
        parameters.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default))

    def function(**arguments: Any) -> None: ...

    function.__annotations__ = annotations
    function.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    name = draw(st.one_of(NAMES, st.just('od"d \\ näme')))
    return Signature(function, name, draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=300)) * 4)


def refused(address: str, tools: list[ToolSchema], dialect: Dialect, *, outside: bool = False) -> str:
    """What the real parser says against the grammar of these functions; empty where it takes it."""
    body = {"prompt": "x", "n_predict": 1, "grammar": to_gbnf(tools, ReplyFormat(dialect), outside=outside)}
    reply = httpx.post(address + "/completion", json=body, timeout=60)
    return "" if reply.status_code == 200 else reply.text


#: Tokens of a sampled call: more than the longest that these limits allow usually takes.
ENOUGH = 3000


def sampled(address: str, signature: Signature, dialect: Dialect = "full", seed: int = 1) -> bool:
    """Let the real model write a call at random, and hold it against the schema and the function.

    What was written must fit the schema but for the uniqueness of a set's items, which no grammar holds; what the
    program makes of it must fit the schema whole.

    Returns:
        False where the token limit cut it.

    Raises:
        AssertionError, or an error of this package: what was written does not fit.
    """
    tools = [signature.schema]
    form = ReplyFormat(dialect, string_limit=16, thoughts_limit=16, list_limit=2)
    body = {
        "prompt": "A call with short values:\n",
        "n_predict": ENOUGH,
        "temperature": 1.0,
        "seed": seed,
        "grammar": to_gbnf(tools, form),
    }
    answer = httpx.post(address + "/completion", json=body, timeout=300)
    assert answer.status_code == 200, answer.text
    reply = answer.json()
    if reply["stop_type"] == "limit":
        return False
    calls, _ = parse_calls(reply["content"], tools)
    (written,), (call,) = calls, check_calls(calls, tools, None, reply["content"])
    assert call.name == signature.name
    schema = dict(signature.schema.parameters)
    jsonschema.validate(dict(written.arguments), _without_uniqueness(schema))
    jsonschema.validate(dict(call.arguments), schema)
    signature.read(call.arguments)
    return True


def _without_uniqueness(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_uniqueness(item) for item in schema]
    if isinstance(schema, dict):
        return {key: _without_uniqueness(value) for key, value in schema.items() if key != "uniqueItems"}
    return schema
