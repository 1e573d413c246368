"""What a row of the server table holds.

A row says where to post, what to send, how to read the reply, how to constrain it, how the server counts tokens, and
what it reports about itself. Rows are data and pure functions: nothing here opens a connection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..messages import Usage

Json = dict[str, Any]
#: How a reply is constrained to a function call: by a GBNF grammar, by a JSON Schema, or by the prompt alone.
Constraint = Literal["gbnf", "schema", "none"]
#: The GBNF that a server's parser accepts: all of it, or the part that older parsers know.
Dialect = Literal["full", "plain"]
#: GET (body None) or POST a path of the server. Returns the parsed JSON.
Fetch = Callable[[str, Mapping[str, Any] | None], Any]


#: Fields that hold reasoning: DeepSeek's API and llama.cpp; OpenRouter and vLLM; Ollama.
_REASONING_FIELDS = ("reasoning_content", "reasoning", "thinking")


class ModelNotLoaded(Exception):
    """The server has no model loaded, or not the requested one. The message says what to do."""


@dataclass(frozen=True)
class SamplingParams:
    """Parameters of one completion.

    Attributes:
        max_tokens: the most tokens that the reply may have.
        stop: strings that end it.
        temperature: None: the server's default.
        extra: further request fields, passed on unchanged; they override the others.
    """

    max_tokens: int
    stop: tuple[str, ...] = ()
    temperature: float | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ServerInfo:
    """What a server reports about itself; empty or None where it reports nothing.

    Attributes:
        model: the model's name in requests.
        window: tokens of its context.
        legacy: an old version, which takes constraints in other request fields.
    """

    model: str = ""
    window: int | None = None
    legacy: bool = False


@dataclass(frozen=True)
class CompletionRequest:
    """One request for a completion.

    Attributes:
        prompt: the whole prompt.
        params: sampling parameters.
        gbnf, schema: the constraint on the reply; at most one.
        window: tokens of the context, for servers that set it by request.
        info: what the server reported about itself.
        messages: the same prompt as chat messages, for servers that apply the chat template themselves.
    """

    prompt: str
    params: SamplingParams
    gbnf: str | None = None
    schema: Json | None = None
    window: int = 0
    info: ServerInfo = ServerInfo()
    messages: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True)
class Completion:
    """A server's reply.

    Attributes:
        text: the text it generated.
        finish: ``limit``: cut by ``max_tokens``; ``unknown``: the server does not say.
        usage: None where the server does not report it, or reports wrong figures.
        prompt_truncated: the server reports that it dropped a part of the prompt.
        reasoning: what the server sent of the model's reasoning beside the text.
    """

    text: str
    finish: Literal["stop", "limit", "unknown"]
    usage: Usage | None = None
    prompt_truncated: bool = False
    reasoning: str = ""


@dataclass(frozen=True)
class TokenCountEndpoint:
    """An endpoint that counts tokens: ``body(text, model)`` is posted to ``path``, ``read`` gets the number."""

    path: str
    body: Callable[[str, str], Mapping[str, Any]]
    read: Callable[[Any], int]


@dataclass(frozen=True)
class StreamFormat:
    """How a server streams a completion.

    Attributes:
        delta: the new text in one event.
        assemble: the reply in the shape that :attr:`Server.read` takes, from the whole text and all events; None while
            the final event is missing.
        path: empty: the path of an unstreamed request.
        body: request fields that turn streaming on.
    """

    delta: Callable[[Any], str]
    assemble: Callable[[str, Sequence[Any]], Any | None]
    path: str = ""
    body: Mapping[str, Any] = field(default_factory=lambda: {"stream": True})


@dataclass(frozen=True)
class Probe:
    """How to recognise a server: ``matches`` is true of what GET ``path`` returns. It may raise on another shape."""

    path: str
    matches: Callable[[Any], bool]


def model_list_probe(matches: Callable[[Mapping[str, Any]], bool], path: str = "/v1/models") -> Probe:
    """A probe of an OpenAI-style model list: true if ``matches`` is true of one of its entries."""
    return Probe(path, lambda reply: any(matches(entry) for entry in reply["data"]))


def _openai_delta(event: Any) -> str:
    choice = (event.get("choices") or [{}])[0]
    delta = choice.get("delta") or choice.get("message") or {"content": choice.get("text")}
    return str(delta.get("content") or "")


def finish_reason(source: Any) -> str | None:
    """Why a reply ended, of a choice or an event, which may be an object or a dict; None: it goes on.

    koboldcpp says so of unfinished pieces with the string ``"null"``.
    """
    found = source.get("finish_reason") if isinstance(source, Mapping) else getattr(source, "finish_reason", None)
    return None if found in (None, "", "null") else str(found)


def reasoning_of(message: Any) -> str:
    """The reasoning beside the content of a chat message or of a delta, which may be an object or a dict."""
    for name in _REASONING_FIELDS:
        found = message.get(name) if isinstance(message, Mapping) else getattr(message, name, None)
        if isinstance(found, str) and found:
            return found
    return ""


def _openai_assemble(text: str, events: Sequence[Any]) -> Any | None:
    reasons = [finish_reason(event["choices"][0]) for event in events if event.get("choices")]
    reasons = [reason for reason in reasons if reason]
    usage = next((event["usage"] for event in reversed(events) if event.get("usage")), None)
    deltas = [event["choices"][0].get("delta") for event in events if event.get("choices")]
    message = {"content": text, "reasoning": "".join(map(reasoning_of, deltas))}
    return {"choices": [{"message": message, "finish_reason": reasons[-1]}], "usage": usage} if reasons else None


#: ``/v1/completions`` and ``/v1/chat/completions``.
OPENAI_STREAM = StreamFormat(
    _openai_delta, _openai_assemble, body={"stream": True, "stream_options": {"include_usage": True}}
)


def _requested_model_only(fetch: Fetch, requested: str) -> ServerInfo:
    return ServerInfo(requested)


@dataclass(frozen=True)
class Server:
    """One type of server. Its ``read`` functions raise KeyError, TypeError or ValueError on an unknown shape.

    Attributes:
        name: the ``model_endpoint_type``.
        title: its name in messages.
        path, body, read: the completion request and how to read its reply.
        endpoint: the address that it listens on by default; empty: it has none.
        probes: how to recognise it, tried in order. Rows are tried in the order of the table.
        get_info: asks for model and window: ``get_info(fetch, requested model)``. Raises ModelNotLoaded.
        count_parameters: asks for the model's number of parameters: ``count_parameters(fetch, model)``; None: not
            reported.
        count_tokens: None: tokens are estimated, and the estimate is corrected by the ``usage`` of replies.
        constraints: what it supports, best first; the second is the fallback.
        dialect: the GBNF that its parser accepts.
        chat: takes chat messages instead of a prompt, so that a reply cannot be given a prefix.
        fallback_window: tokens assumed where neither the server nor the configuration gives a window.
        requested_window: tokens requested where the configuration gives none, for servers that set it by request.
        openai_compatible: has an OpenAI-compatible API too.
        needs_model: requests name the model.
        reserved: request fields that ``settings`` may not set.
        error_hints: the next step for an error, by its ``type`` in the server's reply; ``down``: for no connection.
        loading_error: the ``type`` of its errors while it loads its model; empty: it does not answer then.
        empty_reply_hint: the usual cause of an empty reply, and the next step.
        rejects_bad_grammar: refuses a grammar that it cannot parse, so that a constrained reply always ends with it.
        show_template: asks for a text that shows the prompt format, such as the chat template or a rendered prompt:
            ``show_template(fetch, model)``; None: not reported.
        stream: None: it does not stream.
        template_path: a path that renders chat messages with the model's own template; empty: there is none.
    """

    name: str
    title: str
    path: str
    body: Callable[[CompletionRequest], Json]
    read: Callable[[Any], Completion]
    endpoint: str = ""
    probes: tuple[Probe, ...] = ()
    get_info: Callable[[Fetch, str], ServerInfo] = _requested_model_only
    count_parameters: Callable[[Fetch, str], int] | None = None
    count_tokens: TokenCountEndpoint | None = None
    constraints: tuple[Constraint, ...] = ("gbnf",)
    dialect: Dialect = "full"
    chat: bool = False
    fallback_window: int = 4096
    requested_window: int | None = None
    openai_compatible: bool = True
    needs_model: bool = False
    reserved: frozenset[str] = frozenset()
    error_hints: Mapping[str, str] = field(default_factory=dict)
    loading_error: str = ""
    empty_reply_hint: str = "Look at the server's log."
    rejects_bad_grammar: bool = False
    show_template: Callable[[Fetch, str], str] | None = None
    stream: StreamFormat | None = None
    template_path: str = ""

    def base_url(self, address: str) -> str:
        """The address without a trailing part of :attr:`path`: ``.../api/v1`` becomes ``...``."""
        parts = self.path.split("/")
        for end in range(len(parts), 1, -1):
            address = address.removesuffix("/".join(parts[:end]))
        return address.rstrip("/")


def pick_model(requested: str, names: Sequence[str], how_to_load: str) -> str:
    """The requested model, or the first of those loaded.

    Raises:
        ModelNotLoaded: the server has none, or not that one.
    """
    if not names:
        raise ModelNotLoaded(f"has no model loaded. {how_to_load}")
    if not requested:
        return names[0]
    for name in (requested, f"{requested}:latest"):
        if name in names:
            return name
    known = ", ".join(names[:10])
    raise ModelNotLoaded(f"has no model {requested!r}. It has: {known}. Set OPENAI_MODEL to one of them.")


def with_params(body: Json, params: SamplingParams, limit: str, stop: str) -> Json:
    """The body with token limit, stop strings and temperature added; the user's own settings override them.

    Args:
        limit, stop: the server's names for the first two.
    """
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
    message = choice["message"] if "message" in choice else {"content": choice["text"]}
    finish: Literal["stop", "limit"] = "limit" if choice.get("finish_reason") == "length" else "stop"
    text = str(message.get("content") or "")
    return Completion(text, finish, usage_of(reply), reasoning=reasoning_of(message))


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
