"""Where a user's tool has the name of a function of the memory agent: the user's keeps it, the agent's gets another.

Inside the memory agent it is the other way round, since its functions are known by their names: there the user's tool
has a name of its own. :class:`RenamingModel` stands between the two, so that the model reads and writes the names that
the user sees.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from ..llm.base import ChatModel, OnDelta, WrappingModel
from ..messages import Message, Reply, ToolCall, ToolSchema

_INSIDE = "{}__user"
_SHOWN = "memgpt_{}"
#: The notes of the program within the words of others.
_NOTE = re.compile(r"\(cut: [^()]*\)$")


class ToolNames:
    """The names in one turn.

    Args:
        own: names of the memory agent's functions.
        offered: the user's tools.
    """

    def __init__(self, own: Collection[str], offered: Sequence[ToolSchema]) -> None:
        theirs = {tool.name for tool in offered}
        self.clashing = sorted(theirs & {*own})
        self._inside = {name: _INSIDE.format(name) for name in self.clashing}
        self._users = {inside: name for name, inside in self._inside.items()}
        self._shown = {name: _free(_SHOWN.format(name), {*own, *theirs}) for name in self.clashing}
        self._own = {shown: name for name, shown in self._shown.items()}

    def shown(self, own: str) -> str:
        """The name under which the model sees one of the memory agent's functions."""
        return self._shown.get(own, own)

    def inside(self, tools: Sequence[ToolSchema]) -> list[ToolSchema]:
        """The user's tools as the memory agent knows them."""
        return [replace(tool, name=self._inside.get(tool.name, tool.name)) for tool in tools]

    def users(self, call: ToolCall) -> ToolCall:
        """A call of a user's tool as the user knows it."""
        return replace(call, name=self._users.get(call.name, call.name))

    def to_model(self, name: str) -> str:
        """The model's name of a function that the memory agent knows by this name."""
        return self._users.get(name) or self._shown.get(name, name)

    def from_model(self, name: str) -> str:
        """The memory agent's name of a function that the model knows by this name."""
        return self._own.get(name) or self._inside.get(name, name)

    def in_text(self, text: str) -> str:
        """The program's own words, with the names that the model knows."""
        if not self._shown:
            return text
        return re.sub(rf"\b(?:{'|'.join(self._shown)})\b", lambda found: self._shown[found[0]], text)


class RenamingModel(WrappingModel):
    """A :class:`memgpt_autogen.llm.base.ChatModel` that reads and writes other names of functions.

    Args:
        model: answers.
        names: which function has which name.
    """

    def __init__(self, model: ChatModel, names: ToolNames) -> None:
        super().__init__(model)
        self._names = names

    def count(self, messages: Sequence[Message], tools: Sequence[ToolSchema] = ()) -> int:
        """Tokens of a prompt with the names that the model knows."""
        return self.inner.count([self._message(message) for message in messages], self._tools(tools))

    def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSchema],
        *,
        only: Collection[str] | None = None,
        cache: Any = None,
        max_tokens: int | None = None,
        on_delta: OnDelta | None = None,
    ) -> Reply:
        """See :class:`memgpt_autogen.llm.base.ChatModel`."""
        reply = self.inner.complete(
            [self._message(message) for message in messages],
            self._tools(tools),
            only=None if only is None else frozenset(self._names.to_model(name) for name in only),
            cache=cache,
            max_tokens=max_tokens,
            on_delta=on_delta,
        )
        calls = tuple(replace(call, name=self._names.from_model(call.name)) for call in reply.tool_calls)
        return replace(reply, tool_calls=calls)

    def _tools(self, tools: Sequence[ToolSchema]) -> list[ToolSchema]:
        return [replace(tool, name=self._names.to_model(tool.name), speaks=tool.is_speech) for tool in tools]

    def _message(self, message: Message) -> Message:
        calls = tuple(replace(call, name=self._names.to_model(call.name)) for call in message.tool_calls)
        content = message.content
        if message.role == "system" or (message.role == "user" and message.kind != "user_message"):
            content = self._names.in_text(content)
        elif message.role in ("user", "tool"):
            content = _NOTE.sub(lambda found: self._names.in_text(found[0]), content)
        author = message.author and (self._names.to_model(message.author) if message.role == "tool" else message.author)
        return replace(message, content=content, tool_calls=calls, author=author)


def users_name(name: str) -> str:
    """A user's tool's own name, given the one that the memory agent knows it by."""
    return name.removesuffix(_INSIDE.format(""))


def _free(name: str, taken: Collection[str]) -> str:
    while name in taken:
        name += "_"
    return name
