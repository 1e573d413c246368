"""Taking turns back: what they wrote to memory goes with them, all of it or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memgpt_autogen import events
from memgpt_autogen.agent import Agent
from memgpt_autogen.client import MemGPT
from memgpt_autogen.config import AgentConfig, Settings
from memgpt_autogen.errors import ConfigError, ModelServerError, UndoRefused
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.messages import Message, Reply, ToolCall
from memgpt_autogen.storage.sqlite import SQLiteStore

from .conftest import Build, Script, assert_sound, call, note, say


def factorial(n: int) -> int:
    """Multiply the numbers up to n."""
    return (n and n * factorial(n - 1)) or 1


KEEP = call("archival_memory_insert", True, content="The key is under the mat.")


def state(agent: Agent) -> dict[str, Any]:
    """Everything of an agent that a turn may change."""
    store = agent.store
    assert isinstance(store, SQLiteStore)
    rows = {
        table: [tuple(row) for row in store._database.all(f"SELECT * FROM {table} ORDER BY 1, 2")]
        for table in ("blocks", "block_versions", "messages", "summaries", "conversation_entries")
    }
    passages = [tuple(row) for row in store._database.all("SELECT id, text FROM passages ORDER BY seq")]
    words = ("mat", "fact", "hello", "7")
    return {
        **rows,
        "passages": passages,
        "window": store.log.window(agent.id),
        "summary": store.log.last_summary(agent.id),
        "paused": store.agents.paused_until(agent.id),
        "recalled": [agent.recall.search(word, 1) for word in words],
        "found": [agent.archival.search(word, 1) for word in words],
    }


def test_a_turn_is_taken_back_with_what_it_wrote_to_memory(build: Build, script: Script) -> None:
    agent = build(script("Hello.", [note("Likes tea.", True), KEEP], "Noted."))
    say(agent, "Hello!")
    before = state(agent)
    say(agent, "I like tea, and the key is under the mat.")
    assert "tea" in agent.core.render() and "mat" in agent.archival.search("key", 1)
    undone = agent.undo()
    assert (undone.turns, undone.blocks, undone.notes, undone.waiting) == (1, ("human",), 1, 0)
    assert undone.messages[0].text == "I like tea, and the key is under the mat."
    assert state(agent) == before
    assert "nothing on this" in agent.archival.search("key", 1)


def test_several_turns_are_taken_back_and_no_more_than_there_are(build: Build, script: Script) -> None:
    agent = build(script("One.", note("two"), "Two.", "Three.", "Four."))
    before = state(agent)
    for text in ("1", "2", "3"):
        say(agent, text)
    assert agent.undo(2).turns == 2
    assert [message.text for message in agent.store.log.window(agent.id)] == ["1", "One.", ""]
    assert agent.undo(5).turns == 1
    assert state(agent) == before
    with pytest.raises(UndoRefused, match="nothing has been said"):
        agent.undo()
    with pytest.raises(UndoRefused, match="At least 1"):
        agent.undo(0)
    assert say(agent, "anew") == ["Four."]


def test_news_between_turns_stays(build: Build, script: Script) -> None:
    agent = build(script("One.", "Two."))
    say(agent, "1")
    agent.hear([events.login(None)])
    agent.undo()
    assert [message.kind for message in agent.store.log.window(agent.id)] == ["login"]
    say(agent, "2")
    assert agent.store.log.window(agent.id)[0].answered
    undone = agent.undo()
    assert (undone.turns, undone.waiting) == (1, 1)
    assert not agent.store.log.window(agent.id)[0].answered


def test_what_waited_before_a_turn_waits_again_after_it(build: Build, script: Script) -> None:
    agent = build(script(ModelServerError("down"), "Both heard.", "Again both."))
    with pytest.raises(ModelServerError):
        say(agent, "first")
    before = state(agent)
    say(agent, "second")
    assert agent.undo().waiting == 1
    assert state(agent) == before
    assert say(agent, "third") == ["Again both."]
    assert all(message.answered for message in agent.store.log.window(agent.id))


def test_a_shared_block_that_another_has_edited_stays_and_so_does_everything(build: Build, script: Script) -> None:
    agent = build(
        script([call("core_memory_append", True, name="plan", content="A"), KEEP], "Done."), blocks={"plan": ""}
    )
    eva = build(
        script(call("core_memory_append", True, name="plan", content="B"), "Me too."), name="eva", preset="memgpt_chat"
    )
    (plan,) = [block for block in agent.store.agents.blocks(agent.id) if block.label == "plan"]
    agent.store.agents.share_block(eva.id, plan.id)
    say(agent, "plan A")
    say(eva, "plan B")
    before = state(agent)
    with pytest.raises(UndoRefused, match="plan of core memory has been edited by eva"):
        agent.undo()
    assert state(agent) == before
    assert eva.undo().blocks == ("plan",)
    assert agent.undo().blocks == ("plan",)
    assert "A" not in agent.store.agents.blocks(eva.id)[-1].value


def test_a_pause_is_taken_back(build: Build, script: Script) -> None:
    agent = build(script([call("pause_heartbeats", minutes=60)], "Quiet now.", "Awake."))
    say(agent, "be quiet")
    assert not agent.run([events.timer("10m")]).steps
    agent.undo()
    assert agent.run([events.timer("10m")]).said == ("Awake.",)


def test_a_summary_that_a_turn_made_goes_and_one_that_was_asked_for_stays(build: Build, script: Script) -> None:
    agent = build(script(*"abc", "Notes of a and b.", "d", "e"))
    for text in "123":
        say(agent, text)
    gone, summary = agent.summarize()
    assert (gone, summary) == (6, "Notes of a and b.")
    assert agent.summarize() == (0, "")
    say(agent, "4")
    agent.undo(2)
    assert agent.store.log.last_summary(agent.id) is not None
    agent.undo(1)
    assert agent.store.log.last_summary(agent.id) is None
    assert [message.text for message in agent.store.log.window(agent.id) if message.text] == ["1", "a"]


def test_a_turn_is_tried_again(build: Build, script: Script) -> None:
    model = script([note("wrong", True)], "First.", [note("right", True)], "Second.")
    agent = build(model)
    say(agent, "go")
    assert agent.retry().said == ("Second.",)
    assert "wrong" not in agent.core.render() and "right" in agent.core.render()
    window = agent.store.log.window(agent.id)
    assert [message.text for message in window if message.text] == ["go", "Second."] and all(m.answered for m in window)
    assert agent.undo().messages[0].text == "go"
    assert not agent.store.log.window(agent.id)


def test_a_turn_that_failed_is_tried_again(build: Build, script: Script) -> None:
    agent = build(script(ModelServerError("down"), "There."))
    with pytest.raises(ModelServerError):
        say(agent, "go")
    assert agent.retry().said == ("There.",)
    with pytest.raises(UndoRefused):
        build(script(), name="eva").retry()


def test_a_look_up_is_made_again_when_a_turn_is_tried_again(build: Build, script: Script) -> None:
    agent = build(script("A.", "B."), preset="memgpt_docs_small")
    agent.archival.insert("The lamp has a guarantee of five years.")
    say(agent, "How long is the guarantee of the lamp?")
    shown = [message.content for message in agent.store.log.window(agent.id) if message.role == "tool"]
    agent.retry()
    again = [message.content for message in agent.store.log.window(agent.id) if message.role == "tool"]
    assert "five years" in shown[0] and "five years" in again[0] and len(again) == len(shown)


def test_thoughts_and_words_are_changed(build: Build, script: Script) -> None:
    spoken = Reply((ToolCall("send_message", {"message": "The sky is green."}),), inner_thoughts="hm")
    model = script(spoken, "Next.")
    agent = build(model)
    say(agent, "What colour is the sky?")
    assert agent.rethink("Look up.") == "hm"
    assert agent.rewrite("The sky is blue.") == "The sky is green."
    assert "blue" in agent.recall.search("sky", 1) and "green" not in agent.recall.search("green sky", 1)
    say(agent, "Sure?")
    reply = next(message for message in model.calls[-1].messages if message.role == "assistant")
    assert reply.content == "Look up." and reply.tool_calls[0].arguments["message"] == "The sky is blue."
    agent.undo(2)
    assert not agent.store.log.window(agent.id)
    for change in (agent.rethink, agent.rewrite):
        with pytest.raises(UndoRefused, match="has said nothing yet"):
            change("x")


def test_an_agent_starts_anew(build: Build, script: Script) -> None:
    agent = build(script([note("tea", True), KEEP], "Noted.", "Hello."), blocks={"plan": "none"})
    eva = build(script(), name="eva")
    plan = agent.store.agents.blocks(agent.id)[-1]
    agent.store.agents.share_block(eva.id, plan.id)
    agent.store.sources.create_source("manual")
    agent.attach("manual")
    before = agent.core.render()
    say(agent, "go")
    assert agent.wipe() == ["plan"]
    assert agent.core.render() == before and agent.store.log.count(agent.id) == 0
    assert "nothing on this" in agent.archival.search("key", 1)
    assert [source.name for source in agent.store.sources.attached(agent.id)] == ["manual"]
    assert say(agent, "hello") == ["Hello."]


def test_functions_and_prompt_are_remembered(build: Build, script: Script, caplog: pytest.LogCaptureFixture) -> None:
    agent = build(script(call("factorial", True, n=5), "120."))
    agent.add_function("tests.core.test_undo:factorial")
    agent.set_system("You calculate.")
    model = script(call("dedent", True, text="  x"), "x.")
    again = build(model)
    again.add_function("textwrap:dedent")
    again.remove_function("factorial")
    assert say(again, "go") == ["x."]
    assert model.calls[0].messages[0].content.startswith("You calculate.")
    assert build(script()).config.tools == ["textwrap:dedent"]
    for path, told in {
        "textwrap": "not an import path",
        "textwrap:nothing": "There is no nothing",
        "no_such_module:f": "cannot be imported",
        "math:pi": "is not a function",
        "textwrap:dedent": "already",
    }.items():
        with pytest.raises(ConfigError, match=told):
            again.add_function(path)
    with pytest.raises(ConfigError, match="Added functions: dedent"):
        again.remove_function("send_message")
    with pytest.raises(ConfigError, match="empty"):
        again.set_system(" ")
    with pytest.raises(ConfigError, match="too small"):
        again.set_system("word " * 40_000)
    assert again.system == "You calculate."
    again.remember(tools=["no_such_module:f"])
    assert build(script()).tools.get("f") is None
    assert "goes without the function no_such_module:f" in caplog.text


# -- any sequence of turns ------------------------------------------------------------------------------------------


class Talker(ScriptedModel):
    """Has something to say also where its script has nothing: summaries, and steps that the agent adds."""

    def complete(self, messages: Sequence[Message], tools: Any, **options: Any) -> Reply:
        if not tools or not self.script:
            self.script.insert(0, f"Understood {len(self.calls)}.")
        return super().complete(messages, tools, **options)


@dataclass(frozen=True)
class Doing:
    """One turn: what comes in, what the model does about it, and whether its server dies before it has spoken."""

    event: str
    acts: tuple[str, ...]
    dies: bool
    length: int


ACTS = {
    "append": lambda number: note(f"fact {number}", True),
    "insert": lambda number: call("archival_memory_insert", True, content=f"fact {number} of the mat"),
    "replace": lambda number: call(
        "core_memory_replace", True, name="persona", old_content="I", new_content=f"I ({number})"
    ),
    "fail": lambda number: call("core_memory_replace", True, name="persona", old_content="nowhere", new_content="x"),
    "search": lambda number: call("conversation_search", query="fact 7", page=0),
    "pause": lambda number: call("pause_heartbeats", minutes=5),
    "both": lambda number: [note(f"two {number}", True), KEEP],
}
DOING = st.builds(
    Doing,
    st.sampled_from(["user", "user", "user", "timer", "hear", "login", "retry"]),
    st.lists(st.sampled_from(sorted(ACTS)), max_size=3).map(tuple),
    st.sampled_from([False, False, False, True]),
    st.sampled_from([5, 5, 60, 200]),
)


def do(agent: Agent, model: Talker, doing: Doing, number: int) -> int:
    """Do it; how many turns it was."""
    model.script = [ACTS[act](number) for act in doing.acts]
    model.script.append(ModelServerError("down") if doing.dies else f"Reply {number}.")
    words = f"hello {number} " * doing.length
    turns = agent.store._database.number("SELECT count(*) FROM messages WHERE kind IN ('user_message', 'timer')")  # type: ignore[attr-defined]
    try:
        if doing.event == "user":
            agent.run([events.user_message(words)])
        elif doing.event == "timer":
            agent.run([events.timer("10m")])
        elif doing.event == "retry" and turns:
            agent.run()
        elif doing.event == "login":
            agent.hear([events.login(None)])
        else:
            agent.hear([events.user_message(words)])
    except ModelServerError:
        assert doing.dies
    now = agent.store._database.number("SELECT count(*) FROM messages WHERE kind IN ('user_message', 'timer')")  # type: ignore[attr-defined]
    return now - turns


@given(st.lists(DOING, max_size=6), st.lists(DOING, min_size=1, max_size=5))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_after_an_undo_all_is_as_it_was_before(tmp_path: Any, before: list[Doing], taken_back: list[Doing]) -> None:
    model = Talker(context_window=2600)
    home = MemGPT(Settings(home=tmp_path, environ={}), store=SQLiteStore(None), embedder=None)
    agent = home.create_agent(AgentConfig(name="sam", preset="memgpt_chat"), model=model)
    agent.store.sources.own_source(agent.id)
    number = 0
    for number, doing in enumerate(before):
        do(agent, model, doing, number)
    do(agent, model, Doing("user", (), False, 5), 99)  # all before is settled: what follows are turns of their own
    was = state(agent)
    turns = 0
    for doing in [one for one in taken_back if one.event not in ("login", "retry")]:
        number += 1
        turns += do(agent, model, doing, number)
    if turns:
        assert agent.undo(turns).turns == turns
    now = state(agent)
    assert {key: now[key] for key in was if now[key] != was[key]} == {}
    model.script = ["Still here."]
    assert agent.run([events.user_message("hello")]).said[0] == "Still here."
    assert_sound(model)
