"""Every change of memory is told with its turn, and is taken back alone or not at all."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from memgpt_autogen.agent import Agent
from memgpt_autogen.errors import ConfigError, UndoRefused
from memgpt_autogen.memory.history import NOTES, MemoryHistory

from .conftest import Build, Script, call, note, say

INSERT = call("archival_memory_insert", True, content="Ann keeps snails.\nThree of them.")
REPLACE = call("core_memory_replace", True, name="human", old_content="Likes tea.", new_content="Likes coffee.")


def history(agent: Agent) -> MemoryHistory:
    return MemoryHistory(agent.store, agent.id)


@pytest.fixture
def agent(build: Build, script: Script) -> Agent:
    """Turn 1 adds a line, turn 2 only talks, turn 3 replaces that line, turn 4 adds two lines and a note."""
    both = [note("Has a cat.", True), call("core_memory_append", True, name="persona", content="Is polite.")]
    made = build(script(note("Likes tea.", True), "One.", "Two.", REPLACE, "Three.", both, INSERT, "Four."))
    for words in ("I like tea.", "Hello.", "Coffee, I mean.", "I have a cat and snails."):
        say(made, words)
    return made


def test_each_change_has_its_turn(agent: Agent) -> None:
    agent.core.append("human", "By hand.")
    found = [(one.turn, one.place, one.removed, one.added) for one in history(agent).changes()]
    assert found == [
        (1, "human", (), ("Likes tea.",)),
        (3, "human", ("Likes tea.",), ("Likes coffee.",)),
        (4, "human", (), ("Has a cat.",)),
        (4, "persona", (), ("Is polite.",)),
        (4, NOTES, (), ("Ann keeps snails.", "Three of them.")),
        (0, "human", (), ("By hand.",)),
    ]


@pytest.mark.parametrize(
    ("turn", "has", "lacks"), [(0, "", "tea"), (1, "tea", "coffee"), (2, "tea", "coffee"), (4, "cat", "tea")]
)
def test_core_memory_as_of_a_turn(agent: Agent, turn: int, has: str, lacks: str) -> None:
    text = history(agent).core(turn=turn)["human"]
    assert has in text and lacks not in text


def test_what_has_changed_since(agent: Agent) -> None:
    lines = history(agent).diff(turn=1)
    assert {"-Likes tea.", "+Likes coffee.", "+Has a cat.", "+Is polite.", "+Ann keeps snails."} <= {*lines}
    assert "+Likes tea." in "\n".join(history(agent).diff(turn=0)) or "+Likes coffee." in history(agent).diff(turn=0)
    assert history(agent).diff(turn=4) == history(agent).diff(day=date.today()) == []
    assert "+Has a cat." in history(agent).diff(day=date.today() - timedelta(days=1))
    with pytest.raises(ConfigError, match="numbered 1 to 4"):
        history(agent).diff(turn=5)


def test_each_line_is_traced_to_its_turn_and_message(agent: Agent) -> None:
    found = {one.line: (one.turn, [message.text for message in one.messages]) for one in history(agent).blame()}
    assert found["Likes coffee."] == (3, ["Coffee, I mean."])
    assert found["Has a cat."] == (4, ["I have a cat and snails."])
    assert next(iter(found.values())) == (0, [])


def test_one_turn_is_reverted_alone(agent: Agent) -> None:
    before = history(agent).core(turn=3)
    done = history(agent).revert(4)
    assert history(agent).core() == before
    assert [one.removed for one in done] == [("Is polite.",), ("Has a cat.",), ("Ann keeps snails.", "Three of them.")]
    assert agent.store.log.count(agent.id) and not agent.store.history.notes(agent.id)
    history(agent).revert(3)
    assert "Likes tea." in history(agent).core()["human"]
    assert history(agent).revert(2) == []


def test_what_was_changed_since_is_not_guessed_at(agent: Agent) -> None:
    before = history(agent).core()
    with pytest.raises(UndoRefused, match=r"Turn 1 wrote 'Likes tea\.'"):
        history(agent).revert(1)
    assert history(agent).core() == before


def test_undone_turns_are_not_counted(agent: Agent) -> None:
    agent.undo(2)
    assert [turn.number for turn in history(agent).turns] == [1, 2]
    assert [one.turn for one in history(agent).changes()] == [1]
