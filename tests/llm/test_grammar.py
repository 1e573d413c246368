"""The schema and the grammar of a reply. GBNF is checked offline by turning it into a regular expression."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from memgpt_autogen.llm.arguments import fit_arguments
from memgpt_autogen.llm.embedded import EmbeddedServer
from memgpt_autogen.llm.grammar import reply_prefix, to_gbnf
from memgpt_autogen.llm.reply_schema import Dialect, ReplyFormat, call_schema, select
from memgpt_autogen.messages import ToolSchema
from memgpt_autogen.tools.schema import Signature

from .conftest import REMEMBER, SAY, SEARCH, TEXT, TOOLS, schema
from .plain_gbnf import NotPlain, check_plain
from .signatures import refused, sampled, signatures

BARE = ReplyFormat(inner_thoughts=False)
DIALECTS: tuple[Dialect, ...] = ("full", "plain")

_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|(\[(?:[^\]\\]|\\.)*\])|([a-zA-Z][\w-]*)|(\{[\d,]+\}|[()|?*+])')


_ESCAPES = {"x5C": "\\", "n": "\n"}


@lru_cache
def as_regex(gbnf: str) -> re.Pattern[str]:
    """Our grammars have no recursion, so that rules can be put in place of their names."""
    rules = dict(line.split(" ::= ", 1) for line in gbnf.strip().split("\n"))

    def expand(body: str) -> str:
        out = []
        for literal, charset, name, sign in _TOKEN.findall(body):
            if charset or sign:
                out.append(charset or sign)
            elif name:
                out.append(f"(?:{expand(rules[name])})")
            else:
                plain = re.sub(r"\\(x5C|.)", lambda found: _ESCAPES.get(found[1], found[1]), literal)
                out.append(f"(?:{re.escape(plain)})")
        return "".join(out)

    return re.compile(expand(rules["root"]))


def accepts(gbnf: str, function: str, /, *, raw: Any = None, **params: Any) -> bool:
    text = raw if raw is not None else json.dumps({"function": function, "params": params}, ensure_ascii=False)
    return as_regex(gbnf).fullmatch(text) is not None


def test_a_reply_is_one_call_of_an_offered_function() -> None:
    gbnf = to_gbnf(TOOLS)
    assert accepts(gbnf, "send_message", inner_thoughts="hm", message='hi "you" \\ é日本 😀\n')
    assert accepts(gbnf, "core_memory_append", inner_thoughts="hm", name="human", content="x")
    assert not accepts(gbnf, "core_memory_append", inner_thoughts="hm", name="other", content="x")
    assert not accepts(gbnf, "send_message", message="no thoughts")
    assert not accepts(gbnf, "send_message", inner_thoughts="", message="empty thoughts")
    assert not accepts(gbnf, "send_message", inner_thoughts="hm", message="hi", extra=1)
    assert not accepts(gbnf, "other", inner_thoughts="hm")
    assert not accepts(gbnf, "", raw='{"function": "send_message", "params": {"inner_thoughts": "a", "message": "\n"}}')
    assert not accepts(gbnf, "", raw='{"function":"send_message","params":{"inner_thoughts":"a","message":"b"}}')


def test_only_narrows_and_thoughts_may_be_left_out() -> None:
    gbnf = to_gbnf(select(TOOLS, {"send_message"}), BARE)
    assert accepts(gbnf, "send_message", message="hi")
    assert not accepts(gbnf, "core_memory_append", name="human", content="x")
    with pytest.raises(ValueError, match="nothing"):
        select(TOOLS, {"nothing"})


@pytest.mark.parametrize("limit", [1, 99, 200, 201, 250, 399, 1000, 1234])
def test_strings_are_bounded_exactly(limit: int) -> None:
    gbnf = to_gbnf([SAY], ReplyFormat("full", False, limit, limit))
    assert accepts(gbnf, "send_message", message="x" * limit)
    assert accepts(gbnf, "send_message", message="x" * (limit // 2))
    assert accepts(gbnf, "send_message", message="")
    assert not accepts(gbnf, "send_message", message="x" * (limit + 1))
    counts = [int(n) for n in re.findall(r"\{(?:\d+,)?(\d+)\}", gbnf)]
    assert max(counts) <= 200  # llama.cpp refuses repetitions over 2,000


def test_minimum_lengths_hold() -> None:
    tool = schema("f", a={"type": "string", "minLength": 150, "maxLength": 500})
    gbnf = to_gbnf([tool], BARE)
    assert [accepts(gbnf, "f", a="x" * n) for n in (149, 150, 333, 500, 501)] == [
        False,
        True,
        True,
        True,
        False,
    ]


def test_lists_are_bounded_and_more_tightly_where_a_reply_was_cut() -> None:
    tool = schema("f", a={"type": "array", "items": {"type": "integer"}}, b={"type": "object"})
    most = {"a": [1] * 20, "b": {str(n): 1 for n in range(20)}}
    assert accepts(to_gbnf([tool], BARE), "f", **most) and not accepts(
        to_gbnf([tool], BARE), "f", **most | {"a": [1] * 21}
    )
    tight = to_gbnf([tool], BARE.within(500, 64, [tool], True))
    assert not accepts(tight, "f", **most) and accepts(tight, "f", a=[1] * 3, b={"k": 1})
    assert BARE.within(500, 64, [tool], False) == BARE


def test_message_and_thoughts_have_limits_of_their_own() -> None:
    gbnf = to_gbnf(TOOLS, ReplyFormat(string_limit=50, message_limit=10, thoughts_limit=5))
    assert accepts(gbnf, "send_message", inner_thoughts="x" * 5, message="x" * 10)
    assert not accepts(gbnf, "send_message", inner_thoughts="x" * 6, message="x")
    assert not accepts(gbnf, "send_message", inner_thoughts="x", message="x" * 11)
    assert accepts(gbnf, "core_memory_append", inner_thoughts="x", name="human", content="x" * 50)


def test_optional_properties_may_be_left_out_in_any_combination() -> None:
    gbnf = to_gbnf([SEARCH])
    for page in ({}, {"page": 3}):
        for beat in ({}, {"request_heartbeat": True}):
            assert accepts(gbnf, SEARCH.name, inner_thoughts="a", query="q", **page, **beat)
    assert not accepts(gbnf, SEARCH.name, inner_thoughts="a", page=1)
    assert not accepts(gbnf, SEARCH.name, inner_thoughts="a", query="q", page=-1)
    assert not accepts(gbnf, SEARCH.name, inner_thoughts="a", query="q", page=100)


def test_optional_properties_before_the_first_required_one() -> None:
    number = {"type": "integer"}
    gbnf = to_gbnf([schema("f", required=["c"], a=number, b=number, c=number, d=number)], BARE)
    for keys in ("c", "ac", "bc", "abc", "cd", "abcd"):
        assert accepts(gbnf, "f", **dict.fromkeys(keys, 1)), keys
    for keys in ("", "a", "ab", "d", "ca"):
        assert not accepts(gbnf, "f", **dict.fromkeys(keys, 1)), keys
    free = to_gbnf([schema("f", required=[], a=number, b=number)], BARE)
    assert all(accepts(free, "f", **dict.fromkeys(keys, 1)) for keys in ("", "a", "b", "ab"))
    assert accepts(to_gbnf([schema("f")], BARE), "f")


RICH = ToolSchema(
    "wéird-名前",
    "Every type.",
    {
        "type": "object",
        "$defs": {
            "Point": {
                "type": "object",
                "properties": {
                    "x": {"type": "number"},
                    "next": {"anyOf": [{"$ref": "#/$defs/Point"}, {"type": "null"}]},
                },
                "required": ["x"],
            }
        },
        "properties": {
            "point": {"$ref": "#/$defs/Point"},
            "tags": {
                "type": "array",
                "items": {"type": "string", "maxLength": 5},
                "minItems": 1,
                "maxItems": 3,
            },
            "maybe": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
            "either": {"type": ["integer", "boolean"]},
            "meta": {"type": "object"},
            "scores": {"type": "object", "additionalProperties": {"type": "integer"}},
            "anything": {},
            "pick": {"enum": ['a "b" \\ c', 1, None, True]},
            "fixed": {"const": "é"},
        },
        "required": ["point", "tags"],
    },
)


def test_every_type_of_parameter() -> None:
    gbnf = to_gbnf([RICH], BARE)

    def ok(**more: Any) -> bool:
        return accepts(gbnf, RICH.name, **({"point": {"x": -1.5}, "tags": ["a"]} | more))

    assert ok()
    assert ok(point={"x": 2, "next": {"x": 0.25, "next": None}})
    assert ok(maybe=None, either=7) and ok(maybe="x", either=False)
    assert ok(meta={}, scores={"a": 1, "b": -2}) and ok(meta={"k": "v", "n": {"deep": 1}, "l": [1, None]})
    assert ok(anything=[1, "x", None]) and ok(anything="x")
    assert all(ok(pick=value) for value in ('a "b" \\ c', 1, None, True)) and ok(fixed="é")
    assert not ok(tags=[]) and not ok(tags=["a"] * 4) and not ok(tags=["toolong"])
    assert not ok(point={}) and not ok(point={"y": 1}) and not ok(scores={"a": "x"}) and not ok(fixed="e")


def test_the_prefix_is_what_all_replies_share() -> None:
    assert reply_prefix(TOOLS) == '{"function":'
    assert reply_prefix([SAY]) == '{"function": "send_message", "params": {"inner_thoughts":'
    assert reply_prefix([SAY], BARE) == '{"function": "send_message", "params": {"message":'
    assert reply_prefix([schema("f")], BARE) == '{"function": "f", "params":'
    gbnf = to_gbnf([SAY], BARE, prefix=reply_prefix([SAY], BARE))
    assert as_regex(gbnf).fullmatch(' "hi"}}')
    with pytest.raises(ValueError, match="does not start"):
        to_gbnf(TOOLS, prefix="[")


def test_the_schema_bounds_all_and_closes_all() -> None:
    def check(node: Any) -> None:
        if isinstance(node, dict):
            assert "$ref" not in node
            if node.get("type") == "string":
                assert "maxLength" in node
            if node.get("type") == "array":
                assert "maxItems" in node
            if node.get("type") == "object":
                assert node["additionalProperties"] is False or "maxProperties" in node
            for value in node.values():
                check(value)
        elif isinstance(node, list):
            for value in node:
                check(value)

    made = call_schema([*TOOLS, RICH])
    check(made)
    assert len(made["anyOf"]) == 4
    first = made["anyOf"][0]["properties"]["params"]
    assert list(first["properties"]) == ["inner_thoughts", "message"]
    assert first["required"] == ["inner_thoughts", "message"]
    assert SAY.parameters["properties"] == {"message": TEXT}  # the caller's schema is not changed


def test_the_monologue_may_stand_before_the_call() -> None:
    assert reply_prefix([SAY], outside=True) == "" and reply_prefix([SAY], BARE, outside=True) != ""
    said = '{"function": "send_message", "params": {"message": "hi"}}'
    for dialect in DIALECTS:
        gbnf = to_gbnf(TOOLS, ReplyFormat(dialect, thoughts_limit=20), outside=True)
        assert accepts(gbnf, "", raw=f"I greet, briefly.\n{said}")
        for wrong in (said, f"\n{said}", f"a {{b}}\n{said}", f"two\nlines\n{said}"):
            assert not accepts(gbnf, "", raw=wrong), wrong
        assert not accepts(gbnf, "", raw=f"hm\n{said.replace('message', 'inner_thoughts')}")
        assert accepts(to_gbnf(TOOLS, ReplyFormat(dialect, False), outside=True), "", raw=said)


#: What a grammar counts as one sign in a sentence, and plain signs.
UNITS = [*"ab 7,é😀-", " 2.5 ", "x1.2,", " 12.34k", "Mr.", "Mrs.", "Dr.", "St."]
SENTENCES = st.lists(st.sampled_from(UNITS), min_size=10, max_size=158).map(lambda units: f"A{''.join(units)}.")


@settings(max_examples=60, deadline=None, database=None, derandomize=True, suppress_health_check=[*HealthCheck])
@example("A" + " 2.5 " * 158 + ".")
@example("AMrs." + "a" * 157 + ".")
@example("A" + "a" * 9 + ".")
@given(SENTENCES)
def test_the_check_of_arguments_takes_every_sentence_that_the_grammar_takes(sentence: str) -> None:
    say = schema("send_message", message=TEXT | {"format": "sentence", "minLength": 9, "maxLength": 160})
    raw = f'{{"function": "send_message", "params": {{"message": "{sentence}"}}}}'
    for dialect in DIALECTS:
        took = as_regex(to_gbnf([say], ReplyFormat(dialect, inner_thoughts=False))).fullmatch(raw)
        if dialect == "full":
            assert took
        if took:
            said = json.loads(raw)["params"]
            assert fit_arguments(say, said) == said


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_sentence_has_its_least_length(dialect: Dialect) -> None:
    say = schema("send_message", message=TEXT | {"format": "sentence", "minLength": 9, "maxLength": 160})
    gbnf = to_gbnf([say], ReplyFormat(dialect, inner_thoughts=False))
    assert accepts(gbnf, "send_message", message="It rains.")
    assert not accepts(gbnf, "send_message", message="I rest.")


@pytest.mark.parametrize("outside", [False, True])
def test_the_plain_dialect_keeps_to_what_old_parsers_know(outside: bool) -> None:
    tools = [*TOOLS, RICH, TIMES, schema("f", a={"type": "string", "format": "sentence"})]
    assert check_plain(to_gbnf(tools, ReplyFormat("plain"), outside=outside)) > 30
    with pytest.raises(NotPlain):
        check_plain(to_gbnf(tools, ReplyFormat("full"), outside=outside))


@settings(max_examples=50, deadline=None, database=None, derandomize=True, suppress_health_check=[*HealthCheck])
@given(signatures(), st.booleans())
def test_the_plain_dialect_of_any_function_does(signature: Signature, outside: bool) -> None:
    check_plain(to_gbnf([signature.schema, SAY], ReplyFormat("plain"), outside=outside))


@pytest.mark.parametrize(
    "body",
    [
        '"a"{2}',
        "[a-z]{1,3}",
        '[^"]',
        r"[\x00-\x1F]",
        r'"\\"',
        r'"\u00e9"',
        "[z-a]",
        "[]",
        ".",
        "missing",
        '("a"',
        '"a" |',
        '"a"**',
        '"a" # so',
        "",
    ],
)
def test_the_reader_of_the_plain_dialect_refuses_what_old_parsers_do(body: str) -> None:
    assert check_plain('root ::= ("a" | [b-d_]* x)? "\\x5C\\n"\nx ::= [é]+\n') == 2
    with pytest.raises(NotPlain):
        check_plain(f"root ::= {body}\n")


def test_the_plain_dialect_says_the_same_as_the_full_one() -> None:
    tags = {"type": "array", "items": {"type": "string", "maxLength": 5}, "minItems": 1, "maxItems": 3}
    tool = schema("näme", required=["tags"], tags=tags, pick={"enum": ['a "b" \\ c', 1]}, x={"type": "number"})
    full, plain = (to_gbnf([*TOOLS, tool], ReplyFormat(dialect, False)) for dialect in DIALECTS)
    odd = 'hi "you" \\ [x]^~{}| é日本 😀\n\t/'
    for wanted, function, params in (
        (True, "send_message", {"message": odd}),
        (True, "send_message", {"message": ""}),
        (True, SEARCH.name, {"query": "q", "page": 12}),
        (False, SEARCH.name, {"query": ""}),
        (False, SEARCH.name, {"query": "q", "page": 100}),
        (True, "näme", {"tags": ["a", "b", "c"], "pick": 'a "b" \\ c', "x": -12.5}),
        (False, "näme", {"tags": []}),
        (False, "näme", {"tags": ["a"] * 4}),
        (False, "näme", {"tags": ["toolong"]}),
    ):
        assert accepts(full, function, **params) is accepts(plain, function, **params) is wanted, params
    # Past what is written out, only the token limit ends a string.
    assert not accepts(full, SEARCH.name, query="x" * 61) and accepts(plain, SEARCH.name, query="x" * 61)


TIMES = schema(
    "times",
    day={"type": "string", "format": "date"},
    at={"type": "string", "format": "date-time"},
    hour={"type": "string", "format": "time"},
    long={"type": "string", "format": "duration"},
    key={"type": "string", "format": "uuid"},
)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_times_and_identities_have_their_form(dialect: Dialect) -> None:
    gbnf = to_gbnf([TIMES], ReplyFormat(dialect, False))
    good = {
        "day": "2024-02-29",
        "at": "1999-12-31T23:59:59Z",
        "hour": "00:30:00",
        "long": "P12D",
        "key": "6a2f41a3-c54c-4ce8-b2d0-0324e1c32e22",
    }
    assert accepts(gbnf, "times", **good) and accepts(gbnf, "times", **good | {"long": "PT5H"})
    for key, value in (
        ("day", "2024-02-30"),
        ("day", "2024-13-01"),
        ("day", "2024-04-31"),
        ("day", "tomorrow"),
        ("at", "1999-12-31"),
        ("hour", "24:00:00"),
        ("key", "6a2f41a3"),
    ):
        assert not accepts(gbnf, "times", **good | {key: value}), value


def test_a_record_without_fields_takes_no_keys() -> None:
    gbnf = to_gbnf([schema("f", a={"type": "object", "properties": {}}, b={"type": "object"})], BARE)
    assert accepts(gbnf, "f", a={}, b={"k": 1}) and not accepts(gbnf, "f", a={"k": 1}, b={})


def test_signs_that_a_tokenizer_may_lack_are_written_as_escapes() -> None:
    gbnf = to_gbnf([schema("f", a={"enum": ["\U000f0001", "😀", "é"]})], BARE)
    assert '"\\"\\\\udb80\\\\udc01\\"" | "\\"😀\\"" | "\\"é\\""' in gbnf


def test_tuples_sets_of_keys_and_sizes_of_objects() -> None:
    tool = schema(
        "f",
        pair={"type": "array", "prefixItems": [TEXT, {"type": "integer"}], "minItems": 2, "maxItems": 2},
        marks={"type": "object", "additionalProperties": {"type": "integer"}, "propertyNames": {"enum": ["a", "b"]}},
        some={"type": "object", "additionalProperties": TEXT, "minProperties": 1, "maxProperties": 2},
    )
    for dialect in DIALECTS:
        gbnf = to_gbnf([tool], ReplyFormat(dialect, False))
        good: dict[str, Any] = {"pair": ["x", 1], "marks": {"a": 1}, "some": {"k": "v"}}
        assert accepts(gbnf, "f", **good) and accepts(gbnf, "f", **good | {"marks": {}})
        for wrong in (
            {"pair": ["x"]},
            {"pair": [1, "x"]},
            {"marks": {"c": 1}},
            {"some": {}},
            {"some": dict.fromkeys("abc", "v")},
        ):
            assert not accepts(gbnf, "f", **good | wrong), wrong


@pytest.mark.real_model
@pytest.mark.parametrize(
    ("dialect", "count"), [("full", 40), ("plain", 50), pytest.param("full", 200, marks=pytest.mark.long)]
)
def test_llama_cpp_takes_the_grammar_of_any_function(
    embedded_server: EmbeddedServer, dialect: Dialect, count: int
) -> None:
    @settings(max_examples=count, deadline=None, database=None, derandomize=True, suppress_health_check=[*HealthCheck])
    @given(signatures(), st.booleans())
    def check(signature: Signature, outside: bool) -> None:
        assert refused(embedded_server.address, [signature.schema, SAY], dialect, outside=outside) == ""

    check()


@pytest.mark.real_model
@pytest.mark.parametrize("count", [4, pytest.param(10, marks=pytest.mark.long)])
def test_what_llama_cpp_writes_under_the_grammar_fits_the_schema(embedded_server: EmbeddedServer, count: int) -> None:
    whole = []

    @settings(max_examples=count, deadline=None, database=None, derandomize=True, suppress_health_check=[*HealthCheck])
    @given(signatures(later=False))
    def check(signature: Signature) -> None:
        whole.append(sampled(embedded_server.address, signature))

    check()
    assert sum(whole) >= int(0.8 * count)


@pytest.mark.real_model
def test_llama_cpp_takes_the_grammars(embedded_server: Any) -> None:
    import httpx

    for tools in (TOOLS, [RICH], [REMEMBER, schema("f")]):
        for thoughts in (True, False):
            gbnf = to_gbnf(tools, ReplyFormat("full", thoughts, 40, 40, 40))
            body = {
                "prompt": "Call a function.",
                "n_predict": 400,
                "grammar": gbnf,
                "temperature": 0.5,
                "seed": 3,
            }
            reply = httpx.post(embedded_server.address + "/completion", json=body, timeout=60)
            assert reply.status_code == 200, reply.text
            if reply.json()["stop_type"] != "limit":
                assert as_regex(gbnf).fullmatch(reply.json()["content"]), reply.json()["content"]
