"""``MemGPTAssistant`` in and outside of agentchat's teams."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import TaskResult
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.messages import MultiModalMessage, TextMessage, ThoughtEvent
from autogen_agentchat.teams import RoundRobinGroupChat, SelectorGroupChat
from autogen_core import CancellationToken
from autogen_core.models import FunctionExecutionResultMessage, SystemMessage

from memgpt_autogen.agentchat import MemGPTAssistant
from memgpt_autogen.client import MemGPT
from memgpt_autogen.errors import AgentNotFound, ConfigError

from .conftest import FakeClient, say

NOTE = ("core_memory_append", {"name": "human", "content": "Is Ann.", "request_heartbeat": True})


def sam(memgpt: MemGPT, script: Sequence[Any], **kwargs: Any) -> tuple[MemGPTAssistant, FakeClient]:
    client = FakeClient(script)
    return MemGPTAssistant("sam", client, memgpt=memgpt, **kwargs), client


def ask(agent: Any, task: Any = "Hello?") -> list[Any]:
    return list(asyncio.run(agent.run(task=task)).messages)


def heard(agent: MemGPTAssistant) -> list[tuple[str | None, str]]:
    log = agent.core.store.log.window(agent.core.id)
    return [(message.author, message.text) for message in log if message.kind == "user_message"]


def test_a_task_is_answered_with_a_memory_written_in_between(memgpt: MemGPT) -> None:
    agent, client = sam(memgpt, [NOTE, say("Hello Ann.")], system_message="You are terse.")
    messages = ask(agent, "I am Ann.")
    assert [type(message).__name__ for message in messages] == [
        "TextMessage",
        "ToolCallRequestEvent",
        "ToolCallExecutionEvent",
        "ThoughtEvent",
        "TextMessage",
    ]
    assert messages[-1].content == "Hello Ann." and messages[-1].source == "sam"
    assert messages[-1].models_usage.prompt_tokens == 200
    prompt, tools, choice = client.requests[1]
    assert isinstance(prompt[0], SystemMessage) and "You are terse." in prompt[0].content
    assert "Is Ann." in prompt[0].content and choice == "required"
    assert isinstance(prompt[-2], FunctionExecutionResultMessage)
    assert {"send_message", "archival_memory_search"} <= {tool["name"] for tool in tools}
    assert heard(agent) == [("user", "I am Ann.")]


def test_it_remembers_from_task_to_task_and_in_another_object(memgpt: MemGPT) -> None:
    agent, _ = sam(memgpt, [say("Noted."), say("Blue.")])
    ask(agent, "My hat is blue.")
    again, client = sam(memgpt, [say("Blue.")])
    assert ask(again, "My hat?")[-1].content == "Blue."
    assert "My hat is blue." in str(client.requests[0][0])


def test_events_come_while_it_works(memgpt: MemGPT) -> None:
    agent, _ = sam(memgpt, [NOTE, say("Hello.")])

    async def watch() -> list[str]:
        return [type(item).__name__ async for item in agent.run_stream(task="I am Ann.")]

    names = asyncio.run(watch())
    assert names[1:3] == ["ToolCallRequestEvent", "ToolCallExecutionEvent"] and names[-1] == TaskResult.__name__


def test_tools_of_autogen_stand_beside_the_memory_functions(memgpt: MemGPT) -> None:
    async def double(number: int) -> int:
        """Doubles."""
        return 2 * number

    def broken() -> str:
        """Never works."""
        raise RuntimeError("out of order")

    agent, client = sam(memgpt, [("double", {"number": 4}), ("broken", {}), say("It is 8.")], tools=[double, broken])
    messages = ask(agent, "Twice 4?")
    assert messages[-1].content == "It is 8."
    assert "content='8'" in str(client.requests[1][0])
    assert "RuntimeError: out of order" in str(client.requests[2][0])
    results = [one for message in messages if message.type == "ToolCallExecutionEvent" for one in message.content]
    assert [(one.name, one.is_error) for one in results] == [("double", False), ("broken", True)]


def test_in_a_team_by_turns(memgpt: MemGPT) -> None:
    agent, _ = sam(memgpt, [say("Blue."), say("Still blue.")])
    other = AssistantAgent("kim", FakeClient(["Which blue?", "I see."]))
    team = RoundRobinGroupChat([agent, other], termination_condition=MaxMessageTermination(5))
    messages = [message for message in ask(team, "What colour?") if isinstance(message, TextMessage)]
    assert [(one.source, one.content) for one in messages] == [
        ("user", "What colour?"),
        ("sam", "Blue."),
        ("kim", "Which blue?"),
        ("sam", "Still blue."),
        ("kim", "I see."),
    ]
    assert heard(agent) == [("user", "What colour?"), ("kim", "Which blue?")]


def test_in_a_team_whose_model_chooses(memgpt: MemGPT) -> None:
    agent, _ = sam(memgpt, [say("Blue.")], description="Knows colours.")
    chooser = FakeClient(["sam"])
    team = SelectorGroupChat(
        [agent, AssistantAgent("kim", FakeClient([]))], chooser, termination_condition=MaxMessageTermination(2)
    )
    assert ask(team, "What colour?")[-1].content == "Blue."
    assert "Knows colours." in str(chooser.requests[0][0])


def test_the_state_of_a_team_says_which_agent_it_is(memgpt: MemGPT) -> None:
    agent, _ = sam(memgpt, [say("Noted.")])
    team = RoundRobinGroupChat([agent], termination_condition=MaxMessageTermination(2))

    async def save() -> Any:
        await team.run(task="My hat is blue.")
        return await team.save_state()

    state = asyncio.run(save())
    assert "sk-" not in str(state)
    again, client = sam(memgpt, [say("Blue.")])

    async def restore() -> Any:
        new = RoundRobinGroupChat([again], termination_condition=MaxMessageTermination(2))
        await new.load_state(state)
        return await new.run(task="My hat?")

    assert asyncio.run(restore()).messages[-1].content == "Blue."
    assert again.core.id == agent.core.id and "My hat is blue." in str(client.requests[0][0])


def test_the_state_of_an_agent_that_is_gone_is_refused(memgpt: MemGPT) -> None:
    agent, _ = sam(memgpt, [])
    state = asyncio.run(agent.save_state())
    memgpt.delete_agent("sam")
    other, _ = sam(memgpt, [])
    with pytest.raises(AgentNotFound):
        asyncio.run(other.load_state(state))


def test_its_config_makes_another_without_keys(memgpt: MemGPT) -> None:
    agent, _ = sam(memgpt, [], system_message="You are terse.", human="Is Ann.", context_window=4096)
    written = agent.dump_component()
    again = MemGPTAssistant.load_component(written)
    assert again.dump_component() == written and again.name == "sam"
    named = MemGPTAssistant("kim", model={"model": "gpt-4o", "api_key": "sk-secret"}, memgpt=memgpt)
    assert "sk-secret" not in named.dump_component().model_dump_json()
    assert MemGPTAssistant.load_component(named.dump_component()).name == "kim"
    with pytest.raises(ConfigError, match="not both"):
        MemGPTAssistant("kim", FakeClient([]), model={"model": "gpt-4o"})


def test_without_a_client_the_package_chooses_the_model(memgpt: MemGPT) -> None:
    named = MemGPTAssistant("kim", model={"model": "gpt-4o", "api_key": "k"}, memgpt=memgpt)
    assert named.core.model.name == "gpt-4o"


def test_a_failed_model_loses_nothing(memgpt: MemGPT) -> None:
    agent, client = sam(memgpt, [RuntimeError("down"), say("Hello to Tom.")])
    with pytest.raises(RuntimeError, match="down"):
        ask(agent, "My cat is Tom.")
    assert ask(agent, "And now?")[-1].content == "Hello to Tom."
    assert [text for _, text in heard(agent)] == ["My cat is Tom.", "And now?"]
    assert client.requests[0][2] == "required"


def test_a_client_that_knows_no_tool_choice_is_asked_without(memgpt: MemGPT) -> None:
    agent, client = sam(memgpt, [RuntimeError("tool_choice is not supported"), say("One."), say("Two.")])
    assert ask(agent)[-1].content == "One." and ask(agent)[-1].content == "Two."
    assert [choice for _, _, choice in client.requests] == ["required", None, None]


def test_a_model_without_functions_just_speaks(memgpt: MemGPT) -> None:
    client = FakeClient(["Hello."], calls_functions=False)
    agent = MemGPTAssistant("sam", client, memgpt=memgpt)
    assert ask(agent)[-1].content == "Hello." and client.requests[0][1] == []


def test_cancelling_stops_the_wait_and_the_next_task_is_answered(memgpt: MemGPT) -> None:
    async def forever() -> str:
        await asyncio.sleep(30)
        return "late"

    agent, client = sam(memgpt, [forever])

    async def cancel() -> None:
        token = CancellationToken()
        task = asyncio.create_task(agent.run(task="Slow?", cancellation_token=token))
        while not client.requests:
            await asyncio.sleep(0.01)
        token.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await agent.on_reset(CancellationToken())
        client.script = [say("Here.")]
        assert (await agent.run(task="Now?")).messages[-1].content == "Here."

    asyncio.run(asyncio.wait_for(cancel(), 20))
    assert [text for _, text in heard(agent)] == ["Slow?", "Now?"]


def test_the_loop_stays_free_while_ten_work(memgpt: MemGPT) -> None:
    async def slow() -> Any:
        await asyncio.sleep(0.3)
        return say("Done.")

    agents = [MemGPTAssistant(f"a{number}", FakeClient([slow]), memgpt=memgpt) for number in range(10)]

    async def all_of_them() -> float:
        loop = asyncio.get_running_loop()
        started = loop.time()
        await asyncio.gather(*(agent.run(task="Go.") for agent in agents))
        return loop.time() - started

    assert asyncio.run(all_of_them()) < 2.5  # one after the other: over 3 s


def test_pictures_and_own_words_and_nothing(memgpt: MemGPT) -> None:
    agent, _ = sam(memgpt, [say("I see."), say("Silence.")])
    picture = MultiModalMessage(content=["Look: ", _dot()], source="ann")
    ask(agent, [picture, TextMessage(content="Mine.", source="sam")])
    assert heard(agent) == [("ann", "Look:  [image]")]
    assert ask(agent, None)[-1].content == "Silence."


def _dot() -> Any:
    from autogen_core import Image
    from PIL import Image as Pictures

    return Image(Pictures.new("RGB", (1, 1)))


def test_thoughts_are_shown_apart(memgpt: MemGPT) -> None:
    agent, _ = sam(memgpt, [say("Hi.")])
    thoughts = [message for message in ask(agent) if isinstance(message, ThoughtEvent)]
    assert [thought.content for thought in thoughts] == ["Say it."]


def test_classic_autogen_is_not_needed() -> None:
    program = "import sys, memgpt_autogen.agentchat; print('autogen' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "False"
