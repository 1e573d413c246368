"""Long answers in pieces."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("discord")

from memgpt_autogen.discord.text import split


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("short", ["short"]),
        ("one two three four five six seven eight nine ten", ["one two three four five six seven", "eight nine ten"]),
        (
            "first line of the text\n\nsecond one is a bit longer",
            ["first line of the text", "second one is a bit longer"],
        ),
        ("x" * 90, ["x" * 36, "x" * 36, "x" * 18]),
    ],
)
def test_texts_are_parted_where_it_hurts_least(text: str, pieces: list[str]) -> None:
    assert split(text, 40) == pieces


def test_a_block_of_code_goes_on_in_the_next_piece() -> None:
    code = "```python\n" + "\n".join(f"value_{number} = {number}" for number in range(12)) + "\n```"
    pieces = split(f"Here it is:\n{code}\nThat is all.", 80)
    assert all(len(piece) <= 80 and piece.count("```") % 2 == 0 for piece in pieces)
    assert all(piece.startswith("```python\n") for piece in pieces[1:-1])
    for number in range(12):
        assert sum(f"value_{number} = {number}\n" in piece for piece in pieces) == 1


@settings(max_examples=60, deadline=None, database=None, derandomize=True)
@given(st.text("ab .\n`", max_size=400), st.integers(40, 90))
def test_no_piece_is_too_long_and_no_letter_is_lost(text: str, limit: int) -> None:
    pieces = split(text, limit)
    assert all(0 < len(piece) <= limit for piece in pieces)
    letters = "".join(pieces).replace("`", "")
    assert "".join(letters.split()) == "".join(text.replace("`", "").split())
