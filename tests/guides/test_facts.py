"""What counts as a fact, what a message supports, what is known already, and what corrects what."""

from __future__ import annotations

import pytest

from memgpt_autogen.guides.corrections import corrections
from memgpt_autogen.guides.extract import checked, introduced
from memgpt_autogen.guides.facts import (
    Fact,
    condensed,
    has_ended,
    is_known,
    misattributed,
    statements,
    supported,
    worth_reading,
)
from memgpt_autogen.messages import Message


@pytest.mark.parametrize(
    "text",
    [
        "Hi! I'm Marta. I work as a bookbinder.",
        "vegan btw",
        "Please remember that I am allergic to walnuts.",
        "As a nurse I work nights, so can you give me a tip?",
        "My Skoda's in the garage till Friday, so how do I carry shopping?",
        "Scratch that, the flight is on 11 June.",
        "Ich wohne in Köln und habe zwei Katzen.",
    ],
)
def test_what_may_hold_a_fact_is_read(text: str) -> None:
    assert worth_reading(text)


@pytest.mark.parametrize(
    "text",
    [
        "What is my name, and in which city do I live?",
        "Thanks a lot!",
        "Tell me in one sentence what wheat paste is.",
        "Hello there!",
        "May I eat a walnut cake?",
        "Can you suggest a name for a school newspaper?",
        "According to my documents, what does a full leather binding cost?",
        "ok cool",
    ],
)
def test_questions_requests_and_courtesies_cost_no_model_call(text: str) -> None:
    assert not worth_reading(text)


def test_of_a_question_only_the_clause_before_it_is_a_statement() -> None:
    assert statements("As a nurse I work nights, so can you help?") == ["As a nurse I work nights"]
    assert statements("I like tea. What about you?") == ["I like tea."]
    assert statements("got my exam on 4 May and im scared, any tips?") == ["got my exam on 4 May and im scared"]
    assert statements("According to my documents, what does it cost?") == []


@pytest.mark.parametrize(
    ("message", "fact", "is_supported"),
    [
        ("I work as a bookbinder", "Marta is a bookbinder.", True),
        ("My daughter Elif is seven.", "Elif is seven years old.", True),
        ("I teach chemistry at a school", "Marta is a chemistry teacher at a school.", True),
        ("I run a gym with my wife Yara", "Yara is also a gym owner.", False),
        ("We deliver to 40 shops", "They deliver to 50 shops.", False),
        ("Tell me what wheat paste is.", "Wheat paste is made from flour.", False),
        ("I moved to Porto", "Marta lives in Lisbon.", False),
    ],
)
def test_a_fact_is_kept_only_if_the_message_says_all_of_it(message: str, fact: str, is_supported: bool) -> None:
    assert supported(fact, message, "Marta") is is_supported


@pytest.mark.parametrize(
    ("fact", "known", "already"),
    [
        ("Marta works as a bookbinder.", "Marta is a bookbinder.", True),
        ("MARTA IS A BOOKBINDER", "Marta is a bookbinder.", True),
        ("Tea is what Marta prefers over coffee.", "Marta prefers tea over coffee.", True),
        ("Marta does not eat meat.", "Marta eats meat.", False),
        ("Marta has two sons.", "Marta has two daughters.", False),
        ("Marta's sister has a birthday on 3 March.", "Marta's sister has a birthday on 4 March.", False),
    ],
)
def test_the_same_fact_in_other_words_is_known(fact: str, known: str, already: bool) -> None:
    assert is_known(fact, [known]) is already


def corrected(message: str, known: list[str], *facts: str, speaker: str = "Marta") -> dict[str, str]:
    found = corrections(message, [Fact(one, "m", speaker) for one in facts], known)
    return {change.old: change.new for change in found}


def test_another_value_of_the_same_form_takes_the_place_of_the_old_one() -> None:
    known = ["Marta is a bookbinder.", "Marta lives in Lisbon."]
    message = "Actually, I have moved: I live in Porto now."
    assert corrected(message, known, "Marta lives in Porto now.") == {"Marta lives in Lisbon.": ""}


