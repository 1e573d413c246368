"""The contract of a store's history, for every row of the table in ``conftest``."""

from __future__ import annotations

from dataclasses import replace

from memgpt_autogen import events
from memgpt_autogen.ids import new_id
from memgpt_autogen.messages import Usage, utc_now
from memgpt_autogen.storage.base import Store
from memgpt_autogen.storage.base.history import PromptRow, PromptText
from memgpt_autogen.storage.records import Passage


def take_turn(store: Store, agent: str, words: str) -> str:
    """A turn as an agent takes it; the id of its model's step."""
    with store.transaction(new_id()):
        store.log.append(agent, [events.user_message(words)])
    step = new_id()
    with store.transaction(step):
        store.log.append(agent, [events.reply("", (), f"{words}!")])
        store.passages.add(store.sources.own_source(agent), [Passage(f"note on {words}")])
        store.log.add_step(agent, "yielded", "scripted", Usage(7, 2))
        store.history.add_prompt(agent, prompt(), [PromptText("d1", "shared"), PromptText(f"d {words}", words)])
        store.log.mark_answered(agent)
    return step


def prompt() -> PromptRow:
    options = {"only": ["send_message"], "max_tokens": 9}
    return PromptRow(new_id(), "", "scripted", "", [[0, 2], {"id": "ü"}], "d1", options, "digest", utc_now())


def test_turns_have_their_steps_and_messages(store: Store, agent: str) -> None:
    with store.transaction(new_id()):
        store.log.append(agent, [replace(events.login(None), answered=True)])
    steps = [take_turn(store, agent, words) for words in ("one", "two")]
    turns = store.history.turns(agent)
    assert [(turn.number, turn.steps[-1], len(turn.steps)) for turn in turns] == [(1, steps[0], 2), (2, steps[1], 2)]
    assert [one.text for one in store.history.messages(agent, turns[1])] == ["two", "two!"]
    assert [step.id for step in store.history.steps(agent)] == steps
    assert store.history.steps(agent)[0].usage == Usage(7, 2)
    first = turns[0].first_message_id
    assert {*store.history.messages_by_id(agent, [first, "gone"])} == {first}


def test_notes_tell_their_step_and_are_deleted(store: Store, agent: str) -> None:
    step = take_turn(store, agent, "one")
    (note,) = store.history.notes(agent)
    assert (note.text, note.step_id) == ("note on one", step)
    assert store.history.delete_notes(agent, [note.id, "gone"]) == 1
    assert not store.history.notes(agent) and not store.passages.search(agent, "one", page=1, page_size=5).total


def test_records_of_prompts_come_back_and_go_with_their_turn(store: Store, agent: str) -> None:
    assert store.history.last_prompt(agent) == "" and store.history.prompt(agent, "none") is None
    steps = [take_turn(store, agent, words) for words in ("one", "two")]
    one, two = store.history.prompts(agent)
    assert (one.parts, one.options["max_tokens"], one.step_id) == ([[0, 2], {"id": "ü"}], 9, steps[0])
    assert [*store.history.prompts(agent, [steps[1], "gone"])] == [two] == [store.history.prompt(agent, two.id)]
    assert store.history.last_prompt(agent) == two.id
    assert store.history.prompt_texts(agent, ["d1", "d two", "d3"]) == {"d1": "shared", "d two": "two"}
    store.undo(agent, 1)
    assert [*store.history.prompts(agent)] == [one] and store.history.prompt_texts(agent, ["d two"]) == {}
    assert [step.outcome for step in store.history.steps(agent)] == ["yielded", "undone"]
    store.forget(agent, "shared")
    assert store.history.prompt_texts(agent, ["d1"]) == {"d1": ""}
    store.wipe(agent)
    assert not store.history.prompts(agent) and not store.history.turns(agent)


def test_the_history_of_an_agent_is_its_own(store: Store, agent: str) -> None:
    take_turn(store, agent, "one")
    other = store.agents.create("eva", {}).id
    history = store.history
    assert not history.turns(other) and not history.steps(other) and not history.notes(other)
    assert not history.prompts(other) and not history.prompt_texts(other, ["d1"])
    assert not history.messages_by_id(other, [history.turns(agent)[0].first_message_id])
    assert history.delete_notes(other, [note.id for note in history.notes(agent)]) == 0
