"""What a row of the table of servers is made of.

A row says where to post, what to send, how to read what comes back, how a reply is held to a form, how the server
counts tokens and what it tells of itself. Nothing here talks to a network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ...messages import Usage
from ..reply_schema import Dialect

Json = dict[str, Any]
#: How a reply is held to a form: by a grammar, by a JSON Schema, or by words alone.
Way = Literal["gbnf", "schema", "free"]
#: GET (without a body) or POST a path of the server; the JSON that comes back.
Ask = Callable[[str, Mapping[str, Any] | None], Any]


class NoModel(Exception):
    """The server has no model to ask, or not the one that was named. The message says what to do."""


@dataclass(frozen=True)
class Params:
    """How one reply is to be made.

    Attributes:
        max_tokens: the reply's limit.
        stop: strings that end it.
        temperature: None leaves it to the server.
        extra: further request fields, as they are; they win over the rest.
    """

    max_tokens: int
    stop: tuple[str, ...] = ()
    temperature: float | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """What a server says of itself; empty or None where it does not.

    Attributes:
        model: the name to ask for.
        window: tokens of its context.
        dated: an old version, which wants its constraints in other fields.
    """

    model: str = ""
    window: int | None = None
    dated: bool = False


@dataclass(frozen=True)
class Order:
    """One request for a reply.

    Attributes:
        prompt: the whole prompt.
        params: how the reply is to be made.
        gbnf, schema: what holds it to a form; at most one.
        window: tokens of the context, for servers that want to be told.
        facts: what the server said of itself.
        turns: the same prompt as chat messages, for servers that write it themselves.
    """

    prompt: str
    params: Params
    gbnf: str | None = None
    schema: Json | None = None
    window: int = 0
    facts: Facts = Facts()
    turns: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True)
class Completion:
    """What a server wrote.

    Attributes:
        text: the reply.
        finish: ``limit`` where the token limit cut it, ``unknown`` where the server does not say.
        usage: None where it does not say, or is known to be wrong.
        cut_prompt: the server says that it left out a part of the prompt.
    """

    text: str
    finish: Literal["stop", "limit", "unknown"]
    usage: Usage | None = None
    cut_prompt: bool = False


@dataclass(frozen=True)
class Question:
    """A small request with a number for an answer: ``body(text, model)`` is posted."""

    path: str
    body: Callable[[str, str], Mapping[str, Any]]
    read: Callable[[Any], int]


@dataclass(frozen=True)
class Stream:
    """How a server sends a reply while it is written.

    Attributes:
        piece: the text in one piece of it.
        whole: the reply in the shape that :attr:`Server.read` reads, of all the text and all the pieces; None while
            its end has not come.
        path: empty: as for a reply in one.
        body: fields of the request beside the usual ones.
    """

    piece: Callable[[Any], str]
    whole: Callable[[str, Sequence[Any]], Any | None]
    path: str = ""
    body: Mapping[str, Any] = field(default_factory=lambda: {"stream": True})


def _openai_piece(event: Any) -> str:
    choice = (event.get("choices") or [{}])[0]
    found = choice.get("delta") or choice.get("message") or {"content": choice.get("text")}
    return str(found.get("content") or "")


def _openai_whole(text: str, events: Sequence[Any]) -> Any | None:
    ends = [row["choices"][0]["finish_reason"] for row in events if row.get("choices")]
    ends = [reason for reason in ends if reason]
    usage = next((row["usage"] for row in reversed(events) if row.get("usage")), None)
    return {"choices": [{"text": text, "finish_reason": ends[-1]}], "usage": usage} if ends else None


#: ``/v1/completions`` and ``/v1/chat/completions``.
OPENAI_STREAM = Stream(_openai_piece, _openai_whole, body={"stream": True, "stream_options": {"include_usage": True}})


def _nothing(ask: Ask, wanted: str) -> Facts:
    return Facts(wanted)


@dataclass(frozen=True)
class Server:
    """One kind of server. The ``read`` functions raise KeyError, TypeError or ValueError on an unknown shape.

    Attributes:
        name: the ``model_endpoint_type``.
        title: its name in messages.
        path, body, read: the request for a reply.
        learn: asks the server which model and window it has; ``learn(ask, wanted model)``. Raises NoModel.
        weigh: asks for the number of the model's weights; ``weigh(ask, model)``. None: it does not tell them.
        count: asks for the tokens of a text; None: they are estimated, and the estimate learns from the replies.
        ways: how a reply can be held to a form; the second is taken where the first fails.
        dialect: of its grammars.
        chat: takes chat messages instead of a prompt, and no start of the reply.
        window: tokens taken where neither the server nor the configuration says.
        modest: tokens asked for where the configuration says none, for servers that set their window by request.
        openai: has an OpenAI-compatible API beside its own.
        needs_model: requests name the model.
        reserved: request fields that settings may not set, since the program decides them.
        hints: what to do about an error, by the ``type`` the server gives it.
        empty: what an empty reply means, and what to do.
        strict: refuses a grammar that it cannot read, so that a reply held to one always ends with it.
        shows: asks for a text in which the model's format shows, its chat template or a prompt written by that;
            ``shows(ask, model)``. None: there is none.
        stream: how a reply is sent while it is written; None: it is not.
        template: a path that renders chat messages by the model's own template; empty: there is none.
    """

    name: str
    title: str
    path: str
    body: Callable[[Order], Json]
    read: Callable[[Any], Completion]
    learn: Callable[[Ask, str], Facts] = _nothing
    weigh: Callable[[Ask, str], int] | None = None
    count: Question | None = None
    ways: tuple[Way, ...] = ("gbnf",)
    dialect: Dialect = "full"
    chat: bool = False
    window: int = 4096
    modest: int | None = None
    openai: bool = True
    needs_model: bool = False
    reserved: frozenset[str] = frozenset()
    hints: Mapping[str, str] = field(default_factory=dict)
    empty: str = "Look at the server's log."
    strict: bool = False
    shows: Callable[[Ask, str], str] | None = None
    stream: Stream | None = None
    template: str = ""

    def base(self, address: str) -> str:
        """An address without what :attr:`path` says once more: ``.../api/v1`` for ``/api/v1/generate``."""
        parts = self.path.split("/")
        for end in range(len(parts), 1, -1):
            address = address.removesuffix("/".join(parts[:end]))
        return address.rstrip("/")


def chosen(wanted: str, names: Sequence[str], where: str) -> str:
    """The model to ask for: the wanted one, or the first.

    Raises:
        NoModel: the server has none, or not that one.
    """
    if not names:
        raise NoModel(f"has no model loaded. {where}")
    if not wanted:
        return names[0]
    for name in (wanted, f"{wanted}:latest"):
        if name in names:
            return name
    raise NoModel(f"has no model {wanted!r}. It has: {', '.join(names[:10])}. Set OPENAI_MODEL to one of them.")


def with_params(body: Json, params: Params, limit: str, stop: str) -> Json:
    """The request with limit, stop strings and temperature; settings of the user's own come last."""
    body |= {limit: params.max_tokens}
    own = dict(params.extra)
    stops = [*params.stop, *_list(own.pop(stop, ()))]
    if stops:
        body[stop] = stops
    if params.temperature is not None:
        body["temperature"] = params.temperature
    return body | own


def usage_of(reply: Any) -> Usage | None:
    """The ``usage`` of an OpenAI-style reply."""
    usage = reply.get("usage") or {}
    if not usage.get("prompt_tokens"):
        return None
    details = usage.get("prompt_tokens_details") or {}
    cached = int(details.get("cached_tokens") or 0)
    return Usage(int(usage["prompt_tokens"]), int(usage.get("completion_tokens") or 0), cached)


def read_openai(reply: Any) -> Completion:
    """A reply of ``/v1/completions`` or ``/v1/chat/completions``."""
    choice = reply["choices"][0]
    text = choice["message"].get("content") if "message" in choice else choice["text"]
    finish: Literal["stop", "limit"] = "limit" if choice.get("finish_reason") == "length" else "stop"
    return Completion(str(text or ""), finish, usage_of(reply))


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
