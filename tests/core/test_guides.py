"""Guides: hooks before a turn's first model call, on each reply, on what is said, and after the turn."""

from __future__ import annotations

import pytest

from memgpt_autogen import events
from memgpt_autogen.agent.guide import Guide, ReplyContext, TurnContext
from memgpt_autogen.agent.results import Turn
from memgpt_autogen.errors import ModelServerError
from memgpt_autogen.messages import Message, Reply, ToolCall, ToolResult, Usage
from memgpt_autogen.observers import AgentEvent, Discarded, FunctionCalled, FunctionReturned, Said, SpeechDelta
from memgpt_autogen.storage.base import Store

from .conftest import Build, Script, call, note, say


def words(reply: Reply) -> str:
    return str(reply.tool_calls[0].arguments.get("message", ""))


class NoShouting(Guide):
    """Asks once more for a reply in capitals."""

    def check_reply(self, reply: Reply, context: ReplyContext) -> Reply:
        return context.ask_again(reply, "Do not shout.") if words(reply).isupper() else reply


def test_a_guide_of_no_hooks_changes_nothing(build: Build, script: Script, store: Store) -> None:
    plain, guided = script("Hello."), script("Hello.")
    one, two = build(plain, "one"), build(guided, "two")
    two.guides.append(Guide)
    assert say(one, "Hi") == say(two, "Hi") == ["Hello."]
    logs = [[(m.role, m.kind, m.text) for m in store.log.window(agent.id)] for agent in (one, two)]
    assert logs[0] == logs[1] and len(plain.calls) == len(guided.calls) == 1


@pytest.mark.parametrize(
    ("question", "shown"),
    [("What is my cat called?", "Miro"), ("Where do I live?", "Porto"), ("How are you?", None)],
)
def test_a_guide_may_add_to_the_newest_event(
    build: Build, script: Script, store: Store, question: str, shown: str | None
) -> None:
    facts = {"cat": "Miro", "live": "Porto"}

    class Recall(Guide):
        def before_turn(self) -> None:
            newest = self.turn.unanswered[-1]
            for word, fact in facts.items():
                if word in newest.text:
                    changed = self.turn.rewrite(newest, f"{newest.content}\n(memory: {fact})")
                    assert self.turn.unanswered[-1] is changed

    model = script("Good.")
    agent = build(model)
    agent.guides.append(Recall)
    assert say(agent, question) == ["Good."]
    asked = model.calls[0].messages[-1]
    assert ("(memory: " in asked.content) == (
        shown is not None
    ) and f"(memory: {shown})" in f"{asked.content}(memory: None)"
    kept = store.log.window(agent.id)[0]
    assert asked.content.endswith(kept.content) and kept.answered
    assert kept.text == question, "searches see the user's words"
    assert agent.undo().messages and not store.log.window(agent.id), "undo takes it back"


def test_what_a_guide_added_is_kept_where_the_model_fails(build: Build, script: Script) -> None:
    made: list[str] = []

    class Once(Guide):
        def before_turn(self) -> None:
            newest = self.turn.unanswered[-1]
            if "memory" not in newest.content:
                made.append(self.turn.rewrite(newest, f"{newest.content} (memory: x)").id)

    model = script(ModelServerError("down"), "Good.")
    agent = build(model)
    agent.guides.append(Once)
    with pytest.raises(ModelServerError):
        say(agent, "Hi")
    assert agent.run(must_speak=True).said == ("Good.",)
    assert len(made) == 1 and "(memory: x)" in model.calls[-1].messages[-1].content


def test_a_search_by_the_program_is_logged_and_told(build: Build, script: Script, store: Store) -> None:
    class Search(Guide):
        def before_turn(self) -> None:
            made = ToolCall("conversation_search", {"query": "x"})
            found = ToolResult(made.id, made.name, "for the model")
            self.turn.add_call(made, found, shown=ToolResult(made.id, made.name, "for a person"))

    model = script("Good.")
    agent = build(model)
    agent.guides.append(Search)
    seen: list[AgentEvent] = []
    agent.observers.append(seen.append)
    agent.run([events.user_message("Hi")], conversation="c1")
    assert "for the model" in model.calls[0].messages[-1].content
    assert [one.by_program for one in seen if isinstance(one, FunctionCalled)] == [True, False]
    assert next(one for one in seen if isinstance(one, FunctionReturned)).result.content == "for a person"
    window = store.log.window(agent.id)
    assert {message.conversation_id for message in window} == {"c1"} and len({m.session_id for m in window}) == 1


