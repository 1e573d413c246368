"""A group message takes the way to the model that docs/architecture.md tells."""

from __future__ import annotations

import re
import traceback
from pathlib import Path
from typing import Any

import memgpt_autogen
from memgpt_autogen.client import MemGPT
from memgpt_autogen.groupchat.agent import MemGPTAgent
from memgpt_autogen.groupchat.model import AutoGenModel

from .members import group, talker

PACKAGE = Path(memgpt_autogen.__file__).parent
#: Decorates the method that replies; it only passes the call on.
DECORATOR = "groupchat/reply_override.py"
PAGE = PACKAGE.parent / "docs" / "architecture.md"


def test_a_group_message_reaches_the_model_on_the_documented_way(memgpt: MemGPT, monkeypatch: Any) -> None:
    told = re.findall(r"^\d+\. `(\S+\.py)`", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    ways: list[list[str]] = []

    def watched(*args: Any, **kwargs: Any) -> Any:
        frames = [Path(frame.filename) for frame in traceback.extract_stack()]
        files = [str(path.relative_to(PACKAGE)) for path in frames if path.is_relative_to(PACKAGE)]
        files = [file for file in files if file != DECORATOR]
        ways.append([*dict.fromkeys(files), "groupchat/model.py"])
        raise RuntimeError("far enough")

    monkeypatch.setattr(AutoGenModel, "complete", watched)
    config = {"config_list": [{"model": "gpt-4o-mini", "api_key": "sk-test", "base_url": "http://127.0.0.1:9/v1"}]}
    sam = MemGPTAgent("sam", llm_config=config, memgpt=memgpt)
    bob, manager = talker("bob"), None
    try:
        manager = group([bob, sam], 3)
        bob.initiate_chat(manager, message="Hello, all.")
    except RuntimeError as error:
        assert str(error) == "far enough"
    assert ways and all(way == [file for file in told if file in way] for way in ways), (ways, told)
    assert {"groupchat/agent.py", "agent/agent.py", "agent/turn_runner.py"} <= {*ways[0]}
