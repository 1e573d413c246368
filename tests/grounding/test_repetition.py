"""What the smallest model says again and again is asked for once more, without what it copies."""

from __future__ import annotations

import pytest

from memgpt_autogen import events
from memgpt_autogen.grounding.repetition import FALLBACK, repeats
from memgpt_autogen.messages import SEND_MESSAGE, Reply, Usage
from memgpt_autogen.prompts.presets import PRESETS

from ..core.conftest import Build, Script, call, say

ROUND = "Where do I work, and where do I work in Lisbon last May last May."


@pytest.mark.parametrize(
    "text",
    [
        ROUND,
        "1111111111.",
        "Lisbon last May last May.",
        "No no no.",
        "121212121212.",
        "I am well and I am so and I am so.",
    ],
)
def test_what_goes_round_is_seen(text: str) -> None:
    assert repeats(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "It costs 10000 euros.",
        "That that is is.",
        "Call 0800 111 222 on 11.11.",
        "The end of the week and the end of the month.",
        "My dog and my cat sleep, and my bird sings.",
    ],
)
def test_what_does_not_is_not(text: str) -> None:
    assert not repeats(text)


def test_no_worked_example_goes_round() -> None:
    preset = PRESETS["memgpt_tiny"]
    assert not any(map(repeats, [FALLBACK, preset.not_found, *(reply for _, reply in preset.talk)]))


def test_a_reply_said_before_is_asked_for_without_what_it_was_copied_from(build: Build, script: Script) -> None:
    again, other = call("send_message", message="I am well, thank you."), call("send_message", message="Lisbon is far.")
    model = script("I am well, thank you.", Reply((again,), usage=Usage(10, 2)), Reply((other,), usage=Usage(9, 1)))
    agent = build(model, preset="memgpt_tiny")
    assert say(agent, "How are you?") == ["I am well, thank you."]
    turn = agent.run([events.user_message("I moved to Lisbon.")])
    assert turn.said == ("Lisbon is far.",) and turn.usage == Usage(19, 3)
    first, copied, alone = (str([(m.content, m.tool_calls) for m in one.messages]) for one in model.calls)
    assert "I am well, thank you." in first and "I am well, thank you." in copied
    assert "I am well, thank you." not in alone and "I moved to Lisbon." in alone
    assert "Thank you for telling me" in alone, "the other worked examples stay"
    assert model.calls[2].messages[0].content == model.calls[0].messages[0].content
    assert model.calls[2].only == {SEND_MESSAGE}


def test_somebody_else_s_words_are_asked_for_again(build: Build, script: Script) -> None:
    agent = build(script("My shoes are all wet.", "That is a pity.", "Good day."), preset="memgpt_tiny")
    assert say(agent, "It rained, and my shoes are all wet!") == ["That is a pity."]
    assert say(agent, "Good day!") == ["Good day."], "a few words are anybody's"


def test_the_same_words_are_said_where_the_model_means_them(build: Build, script: Script) -> None:
    agent = build(script(*["You are welcome."] * 3), preset="memgpt_tiny")
    assert [say(agent, "Thanks."), say(agent, "Thanks a lot.")] == [["You are welcome."]] * 2


def test_words_that_go_round_are_never_said_nor_kept(build: Build, script: Script) -> None:
    model = script(ROUND, "It is far.", ROUND, "1111111111.", "Fine.")
    agent = build(model, preset="memgpt_tiny")
    assert [say(agent, "I moved."), say(agent, "I sleep."), say(agent, "I eat.")] == [
        ["It is far."],
        [FALLBACK],
        ["Fine."],
    ]
    shown = str([call.arguments for one in model.calls[-1].messages for call in one.tool_calls])
    assert FALLBACK in shown and "last May" not in shown and "111" not in shown


def test_an_answer_that_goes_round_is_the_sentence_itself(build: Build, script: Script) -> None:
    agent = build(script("Good.", "You work in Lisbon, you work in Lisbon."), preset="memgpt_tiny")
    say(agent, "I work in Lisbon at a bank.")
    assert say(agent, "Where do I work?") == ["You work in Lisbon at a bank."]


def test_a_larger_model_is_taken_at_its_word(build: Build, script: Script) -> None:
    agent = build(script("No no no.", "No no no."))
    assert [say(agent, "One?"), say(agent, "Two?")] == [["No no no."]] * 2
