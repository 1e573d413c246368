"""Replies that no grammar held to a form: whatever a model writes, a call is read whole or refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memgpt_autogen.llm.repair import parse_calls

from .corpus import TOOLS, cases, read

CASES = list(cases())
SOUND = [case for case in CASES if case.calls]
#: What ends these is missing: words after them belong to them.
OPEN = ("one bracket short", "two brackets short", "fence left open", "one json string")
CLOSED = [case for case in SOUND if case.kind not in OPEN]
PROSE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters='{}[]"`<>\\'), max_size=40)
quick = settings(max_examples=300, deadline=None, database=None, derandomize=True, suppress_health_check=[*HealthCheck])


def test_the_corpus_is_large_and_every_call_in_it_is_recovered() -> None:
    assert len(CASES) >= 300 and len({case.text for case in CASES}) == len(CASES)
    wrong = [(case.kind, case.text, read(case.text)) for case in CASES if read(case.text) != case.calls]
    share = 1 - len(wrong) / len(CASES)
    print(f"{len(CASES)} replies, {len(SOUND)} with a call that can be recovered; read rightly: {share:.1%}")
    assert not wrong, wrong[:3]


@quick
@given(st.sampled_from(CLOSED), PROSE, PROSE)
def test_words_around_a_call_do_no_harm(case: Any, before: str, after: str) -> None:
    assert read(f"{before}\n{case.text}\n{after}") == case.calls


@quick
@given(st.sampled_from(SOUND), st.data())
def test_of_a_cut_reply_no_value_is_taken_that_was_not_whole(case: Any, data: Any) -> None:
    end = data.draw(st.integers(0, len(case.text)))
    for name, arguments in read(case.text[:end]) or ():
        whole = [known for called, known in case.calls if called == name]
        for key, value in arguments.items():
            assert any(known.get(key) == value for known in whole) or (key, value) == ("request_heartbeat", False)


@st.composite
def mutated(draw: Any) -> str:
    text = draw(st.sampled_from(CASES)).text
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        new = draw(
            st.one_of(st.text(max_size=6), st.sampled_from(["{", "}", '"', "'", "\\", "[", ",", ":", "\x00", "```"]))
        )
        text = text[:start] + draw(st.sampled_from([new, text[start:end] * 2, ""])) + text[end:]
    return text


@settings(quick, max_examples=1500)
@given(mutated(), st.booleans())
def test_no_reply_crashes_the_reading(text: str, aloud: bool) -> None:
    for name, arguments in read(text, aloud) or ():
        assert name in {tool.name for tool in TOOLS} and isinstance(arguments, dict)


@settings(quick, max_examples=200)
@given(st.text(max_size=200))
def test_nor_does_any_text(text: str) -> None:
    read(text)


@pytest.mark.parametrize("sign", ["{", "[", '{"a":', '{"function":', "{'", "}", '"', "\\", "``` ", "<function="])
def test_a_long_row_of_anything_is_read_in_no_time(sign: str) -> None:
    assert read(sign * 3000) is None


def test_the_monologue_before_the_call_is_read_where_the_format_asks_for_it() -> None:
    call = '{"function": "send_message", "params": {"message": "Hi."}}'
    for text in (
        f"I greet. {call}",
        f"I greet.\n```json\n{call}\n```",
        f"\n I greet.\n{call}\nDone.",
        f"I greet.\n\n{call}",
    ):
        calls, thoughts = parse_calls(text, TOOLS, aloud=True)
        assert (thoughts, dict(calls[0].arguments)) == ("I greet.", {"message": "Hi."})
        assert parse_calls(text, TOOLS)[1] == ""
    both = 'First.\n{"function": "send_message", "params": {"inner_thoughts": "Second.", "message": "Hi."}}'
    assert parse_calls(both, TOOLS, aloud=True)[1] == "First.\nSecond."
