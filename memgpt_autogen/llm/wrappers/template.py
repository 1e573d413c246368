"""Derives a prompt format from a server's chat template: renders short chats and reads the markers off the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from .base import Wrapper

#: Renders messages (``role`` and ``content``) with the template, with or without the generation prompt.
Render = Callable[[Sequence[Mapping[str, str]], bool], str]

_ROLES = ("system", "user", "assistant", "tool")
_SAID = {role: f"qx{role}qx" for role in _ROLES}


def from_template(render: Render) -> Wrapper | None:
    """The format of a template, or None if it does not consist of markers around each message.

    Args:
        render: asks the server. Its errors are passed on, except for the role ``tool``, which many templates refuse:
            results then become user messages.
    """
    ends, starts = {}, {}
    chat: list[str] = []
    before = ""
    for role in ("system", "user"):
        chat.append(role)
        text = render(_messages(chat), False)
        start, found, end = text.removeprefix(before).partition(_SAID[role])
        if not found or not text.startswith(before):
            return None
        starts[role], ends[role], before = start, end, text
    reply = render(_messages(chat), True)
    if not reply.startswith(before):
        return None
    starts["assistant"] = reply.removeprefix(before)
    # Templates leave a final assistant message open, to be continued: its end marker shows only before another message.
    longer = render(_messages([*chat, "assistant", "user"]), False).removeprefix(reply + _SAID["assistant"])
    tail = starts["user"] + _SAID["user"] + ends["user"]
    if not longer.endswith(tail):
        return None
    ends["assistant"] = longer.removesuffix(tail)
    marks = {role: (starts[role], ends[role]) for role in starts}
    wrapper = Wrapper(
        name="auto",
        system=marks["system"],
        user=marks["user"],
        assistant=marks["assistant"],
        tool=(marks["user"][0] + "FUNCTION RETURN:\n", marks["user"][1]),
        stop=tuple(dict.fromkeys(stop for stop in (ends["assistant"].strip(), starts["user"].strip()) if stop)),
    )
    if not wrapper.stop or not _agrees(wrapper, render, [*chat, "assistant", "user", "user"]):
        return None
    return _with_tool(wrapper, render, [*chat, "assistant", "tool"])


def _with_tool(wrapper: Wrapper, render: Render, chat: Sequence[str]) -> Wrapper:
    try:
        text = render(_messages(chat), False)
    except Exception:  # a template may refuse the role in any way: use the user's markers
        return wrapper
    known = _written(wrapper, chat[:-1])
    before, found, after = text.removeprefix(known).partition(_SAID["tool"])
    return replace(wrapper, tool=(before, after)) if found and text.startswith(known) and before else wrapper


def _agrees(wrapper: Wrapper, render: Render, chat: Sequence[str]) -> bool:
    return render(_messages(chat), True) == _written(wrapper, chat) + wrapper.assistant[0]


def _written(wrapper: Wrapper, chat: Sequence[str]) -> str:
    return "".join(getattr(wrapper, role)[0] + _SAID[role] + getattr(wrapper, role)[1] for role in chat)


def _messages(chat: Sequence[str]) -> list[dict[str, str]]:
    return [{"role": role, "content": _SAID[role]} for role in chat]
