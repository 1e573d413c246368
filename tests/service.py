"""The example service with a model that answers with the number of its process."""

from __future__ import annotations

import os
from collections.abc import Sequence

from examples.service import app as service
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.messages import Message


def answer(messages: Sequence[Message], tools: object, only: object) -> str:
    return f"process {os.getpid()}"


def app() -> object:
    return service(lambda: ScriptedModel([answer] * 1000, context_window=32_000))
