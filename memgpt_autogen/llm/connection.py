"""A connection to one server: its model, its window and its token counts. Each is asked for once, when needed."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from ..config import LLMConfig
from ..errors import ModelRequestError, ModelServerError
from ..messages import Usage
from ..redaction import redact
from ..servers import SERVERS, Completion, CompletionRequest, Fetch, ModelNotLoaded, Server, ServerInfo, StreamFormat
from .sse import IncompleteStream
from .tokens import TokenCounter
from .transport import Refused, Transport
from .wrappers import named_by

Answer = TypeVar("Answer")

log = logging.getLogger(__name__)

_CACHE_SIZE = 4096
#: Raised by reading a reply of an unexpected shape.
_PARSE_ERRORS = (KeyError, TypeError, ValueError, IndexError, AttributeError, StopIteration)
#: Factor on estimated tokens: a prompt that is too long is worse than a shorter one.
_CAUTION = 1.15


@contextlib.contextmanager
def connect(config: LLMConfig, *, timeout: float, attempts: int = 1) -> Iterator[Connection]:
    """A connection to a configured server for a few questions, closed at the end of the ``with`` block.

    Args:
        config: its type, address and key.
        timeout: seconds for each request.
        attempts: how often each request is made in all.
    """
    row = SERVERS[config.model_endpoint_type]
    with Transport(
        row.base_url(config.address),
        timeout=timeout,
        attempts=attempts,
        api_key=config.api_key,
        hints=row.error_hints,
    ) as transport:
        yield Connection(row, transport, config)


class Connection:
    """A server of a known type. Thread-safe.

    Args:
        row: the type.
        transport: sends the requests.
        config: has the model's name and the window.
    """

    def __init__(self, row: Server, transport: Transport, config: LLMConfig) -> None:
        self.row = row
        self.transport = transport
        self._config = config
        self._info: ServerInfo | None = None
        self._counts: dict[str, int] = {}
        self._estimate: TokenCounter | None = None if row.count_tokens else TokenCounter()
        self._lock = threading.Lock()

    @property
    def where(self) -> str:
        """Type and address, for messages."""
        return f"{self.row.title} at {self.transport.where}"

    @property
    def info(self) -> ServerInfo:
        """What the server reports about itself.

        Raises:
            ModelServerError: it cannot be reached, or is of another type.
            ModelRequestError: it has not loaded the model.
        """
        if self._info is None:
            try:
                self._info = self._fetch_configured()
            except ModelNotLoaded as error:
                raise ModelRequestError(f"{self.where} {error}") from error
            except Refused as error:
                if error.status != 404:
                    raise
                other = f"{self.where} is not of the type {self.row.name!r}: {error} Set BACKEND_TYPE to its type."
                raise ModelRequestError(other) from error
        return self._info

    @property
    def window(self) -> int:
        """Tokens of the context: the smaller of the server's and the configured number."""
        told, wanted = self.info.window, self._config.context_window or self.row.requested_window
        if told is None and wanted is None:
            with self._lock:
                self._info = ServerInfo(self.info.model, self.row.fallback_window, self.info.legacy)
            log.warning(
                "%s does not tell its context; %d tokens are used. Set context_window to what it was loaded with.",
                self.where,
                self.row.fallback_window,
            )
            return self.row.fallback_window
        return min(number for number in (told, wanted) if number is not None)

    def parameters(self) -> int | None:
        """The number of the model's parameters; None if the server does not report it.

        Raises:
            ModelServerError: it cannot be reached.
        """
        return self._optional(self.row.count_parameters)

    def template_text(self) -> str:
        """A text that shows the model's prompt format; empty if the server has none. Raises as above."""
        return self._optional(self.row.show_template) or ""

    def _optional(self, question: Callable[[Fetch, str], Answer] | None) -> Answer | None:
        if question is None:
            return None
        try:
            return question(self._ask, self.info.model)
        except (*_PARSE_ERRORS, ModelRequestError):
            return None

    def count(self, text: str) -> int:
        """Tokens in a text, by the server's tokenizer (cached) or by an estimate that learns from ``usage``."""
        if not text:
            return 0
        if self._estimate is not None or self.row.count_tokens is None:
            return round(_CAUTION * (self._estimate or TokenCounter()).count(text))
        found = self._counts.get(text)
        if found is not None:
            return found
        try:
            reply = self.transport.post(
                self.row.count_tokens.path, self.row.count_tokens.body(text, self._model_to_count())
            )
        except Refused as error:
            if error.status not in (404, 405, 501):
                raise
            log.warning("%s counts no tokens (%s); they are estimated.", self.where, error)
            self._estimate = TokenCounter()
            return self.count(text)
        found = self.parse(self.row.count_tokens.read, reply)
        with self._lock:
            if len(self._counts) >= _CACHE_SIZE:
                self._counts.clear()
            self._counts[text] = found
        return found

    def complete(
        self,
        request: CompletionRequest,
        used: int,
        *,
        patient: bool,
        on_text: Callable[[str | None], None] | None = None,
    ) -> Completion:
        """A completion. Missing or wrong values of ``finish`` and ``usage`` are replaced by our own.

        Args:
            request: the request.
            used: tokens of the prompt, as counted here.
            patient: retry after a 500.
            on_text: receives the whole text so far, each time that it grows; None if it starts again. Not called if the
                server does not stream.

        Raises:
            ModelServerError, ModelRequestError: as the transport; also if the server truncated the prompt.
        """
        if on_text and self.row.stream:
            reply = self._streamed(self.row.stream, request, patient, on_text)
        else:
            reply = self.transport.post(self.row.path, self.row.body(request), patient=patient)
        found = self.parse(self.row.read, reply)
        if found.prompt_truncated:
            raise ModelRequestError(
                f"{self.where} left out a part of the prompt of {used} tokens. Set context_window to the context that "
                "it was started with, or start it with a larger one."
            )
        finish, usage = found.finish, found.usage
        if finish == "unknown":
            finish = "limit" if self.count(found.text) >= request.params.max_tokens else "stop"
        if usage is None:
            usage = Usage(used, self.count(found.text))
        elif self._estimate is not None:
            self._estimate.learn(self._estimate.count(request.prompt), usage.prompt_tokens)
        return replace(found, finish=finish, usage=usage)

    def _streamed(
        self, stream: StreamFormat, request: CompletionRequest, patient: bool, on_text: Callable[[str | None], None]
    ) -> Any:
        def read(events: Iterator[Any]) -> Any:
            text, seen = "", []
            for event in events:
                seen.append(event)
                more = self.parse(stream.delta, event)
                if more and not text:
                    on_text(None)
                text += more
                if more:
                    on_text(text)
            whole = self.parse(lambda rows: stream.assemble(text, rows), seen)
            if whole is None:
                raise IncompleteStream("the reply broke off")
            return whole

        body = {**self.row.body(request), **stream.body}
        try:
            return self.transport.post(stream.path or self.row.path, body, patient=patient, read=read)
        except Refused as error:
            if not stream.path or error.status not in (404, 405, 501):
                raise
            log.info("%s does not stream: %s", self.where, error)
            return self.transport.post(self.row.path, self.row.body(request), patient=patient)

    def parse(self, read: Callable[[Any], Answer], reply: Any) -> Answer:
        """The result of a ``read`` function of the row.

        Raises:
            ModelServerError: the reply has another shape.
        """
        try:
            return read(reply)
        except _PARSE_ERRORS as error:
            raise self._unexpected(reply) from error

    def _fetch_configured(self) -> ServerInfo:
        model = self._config.model
        if not named_by("", model):
            return self._fetch_info(model)
        # Old configs give the prompt format as the model's name; but some models have the name of a format.
        if self.row.needs_model:
            with contextlib.suppress(ModelNotLoaded):
                return self._fetch_info(model)
        return self._fetch_info("")

    def _fetch_info(self, wanted: str) -> ServerInfo:
        replies: list[Any] = [None]

        def ask(path: str, body: Mapping[str, Any] | None) -> Any:
            replies.append(self._ask(path, body))
            return replies[-1]

        try:
            return self.row.get_info(ask, wanted)
        except _PARSE_ERRORS as error:
            raise self._unexpected(replies[-1]) from error

    def _ask(self, path: str, body: Mapping[str, Any] | None) -> Any:
        return self.transport.get(path) if body is None else self.transport.post(path, body)

    def _unexpected(self, reply: Any) -> ModelServerError:
        error = reply.get("error") if isinstance(reply, Mapping) else None
        if error:  # with status 200
            words = error.get("message", error) if isinstance(error, Mapping) else error
            return ModelServerError(f"{self.where} answered with an error: {redact(str(words))[:300]}", retry=True)
        return ModelServerError(
            f"{self.where} answered with JSON of an unknown shape: {str(reply)[:200]}. "
            f"Is it really of the type {self.row.name!r} (BACKEND_TYPE)?"
        )

    def _model_to_count(self) -> str:
        return self.info.model if self.row.needs_model else ""
