"""Memory that forms itself: what is saved after a turn, when, and what happens when something goes wrong."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from memgpt_autogen.client import MemGPT
from memgpt_autogen.errors import ConfigError, ModelServerError
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.messages import ToolCall
from memgpt_autogen.observers import AgentEvent, FunctionCalled

from .conftest import Chat, Talker, human


def test_an_introduction_is_saved_in_the_third_person(memgpt: MemGPT, chat: Chat) -> None:
    model = Talker(["Nice to meet you!"], [["Marta is a bookbinder.", "Marta lives in Lisbon."]])
    agent = chat(model)
    assert memgpt.ask(agent, "Hi! I'm Marta. I work as a bookbinder and I live in Lisbon.") == "Nice to meet you!"
    memgpt.settle()
    assert human(agent) == ["The user's name is Marta.", "Marta is a bookbinder.", "Marta lives in Lisbon."]


def test_a_correction_replaces_the_line_and_keeps_it_as_a_dated_note(memgpt: MemGPT, chat: Chat) -> None:
    model = Talker(["Hello.", "Nice."], [["Marta lives in Lisbon."], ["Marta lives in Porto now."]])
    agent = chat(model)
    memgpt.ask(agent, "Hi, I'm Marta and I live in Lisbon.")
    memgpt.settle()
    memgpt.ask(agent, "Actually, I have moved: I live in Porto now.")
    memgpt.settle()
    assert human(agent) == ["The user's name is Marta.", "Marta lives in Porto now."]
    notes = [hit.item.text for hit in agent.archival.find("", source="").hits]
    assert len(notes) == 1 and notes[0].startswith("Until ") and notes[0].endswith("Marta lives in Lisbon.")


def test_what_held_before_is_beside_a_question_about_the_past(memgpt: MemGPT, chat: Chat) -> None:
    model = Talker(["Ok."] * 4, [["The user works as a courier."], ["The user works as a train driver."]])
    agent = chat(model)
    for words in (
        "I work as a courier.",
        "I changed jobs, I work as a train driver now.",
        "What did I do for work before?",
    ):
        memgpt.ask(agent, words)
        memgpt.settle()
    assert "The user works as a courier." in model.prompts[-1][-1] and "- Until " in model.prompts[-1][-1]
    memgpt.ask(agent, "What do I do for work?")
    assert "courier" not in model.prompts[-1][-1] and "train driver" in model.prompts[-1][-1]


def test_what_is_said_twice_is_saved_once(memgpt: MemGPT, chat: Chat) -> None:
    model = Talker(["Ok."] * 2, [["The user prefers tea."], ["The user likes tea."]])
    agent = chat(model)
    for _ in range(2):
        memgpt.ask(agent, "I prefer tea.")
        memgpt.settle()
    assert human(agent) == ["The user prefers tea."]


def test_each_speaker_keeps_their_own_facts(memgpt: MemGPT, chat: Chat) -> None:
    model = Talker(["Ok."] * 2, [["Tom sings bass."], ["Priya sings alto."]])
    agent = chat(model)
    memgpt.ask(agent, "I sing bass.", "Tom")
    memgpt.settle()
    memgpt.ask(agent, "And I sing alto.", "Priya")
    memgpt.settle()
    assert human(agent) == ["Tom sings bass.", "Priya sings alto."]


def test_a_fact_of_another_speaker_is_not_believed(memgpt: MemGPT, chat: Chat) -> None:
    model = Talker(["Ok."], [["Priya sings bass."]])
    agent = chat(model)
    memgpt.ask(agent, "I sing bass.", "Tom")
    memgpt.settle()
    assert human(agent) == ['Tom said: "I sing bass."']


def test_a_question_costs_no_extraction(memgpt: MemGPT, chat: Chat) -> None:
    model = Talker(["42."], [])
    agent = chat(model)
    memgpt.ask(agent, "What is six times seven?")
    memgpt.settle()
    assert model.extractions == 0 and human(agent) == []


def test_undo_takes_the_facts_of_the_turn_along(memgpt: MemGPT, chat: Chat) -> None:
    model = Talker(["Ok.", "Ok."], [["The user prefers tea."], ["The user owns a boat."]])
    agent = chat(model)
    memgpt.ask(agent, "I prefer tea.")
    memgpt.settle()
    memgpt.ask(agent, "I own a boat.")
    memgpt.settle()
    agent.undo()
    assert human(agent) == ["The user prefers tea."]


def test_a_model_that_fails_loses_nothing(memgpt: MemGPT, chat: Chat) -> None:
    model = Talker(["Ok.", "Ok."], [["The user prefers tea."], []])
    agent = chat(model)
    answer, failing = model._answer, [True]

    def fails_once(messages: object, tools: list[object], only: object) -> object:
        if tools and failing:
            failing.clear()
            raise ModelServerError("The server is gone.")
        return answer(messages, tools, only)

    model.script = [fails_once] * 10  # type: ignore[list-item]
    assert memgpt.ask(agent, "I prefer tea.") == "Ok."
    memgpt.settle()
    assert human(agent) == []
    memgpt.ask(agent, "Well, the weather turned grey here.")
    memgpt.settle()
    assert human(agent) == ["The user prefers tea."]


def test_what_a_process_left_unread_is_read_by_the_next(memgpt: MemGPT, chat: Chat) -> None:
    model = Talker(["Ok."], [["The user prefers tea."]])
    agent = chat(model, remember="functions")
    memgpt.ask(agent, "I prefer tea.")
    assert human(agent) == []
    agent.remember(remember="auto")
    again = memgpt.load_agent("sam", model=Talker(["Sure."], [["The user prefers tea."]]))
    memgpt.ask(again, "What else?")
    memgpt.settle()
    assert human(again) == ["The user prefers tea."]


def test_observers_see_what_the_program_saves(memgpt: MemGPT, chat: Chat) -> None:
    seen: list[AgentEvent] = []
    agent = chat(Talker(["Ok."], [["The user prefers tea."]]))
    agent.observers.append(seen.append)
    memgpt.ask(agent, "I prefer tea.")
    memgpt.settle()
    saved = [one.call for one in seen if isinstance(one, FunctionCalled) and one.by_program]
    assert [(call.name, call.arguments["content"]) for call in saved] == [
        ("core_memory_append", "The user prefers tea.")
    ]


def test_a_full_block_moves_its_oldest_lines_to_archival_memory(memgpt: MemGPT, chat: Chat) -> None:
    count = 45
    facts = [f"The user owns boat number {number} in harbour {number}." for number in range(count)]
    agent = chat(Talker(["Ok."] * count, [[fact] for fact in facts]))
    for number in range(count):
        memgpt.ask(agent, f"I own boat number {number} in harbour {number}.")
        memgpt.settle()
    block, kept = agent.core.block("human"), human(agent)
    assert len(block.value) <= block.limit and kept == facts[-len(kept) :]
    pages = range(1, agent.archival.find("", source="").pages + 1)
    notes = [hit.item.text for page in pages for hit in agent.archival.find("", page, source="").hits]
    assert sorted(notes + kept) == sorted(facts)


@pytest.mark.parametrize("reply", ["", "nonsense", "[]"])
def test_an_unreadable_extraction_keeps_the_words_themselves(memgpt: MemGPT, chat: Chat, reply: str) -> None:
    model = Talker(["Ok."], [[reply]])
    agent = chat(model)
    memgpt.ask(agent, "I prefer tea.")
    memgpt.settle()
    assert human(agent) == ['The user said: "I prefer tea."']


def test_the_prompt_keeps_its_start_while_facts_are_saved_and_corrected(memgpt: MemGPT, chat: Chat) -> None:
    model = Talker(["Ok."] * 4, [["The user lives in Lisbon."], ["The user lives in Porto."]])
    agent = chat(model)
    for text in ("I live in Lisbon.", "Actually, I live in Porto now.", "Where do I live?"):
        memgpt.ask(agent, text)
        memgpt.settle()
    assert human(agent) == ["The user lives in Porto."]
    first, _, last = model.prompts
    assert last[: len(first)] == first
    assert "- The user lives in Porto." in last[-1]  # beside the question


def test_another_process_keeps_the_start_of_the_prompt_until_the_messages_leave_it(memgpt: MemGPT, chat: Chat) -> None:
    model = Talker(["Ok."] * 2, [["The user owns a boat."]])
    agent = chat(model)
    memgpt.ask(agent, "I own a boat.")
    memgpt.settle()
    again = memgpt.load_agent("sam", model=(fresh := Talker(["A boat.", "Yes.", "Sure.", "They talked.", "A boat."])))
    memgpt.ask(again, "What else?")
    assert fresh.prompts[0][: len(model.prompts[0])] == model.prompts[0]
    again.core.append("human", "The user is left-handed.")  # by hand: shown at once
    memgpt.ask(again, "And what else?")
    assert "- The user is left-handed." in fresh.prompts[1][0]
    memgpt.ask(again, "Is that all?")
    again.summarize()
    memgpt.ask(again, "What is mine?")
    assert "- The user owns a boat." in fresh.prompts[-1][0]


def test_a_hosted_model_is_left_to_save_by_itself(memgpt: MemGPT) -> None:
    model = ScriptedModel(["Ok."])
    agent = memgpt.create_agent({"name": "big", "preset": "memgpt_chat"}, model=model)
    memgpt.ask(agent, "I prefer tea.")
    memgpt.settle()
    assert len(model.calls) == 1


def test_each_line_knows_the_words_that_it_comes_from(memgpt: MemGPT, chat: Chat) -> None:
    model = Talker(["Ok.", "Ok."], [["The user prefers tea."], ["The user owns a boat."]])
    agent = chat(model)
    for words in ("I prefer tea.", "I own a boat."):
        memgpt.ask(agent, words)
        memgpt.settle()
    told = memgpt.run_command(agent, "/memory --why").splitlines()
    lines = {told[at].strip(): told[at + 1] for at in range(len(told) - 1)}
    assert lines["The user prefers tea."].endswith('user: "I prefer tea."')
    assert lines["The user owns a boat."].endswith('user: "I own a boat."')


def test_a_line_that_the_model_wrote_knows_its_words_too(memgpt: MemGPT) -> None:
    call = ToolCall("core_memory_append", {"name": "human", "content": "Likes tea."})
    model = ScriptedModel([[call, ToolCall("send_message", {"message": "Ok."})]])
    agent = memgpt.create_agent({"name": "big", "preset": "memgpt_chat"}, model=model)
    memgpt.ask(agent, "I prefer tea.")
    assert 'user: "I prefer tea."' in memgpt.run_command(agent, "/memory --why")


def test_core_memory_of_an_earlier_day_can_be_shown(memgpt: MemGPT, chat: Chat) -> None:
    agent = chat(Talker(["Ok."], [["The user prefers tea."]]))
    memgpt.ask(agent, "I prefer tea.")
    memgpt.settle()
    today = datetime.now().astimezone().date()
    assert "prefers tea" in memgpt.run_command(agent, f"/memory --as-of {today}")
    assert "did not exist" in memgpt.run_command(agent, f"/memory --as-of {today - timedelta(days=1)}")
    assert "did not exist" in memgpt.run_command(agent, "/memory --as-of yesterday")
    with pytest.raises(ConfigError, match="not a day"):
        memgpt.run_command(agent, "/memory --as-of someday")


def test_the_first_fact_takes_the_place_of_the_text_that_nothing_is_known(memgpt: MemGPT, chat: Chat) -> None:
    agent = chat(Talker(["Ok."], [["The user prefers tea."]]), human="basic")
    assert "nothing" in human(agent)[0]
    memgpt.ask(agent, "I prefer tea.")
    memgpt.settle()
    assert human(agent) == ["The user prefers tea."]
