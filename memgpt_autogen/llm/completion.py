"""A model on a completion server: a server row, a prompt format and a constraint on the reply.

The prompt is measured before it is sent and the reply is checked when it arrives, because some servers silently
truncate a long prompt or ignore a grammar. If a reply cannot be parsed, the model is asked again and shown the error.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from ..config import LLMConfig
from ..config.host_secrets import unsealed_for
from ..errors import ConfigError, ModelReplyError, ModelRequestError
from ..events import clean
from ..messages import Message, Reply, ToolSchema, Usage
from ..servers import SERVERS, Completion, CompletionRequest, Constraint, SamplingParams
from .base import OnDelta
from .chat_prompt import alternating_messages, reply_json_schema, without_markers
from .connection import Connection
from .constraints import ConstraintPolicy
from .grammar import reply_prefix, to_gbnf
from .reasoning import split_reasoning
from .repair import check_calls, parse_calls
from .reply_schema import STRING_LIMIT, ReplyFormat, select
from .streaming import PlainTextStream, StreamParser
from .transport import Address, Broken, Refused, Transport
from .wrapper_detection import detect_wrapper
from .wrappers import Wrapper, get_wrapper, is_auto, named_by

log = logging.getLogger(__name__)

#: Tokens for a reply if the caller gives no limit, and the smallest useful limit.
DEFAULT_REPLY = 1024
LEAST_REPLY = 64
#: Tokens that a server may add to the start of a prompt.
_MARGIN = 2


class CompletionModel:
    """A :class:`~memgpt_autogen.llm.base.ChatModel` on a completion server.

    Args:
        config: the server (``model_endpoint_type``, ``model_endpoint``), the format (``model_wrapper``), and
            ``settings``, which are passed on unchanged, such as ``repeat_penalty``.
        inner_thoughts: whether each call starts with inner thoughts.
        message_limit: characters of strings named ``message``; None: as other strings.
        string_limit: characters of other strings.
        environ: may name the embedded model's file.
        simplify: show events to the model as plain text; None: only to the embedded model.

    Raises:
        ConfigError: an unknown server or format, a reserved setting, or no file for the embedded model.
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
        row = SERVERS.get(config.model_endpoint_type)
        if row is None:
            raise ConfigError(f"{config.model_endpoint_type} does not complete prompts. Known: {', '.join(SERVERS)}.")
        fixed = sorted(row.reserved & set(config.settings))
        if fixed:
            raise ConfigError(f"{', '.join(fixed)} cannot be set for {row.name}: the program decides it.")
        address: Address = row.base_url(config.address)
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
            attempts=1 if embedded else 4,  # an embedded server that died is restarted by the next call
            api_key=config.api_key,
            hints=row.error_hints,
            on_lost=on_lost,
        )
        self.connection = Connection(row, self.transport, config)
        self._format = named_by(config.model_wrapper, config.model)
        get_wrapper(self._format)  # raises now if the name is unknown
        self._simplify = embedded if simplify is None else simplify
        self._settings = unsealed_for(config.settings, config.address)
        self._thoughts = inner_thoughts
        self._form = ReplyFormat(row.dialect, inner_thoughts, string_limit, message_limit or string_limit)
        self.constraints = ConstraintPolicy(self.connection)

    @cached_property
    def wrapper(self) -> Wrapper:
        """The prompt format. For ``auto`` the server is asked once.

        Raises:
            ModelServerError: it cannot be reached.
        """
        found = detect_wrapper(self.connection) if is_auto(self._format) and not self.server.chat else None
        made = replace(found or get_wrapper(self._format), inner_thoughts=self._thoughts, simplify=self._simplify)
        if "schema" in self.server.constraints and made.outside:
            log.info(
                "%s constrains replies to JSON, so the inner thoughts of %s go into the call.", self.name, made.name
            )
            made = replace(made, outside=False)
        return without_markers(made) if self.server.chat else made

    @property
    def name(self) -> str:
        return self._name

    @property
    def context_window(self) -> int:
        """The smaller of the server's window and the configured one. The server is asked once.

        Raises:
            ModelServerError: it cannot be reached.
        """
        return self.connection.window

    @property
    def reply_tokens(self) -> int | None:
        """As the window's policy has it."""
        return None

    def count_tokens(self, text: str) -> int:
        """Tokens in a text by the server's tokenizer. Cached, because windows count the same text often."""
        return self.connection.count(text)

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
        on_delta: OnDelta | None = None,
    ) -> Reply:
        """See :meth:`memgpt_autogen.llm.base.ChatModel.complete`.

        With ``tools`` the reply is constrained to a call; without, it is plain text, which the token limit may cut.
        ``cache`` is not used.
        """
        if not tools:
            plain = PlainTextStream(on_delta) if on_delta else None
            completion, _ = self._ask(messages, (), (), "none", max_tokens, parts=plain)
            self._not_empty(completion)
            reasoning, answer = split_reasoning(clean(completion.text.strip()))
            if not answer:
                raise ModelReplyError(f"{self.name} reasoned, and wrote no answer.", text=reasoning)
            return Reply(text=answer, inner_thoughts=reasoning, usage=completion.usage or Usage())
        offered = select(tools, only)
        spent, shown, tight = Usage(), list(messages), False
        parts = StreamParser(on_delta, offered, aloud=self.wrapper.thinks_aloud) if on_delta else None
        for last in (False, True):
            constraint, completion, prefix = self._ask_constrained(
                shown, tools, offered, self.constraints.choose(last_attempt=last, tight=tight), max_tokens, tight, parts
            )
            spent += completion.usage or Usage()
            text = prefix + completion.text
            try:
                reply = self._read(text, completion, tools, only, spent)
            except ModelReplyError as error:
                self._note(constraint, text, completion, parseable=False)
                if last:
                    raise
                if parts:
                    parts.discard(str(error))
                log.info("%s: %s Asking once more.", self.name, error)
                # After a cut reply ask again with tighter limits; showing its text would only invite the same.
                tight = completion.finish == "limit"
                shown = list(messages)
                if completion.text.strip() and not tight:
                    shown += self._fault(messages, tools, text, error, max_tokens)
            else:
                self._note(constraint, text, completion, parseable=True)
                return reply
        raise AssertionError("unreachable")

    def _ask_constrained(
        self,
        shown: Sequence[Message],
        tools: Sequence[ToolSchema],
        offered: Sequence[ToolSchema],
        constraint: Constraint,
        max_tokens: int | None,
        tight: bool,
        parts: StreamParser | None,
    ) -> tuple[Constraint, Completion, str]:
        """A reply under this constraint or, if the server refuses it, under the next one that it takes."""
        faults: list[tuple[Constraint, Broken | Refused]] = []
        while True:
            try:
                found = self._ask(shown, tools, offered, constraint, max_tokens, tight, parts)
                break
            except (Broken, Refused) as error:
                if constraint == "none" or not self.constraints.may_be_cause(error):
                    raise
                faults.append((constraint, error))
                constraint = self.constraints.fallback(constraint)
        # Only now is it certain that the constraint was the cause: without it the server answers.
        for refused, fault in faults:
            self.constraints.disable(refused, str(fault))
        return constraint, *found

    def _note(self, constraint: Constraint, text: str, completion: Completion, *, parseable: bool) -> None:
        if completion.finish != "limit":
            self.constraints.record(constraint, text, parseable=parseable, call_only=not self.wrapper.thinks_aloud)

    def _read(
        self,
        text: str,
        completion: Completion,
        tools: Sequence[ToolSchema],
        only: Collection[str] | None,
        spent: Usage,
    ) -> Reply:
        self._not_empty(completion)
        if completion.finish == "limit":
            raise ModelReplyError("The reply was cut by its token limit. Write a shorter one.", text=text)
        calls, thoughts = parse_calls(text, tools, aloud=self.wrapper.thinks_aloud)
        calls = check_calls(calls, tools, only, text)
        thoughts = "\n".join(part for part in (completion.reasoning, thoughts) if part)
        return Reply(tool_calls=tuple(calls), inner_thoughts=thoughts, usage=spent)

    def _not_empty(self, completion: Completion) -> None:
        # Some servers return this for a grammar or a prompt that they cannot process.
        if not completion.text.strip():
            where = self.connection.where
            raise ModelReplyError(
                f"{where} answered with an empty text. {self.server.empty_reply_hint}", text=completion.text
            )

    def _ask(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSchema],
        offered: Sequence[ToolSchema],
        constraint: Constraint,
        max_tokens: int | None,
        tight: bool = False,
        parts: StreamParser | None = None,
    ) -> tuple[Completion, str]:
        """The completion, and the reply prefix that the prompt ended with."""
        prefix = ""
        if offered and constraint != "schema" and not self.server.chat:
            prefix = reply_prefix(offered, self._form, outside=self.wrapper.outside)
        prompt = self.wrapper.prompt(messages, tools, prefix)
        window = self.context_window
        used = self.count_tokens(prompt) + _MARGIN
        left = window - used
        if left < min(max_tokens or LEAST_REPLY, LEAST_REPLY):
            raise ModelRequestError(
                f"The prompt has {used} tokens; with room for a reply it does not fit the window of "
                f"{window} tokens of {self.connection.where}. Use a larger window or fewer functions."
            )
        limit = min(left, max_tokens or DEFAULT_REPLY)
        form = self._form.within(limit, LEAST_REPLY, offered, tight)
        # A reply under a grammar ends with the grammar. A stop marker inside a string, which models trained on another
        # format like to write, would only cut it off.
        gbnf = offered and constraint == "gbnf"
        stop = () if gbnf and self.server.rejects_bad_grammar else self.wrapper.stop
        request = CompletionRequest(
            prompt,
            SamplingParams(limit, stop, self.config.temperature, self._settings),
            gbnf=to_gbnf(offered, form, prefix=prefix, outside=self.wrapper.outside) if gbnf else None,
            schema=reply_json_schema(offered, form) if offered and constraint == "schema" else None,
            window=window,
            info=self.connection.info,
            messages=alternating_messages(self.wrapper, messages, tools) if self.server.chat else (),
        )
        patient = constraint == "none" or "none" not in self.server.constraints
        on_text = parts.after(prefix) if parts else None
        return self.connection.complete(request, used, patient=patient, on_text=on_text), prefix

    def _fault(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSchema],
        text: str,
        error: ModelReplyError,
        max_tokens: int | None,
    ) -> list[Message]:
        """The unparseable reply and its error, as messages for the model; empty if they do not fit."""
        fault = f'{error} Reply with one whole JSON object: {{"function": NAME, "params": {{...}}}}'
        more = [Message("assistant", text[:500]), Message("user", fault)]
        needed = self.count(messages, tools) + self.count(more) + (max_tokens or LEAST_REPLY)
        return more if needed + LEAST_REPLY <= self.context_window else []
