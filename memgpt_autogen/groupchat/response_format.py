"""AutoGen's client, readied for one call: with its ``response_format`` for words, without it for functions.

What an agent says must have the form that ``response_format`` asks for; its inner thoughts and the arguments of its
memory functions must not. So where it may speak, it is offered no function to speak with: the words that it writes
beside the functions are held to the form by the provider, and they are what it says.
"""

from __future__ import annotations

import copy
from typing import Any

#: Goes with a request whose words are held to a form.
SPEAK = (
    "There is no send_message now: to speak, write your reply itself, in the form that is asked for. Call a function "
    "only to work with your memory or to have something done."
)

_TOOLS = ("tools", "functions", "tool_choice", "parallel_tool_calls")
_FORMATS = ("response_format", "_response_format")  # what AutoGen's clients call it


def has_format(client: Any) -> bool:
    """Whether an ``OpenAIWrapper`` holds replies to a form."""
    return any(entry.get("response_format") for entry in client._config_list) or any(
        getattr(one, name, None) for one in client._clients for name in _FORMATS
    )


def for_words(client: Any) -> Any:
    """The same client, its entries without AutoGen's tools: AutoGen would put them in place of what we offer."""
    return _without(client, _TOOLS)


def for_functions(client: Any) -> Any:
    """The same without a form for replies, too."""
    clone = _without(client, (*_TOOLS, "response_format"))
    if has_format(client):
        clone._clients = [_formless(one) for one in client._clients]
    return clone


def _without(client: Any, keys: tuple[str, ...]) -> Any:
    clone = copy.copy(client)
    clone.total_usage_summary = copy.deepcopy(client.total_usage_summary)
    clone.actual_usage_summary = copy.deepcopy(client.actual_usage_summary)
    clone._config_list = [
        {key: value for key, value in entry.items() if key not in keys} for entry in client._config_list
    ]
    return clone


def _formless(client: Any) -> Any:
    clone = copy.copy(client)
    for name in _FORMATS:
        if hasattr(clone, name):
            setattr(clone, name, None)
    return clone