@pytest.mark.parametrize(
    ("known", "message", "new"),
    [
        (
            "Ann's choir meets on Wednesdays.",
            "We've switched to Thursdays with the choir.",
            "Ann's choir meets on Thursdays.",
        ),
        ("Ann flies to Oslo on 9 June.", "Scratch that, the flight's on 11 June.", "Ann flies to Oslo on 11 June."),
        (
            "Ann sees the dentist at 14:00.",
            "I misread the letter, they expect me at 14:30.",
            "Ann sees the dentist at 14:30.",
        ),
    ],
)
def test_a_new_date_day_or_time_is_put_into_the_line_that_has_one(known: str, message: str, new: str) -> None:
    assert corrected(message, ["Ann is a nurse.", known], speaker="Ann") == {known: new}


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ("Elif plays the cello.", "By the way, Elif has given up the cello. She plays the drums now."),
        ("Gareth does the lights as well.", "I've handed the lights over to my nephew Emrys."),
        ("Marta has a red van.", "I sold the van last week."),
    ],
)
def test_what_is_over_goes(known: str, message: str) -> None:
    assert corrected(message, [known, "Marta is a nurse."]) == {known: ""}


@pytest.mark.parametrize(
    "message",
    ["I also have a dog.", "From July on we deliver to fifty-two shops.", "My brother lives in Lisbon.", "What a day!"],
)
def test_what_corrects_nothing_changes_nothing(message: str) -> None:
    known = ["Marta has a cat.", "Marta delivers to forty shops.", "Marta lives in Porto."]
    assert corrected(message, known, message) == {}


def test_what_is_told_in_the_first_person_or_missed_is_quoted() -> None:
    message = Message("user", "", text="I teach chemistry. I don't eat meat.")
    facts = checked(["Deniz teaches chemistry.", "I don't eat meat."], message, "Deniz")
    assert [fact.text for fact in facts] == ["Deniz teaches chemistry.", 'Deniz said: "I don\'t eat meat."']


def test_a_clause_of_which_the_facts_miss_much_is_quoted_alone() -> None:
    said = Message("user", "", text="As a nurse I work nights, and my cat is called Tom.")
    facts = checked(["Ann works nights.", "Ann's cat is called Tom."], said, "Ann")
    assert [fact.text for fact in facts] == [
        "Ann works nights.",
        "Ann's cat is called Tom.",
        'Ann said: "As a nurse I work nights"',
    ]


def test_a_quotation_goes_with_the_line_that_says_the_same() -> None:
    known = ["Ann runs a climbing gym in Bristol.", 'Ann said: "I run a climbing gym in Bristol with my wife Yara"']
    told = [Fact("Ann sold the gym.", "m", "Ann")]
    changes = corrections("We don't have the gym in Bristol any more. We sold it.", told, known)
    assert [change.old for change in changes] == known


@pytest.mark.parametrize(
    ("known", "message", "after"),
    [
        (["Ida's son Leo is six years old."], "Leo turned seven on Sunday!", ["Ida's son Leo is seven years old."]),
        (["Ida has four hens."], "A fox took one of the hens. That leaves three.", ["Ida has three hens."]),
        (
            ["Ida is saving for a boat.", "Ida has 2,300 in the jar."],
            "Got paid, so it's 2,750 for the boat.",
            ["Ida is saving for a boat.", "Ida has 2,750 in the jar."],
        ),
        (
            ["Ida marries on 14 September."],
            "They had to change the date, it'll be 21 September.",
            ["Ida marries on 21 September."],
        ),
        (
            ["The wedding is on 14 September."],
            "The roof leaks, so we pushed it back to 5 October.",
            ["The wedding is on 5 October."],
        ),
        (
            ["Ida's dog Rex is four years old."],
            "Rex had a birthday! He's five now.",
            ["Ida's dog Rex is five years old."],
        ),
        (
            ["The tower is 86 metres high.", "The tower costs 4 million."],
            "The 86 metres of the tower came from an old draft, I should have said 91.",
            ["The tower is 91 metres high.", "The tower costs 4 million."],
        ),
        (
            ["The tower is 86 metres high.", "The tower costs 4 million."],
            "The tower makes 12 people happy.",
            ["The tower is 86 metres high.", "The tower costs 4 million."],
        ),
        (
            ["Ida runs a half marathon on 22 April."],
            "mixed up the dates, race is 29 April not 22",
            ["Ida runs a half marathon on 29 April."],
        ),
        (
            ["Ida's premiere is on 17 October."],
            "The hall is closed. We open on 7 November instead.",
            ["Ida's premiere is on 7 November."],
        ),
        (["Ida owns an old Morris."], "The Morris has passed to my niece.", []),
        (["Ida rents a flat in Elm Street."], "We bought a house, so Elm Street is behind us.", []),
        (
            ["Ida's son Hugh teaches in Durham."],
            "I misinformed you. He teaches in Lincoln; Durham was where he studied.",
            [],
        ),
        (["Ida's twin Ugo blows glass in Murano."], "Ugo left Murano and works in Ghent.", []),
        (["Ida waits tables at Luna Pizza."], "actually i've quit Luna, i sell tickets now", []),
        (["Max writes the show notes."], "I've taken the show notes off Max's hands.", []),
        (["Ida has two cats."], "What should I cook for two guests?", ["Ida has two cats."]),
        (["Ida's meeting is on 3 May."], "It is raining, now two days in a row.", ["Ida's meeting is on 3 May."]),
        (["Max works in Lyon."], "I left Lyon in March.", ["Max works in Lyon."]),
    ],
)
def test_numbers_ages_and_what_was_left_are_corrected(known: list[str], message: str, after: list[str]) -> None:
    changes = {change.old: change.new for change in corrections(message, [Fact("Ida.", "m", "Ida")], known)}
    assert [line for line in (changes.get(one, one) for one in known) if line] == after


