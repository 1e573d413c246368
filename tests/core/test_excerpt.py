"""The lines of a hit that people are shown."""

from __future__ import annotations

import pytest

from memgpt_autogen.commands.excerpt import LONGEST, WHOLE, excerpt

FILLER = [f"Sentence number {number} speaks of weather, of bread and of the harbour." for number in range(12)]
LAMP = "The lamp is guaranteed for five years."
BROKEN = "Send a broken lamp to the workshop in Dunmarrow."


def passage(*places: tuple[int, str]) -> str:
    lines = [*FILLER]
    for place, text in places:
        lines.insert(place, text)
    return " ".join(lines)


def test_a_short_passage_is_shown_whole_on_one_line() -> None:
    assert excerpt("# Lamp\n\nIt is   red.", "lamp") == "# Lamp It is red."


@pytest.mark.parametrize(
    ("text", "query", "shown"),
    [
        (passage((5, LAMP)), "How long is the guarantee?", f"… {LAMP} …"),
        (passage((0, LAMP)), "guarantee of the lamp", f"{LAMP} …"),
        (passage((3, LAMP), (9, BROKEN)), "broken lamp guarantee", f"… {LAMP} … {BROKEN} …"),
        (passage((3, LAMP), (4, BROKEN)), "broken lamp guarantee", f"… {LAMP} {BROKEN} …"),
        ("港は北にある。" * 60 + "灯台守は田中さんです。" + "船は南へ行く。" * 60, "灯台守", "灯台守"),
    ],
)
def test_the_lines_with_the_words_of_the_query_are_shown(text: str, query: str, shown: str) -> None:
    found = excerpt(text, query)
    assert shown in found and len(found) < len(text)


def test_a_hit_by_meaning_begins_at_its_start() -> None:
    assert excerpt(passage(), "zebra") == f"{FILLER[0]} {FILLER[1]} …"
    assert excerpt(passage(), "") == f"{FILLER[0]} {FILLER[1]} …"


@pytest.mark.parametrize("at", [0, 60, 199])
def test_a_long_sentence_is_cut_around_the_word(at: int) -> None:
    words = ["word"] * 200
    words[at] = "Walrus"
    found = excerpt(" ".join(words), "walrus")
    assert "Walrus" in found and len(found) <= LONGEST + 2 < WHOLE
