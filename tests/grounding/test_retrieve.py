"""The look-up that the program makes for models too small to search by themselves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from memgpt_autogen import events
from memgpt_autogen.errors import ModelServerError
from memgpt_autogen.events import rendered
from memgpt_autogen.grounding.retrieve import Evidence, retrieve, second_person
from memgpt_autogen.grounding.sentences import fragments, sentences
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.observers import AgentEvent, FunctionCalled, FunctionReturned
from memgpt_autogen.prompts.presets import get_preset
from memgpt_autogen.storage.base import Store
from memgpt_autogen.storage.records import Passage

from ..core.conftest import Build, Script, results, say

BOTH = ("conversation_search", "archival_memory_search")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("Dr. Ono met Mrs. Hill at St. Ives. They left.", ["Dr. Ono met Mrs. Hill at St. Ives.", "They left."]),
        ("It costs 3.50 euro. Ask, e.g. Bob.", ["It costs 3.50 euro.", "Ask, e.g. Bob."]),
        ('"Stop!" she said. "Why?"', ['"Stop!" she said.', '"Why?"']),
        ("# Heading\n- **Bold** item\n* other\n\n## More", ["Bold item", "other"]),
        ("Él vino. Ángel también.", ["Él vino.", "Ángel también."]),
        ("", []),
        (" \n\n ", []),
    ],
)
def test_a_text_falls_into_sentences(text: str, parts: list[str]) -> None:
    assert sentences(text) == parts


@pytest.fixture
def agent(store: Store) -> str:
    return store.agents.create("sam", {}).id


def hear(store: Store, agent: str, text: str, name: str = "Ann") -> None:
    store.log.append(agent, [replace(events.user_message(text, name=name), answered=True)])


def read(store: Store, agent: str, text: str, **metadata: object) -> None:
    store.passages.add(store.sources.own_source(agent), [Passage(text, str(metadata.pop("uri", "")), metadata)])


def find(store: Store, agent: str, words: str, functions: tuple[str, ...] = BOTH) -> Evidence | None:
    return retrieve(store, agent, words, functions)


def test_the_best_sentence_of_what_was_said_is_found(store: Store, agent: str) -> None:
    hear(store, agent, "I am Ann. My cat is called Miro. He is two.")
    hear(store, agent, "The dog barks all night.", "Bob")
    found = find(store, agent, "What is the cat called?")
    assert found and (found.function, found.sentence) == ("conversation_search", "Ann: My cat is called Miro.")
    assert found.source[:2] == "20"  # its date


def test_the_best_sentence_of_a_document_is_found_with_its_place(store: Store, agent: str) -> None:
    text = "Power: The generator runs on diesel. It is tested each May. Keys hang in the hall."
    read(store, agent, text, uri="handbook.md", page=3, heading="Power")
    found = find(store, agent, "When is the generator tested?")
    assert found and found.function == "archival_memory_search" and found.source == "handbook.md, p. 3"
    assert found.sentence in ("It is tested each May.", "The generator runs on diesel.")


def test_both_memories_are_compared(store: Store, agent: str) -> None:
    hear(store, agent, "The boat is red.")
    read(store, agent, "The boat house opens at nine in summer.")
    opens = find(store, agent, "When does the boat house open?")
    colour = find(store, agent, "Is the boat red or blue?")
    assert opens and opens.function == "archival_memory_search" and opens.source == "own note"
    assert colour and colour.function == "conversation_search"
    assert not find(store, agent, "When does the boat house open in summer?", ())


def test_questions_and_own_answers_are_not_offered(store: Store, agent: str) -> None:
    hear(store, agent, "Where is the silver key?")
    store.log.append(agent, [events.reply("", (), "The silver key is gone.")])
    assert find(store, agent, "Where is the silver key?") is None
    hear(store, agent, "The silver key hangs in the hall. Where is the copper key?")
    found = find(store, agent, "Where is the silver key?")
    assert found and found.sentence == "Ann: The silver key hangs in the hall."


def test_a_statement_without_a_fitting_sentence_gives_nothing(store: Store, agent: str) -> None:
    hear(store, agent, "The silver key hangs in the hall.")
    assert find(store, agent, "I bought a silver ring and a new lamp for my mother yesterday") is None
    assert find(store, agent, "Tell me where the silver key hangs")
    assert find(store, agent, "") is None and find(store, agent, "?!") is None


def test_the_answer_has_the_kind_that_is_asked_for(store: Store, agent: str) -> None:
    text = "The lighthouse tour on 21 April is sold out. The lighthouse stands on a rock. It is 31 metres high. "
    read(store, agent, text + "The lighthouse keeper is Maud Ferris.", uri="coast.txt")
    wanted = {
        "How high is the lighthouse?": "It is 31",
        "When is the lighthouse tour?": "The lighthouse tour on 21 April",
    }
    for question, begins in {**wanted, "Who is the keeper of the lighthouse?": "The lighthouse keeper is"}.items():
        found = find(store, agent, question)
        assert found and found.sentence.startswith(begins), question
    for question in ("What does the lighthouse tour cost?", "What colour is the lighthouse?", "Who is the mayor?"):
        assert find(store, agent, question) is None, question


TABLE = "| Programme | Button | Volume |\n|---|---|---|\n| Espresso | R2 | 40 ml |\n| Lungo | R3 | 110 ml |"
PRINTED = "Programmes\nProgramme Button Volume\nEspresso R2 40 ml\nLungo R3 110 ml\nTea T 200 ml"


@pytest.mark.parametrize(
    ("text", "question", "sentence"),
    [
        (TABLE, "What is the volume of a lungo?", "Lungo: Volume 110 ml."),
        (TABLE, "Which button makes an espresso?", "Espresso: Button R2."),
        (TABLE, "Tell me about lungo", "Lungo: Button R3, Volume 110 ml."),
        (PRINTED, "What is the volume of a lungo?", "Lungo R3 110 ml"),
    ],
)
def test_rows_of_tables_are_read(store: Store, agent: str, text: str, question: str, sentence: str) -> None:
    read(store, agent, text, uri="manual.pdf")
    found = find(store, agent, question)
    assert found and found.sentence == sentence


def test_headings_of_printed_pages_stand_over_what_follows() -> None:
    text = "Making coffee\nPress the lever. Wait for the lamp. Descaling\nUse tablets. It takes 22 minutes."
    read = [(part.text, part.context) for part in fragments(text)]
    assert read[0] == ("Press the lever.", "Making coffee")
    assert read[-2:] == [("Use tablets.", "Descaling"), ("It takes 22 minutes.", "Descaling Use tablets.")]


def test_the_one_who_asks_is_told_their_own_words_and_name(store: Store, agent: str) -> None:
    hear(store, agent, "Hello, I am Ann. I'm a nurse and my dog is called Rex.")
    hear(store, agent, "I am Bob.", "Bob")
    found = retrieve(store, agent, "What is my name?", BOTH, "Ann")
    assert found and found.addressed == "Hello, you are Ann."
    dog = retrieve(store, agent, "What is my dog called?", BOTH, "Ann")
    assert dog and dog.addressed == "You are a nurse and your dog is called Rex." and "I'm a nurse" in dog.sentence
    other = retrieve(store, agent, "What is my dog called?", BOTH, "Bob")
    assert other and not other.addressed and other.sentence.startswith("Ann: ")
    assert second_person("We like it.") == "You like it."


@pytest.mark.parametrize(
    ("said", "question", "answer"),
    [
        (("Hello! I am a bookbinder.",), "What do I do for a living?", "You are a bookbinder."),
        (("I teach chemistry in Izmir.", "I like tea."), "What is my job?", "You teach chemistry in Izmir."),
        (("I live in Lisbon.", "I have moved to Porto."), "Where do I live?", "You have moved to Porto."),
        (("I'm 41 years old.",), "How old am I?", "You are 41 years old."),
    ],
)
def test_what_people_tell_of_themselves_is_found_under_other_words(
    store: Store, agent: str, said: tuple[str, ...], question: str, answer: str
) -> None:
    for words in said:
        hear(store, agent, words, "Ann")
        hear(store, agent, "I am a pilot and live in Rome. I am 20.", "Bob")
    found = retrieve(store, agent, question, BOTH, "Ann")
    assert found and found.addressed == answer


# -- in an agent ----------------------------------------------------------------------------------------------------


def test_the_look_up_is_logged_as_the_call_that_it_is(build: Build, script: Script, store: Store) -> None:
    model = script("Nice to meet you.", "Your cat is called Miro.")
    agent = build(model, preset="memgpt_tiny")
    say(agent, "My cat is called Miro.")
    seen: list[AgentEvent] = []
    agent.observers.append(seen.append)
    assert say(agent, "What is my cat called?") == ["Your cat is called Miro."]
    asked, called, found = store.log.window(agent.id)[-5:-2]
    assert asked.text == "What is my cat called?"
    assert called.tool_calls[0].name == "conversation_search" and found.call_id == called.tool_calls[0].id
    assert found.role == "tool" and "Your cat is called Miro." in found.content
    assert model.calls[1].messages[-1].content == found.content
    by_program = [sight for sight in seen if isinstance(sight, FunctionCalled) and sight.by_program]
    assert [sight.call for sight in by_program] == list(called.tool_calls)
    shown = next(sight for sight in seen if isinstance(sight, FunctionReturned))
    assert shown.result.content.startswith("[20")


def test_the_newest_question_is_looked_up_not_the_words_around_it(build: Build, script: Script) -> None:
    model = script("ok", "Miro.")
    agent = build(model, preset="memgpt_tiny")
    say(agent, "My cat is called Miro.")
    agent.run([events.user_message("What is my cat called?"), events.user_message("I am curious.")])
    assert "Question: What is my cat called?" in results(model.calls[1].messages)[-1]


def test_nothing_found_leaves_no_trace(build: Build, script: Script, store: Store) -> None:
    model = script("Hello.")
    agent = build(model, preset="memgpt_tiny")
    say(agent, "Good morning to all of you")
    assert [message.kind for message in store.log.window(agent.id)] == ["user_message", "reply", "result"]


@pytest.mark.parametrize(
    ("question", "reply", "said"),
    [
        ("What is my cat called?", "Your cat is called Miro.", "Your cat is called Miro."),
        ("What is my cat called?", "What is my cat called, please.", "Your cat is called Miro, he is 3 years old."),
        ("How old is my cat?", "The cat is 12 years old.", "Your cat is called Miro, he is 3 years old."),
        ("What does my cat weigh?", "The cat weighs 9 kilograms.", "I find nothing on that in my memory."),
        ("what does my cat weigh", "The cat weighs 9 kilograms.", "I find nothing on that in my memory."),
        ("How are you?", "I am well.", "I am well."),
        ("What a nice cat he is.", "Thank you.", "Thank you."),
    ],
)
def test_the_smallest_model_is_held_to_what_was_found(
    build: Build, script: Script, store: Store, question: str, reply: str, said: str
) -> None:
    agent = build(script("ok", reply, "."), preset="memgpt_tiny")
    say(agent, "My cat is called Miro, he is 3 years old.")
    assert say(agent, question) == [said]
    last = [message for message in store.log.window(agent.id) if message.tool_calls][-1]
    assert last.tool_calls[0].arguments["message"] == said


def test_the_smallest_model_is_held_to_speech_of_one_sentence(build: Build) -> None:
    model = ScriptedModel(["One.", "Two."])
    agent = build(model, preset="memgpt_tiny")
    say(agent, "My cat is called Miro.")
    say(agent, "What is my cat called?")
    for prompt in model.calls:
        assert prompt.only == {"send_message"} and [tool.name for tool in prompt.tools] == ["send_message"]
        message = prompt.tools[0].parameters["properties"]["message"]
        assert (message["type"], message["maxLength"], message["format"]) == ("string", 160, "sentence")


def test_worked_examples_stand_right_before_what_is_to_be_answered(build: Build, script: Script) -> None:
    model = script("One.", "Two.")
    agent = build(model, preset="memgpt_tiny")
    say(agent, "My cat is called Miro.")
    say(agent, "What is my cat called?")
    contents = [message.content for message in model.calls[1].messages]
    shown = [message.content for message in rendered(get_preset("memgpt_tiny").shown())]
    assert len(shown) >= 3 and contents[-3 - len(shown) : -3] == shown
    assert "My cat is called Miro." in contents[1] and "What is my cat called?" in contents[-3]


def test_a_look_up_before_a_dead_server_is_not_made_twice(build: Build, script: Script, store: Store) -> None:
    model = script("ok", ModelServerError("down"), "Miro.")
    agent = build(model, preset="memgpt_tiny")
    say(agent, "My cat is called Miro.")
    with pytest.raises(ModelServerError):
        say(agent, "What is my cat called?")
    assert agent.run([]).said == ("Miro.",)
    calls = [one.name for message in store.log.window(agent.id) for one in message.tool_calls]
    assert calls == ["send_message", "conversation_search", "send_message"]
