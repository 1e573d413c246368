"""Automatic recall: what memory has on a message stands, quoted, in front of its words."""

from __future__ import annotations

from pathlib import Path

import pytest

from memgpt_autogen.client import MemGPT

from .conftest import Chat, Talker


def load(memgpt: MemGPT, folder: Path, **files: str) -> None:
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    memgpt.load_data("papers", "directory", input_dir=str(folder))
    memgpt.attach("sam", "papers")


def test_a_passage_is_quoted_with_its_file(memgpt: MemGPT, chat: Chat, tmp_path: Path) -> None:
    model = Talker(["240 euros."])
    agent = chat(model)
    load(memgpt, tmp_path / "docs", prices="A full leather binding costs 240 euros.", trip="The train leaves at 7:42.")
    memgpt.ask(agent, "According to my documents, what does a full leather binding cost?")
    asked = model.prompts[0][-1]
    assert "[prices.md] quoted:\n> A full leather binding costs 240 euros." in asked and "trip.md" not in asked
    assert asked.endswith("what does a full leather binding cost?")


@pytest.mark.parametrize("words", ["How are you?", "Thanks!", "What is the capital of Australia?", "ok"])
def test_what_memory_has_nothing_on_is_left_as_it_is(memgpt: MemGPT, chat: Chat, tmp_path: Path, words: str) -> None:
    model = Talker(["Fine."])
    agent = chat(model)
    load(memgpt, tmp_path / "docs", prices="A full leather binding costs 240 euros.")
    memgpt.ask(agent, words)
    assert model.prompts[0][-1] == words


def test_what_has_left_the_window_is_found_and_what_is_in_view_is_not_repeated(memgpt: MemGPT, chat: Chat) -> None:
    model = Talker(["Ok."] * 2, [["The user's boat is called Heron."]])
    agent = chat(model, remember="functions")
    memgpt.ask(agent, "My boat is called Heron.")
    memgpt.ask(agent, "What is my boat called?")
    assert "quoted" not in model.prompts[-1][-1]
    model.said, model.script = ["A summary.", "Heron.", "Heron."], [model._answer] * 10
    agent.summarize()
    memgpt.ask(agent, "How long is a day?")
    memgpt.ask(agent, "Do you know what my boat is called?")
    assert "] user: My boat is called Heron." in model.prompts[-1][-1]


def test_what_is_recalled_stays_in_the_log_as_the_model_saw_it_and_is_not_searched(
    memgpt: MemGPT, chat: Chat, tmp_path: Path
) -> None:
    model = Talker(["240."] * 2)
    agent = chat(model)
    load(memgpt, tmp_path / "docs", prices="A full leather binding costs 240 euros.")
    memgpt.ask(agent, "What does a leather binding cost?")
    memgpt.ask(agent, "Thanks!")
    first, second = model.prompts
    assert second[: len(first)] == first
    assert [hit.item.text for hit in agent.recall.find("euros").hits] == []


def test_recall_can_be_left_to_the_model(memgpt: MemGPT, chat: Chat, tmp_path: Path) -> None:
    model = Talker(["240."])
    agent = chat(model, recall="functions")
    load(memgpt, tmp_path / "docs", prices="A full leather binding costs 240 euros.")
    memgpt.ask(agent, "What does a leather binding cost?")
    assert model.prompts[0][-1] == "What does a leather binding cost?"


def test_quotations_keep_to_their_budget(memgpt: MemGPT, chat: Chat, tmp_path: Path) -> None:
    model = Talker(["Many."], window=2048)
    agent = chat(model)
    load(
        memgpt, tmp_path / "docs", **{f"p{n}": f"The ferry number {n} sails. " + "Waves rise. " * 60 for n in range(8)}
    )
    memgpt.ask(agent, "When does the ferry sail?")
    asked = model.prompts[0][-1]
    assert "> " in asked and model.count_tokens(asked) <= 2048 * 0.15 + 40


def test_a_question_for_what_suits_a_person_asks_for_a_conclusion(memgpt: MemGPT, chat: Chat) -> None:
    model = Talker(["Ok.", "No, it has cheese.", "A comet is ice."], [["The user is vegan."]])
    agent = chat(model)
    for words in ("I am vegan.", "Can I eat an omelette?", "What is a comet?"):
        memgpt.ask(agent, words)
        memgpt.settle()
    asked, other = model.prompts[1][-1], model.prompts[2][-1]
    assert asked.startswith("Consider this from memory:\n- The user is vegan.\n\n") and "Say no if" in asked
    assert other.endswith("What is a comet?") and "memory" not in other
    said = [one.text for one in agent.store.log.window(agent.id) if one.kind == "user_message"]
    assert said[1] == "Can I eat an omelette?"
