"""Reads function calls out of free text, for replies that no grammar held to a form.

Models wrap calls in prose or fences, forget a bracket, quote with the wrong sign, write arguments as a
string, or use another key for the name. What cannot be read with certainty is an error for the model to see,
and half a call is never taken for a whole one: a text that stops inside a string or after a comma was cut.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from ..errors import MissingDependency, ModelReplyError
from ..events import clean
from ..messages import ToolCall, ToolSchema
from .reply_schema import THOUGHTS

_NAME_KEYS = ("function", "name")
_ARGUMENT_KEYS = ("params", "arguments", "parameters")
#: A whole call ends by closing its arguments and itself after a value; a call cut inside a string hardly ever
#: does.
_CLOSED = re.compile(r"""["'\]}\w]\s*\}\s*\}[\s`\]]*$""")

_ENDS_IN_VALUE = re.compile(r':\s*("(?:[^"\\]|\\.)*"|true|false|null)$', re.DOTALL)
_UP_TO_QUOTE = re.compile(r'(?:[^"\\]|\\.)*?"', re.DOTALL)
_NAME_ALONE = re.compile(r'\{\s*"(function|name)"\s*:\s*"[^"]*"$')
#: A quote that neither opens nor closes a JSON string, going by its neighbours: one that belongs to the text.
_INNER_QUOTE = re.compile(r'(?<![{,:\[\\])(?<![{,:\[] )"(?!\s*[,:}\]])')


def parse_calls(text: str, tools: Sequence[ToolSchema]) -> tuple[list[ToolCall], str]:
    """The calls in a reply, in order, and the private monologue.

    Args:
        text: all that the model wrote (with the start of the reply that the prompt gave it, if it did).
        tools: the functions on offer; a name in the wrong case is mapped to theirs. Calls of other functions
            beside a known one are kept as they are written.

    Returns:
        The calls, without ``inner_thoughts`` in their arguments, and the thoughts joined by line breaks. A
        call whose arguments are hopeless has ``error`` set.

    Raises:
        ModelReplyError: there is no call of a known function, or the text was cut. Carries the text.
    """
    known = {tool.name: tool.name for tool in reversed(tools)}
    folded = {tool.name.casefold(): tool.name for tool in reversed(tools)}
    calls: list[ToolCall] = []
    thoughts: list[str] = []
    found = False
    for value in _objects(text):
        for name, arguments, thought in _calls_in(value):
            short = name.removeprefix("functions.")
            match = known.get(name) or known.get(short) or folded.get(short.casefold())
            found = found or match is not None
            call, own = to_call(match or name, arguments)
            calls.append(call)
            thoughts += [words for words in (thought, own) if words]
    if not found:
        raise ModelReplyError(_why_none(calls, tools), text=text)
    return calls, "\n".join(dict.fromkeys(thoughts))


def to_call(name: str, arguments: Any, call_id: str | None = None) -> tuple[ToolCall, str]:
    """A call and its inner thoughts from raw arguments: a mapping, JSON text (mended if need be), or nothing.

    Arguments that cannot be read give a call with ``error`` set.
    """
    identity: dict[str, Any] = {"id": call_id} if call_id else {}
    if isinstance(arguments, str) and arguments.strip():
        try:
            arguments = next(_objects(arguments))
        except (ModelReplyError, StopIteration):
            error = f"The arguments of {name} are not a whole JSON object: {arguments[:200]!r}. Write them again."
            return ToolCall(name, error=error, **identity), ""
    arguments = clean(arguments or {})
    if not isinstance(arguments, dict):
        error = f"The arguments of {name} must be a JSON object, not a {type(arguments).__name__}."
        return ToolCall(name, error=error, **identity), ""
    thoughts = arguments.pop(THOUGHTS, "") or ""
    return ToolCall(name, arguments, **identity), thoughts if isinstance(thoughts, str) else json.dumps(thoughts)


def check_calls(
    calls: Sequence[ToolCall], tools: Sequence[ToolSchema], only: Collection[str] | None, text: str = ""
) -> None:
    """See that each call is of an allowed function and has all that the function requires.

    Raises:
        ModelReplyError: one is not, or has not; the message is written for the model to read.
    """
    required = {tool.name: tool.parameters.get("required") or () for tool in tools}
    allowed = [name for name in required if only is None or name in only]
    for call in calls:
        if call.name not in allowed:
            raise ModelReplyError(f"{call.name} cannot be called now. Call one of: {', '.join(allowed)}.", text=text)
        if call.error:
            raise ModelReplyError(call.error, text=text)
        missing = [key for key in required[call.name] if key not in call.arguments and key != THOUGHTS]
        if missing:
            raise ModelReplyError(f"The call of {call.name} lacks {', '.join(missing)}.", text=text)


def _why_none(calls: Sequence[ToolCall], tools: Sequence[ToolSchema]) -> str:
    names = ", ".join(tool.name for tool in tools)
    if calls:
        return f"There is no function {calls[0].name!r}. Call one of: {names}."
    return f"The reply holds no function call. Call one of: {names}."


def _calls_in(value: Any) -> Iterator[tuple[str, Any, str]]:
    """(name, raw arguments, monologue beside them) of each call in a JSON value, whatever its dialect."""
    if isinstance(value, list):
        for item in value:
            yield from _calls_in(item)
    if not isinstance(value, dict):
        return
    for wrapper in ("tool_calls", "function", "function_call"):
        if isinstance(value.get(wrapper), (dict, list)):
            yield from _calls_in(value[wrapper])
            return
    name = next((value[key] for key in _NAME_KEYS if isinstance(value.get(key), str)), None)
    if name is not None:
        thought = value.get(THOUGHTS)
        arguments: Any = next((value[key] for key in _ARGUMENT_KEYS if key in value), None)
        yield name.strip(), arguments, thought if isinstance(thought, str) else ""


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Each outermost JSON object in a text, mended where it is broken.

    Raises:
        ModelReplyError: the last one was cut.
    """
    decoder = json.JSONDecoder(strict=False)
    start = text.find("{")
    while start >= 0:
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            value, end = _mended(text, start)
        if isinstance(value, dict):
            yield value
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
    except ValueError:
        pass
    try:
        import json_repair
    except ImportError as error:
        raise MissingDependency("Mending a model's JSON needs json-repair.", "json-repair") from error
    return json_repair.loads(rest, skip_json_loads=True), end or len(text)


def _end_of_object(text: str, start: int) -> int | None:
    """Where the bracket at ``start`` is closed, brackets within strings left out; None if it is not."""
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
    """Whether each string and value in an unclosed object is whole: only ``}`` are missing at its end."""
    ends_in_value = rest.endswith(("]", "}")) or _ENDS_IN_VALUE.search(rest)
    in_string = len(_UP_TO_QUOTE.findall(rest)) % 2 == 1
    return bool(ends_in_value) and not in_string and not _NAME_ALONE.match(rest)
