"""Which lines of core memory stand beside a question."""

from __future__ import annotations

import pytest

from memgpt_autogen.guides.relevant import asks_about_past, former, is_former, lines_beside, may_speak_against

LINES = [
    "The user's name is Oksana.",
    "Oksana works nights as a nurse.",
    "Oksana has two greyhounds, Bramble and Otto.",
    "Oksana's choir meets on Thursdays in the parish hall.",
    "Oksana can't stand coriander.",
    "Oksana is vegan.",
    "Oksana is flying to Oslo on 11 June for a convention.",
]


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("On which day does my choir meet?", "Oksana's choir meets on Thursdays in the parish hall."),
        ("Would I enjoy a salad full of fresh coriander?", "Oksana can't stand coriander."),
        ("can I eat a cheese omelette?", "Oksana is vegan."),
        ("Suggest a dinner for tonight.", "Oksana is vegan."),
        ("What's my job?", "Oksana works nights as a nurse."),
        ("Which pets do I have?", "Oksana has two greyhounds, Bramble and Otto."),
        ("What is my name?", "The user's name is Oksana."),
        ("Where do I work?", "Oksana works nights as a nurse."),
        ("Is Otto allowed on the train with a ticket for a large dog?", "Oksana has two greyhounds, Bramble and Otto."),
    ],
)
def test_the_line_that_answers_stands_beside_the_question(question: str, line: str) -> None:
    assert line in lines_beside(question, LINES)


@pytest.mark.parametrize("question", ["What makes a rainbow?", "How long is a marathon?", "Who painted the Mona Lisa?"])
def test_a_question_about_something_else_brings_nothing(question: str) -> None:
    assert lines_beside(question, LINES) == []


def test_a_question_without_words_of_its_own_continues_the_one_before() -> None:
    assert lines_beside("where to, and what for?", LINES, "when do i fly?") == [LINES[-1]]


def test_a_line_that_moves_a_date_stands_beside_the_line_with_the_date() -> None:
    lines = ["Noor's opening night is 28 November.", "Noor's premiere has been pushed back to 5 December."]
    assert lines_beside("When is opening night?", lines) == lines
    assert lines_beside("And which date did we have for it at first?", lines, "When is opening night?") == lines


@pytest.mark.parametrize(
    ("question", "line", "against"),
    [
        ("can I eat a cheese omelette?", "- Ann is vegan.", True),
        ("Is a steak okay for me?", "- Ann is vegan.", True),
        ("Is a ham sandwich all right for me?", "- Ann doesn't eat pork.", True),
        ("What is my job?", "- Ann is vegan.", False),
        ("Can I learn to swim?", "- Ann owns a boat.", False),
    ],
)
def test_a_line_may_speak_against_a_plan(question: str, line: str, against: bool) -> None:
    assert may_speak_against(question, [line]) is against


def test_a_term_of_nearly_every_line_tells_none_of_them() -> None:
    lines = [f"Ann's boat lies in harbour {number}." for number in range(10)]
    assert lines_beside("Which boat lies in harbour 7?", lines) == ["Ann's boat lies in harbour 7."]


@pytest.mark.parametrize(
    ("question", "past"),
    [("Where did I live before?", True), ("What was my profession?", True), ("Where do I live now?", False)],
)
def test_what_no_longer_holds_is_for_questions_about_the_past(question: str, past: bool) -> None:
    assert asks_about_past(question) is past


def test_a_former_line_is_told_from_other_notes() -> None:
    assert is_former(former("Ann lives in Lisbon.", "25 November 2026"))
    assert not is_former("Until noon the shop is closed.")
