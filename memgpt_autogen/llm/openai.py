"""The OpenAI chat API with functions: OpenAI, Azure and compatible servers.

Servers and models refuse different settings. One that was refused (``max_tokens``, a temperature) is no longer sent;
the form of the conversation is handled by :mod:`.provider_form`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ..config import LLMConfig
from ..config.host_secrets import SendSecrets, bound, unsealed_for
from ..config.http_client import http_client
from ..config.pasted import Environment
from ..config.secrets import VARIABLES, key_in_environment
from ..errors import ConfigError, MissingDependency, ModelReplyError, ModelServerError, PromptTooLong
from ..messages import Message, Reply, ToolSchema, Usage
from ..observers import Discarded
from ..servers.base import reasoning_of
from .base import OnDelta, ReplyDelta
from .chat_format import read_chat_reply
from .context_window import REPLY_LIMITS, ContextWindow, asked_of
from .http_errors import LoadingWait, is_loading
from .openai_errors import RETRIES, error_message, explain, raising_errors
from .openai_stream import STREAMED, StreamTruncated, assemble
from .provider_form import ProviderForm
from .tokens import TokenCounter
from .transport import LOADING_TIME

log = logging.getLogger(__name__)

_AZURE_VERSION = "2024-10-21"
#: Request fields that a server may refuse, in the order in which its message is searched for them.
_DISPENSABLE = ("max_tokens", "temperature", "stream_options", "stream")
#: Settings of the client, not of a request.
_CLIENT_SETTINGS = ("api_version", "default_headers", "organization", "max_retries")


class OpenAIChat:
    """A :class:`~memgpt_autogen.llm.base.ChatModel` on the OpenAI chat API.

    Args:
        config: ``model_endpoint_type`` ``openai`` or ``azure``; ``settings`` are passed on unchanged, except
             ``api_version`` (Azure), ``default_headers``, ``organization`` and ``max_retries``.
        inner_thoughts: whether each function gets inner thoughts as its first parameter.
        environ: has keys, Azure's address and its version if the configuration has none.

    Raises:
        ConfigError: no key, or no address for Azure.
    """

    def __init__(
        self, config: LLMConfig, *, inner_thoughts: bool = True, environ: Mapping[str, str] | None = None
    ) -> None:
        self.config = config
        environ = Environment(os.environ if environ is None else environ)
        self._thoughts = inner_thoughts
        self._azure = config.model_endpoint_type == "azure"
        if not config.model:
            raise ConfigError("Which model? Set model (for Azure, the name of the deployment).")
        self.address = self._base_url(environ)
        kind = config.model_endpoint_type
        given = config.api_key or key_in_environment(kind, self.address, environ)[0]
        self._key = bound(given, self.address)
        self._settings = unsealed_for(config.settings, self.address)
        if not self._key and (self._azure or _host(self.address).endswith("openai.com")):
            raise ConfigError(f"{self.address} needs an API key: set {VARIABLES[kind][0]}.")
        version = config.settings.get("api_version") or environ.get("OPENAI_API_VERSION")
        self._version = version or environ.get("AZURE_OPENAI_VERSION") or _AZURE_VERSION
        self._counter = TokenCounter(config.model)
        self._refused: set[str] = set()
        self.form = ProviderForm(config.model, self.address)
        self._client: Any = None
        ask = None if self._azure else (lambda: asked_of(self._connected(), config.model))
        limits = [config.settings.get(key) for key in REPLY_LIMITS]
        self._window = ContextWindow(
            config.model,
            config.context_window,
            address=self.address,
            ask=ask,
            reply_tokens=next((limit for limit in limits if isinstance(limit, int)), None),
        )

    @property
    def name(self) -> str:
        return self.config.model

    @property
    def context_window(self) -> int:
        """The configured window, else what is known of the model: see :mod:`.context_window`."""
        return self._window.tokens

    @property
    def reply_tokens(self) -> int | None:
        """Tokens to reserve for the reply, if the settings or the kind of model require it."""
        return self._window.reply_tokens

    def count_tokens(self, text: str) -> int:
        """Tokens in a text, by tiktoken or by an estimate that learns from ``usage``."""
        return self._counter.count(text)

    def count(self, messages: Sequence[Message], tools: Sequence[ToolSchema] = ()) -> int:
        """Tokens of these messages and functions in a chat request."""
        return self._counter.count_messages(messages, tools) + self.form.tokens(messages)

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
        """See :meth:`memgpt_autogen.llm.base.ChatModel.complete`. ``cache`` is not used."""
        offered = [tool for tool in tools if only is None or tool.name in only]
        if tools and not offered:
            raise ValueError(f"None of the functions {sorted(only or ())} is on offer.")
        request: dict[str, Any] = {}
        if offered:
            request["tool_choice"] = "required"
            if only is not None and len(offered) == 1:
                request["tool_choice"] = {"type": "function", "function": {"name": offered[0].name}}
        if max_tokens is not None:
            request["max_tokens"] = max_tokens
        if self.config.temperature is not None:
            request["temperature"] = self.config.temperature
        request |= {key: value for key, value in self._settings.items() if key not in _CLIENT_SETTINGS}
        if on_delta and offered:
            request |= STREAMED
        answer = self._send(request, messages, offered, on_delta)
        usage = _usage(answer)
        if not self.form.shows_pictures(messages):
            self._counter.learn(self.count(messages, offered), usage.prompt_tokens)
        reply = self._read(answer, offered, only)
        return Reply(reply.tool_calls, reply.inner_thoughts, reply.text, usage)

    def _read(self, answer: Any, offered: Sequence[ToolSchema], only: Collection[str] | None) -> Reply:
        choices = getattr(answer, "choices", None)
        if not choices or getattr(choices[0], "message", None) is None:
            raise ModelServerError(
                f"{self.address} answered with something that is not a chat reply: {str(answer)[:80]!r}. "
                "Is this the address of an OpenAI-compatible API?"
            )
        message, reason = choices[0].message, choices[0].finish_reason
        words = message.content or getattr(message, "refusal", None)
        if reason == "length" and offered:
            written = str(words or message.tool_calls or "")
            raise ModelReplyError("The reply was cut by its token limit.", text=written)
        reply = read_chat_reply(words, message.tool_calls, offered, only=only, reasoning=reasoning_of(message))
        if not offered and not reply.text:
            raise ModelReplyError(f"{self.name} answered with an empty text (it stopped with {reason!r}).")
        return reply

    def _send(
        self,
        request: Mapping[str, Any],
        messages: Sequence[Message],
        offered: Sequence[ToolSchema],
        on_delta: OnDelta | None,
    ) -> Any:
        openai, loading = _openai(), LoadingWait(LOADING_TIME)
        while True:
            sent = self._built(request, messages, offered)
            try:
                answer = self._create(sent)
                if on_delta and isinstance(answer, openai.Stream):
                    return self._gathered(answer, offered, on_delta)
                return answer
            except StreamTruncated as error:
                log.warning("%s: %s Asking once more, for all of it at once.", self.address, error)
                request = {key: value for key, value in request.items() if key not in STREAMED}
            except openai.APIStatusError as error:
                if is_loading(error.status_code, str(error)) and loading.goes_on(self.address):
                    continue
                if self._window.refused(error_message(error), self.count(messages, offered)):
                    raise PromptTooLong(str(explain(error, self.config.model, self.address, self._key))) from None
                if not self._adapt(sent, messages, error):
                    raise explain(error, self.config.model, self.address, self._key) from None
            except (openai.OpenAIError, ValueError) as error:  # ValueError: not JSON
                raise explain(error, self.config.model, self.address, self._key) from None

    def _gathered(self, stream: Any, offered: Sequence[ToolSchema], on_delta: OnDelta) -> Any:
        import httpx

        openai = _openai()
        told: list[ReplyDelta] = []

        def tell(part: ReplyDelta) -> None:
            told.append(part)
            on_delta(part)

        with stream:  # whatever happens, the connection is closed
            try:
                return assemble(stream, offered, tell)
            except openai.APITimeoutError:
                raise
            except httpx.TimeoutException as error:  # older releases of the package do not convert these
                raise openai.APITimeoutError(request=error.request) from error
            except (openai.APIConnectionError, httpx.TransportError, StreamTruncated) as error:
                if told:
                    on_delta(Discarded("The connection broke; the model is asked once more."))
                raise StreamTruncated("The connection broke in the middle of a reply.") from error

    def _built(
        self, request: Mapping[str, Any], messages: Sequence[Message], offered: Sequence[ToolSchema]
    ) -> dict[str, Any]:
        """The complete request, without what the server has refused."""
        made = {key: value for key, value in request.items() if key not in self._refused}
        made |= self.form.request(messages, offered, inner_thoughts=self._thoughts)
        if "stream" in self._refused:
            made.pop("stream_options", None)
        if "tools" not in made:
            made.pop("tool_choice", None)
        elif not self.form.tool_choice:
            made["tool_choice"] = "auto"
        return made

    def _create(self, request: Mapping[str, Any]) -> Any:
        sent = dict(request)
        # All others through ``extra_body``: older releases of the package refuse unknown fields.
        named = {key: sent.pop(key) for key in ("messages", "tools", "tool_choice", "stream") if key in sent}
        completions = self._connected().chat.completions
        return raising_errors(
            lambda: completions.create(model=self.config.model, **named, extra_body=sent or None),
            self.address,
            self.config.settings.get("max_retries", RETRIES),
        )

    def _adapt(self, request: Mapping[str, Any], messages: Sequence[Message], error: Any) -> bool:
        """Change future requests so that they avoid this error; False if nothing is known to help."""
        words = error_message(error)
        field = self._dispensable(request, words) if error.status_code == 400 else None
        if field is None:
            return bool(self.form.refused(messages, request, words, error.status_code))
        log.info("%s refuses %s; it is no longer sent.", self.name, field)
        self._refused.add(field)
        return True

    def _dispensable(self, request: Mapping[str, Any], words: str) -> str | None:
        """The field that an error is about, if it can be omitted.

        Reasoning models refuse ``max_tokens``, because they count their reasoning in it: a limit meant for the reply
        alone would leave no room for the answer.
        """
        return next((field for field in _DISPENSABLE if field in words and field in request), None)

    def _connected(self) -> Any:
        if self._client is None:
            self._client = self._connect()
        return self._client

    def _connect(self) -> Any:
        openai = _openai()
        settings = self._settings
        options: dict[str, Any] = {
            "api_key": "not-needed",  # the client would send its own copy along a redirect to any host
            "http_client": self._http(),
            "timeout": self.config.timeout,
            "max_retries": settings.get("max_retries", RETRIES),
        }
        options |= {key: settings[key] for key in ("default_headers", "organization") if key in settings}
        if not self._azure:
            return openai.OpenAI(base_url=self.address, **options)
        return openai.AzureOpenAI(azure_endpoint=self.address, api_version=self._version, **options)

    def _http(self) -> Any:
        send = SendSecrets(
            self.address, self._key, self.config.login, ("api-key",) if self._azure else ("Authorization",)
        )
        hooks = {"request": [send]}
        return http_client(self.address, follow_redirects=True, timeout=self.config.timeout, event_hooks=hooks)

    def _base_url(self, environ: Mapping[str, str]) -> str:
        address = self.config.address
        if self._azure:
            address = address or environ.get("AZURE_OPENAI_ENDPOINT", "").rstrip("/")
            if not address:
                raise ConfigError("Azure needs its address: set AZURE_OPENAI_ENDPOINT or model_endpoint.")
            return address
        return base_url(self.config)


def base_url(config: LLMConfig) -> str:
    """The base URL of an OpenAI-compatible API for client libraries.

    An address with a path such as ``.../openai`` is kept; one without a path gets ``/v1``.
    """
    address, given = config.address, config.model_endpoint.rstrip("/")
    return f"{address}/v1" if given.endswith("/v1") or not urlsplit(address).path.strip("/") else address


def _openai() -> Any:
    try:
        import openai
    except ImportError as error:
        raise MissingDependency("The OpenAI API needs the package openai.", "openai>=1.40") from error
    return openai


def _host(address: str) -> str:
    return urlsplit(address).hostname or ""


def _usage(answer: Any) -> Usage:
    usage = getattr(answer, "usage", None)
    details = getattr(usage, "prompt_tokens_details", None)
    # Older releases of the package pass the details on as a dict.
    cached = details.get("cached_tokens") if isinstance(details, Mapping) else _number(details, "cached_tokens")
    return Usage(_number(usage, "prompt_tokens"), _number(usage, "completion_tokens"), int(cached or 0))


def _number(source: Any, name: str) -> int:
    return int(getattr(source, name, None) or 0)