def test_a_rejected_reply_is_asked_for_once_more_with_the_reason(build: Build, script: Script, store: Store) -> None:
    loud, calm = call("send_message", message="HELLO."), call("send_message", message="Hello.")
    model = script(Reply((loud,), usage=Usage(10, 2)), Reply((calm,), usage=Usage(12, 3)))
    agent = build(model)
    agent.guides.append(NoShouting)
    turn = agent.run([events.user_message("Hi")])
    assert turn.said == ("Hello.",) and turn.usage == Usage(22, 5) and turn.steps == 1
    first, second = model.calls
    assert [*second.messages][:-1] == [*first.messages]
    assert second.messages[-1].content == "[system]: Do not shout."
    assert second.tools == first.tools and second.only == first.only
    assert (first.max_tokens or 0) - (second.max_tokens or 0) == model.count([second.messages[-1]])
    logged = " ".join(f"{message.content} {message.tool_calls}" for message in store.log.window(agent.id))
    assert "HELLO" not in logged and "Do not shout." not in logged, "neither the reply nor the reason is kept"


def test_words_that_were_streamed_are_discarded_before_the_model_is_asked_again(build: Build, script: Script) -> None:
    agent = build(script("HELLO.", "Hello."))
    agent.guides.append(NoShouting)
    seen: list[AgentEvent] = []
    agent.observers.append(seen.append)
    agent.run([events.user_message("Hi")], stream=True)
    at = next(index for index, one in enumerate(seen) if isinstance(one, Discarded))
    before = "".join(one.text for one in seen[:at] if isinstance(one, SpeechDelta))
    after = "".join(one.text for one in seen[at:] if isinstance(one, SpeechDelta))
    assert (before, after) == ("HELLO.", "Hello.") and [one.text for one in seen if isinstance(one, Said)] == ["Hello."]


def test_a_guide_that_replaces_replies_is_not_streamed(build: Build, script: Script) -> None:
    class Whole(Guide):
        streams = False

    agent = build(script("Hello."))
    agent.guides += [Guide, Whole]
    seen: list[AgentEvent] = []
    agent.observers.append(seen.append)
    agent.run([events.user_message("Hi")], stream=True)
    assert not [one for one in seen if isinstance(one, SpeechDelta | Discarded)]


def test_guides_are_asked_in_their_order_and_made_anew_for_each_turn(build: Build, script: Script) -> None:
    made: list[Guide] = []

    class Marks(Guide):
        mark = ""

        def __init__(self, turn: TurnContext) -> None:
            super().__init__(turn)
            made.append(self)

        def cite(self, said: str) -> str:
            return said + self.mark

    class First(Marks):
        mark = " [1]"

    class Second(Marks):
        mark = " [2]"

    agent = build(script("One.", "Two."))
    agent.guides += [First, Second]
    assert say(agent, "Hi") == ["One. [1] [2]"] and say(agent, "Hi") == ["Two. [1] [2]"]
    assert len({id(one.turn) for one in made}) == 2 and len(made) == 4


def test_after_a_turn_a_guide_sees_it_committed_and_may_write_memory(
    build: Build, script: Script, store: Store
) -> None:
    seen: list[tuple[Turn, list[Message]]] = []

    class Learn(Guide):
        def after_turn(self, turn: Turn) -> None:
            seen.append((turn, [*self.turn.store.log.window(self.turn.agent_id)]))
            for message in seen[-1][1]:
                if message.kind == "user_message":
                    agent.core.append("human", message.text)

    agent = build(script("Hello.", [call("frobnicate", x=1), note("y")]))
    agent.guides.append(Learn)
    assert say(agent, "I am Ann.") == ["Hello."]
    (turn, window), *_ = seen
    assert turn.said == ("Hello.",) and all(message.answered for message in window)
    assert "I am Ann." in agent.core.render()


def test_before_a_turn_nothing_is_done_where_nobody_waits_for_words(build: Build, script: Script) -> None:
    called: list[str] = []

    class Notes(Guide):
        def before_turn(self) -> None:
            called.append("before")

        def after_turn(self, turn: Turn) -> None:
            called.append("after")

    agent = build(script([note()], "Hello."))
    agent.guides.append(Notes)
    agent.run([events.timer("hourly")])
    assert called == ["after"]
    say(agent, "Hi")
    assert called == ["after", "before", "after"]


def test_a_guide_that_fails_after_the_turn_does_not_cost_the_reply(
    build: Build, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[str] = []

    class Fails(Guide):
        def after_turn(self, turn: Turn) -> None:
            raise ModelServerError("the server is gone")

    class Follows(Guide):
        def after_turn(self, turn: Turn) -> None:
            seen.extend(turn.said)

    agent = build(script("Hello."))
    agent.guides += [Fails, Follows]
    assert say(agent, "Hi") == ["Hello."] and seen == ["Hello."]
    assert "Fails failed: the server is gone" in caplog.text
