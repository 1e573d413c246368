"""Members of chats for the tests: memory agents with a scripted model, and others with scripted lines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import autogen
import pytest
from autogen.io import IOStream

from memgpt_autogen.client import MemGPT
from memgpt_autogen.config import Settings
from memgpt_autogen.groupchat.agent import MemGPTAgent
from memgpt_autogen.llm.scripted import Line, ScriptedModel
from memgpt_autogen.messages import Message, Reply, ToolCall
from memgpt_autogen.storage.sqlite import SQLiteStore

from ..llm.conftest import Answer


def open_memgpt(tmp_path: Path, database: Path | None = None, **environ: str) -> MemGPT:
    settings = Settings(home=tmp_path / "home", environ=environ)
    return MemGPT(settings, store=SQLiteStore(database), embedder=None)


def speech(text: str, thoughts: str = "") -> Reply:
    return Reply((ToolCall("send_message", {"message": text}),), inner_thoughts=thoughts)


def member(home: MemGPT, script: Sequence[Line], name: str = "sam", **kwargs: Any) -> tuple[MemGPTAgent, ScriptedModel]:
    """A memory agent that answers from a script, and the model inside."""
    model = ScriptedModel(script)
    return MemGPTAgent(name, agent=home.create_agent({"name": name}, model=model), **kwargs), model


def talker(name: str, lines: Sequence[Any] = (), **kwargs: Any) -> Any:
    """An agent that says its lines, one a turn, and then nothing more."""
    kwargs = {"llm_config": False, "human_input_mode": "NEVER", **kwargs}
    agent = autogen.ConversableAgent(name, **kwargs)
    left = list(lines)

    def say(recipient: Any, messages: Any = None, sender: Any = None, config: Any = None) -> tuple[bool, Any]:
        return (True, left.pop(0)) if left else (False, None)

    before_the_model = [entry["reply_func"].__name__ for entry in agent._reply_func_list].index("generate_oai_reply")
    agent.register_reply([autogen.Agent, None], say, position=before_the_model)
    return agent


def user(**kwargs: Any) -> Any:
    given = {"human_input_mode": "NEVER", "code_execution_config": False, "default_auto_reply": "", **kwargs}
    return autogen.UserProxyAgent("user", **given)


def group(agents: Sequence[Any], rounds: int, method: Any = "round_robin", **kwargs: Any) -> Any:
    """A manager of a group chat; arguments named ``manager_...`` are the manager's own."""
    own = {key.removeprefix("manager_"): kwargs.pop(key) for key in [*kwargs] if key.startswith("manager_")}
    chat = autogen.GroupChat(list(agents), messages=[], max_round=rounds, speaker_selection_method=method, **kwargs)
    return autogen.GroupChatManager(chat, **{"llm_config": False, "human_input_mode": "NEVER", **own})


class Screen(IOStream):  # type: ignore[misc]
    """What people see. (AutoGen's own console may write to a stream that pytest has closed by then.)"""

    def __init__(self) -> None:
        self.text = ""

    def print(self, *objects: Any, sep: str = " ", end: str = "\n", flush: bool = False) -> None:
        self.text += sep.join(map(str, objects)) + end

    def send(self, message: Any) -> None:
        message.print(self.print)

    def input(self, prompt: str = "", *, password: bool = False) -> str:
        raise AssertionError("asked a person")


def log(agent: MemGPTAgent) -> list[Message]:
    return list(agent.core.store.log.window(agent.core.id))


def heard(agent: MemGPTAgent) -> list[tuple[str | None, str]]:
    """What others said to an agent, in the order it came in."""
    return [(message.author, message.text) for message in log(agent) if message.kind == "user_message"]


def spoken(manager: Any) -> list[tuple[str, str]]:
    return [(message["name"], message["content"]) for message in manager.groupchat.messages]


def shown(prompt: Any) -> str:
    """All that a model was shown in one call."""
    return "\n".join(message.content for message in prompt.messages)


def completion(*calls: tuple[str, dict[str, Any]], text: str | None = None, model: str = "gpt-4o") -> Answer:
    """A reply of /v1/chat/completions, with function calls or with text."""
    listed = [
        {"id": f"call_{index}_{name}", "type": "function", "function": {"name": name, "arguments": json.dumps(given)}}
        for index, (name, given) in enumerate(calls)
    ]
    message = {"role": "assistant", "content": text, **({"tool_calls": listed} if listed else {})}
    return Answer(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": model,
            "choices": [{"index": 0, "finish_reason": "tool_calls" if listed else "stop", "message": message}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
        }
    )


def say(message: str) -> Answer:
    return completion(("send_message", {"inner_thoughts": "Say it.", "message": message}))


def llm_config(*addresses: str, **entry: Any) -> dict[str, Any]:
    """A plain AutoGen config of OpenAI servers at these addresses."""
    given = {"model": "gpt-4o", "api_key": "sk-test", **entry}
    return {"config_list": [{**given, "base_url": f"{one}/v1"} for one in addresses], "cache_seed": None}


def accepted(config: dict[str, Any]) -> dict[str, Any]:
    """The config; the test is skipped where this AutoGen refuses it."""
    try:
        autogen.AssistantAgent("probe", llm_config=config)
    except Exception as error:  # in words that differ by version
        pytest.skip(f"this AutoGen refuses the config: {str(error)[:100]}")
    return config
