"""AutoGen's client prepared for one call: with its ``response_format`` for text, without it for function calls.

``response_format`` must constrain what an agent says, but not its inner thoughts and the arguments of its memory
functions. So an agent that may speak is not offered ``send_message``: the text that it writes besides function calls
is its message, and the provider constrains that.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from ..messages import ToolSchema
from .responses_api import WholeConversation, is_stateful

#: Added to a request whose text is constrained by ``response_format``.
TEXT_REPLY_NOTE = (
    "There is no send_message now: to speak, write your reply itself, in the form that is asked for. Call a function "
    "only to work with your memory or to have something done."
)

_TOOLS = ("tools", "functions", "tool_choice")
_WITH_TOOLS = ("parallel_tool_calls",)  # refused in a request without functions
_FORMATS = ("response_format", "_response_format")  # its attribute in AutoGen's clients


def has_response_format(client: Any) -> bool:
    """Whether an ``OpenAIWrapper`` has a ``response_format``."""
    return any(entry.get("response_format") for entry in client._config_list) or any(
        getattr(one, name, None) for one in client._clients for name in _FORMATS
    )


def for_text_reply(client: Any, called: Sequence[ToolSchema]) -> Any:
    """A copy of the client without AutoGen's tools, which would replace the functions that we offer.

    Args:
        client: an ``OpenAIWrapper``.
        called: the functions that the request offers.
    """
    return _without(client, _TOOLS if called else (*_TOOLS, *_WITH_TOOLS))


def for_function_calls(client: Any, called: Sequence[ToolSchema]) -> Any:
    """The same, also without ``response_format``."""
    return _without(client, (*_TOOLS, *(() if called else _WITH_TOOLS), "response_format"))


def _without(client: Any, keys: tuple[str, ...]) -> Any:
    clone = copy.copy(client)
    clone.total_usage_summary = copy.deepcopy(client.total_usage_summary)
    clone.actual_usage_summary = copy.deepcopy(client.actual_usage_summary)
    clone._config_list = [
        {key: value for key, value in entry.items() if key not in keys} for entry in client._config_list
    ]
    clients = [_without_format(one) if "response_format" in keys else one for one in client._clients]
    clone._clients = [WholeConversation(one) if is_stateful(one) else one for one in clients]
    return clone


def _without_format(client: Any) -> Any:
    if not any(getattr(client, name, None) for name in _FORMATS):
        return client
    clone = copy.copy(client)
    for name in _FORMATS:
        if hasattr(clone, name):
            setattr(clone, name, None)
    return clone


def chosen_tools(
    choice: Any, offered: Sequence[ToolSchema], *, held: bool = False
) -> tuple[list[ToolSchema], str | Mapping[str, Any]]:
    """What a user's ``tool_choice`` leaves of the functions on offer, and the ``tool_choice`` that goes out.

    Args:
        choice: the user's: None, ``auto``, ``none``, ``required``, or a function by its name.
        offered: the memory agent's functions and the user's tools.
        held: the memory agent allows only some functions now; that goes first.
    """
    wanted = choice.get("function", {}).get("name") if isinstance(choice, Mapping) else None
    if held or choice is None:
        return list(offered), "required"
    if choice == "none":
        return [tool for tool in offered if not tool.caller], "required"
    if choice == "required":
        return [tool for tool in offered if not tool.is_speech] or list(offered), "required"
    if wanted and any(tool.name == wanted for tool in offered):
        return [tool for tool in offered if tool.name == wanted], choice
    return list(offered), "auto" if choice == "auto" else "required"
