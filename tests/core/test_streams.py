"""A turn that is told while it is written."""

from __future__ import annotations

import pytest

from memgpt_autogen import events
from memgpt_autogen.errors import ModelReplyError, ModelServerError
from memgpt_autogen.llm.scripted import BreaksOff
from memgpt_autogen.messages import Reply, ToolCall
from memgpt_autogen.observers import (
    AgentEvent,
    Discarded,
    FunctionReturned,
    InnerThoughts,
    Said,
    SpeechDelta,
    ThoughtDelta,
)
from memgpt_autogen.storage.base import Store

from .conftest import Build, Script, note, say

HELLO = Reply((ToolCall("send_message", {"message": "Hello dear Chad, how are you?"}),), "He is here again.")


def words(sights: list[AgentEvent]) -> str:
    return "".join(sight.text for sight in sights if isinstance(sight, SpeechDelta))


def test_parts_come_first_and_the_whole_after_the_commit(build: Build, script: Script, store: Store) -> None:
    agent, seen = build(script(HELLO)), []
    agent.observers.append(seen.append)
    agent.run([events.user_message("Hi")], stream=True)
    assert words(seen) == "Hello dear Chad, how are you?"
    assert "".join(sight.text for sight in seen if isinstance(sight, ThoughtDelta)) == "He is here again."
    kinds = [type(sight) for sight in seen]
    assert kinds.count(Said) == kinds.count(InnerThoughts) == 1 and kinds.count(SpeechDelta) > 3
    assert (
        max(i for i, kind in enumerate(kinds) if kind is SpeechDelta) < kinds.index(InnerThoughts) < kinds.index(Said)
    )


def test_nothing_is_streamed_unasked(build: Build, script: Script) -> None:
    agent, seen = build(script(HELLO)), []
    agent.observers.append(seen.append)
    say(agent, "Hi")
    assert not words(seen) and Discarded not in map(type, seen)


def test_an_unreadable_reply_is_taken_back_and_asked_for_anew(build: Build, script: Script) -> None:
    agent, seen = build(script(BreaksOff(HELLO, ModelReplyError("The reply was cut.")), HELLO)), []
    agent.observers.append(seen.append)
    assert agent.run([events.user_message("Hi")], stream=True).said == ("Hello dear Chad, how are you?",)
    place = [type(sight) for sight in seen].index(Discarded)
    assert seen[place] == Discarded("The reply was cut.")
    assert words(seen[:place]) and words(seen[place:]) == "Hello dear Chad, how are you?"


@pytest.mark.parametrize("error", [ModelServerError("It died."), KeyboardInterrupt()], ids=["dead", "ctrl-c"])
def test_a_break_leaves_the_last_whole_step_and_the_message(
    build: Build, script: Script, store: Store, error: BaseException
) -> None:
    agent, seen = build(script(note("Likes tea.", heartbeat=True), BreaksOff(HELLO, error), "Good day.")), []
    agent.observers.append(seen.append)
    with pytest.raises(type(error)):
        agent.run([events.user_message("I like tea. Hi!")], stream=True)
    assert seen[-1] == Discarded(str(error) or "It was stopped before it was complete.") and Said not in map(type, seen)
    assert "Likes tea." in agent.core.render()  # the step before stands
    window = store.log.window(agent.id)
    assert [m.text for m in window if not m.answered] == ["I like tea. Hi!"] and "Hello" not in str(window)
    assert agent.run(stream=True).said == ("Good day.",)
    assert all(message.answered for message in store.log.window(agent.id))


def test_words_that_cannot_be_sent_are_taken_back(build: Build, script: Script) -> None:
    wrong = ToolCall("send_message", {"message": "Hello there", "volume": 11})
    agent, seen = build(script(wrong, "Hello.")), []
    agent.observers.append(seen.append)
    assert agent.run([events.user_message("Hi")], stream=True).said == ("Hello.",)
    failed = next(index for index, sight in enumerate(seen) if isinstance(sight, FunctionReturned))
    assert isinstance(seen[failed + 1], Discarded) and words(seen[failed:]) == "Hello."


def test_a_listener_that_fails_is_heard(build: Build, script: Script, store: Store) -> None:
    def broken(sight: AgentEvent) -> None:
        if isinstance(sight, SpeechDelta):
            raise OSError("the terminal is gone")

    agent = build(script(HELLO))
    agent.observers.append(broken)
    with pytest.raises(OSError, match="terminal is gone"):
        agent.run([events.user_message("Hi")], stream=True)
    assert [message.text for message in store.log.window(agent.id) if not message.answered] == ["Hi"]
