"""An adapter in place of AutoGen's LLM client, for models that the memory agent calls itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from ..llm.base import ChatModel
from ..messages import Message, Usage
from .translate import content_text


class CoreModelClient:
    """Answers AutoGen's own requests (summaries, speaker selection) and tracks usage, like ``OpenAIWrapper``.

    Args:
        model: returns the model; called at first use.
    """

    def __init__(self, model: Callable[[], ChatModel]) -> None:
        self._model = model
        self.total_usage_summary: dict[str, Any] | None = None
        self.actual_usage_summary: dict[str, Any] | None = None

    def create(self, **config: Any) -> SimpleNamespace:
        """A plain completion of ``config["messages"]``."""
        model = self._model()
        messages = [_message(message) for message in config.get("messages", ())]
        reply = model.complete(messages, [], cache=config.get("cache"), max_tokens=config.get("max_tokens"))
        add_usage(self, model.name, reply.usage)
        return SimpleNamespace(text=reply.text, cost=reply.usage.cost, model=model.name)

    def extract_text_or_completion_object(self, response: SimpleNamespace) -> list[str]:
        """The text of a response, in the form that AutoGen expects."""
        return [response.text]

    def clear_usage_summary(self) -> None:
        """Reset the usage counts."""
        self.total_usage_summary = self.actual_usage_summary = None

    def print_usage_summary(self, mode: Any = None) -> None:
        """Print the usage through AutoGen's ``IOStream``."""
        from autogen.io import IOStream

        IOStream.get_default().print(f"Usage: {self.actual_usage_summary or 'none yet'}")


def add_usage(client: Any, model: str, usage: Usage) -> None:
    """Add usage to both summaries of a client."""
    client.total_usage_summary = _added(client.total_usage_summary, model, usage)
    client.actual_usage_summary = _added(client.actual_usage_summary, model, usage)


def _message(message: Mapping[str, Any]) -> Message:
    role = message.get("role", "user")
    return Message(
        role=role if role in ("system", "user", "assistant") else "user",
        content=content_text(message.get("content")),
        author=message.get("name"),
    )


def _added(summary: Mapping[str, Any] | None, model: str, usage: Usage) -> dict[str, Any]:
    before = dict(summary or {"total_cost": 0.0})
    counts = before.get(model, {"cost": 0.0, "prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0})
    before["total_cost"] += usage.cost
    before[model] = {
        "cost": counts["cost"] + usage.cost,
        "prompt_tokens": counts["prompt_tokens"] + usage.prompt_tokens,
        "completion_tokens": counts["completion_tokens"] + usage.completion_tokens,
        "total_tokens": counts["total_tokens"] + usage.prompt_tokens + usage.completion_tokens,
    }
    return before
