"""Parses function calls in free text, for replies that were not constrained.

Models wrap calls in prose or code fences, forget a bracket, use the wrong quotes, write arguments as a string, or use
another key for the name. Anything ambiguous is an error that the model sees, and half a call is never accepted: a text
that stops inside a string or after a comma was cut.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

from ..errors import MissingDependency, ModelReplyError
from ..events import clean
from ..messages import SEND_MESSAGE, ToolCall, ToolSchema
from .arguments import fit_arguments
from .reasoning import split_reasoning
from .reply_schema import THOUGHTS

_NAME_KEYS = ("function", "name", "function_name", "tool_name", "tool", "action")
_ARGUMENT_KEYS = ("params", "arguments", "parameters", "args", "kwargs", "input", "tool_input", "action_input")
#: Keys of a call that are not arguments, in calls with the arguments beside the name.
_ASIDE = ("id", "type", "index", THOUGHTS)
#: A brace that opens an object, as opposed to one in prose.
_OPENS = re.compile(r"""\{\s*(?://[^\n]*\s*)*(\}|\\?["'“‘]?[\w.-]+\\?["'”’]?\s*:)""")
#: ``<function=send_message>{"message": "hi"}</function>``, as some models are trained to write.
_TAGGED = re.compile(r"<function=([\w.-]{1,80})>\s*$")
_FENCE = re.compile(r"```\w*\s*$|<\|?tool_call\|?>\s*$")
_ESCAPED = re.compile(r'"|[^"]*\{\s*\\"')
_DEEPEST = 100
_REASONING_ALONE = "The reply ended before your reasoning did. Think less, and write the call."
#: A complete call ends by closing its arguments and itself after a value; a call cut inside a string hardly ever does.
_CLOSED = re.compile(r"""["'\]}\w]\s*\}\s*\}[\s`\]]*$""")

_ENDS_IN_VALUE = re.compile(r':\s*("(?:[^"\\]|\\.)*"|true|false|null)$', re.DOTALL)
_UP_TO_QUOTE = re.compile(r'(?:[^"\\]|\\.)*?"', re.DOTALL)
_NAME_ALONE = re.compile(r'\{\s*"(function|name)"\s*:\s*"[^"]*"$')
#: A quote that by its neighbours neither opens nor closes a JSON string, so belongs to the text.
_INNER_QUOTE = re.compile(r'(?<![{,:\[\\])(?<![{,:\[] )"(?!\s*[,:}\]])')


def parse_calls(text: str, tools: Sequence[ToolSchema], *, aloud: bool = False) -> tuple[list[ToolCall], str]:
    """The calls in a reply, in order, and the inner thoughts.

    Args:
        text: the whole reply, including the prefix that the prompt ended with.
        tools: the offered functions; names in another case or spelling are mapped to theirs. Calls of unknown functions
            beside a known one are kept unchanged.
        aloud: whether the text before the first call is inner thoughts.

    Returns:
        The calls, without ``inner_thoughts`` in their arguments, and the thoughts joined by line breaks, reasoning
        before the answer first. A call whose arguments cannot be parsed has ``error`` set.

    Raises:
        ModelReplyError: there is no call of a known function, or the text was cut. Has the text.
    """
    names = Names(tools)
    calls: list[ToolCall] = []
    reasoning, answer = split_reasoning(text)
    thoughts = [reasoning]
    found = False
    whole = _unquoted(answer)
    try:
        for start, value in _objects(whole):
            tagged = _TAGGED.search(whole, max(0, start - 100), start)
            for name, arguments, thought in [(tagged[1], value, "")] if tagged else calls_in(value, names):
                match = names.find(name)
                if aloud and not calls:
                    thoughts.append(_FENCE.sub("", whole[:start].strip()).strip())
                found = found or match is not None
                call, own = to_call(match or name, arguments)
                calls.append(call)
                thoughts += [thought, own]
    except ModelReplyError as error:
        raise ModelReplyError(str(error), text=text) from None
    if not found:
        why = _REASONING_ALONE if reasoning and not answer else _why_none(calls, tools)
        raise ModelReplyError(why, text=text)
    return calls, "\n".join(dict.fromkeys(words for words in thoughts if words))


def holds_data(text: str) -> bool:
    """Whether a text is one complete JSON object or list without anything like a call."""
    try:
        value = json.loads(re.sub(r"^```\w*\s*|\s*```$", "", text.strip()))
    except (ValueError, RecursionError):
        return False
    telling = {*_ARGUMENT_KEYS, THOUGHTS, "request_heartbeat", "tool_calls", "function_call"}
    if not value or not isinstance(value, (dict, list)) or (isinstance(value, dict) and telling & value.keys()):
        return False
    return next(calls_in(value, Names(())), None) is None


class Names:
    """Looks up functions by approximate names, such as ``functions.sendMessage()``."""

    def __init__(self, tools: Sequence[ToolSchema]) -> None:
        self._known = {tool.name: tool.name for tool in reversed(tools)}
        self._folded = {_letters(tool.name): tool.name for tool in reversed(tools)}

    def find(self, name: str) -> str | None:
        short = name.rpartition(".")[2]
        return self._known.get(name) or self._known.get(short) or self._folded.get(_letters(short) or "-")


def _letters(name: str) -> str:
    return "".join(sign for sign in name.casefold() if sign.isalnum())


def _unquoted(text: str) -> str:
    """The text itself, if a model wrote it as one JSON string, with or without its quotes."""
    stripped = text.strip()
    if not _ESCAPED.match(stripped):
        return text
    try:
        inner = json.loads(stripped if stripped.startswith('"') else f'"{stripped}"', strict=False)
    except (ValueError, RecursionError):
        return text
    return inner if isinstance(inner, str) else text


def to_call(
    name: str, arguments: Any, call_id: Any = None, *, own: bool = True, takes_thoughts: bool = False
) -> tuple[ToolCall, str]:
    """A call and its inner thoughts from raw arguments: a mapping, JSON text (repaired if necessary), or nothing.

    Arguments that cannot be parsed give a call with ``error`` set.

    Args:
        name, arguments, call_id: as the model wrote them.
        own: a function of the agent's, not of its caller's.
        takes_thoughts: the function itself has an argument ``inner_thoughts``. Without one they are taken out: a model
            that writes its thoughts into the agent's functions may do so in others, which would refuse them.
    """
    identity: dict[str, Any] = {} if call_id in (None, "") else {"id": str(call_id)}  # some servers send numbers
    if isinstance(arguments, str) and arguments.strip():
        try:
            arguments = next(_objects(arguments))[1]
        except (ModelReplyError, StopIteration):
            error = f"The arguments of {name} are not a whole JSON object: {arguments[:200]!r}. Write them again."
            return ToolCall(name, error=error, **identity), ""
    arguments = clean(arguments or {})
    if not isinstance(arguments, dict):
        error = f"The arguments of {name} must be a JSON object, not a {type(arguments).__name__}."
        return ToolCall(name, error=error, **identity), ""
    given = "" if takes_thoughts else (arguments.pop(THOUGHTS, "") or "")
    thoughts = [given if isinstance(given, str) else json.dumps(given)]
    if own and name == SEND_MESSAGE and isinstance(arguments.get("message"), str):
        reasoning, arguments["message"] = split_reasoning(arguments["message"])
        thoughts.append(reasoning)
    return ToolCall(name, arguments, **identity), "\n".join(filter(None, thoughts))


def check_calls(
    calls: Sequence[ToolCall], tools: Sequence[ToolSchema], only: Collection[str] | None, text: str = ""
) -> list[ToolCall]:
    """The calls with validated arguments (see :mod:`.arguments`).

    Raises:
        ModelReplyError: a function is not allowed or its arguments are wrong; the message is written for the model.
            Then no call of the reply may run.
    """
    offered = {tool.name: tool for tool in tools if only is None or tool.name in only}
    checked = []
    for call in calls:
        if call.name not in offered:
            raise ModelReplyError(f"{call.name} cannot be called now. Call one of: {', '.join(offered)}.", text=text)
        if call.error:
            raise ModelReplyError(call.error, text=text)
        try:
            checked.append(replace(call, arguments=fit_arguments(offered[call.name], call.arguments)))
        except ValueError as error:
            raise ModelReplyError(str(error), text=text) from None
    return checked


def _why_none(calls: Sequence[ToolCall], tools: Sequence[ToolSchema]) -> str:
    names = ", ".join(tool.name for tool in tools)
    if calls:
        return f"There is no function {calls[0].name!r}. Call one of: {names}."
    return f"The reply holds no function call. Call one of: {names}."


def calls_in(value: Any, names: Names, depth: int = 0) -> Iterator[tuple[str, Any, str]]:
    """(name, raw arguments, inner thoughts beside them) of each call in a JSON value of any dialect."""
    if isinstance(value, list) and depth < _DEEPEST:
        for item in value:
            yield from calls_in(item, names, depth + 1)
    if not isinstance(value, dict) or depth >= _DEEPEST:
        return
    thought = value.get(THOUGHTS)
    thought = thought if isinstance(thought, str) else ""
    name_key = next((key for key in _NAME_KEYS if isinstance(value.get(key), str)), None)
    if name_key is not None:
        held = [key for key in _ARGUMENT_KEYS if key in value]
        beside = {key: item for key, item in value.items() if key not in (name_key, *_ASIDE)}
        yield value[name_key].strip(), value[held[0]] if held else beside, thought
        return
    for key, item in value.items():
        # The function's name as the key: {"send_message": {"message": "hi"}}.
        if isinstance(item, dict) and names.find(key) and not _is_call(item):
            yield key, item, thought
            thought = ""
        elif isinstance(item, (dict, list)):
            yield from calls_in(item, names, depth + 1)


def _is_call(value: dict[str, Any]) -> bool:
    return any(isinstance(value.get(key), str) for key in _NAME_KEYS) and any(key in value for key in _ARGUMENT_KEYS)


def _objects(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each outermost JSON object in a text with its start index, repaired if broken.

    Raises:
        ModelReplyError: the last object was cut.
    """
    decoder = json.JSONDecoder(strict=False)
    start = text.find("{")
    while start >= 0:
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            value, end = _mended(text, start) if _OPENS.match(text, start) else (None, start + 1)
        if isinstance(value, dict):
            yield start, value
        start = text.find("{", end)


def _mended(text: str, start: int) -> tuple[Any, int]:
    end = _end_of_object(text, start)
    rest = text[start : end or len(text)]
    if end is None:
        rest = rest.rstrip().removesuffix("```").rstrip()
        if not _CLOSED.search(rest) and not _lacks_only_brackets(rest):
            raise ModelReplyError("The reply stops in the middle of a call. Write a shorter one.", text=text)
    try:
        return json.loads(_INNER_QUOTE.sub(r'\\"', rest), strict=False), end or len(text)
    except (ValueError, RecursionError):
        return _repaired(rest), end or len(text)


def _repaired(rest: str) -> Any:
    """An object in Python's notation, or in JSON that json-repair can repair; else None."""
    if rest.count("{") + rest.count("[") > _DEEPEST:
        return None
    try:
        import json_repair
    except ImportError as error:
        raise MissingDependency("Repairing a model's JSON needs json-repair.", "json-repair") from error
    try:
        return json_repair.loads(rest, skip_json_loads=True)
    except (ValueError, RecursionError):
        return None


def _end_of_object(text: str, start: int) -> int | None:
    """The index after the bracket that closes the one at ``start``, ignoring strings; None if it is not closed."""
    depth, inside, position = 0, False, start
    while position < len(text):
        sign = text[position]
        if inside and sign == "\\":
            position += 1
        elif sign == '"':
            inside = not inside
        elif not inside and sign in "{[":
            depth += 1
        elif not inside and sign in "}]":
            depth -= 1
            if depth == 0:
                return position + 1
        position += 1
    return None


def _lacks_only_brackets(rest: str) -> bool:
    """Whether an unclosed object lacks nothing but closing ``}``."""
    ends_in_value = rest.endswith(("]", "}")) or _ENDS_IN_VALUE.search(rest)
    in_string = len(_UP_TO_QUOTE.findall(rest)) % 2 == 1
    return bool(ends_in_value) and not in_string and not _NAME_ALONE.match(rest)
