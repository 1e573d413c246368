"""A reply that repeats the user or speaks as the user is asked for once more."""

from __future__ import annotations

import pytest

from memgpt_autogen.client import MemGPT
from memgpt_autogen.guides.reply_check import repeats, said_to_user

from .conftest import Chat, Talker


@pytest.mark.parametrize(
    ("message", "reply", "is_echo"),
    [
        ("I prefer tea over coffee.", "I prefer tea over coffee.", True),
        ("From July on we deliver to fifty-two shops.", "Okay, Tom! From July on we deliver to fifty-two shops!", True),
        ("Hello there!", "Hello there! How are you?", False),
        ("I prefer tea over coffee.", "You prefer tea over coffee.", False),
        ("What does the van cost?", "The van costs 18,400 pounds.", False),
    ],
)
def test_an_echo_holds_the_message_word_for_word(message: str, reply: str, is_echo: bool) -> None:
    assert repeats(message, reply) is is_echo


def test_an_echo_is_asked_for_once_more(memgpt: MemGPT, chat: Chat) -> None:
    model = Talker(["I prefer tea over coffee.", "Noted: tea it is."], [[]])
    assert memgpt.ask(chat(model), "I prefer tea over coffee.") == "Noted: tea it is."
    assert "only repeats" in model.prompts[1][-1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("I prefer tea over coffee.", "Thank you, I will remember that."),
        ("What do I prefer to drink?", "I am not sure about that."),
    ],
)
def test_a_second_echo_is_never_said(memgpt: MemGPT, chat: Chat, words: str, said: str) -> None:
    model = Talker([words, words], [[]])
    assert memgpt.ask(chat(model), words) == said


def test_a_reply_that_speaks_as_the_user_is_asked_for_once_more(memgpt: MemGPT, chat: Chat) -> None:
    model = Talker(["I am Marta, a bookbinder.", "Nice to meet you, Marta."], [[]])
    assert memgpt.ask(chat(model), "Hi! I'm Marta. I bind books.") == "Nice to meet you, Marta."


def test_a_larger_model_may_quote_and_go_on() -> None:
    assert not repeats("remember I like tea", "You said: remember I like tea. I know of the tea.", 3)
    assert repeats("remember I like tea", "Okay: remember I like tea.", 3)


@pytest.mark.parametrize(
    ("question", "reply", "mended"),
    [
        (
            "What is my job?",
            "My job is to bind books. I am good at it.",
            "Your job is to bind books. You are good at it.",
        ),
        ("What do I teach?", "I teach chemistry at a school.", "You teach chemistry at a school."),
        ("What's our cat's name?", "Our cat's name is Pickle.", "Your cat's name is Pickle."),
        ("Would I enjoy a salad?", "No, I would not enjoy a salad.", "No, you would not enjoy a salad."),
        ("can I eat this?", "I can't eat that.", "You can't eat that."),
        ("How much have we saved?", "We have saved 2,750 pounds.", "You have saved 2,750 pounds."),
        ("What do I need?", "I don't know.", ""),
        ("Should I go?", "I would recommend it.", ""),
        ("What is my job?", "You bind books.", ""),
        ("Will you do my taxes?", "I can do your taxes.", ""),
        ("I lost my job.", "My condolences.", ""),
    ],
)
def test_a_reply_that_takes_the_users_things_for_its_own(question: str, reply: str, mended: str) -> None:
    assert said_to_user(question, reply) == mended


def test_a_reply_that_takes_the_users_place_is_mended_without_another_call(memgpt: MemGPT, chat: Chat) -> None:
    model = Talker(["My job is to bind books."], [[]])
    assert memgpt.ask(chat(model), "What is my job?") == "Your job is to bind books."


def test_a_refusal_of_harmless_words_is_asked_for_once_more(memgpt: MemGPT, chat: Chat) -> None:
    refusal = "I'm sorry, but I can't assist with that."
    model = Talker([refusal, "Have a good flight!", refusal, refusal], [[], []])
    agent = chat(model)
    assert memgpt.ask(agent, "flying to Oslo on 9 June") == "Have a good flight!"
    assert memgpt.ask(agent, "I make bombs.") == refusal  # twice: it is meant
