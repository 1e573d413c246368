"""A model behind a server that completes plain prompts: server row x prompt format x grammar.

The prompt is measured before it is sent and the reply is checked after it came: some servers cut a long
prompt or drop a grammar without a word. A reply that cannot be read is asked for once more, with the fault
shown to the model.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, TypeVar

from ..config import LLMConfig
from ..errors import ConfigError, ModelReplyError, ModelRequestError, ModelServerError
from ..events import clean
from ..messages import Message, Reply, ToolSchema, Usage
from .grammar import STRING_LIMIT, THOUGHTS_LIMIT, reply_prefix, select, to_gbnf
from .repair import check_calls, parse_calls
from .servers import SERVERS, Completion, Params, Question
from .transport import Address, Transport
from .wrappers import DEFAULT_WRAPPER, Wrapper, from_template, get_wrapper, is_auto, named_by

Answer = TypeVar("Answer")

log = logging.getLogger(__name__)

#: Room for a reply where the caller names none, and the least room worth asking for.
DEFAULT_REPLY = 1024
LEAST_REPLY = 64
#: Tokens that a server may add of its own to the start of a prompt.
_MARGIN = 2
_CACHE_SIZE = 4096


class CompletionModel:
    """A :class:`~memgpt_autogen.llm.base.ChatModel` on a completion server.

    Args:
        config: the server (``model_endpoint_type``, ``model_endpoint``), the format (``model_wrapper``), and
            ``settings`` that go into each request as they are, such as ``repeat_penalty``.
        inner_thoughts: whether each call starts with a monologue.
        message_limit: characters of strings named ``message``; None: as other strings.
        string_limit: characters of other strings.
        environ: where the embedded model's file may be named.
        simplify: show events as words instead of JSON; None: for the embedded model only.

    Raises:
        ConfigError: an unknown server or format, or no file for the embedded model.
    """

    def __init__(
        self,
        config: LLMConfig,
        *,
        inner_thoughts: bool = True,
        message_limit: int | None = None,
        string_limit: int = STRING_LIMIT,
        environ: Mapping[str, str] | None = None,
        simplify: bool | None = None,
    ) -> None:
        embedded = config.model_endpoint_type == "embedded"
        row = SERVERS.get("llamacpp" if embedded else config.model_endpoint_type)
        if row is None:
            raise ConfigError(f"{config.model_endpoint_type} does not complete prompts. Known: {', '.join(SERVERS)}.")
        address: Address = config.address
        on_lost: Callable[[], None] | None = None
        self._name = config.model or config.model_endpoint_type
        if embedded:
            from .embedded import embedded_server

            process = embedded_server(config, environ)
            address, on_lost = process.current_address, process.note_lost
            self._name = process.gguf.stem
        self.config = config
        self.server = row
        self.transport = Transport(
            address,
            timeout=config.timeout,
            attempts=1 if embedded else 4,  # a dead server of our own is started anew by the next call
            api_key=config.api_key,
            hints=row.hints,
            on_lost=on_lost,
        )
        self._format = named_by(config.model_wrapper, config.model)
        get_wrapper(self._format)  # an unknown name is told at once
        self._simplify = embedded if simplify is None else simplify
        self._settings = dict(config.settings)
        self._thoughts = inner_thoughts
        self._string_limit = string_limit
        self._message_limit = message_limit or string_limit
        self._window: int | None = None
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()

    @cached_property
    def wrapper(self) -> Wrapper:
        """The prompt format. For ``auto`` the server is asked, once.

        Raises:
            ModelServerError: it cannot be reached.
        """
        found = self._template() if is_auto(self._format) and self.server.template else None
        return replace(found or get_wrapper(self._format), inner_thoughts=self._thoughts, simplify=self._simplify)

    def _template(self) -> Wrapper | None:
        def render(messages: Sequence[Mapping[str, str]], reply: bool) -> str:
            body = {"messages": list(messages), "add_generation_prompt": reply}
            return self._understood(
                lambda answer: str(answer["prompt"]), self.transport.post(self.server.template, body)
            )

        try:
            found = from_template(render)
        except ModelRequestError as error:  # an old build, or a model without a template
            log.warning("%s tells no chat template (%s); the format %s is used.", self.name, error, DEFAULT_WRAPPER)
            return None
        if found is None:
            log.warning("The chat template of %s is unusual; the format %s is used.", self.name, DEFAULT_WRAPPER)
        return found

    @property
    def name(self) -> str:
        return self._name

    @property
    def context_window(self) -> int:
        """The server's window, or the configured one where that is smaller. Asks the server once.

        Raises:
            ModelServerError: it cannot be reached.
        """
        if self._window is None:
            known = self._number(self.server.window, "")
            self._window = min(known, self.config.context_window or known)
        return self._window

    def count_tokens(self, text: str) -> int:
        """Tokens in a text by the server's tokenizer; remembered, since windows count the same text often."""
        found = self._counts.get(text)
        if found is None:
            found = self._number(self.server.count, text) if text else 0
            with self._lock:
                if len(self._counts) >= _CACHE_SIZE:
                    self._counts.clear()
                self._counts[text] = found
        return found

    def count(self, messages: Sequence[Message], tools: Sequence[ToolSchema] = ()) -> int:
        """Tokens of these messages and functions as this model's format writes them."""
        tokens = sum(self.count_tokens(self.wrapper.message(message)) for message in messages)
        return tokens + self.count_tokens(self.wrapper.functions(tools) + self.wrapper.reminder(tools))

    def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSchema],
        *,
        only: Collection[str] | None = None,
        cache: Any = None,
        max_tokens: int | None = None,
    ) -> Reply:
        """One call of the model; see the contract.

        With ``tools`` the reply is held to a call; without, it is plain text, which the token limit may cut
        short. ``cache`` is not used.
        """
        if not tools:
            completion = self._ask(self.wrapper.prompt(messages), max_tokens, None)
            self._not_empty(completion)
            return Reply(text=clean(completion.text.strip()), usage=completion.usage)
        offered = select(tools, only)
        spent, shown, tight = Usage(), list(messages), False
        for last in (False, True):
            prefix = reply_prefix(offered, None, self._thoughts, outside=self.wrapper.outside)
            prompt = self.wrapper.prompt(shown, tools, prefix)
            completion = self._ask(prompt, max_tokens, offered, prefix, tight)
            spent += completion.usage
            text = prefix + completion.text
            try:
                return self._read(text, completion, tools, only, spent)
            except ModelReplyError as error:
                if last:
                    raise
                log.info("%s: %s Asking once more.", self.name, error)
                # A cut reply is asked for again within limits that fit; its text would only invite the same.
                tight = completion.finish == "limit"
                shown = list(messages)
                if not tight:
                    shown += self._fault(messages, tools, text, error, max_tokens)
        raise AssertionError("unreachable")

    def _read(
        self,
        text: str,
        completion: Completion,
        tools: Sequence[ToolSchema],
        only: Collection[str] | None,
        spent: Usage,
    ) -> Reply:
        if completion.finish == "limit":
            raise ModelReplyError("The reply was cut by its token limit. Write a shorter one.", text=text)
        self._not_empty(completion)
        calls, thoughts = parse_calls(text, tools, aloud=self.wrapper.thinks_aloud)
        calls = check_calls(calls, tools, only, text)
        return Reply(tool_calls=tuple(calls), inner_thoughts=thoughts, usage=spent)

    def _not_empty(self, completion: Completion) -> None:
        # Some servers answer so to a grammar or a prompt that they could not take.
        if not completion.text.strip():
            raise ModelReplyError(f"{self.name} answered with an empty text.", text=completion.text)

    def _ask(
        self,
        prompt: str,
        max_tokens: int | None,
        offered: Sequence[ToolSchema] | None,
        prefix: str = "",
        tight: bool = False,
    ) -> Completion:
        used = self._number(self.server.count, prompt) + _MARGIN
        left = self.context_window - used
        if left < min(max_tokens or LEAST_REPLY, LEAST_REPLY):
            raise ModelRequestError(
                f"The prompt has {used} tokens; with room for a reply it does not fit the window of "
                f"{self.context_window} tokens of {self.name}. Use a larger window or fewer functions."
            )
        limit = min(left, max_tokens or DEFAULT_REPLY)
        grammar = self._grammar(offered, prefix, limit, tight) if offered else None
        params = Params(limit, self.wrapper.stop, self.config.temperature, self._settings)
        reply = self.transport.post(self.server.path, self.server.body(prompt, params, grammar))
        return self._understood(self.server.read, reply)

    def _grammar(self, offered: Sequence[ToolSchema], prefix: str, limit: int, tight: bool) -> str:
        # Words take more than two characters a token; ``tight`` counts on one, as digits and rare signs take.
        most = 2 * limit
        if tight:
            strings = 1 + max(len(tool.parameters.get("properties") or {}) for tool in offered)
            most = max(16, (limit - LEAST_REPLY) // strings)
        return to_gbnf(
            offered,
            None,
            self._thoughts,
            min(self._string_limit, most),
            message_limit=min(self._message_limit, most),
            thoughts_limit=min(THOUGHTS_LIMIT, most),
            prefix=prefix,
            outside=self.wrapper.outside,
        )

    def _fault(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSchema],
        text: str,
        error: ModelReplyError,
        max_tokens: int | None,
    ) -> list[Message]:
        """The unreadable reply and what is wrong with it, as messages; none if they do not fit."""
        fault = f'{error} Reply with one whole JSON object: {{"function": NAME, "params": {{...}}}}'
        more = [Message("assistant", text[:500]), Message("user", fault)]
        needed = self.count(messages, tools) + self.count(more) + (max_tokens or LEAST_REPLY)
        return more if needed + LEAST_REPLY <= self.context_window else []

    def _number(self, question: Question, text: str) -> int:
        if question.body is None:
            return self._understood(question.read, self.transport.get(question.path))
        return self._understood(question.read, self.transport.post(question.path, question.body(text)))

    def _understood(self, read: Callable[[Any], Answer], reply: Any) -> Answer:
        try:
            return read(reply)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise ModelServerError(
                f"The server of {self.name} answered with JSON of an unknown shape: {str(reply)[:200]}. "
                f"Is it really of the type {self.server.name!r} (BACKEND_TYPE)?"
            ) from error