@pytest.mark.parametrize(
    ("fact", "message", "wrong"),
    [
        ("Mia stutters a bit.", "My girls are Mia and Eva. Mia's twelve, Eva's eight and stutters a bit.", True),
        ("Eva stutters a bit.", "My girls are Mia and Eva. Mia's twelve, Eva's eight and stutters a bit.", False),
        ("Kofi walks them at six.", "My husband Kofi walks them in Bergen at six.", False),
        ("Leo is nine.", "My grandson Leo is staying. He is nine and mad about beetles.", False),
    ],
)
def test_what_is_said_of_one_person_is_not_told_of_another(fact: str, message: str, wrong: bool) -> None:
    assert misattributed(fact, message) is wrong


@pytest.mark.parametrize(
    ("written", "said", "kept"),
    [
        ("Ann's weather is changing.", "The weather is changing.", "The weather is changing."),
        ("Ann's boiler shows E7.", "My boiler shows E7.", "Ann's boiler shows E7."),
        ("Ann's cat Tom is ill.", "Our cat Tom is ill.", "Ann's cat Tom is ill."),
    ],
)
def test_nothing_is_called_someones_that_they_do_not_call_theirs(written: str, said: str, kept: str) -> None:
    facts = checked([written], Message("user", "", text=said), "Ann")
    assert [fact.text for fact in facts] == [kept]


def test_more_about_someone_who_is_known_is_told() -> None:
    said = Message("user", "", text="Leo turned nine yesterday! The weather is fine.")
    assert [fact.text for fact in checked([], said, "Ida", {"Leo"})] == ['Ida said: "Leo turned nine yesterday!"']


def test_a_word_with_a_common_start_is_no_support() -> None:
    assert not supported("Henrik is a pianist.", "I tune pianos for a living.", "Henrik")
    assert supported("Deniz teaches chemistry.", "I am a chemistry teacher.", "Deniz")


def test_a_quotation_of_something_else_stays() -> None:
    known = ["Ann Hill runs a gym in Bristol.", 'Ann Hill said: "Ann Hill is my name, and I give a speech in June"']
    told = [Fact("Ann Hill sold the gym.", "m", "Ann Hill")]
    changes = corrections("I sold the gym.", told, known)
    assert [change.old for change in changes] == known[:1]


def test_a_name_or_number_that_no_fact_has_is_quoted_too() -> None:
    message = Message("user", "", text="I run a gym in Bristol with my wife Yara.")
    facts = checked(["Tamsin runs a gym in Bristol."], message, "Tamsin")
    assert facts[-1].text == 'Tamsin said: "I run a gym in Bristol with my wife Yara."'


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Hi! I'm Marta. I bind books.", "Marta"),
        ("Good morning, Deniz here.", "Deniz"),
        ("hey, luis here", "Luis"),
        ("My name is Beatrice Hill.", "Beatrice Hill"),
        ("Call me Bo!", "Bo"),
        ("I'm Italian.", ""),
        ("I'm in charge of logistics.", ""),
        ("Everyone here is kind.", ""),
    ],
)
def test_a_name_is_taken_from_an_introduction_only(text: str, name: str) -> None:
    assert introduced(text) == name


def test_the_oldest_lines_make_room_and_the_name_stays() -> None:
    lines = ["The user's name is Ann.", "Ann has a cat.", "Ann has a dog."]
    assert condensed(lines, 40) == ([lines[0], lines[2]], [lines[1]])
    assert condensed(lines, 400) == (lines, [])


def test_what_is_past_is_no_core_memory() -> None:
    assert has_ended("Marta used to live in Lisbon.") and not has_ended("Marta lives in Porto now.")
