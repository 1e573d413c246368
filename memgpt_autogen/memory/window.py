"""What is in context: pure functions over messages and their sizes in tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from ..errors import ConfigError
from ..events import tool_result
from ..messages import Message, ToolCall, ToolResult

#: What the model is told where a text was cut: how much it sees, and the way to the rest.
REST_IN_RECALL = "(cut: {shown} of {total} characters; conversation_search finds the rest)"
REST_BY_SEARCH = "(cut: {shown} of {total} characters; ask for less, or for another page)"


@dataclass(frozen=True)
class WindowPolicy:
    """Shares of the room for messages.

    Attributes:
        warn: the agent is warned when this share is used.
        keep: at most this share is left after an eviction.
        one: at most this share is taken by a single result.
        message: at most this share is taken by a single message of others.
        reserve: the share of the whole window kept for the reply, up to ``reserve_tokens``.
        most: the share that a model's own limit of its reply may take.
        margin: the share of the whole window that stays free, since tokens are mostly estimated.
    """

    warn: float = 0.7
    keep: float = 0.5
    one: float = 0.4
    message: float = 0.9
    reserve: float = 0.25
    reserve_tokens: int = 1024
    most: float = 0.5
    margin: float = 0.02

    def reply_tokens(self, window: int, wanted: int | None = None) -> int:
        """Tokens kept free for the reply.

        Args:
            window: the model's window.
            wanted: what the model's settings, or its kind, ask for; a share of the window at most (``most``).
        """
        if wanted:
            return min(wanted, int(window * self.most))
        return min(self.reserve_tokens, int(window * self.reserve))


def room(window: int, fixed: int, reply: int) -> int:
    """Tokens left for messages.

    Args:
        window: the model's window.
        fixed: tokens of the system prompt, functions, core memory and worked examples.
        reply: tokens kept free for the reply.

    Raises:
        ConfigError: fewer than 256 are left; the message has the figures.
    """
    left = window - fixed - reply
    if left < 256:
        raise ConfigError(
            f"The model's window of {window} tokens is too small: prompt, functions and core memory take {fixed}, "
            f"the reply needs {reply}, and at least 256 must be left for messages. Use the preset memgpt_compact, "
            "shorten core memory, or give the model a larger window (context_window)."
        )
    return left


def groups(messages: Sequence[Message]) -> list[int]:
    """The indexes at which the log may be cut: where a message starts that is not a function result.

    A call is never separated from its results.
    """
    return [index for index, message in enumerate(messages) if message.role != "tool"]


class Pairing:
    """Messages with every result directly after its call, as providers require. It grows message by message.

    A placeholder stands for a result that is not there yet, such as one that is pending in another conversation. A
    result without its call is left out.

    Attributes:
        messages: in the order of the prompt.
        open_calls: calls without a result, by their ids, each with its message.
    """

    def __init__(self, messages: Iterable[Message] = ()) -> None:
        self.messages: list[Message] = []
        self.open_calls: dict[str, tuple[Message, ToolCall]] = {}
        self._places: dict[str, int] = {}  # where the result of each call stands
        self.add(messages)

    @property
    def call_ids(self) -> Set[str]:
        """The ids of all calls."""
        return self._places.keys()

    def add(self, messages: Iterable[Message]) -> list[int]:
        """Add the next messages of the log; the places in ``messages`` that are new or have changed, ascending."""
        messages = [*messages]
        results = {message.call_id: message for message in messages if message.role == "tool"}
        first, earlier = len(self.messages), []
        for message in messages:
            if message.role != "tool":
                self._add_with_calls(message, results)
                continue
            place = self._places.get(message.call_id or "")
            if place is not None:
                self.open_calls.pop(message.call_id or "", None)
                self.messages[place] = message
                earlier += [place] if place < first else []
        return [*sorted(earlier), *range(first, len(self.messages))]

    def _add_with_calls(self, message: Message, results: Mapping[str | None, Message]) -> None:
        self.messages.append(message)
        for call in message.tool_calls:
            self._places[call.id] = len(self.messages)
            self.open_calls[call.id] = message, call
            self.messages.append(results.get(call.id) or _waiting(call, message))


def _waiting(call: ToolCall, message: Message) -> Message:
    note = ToolResult(call.id, call.name, "Still running: the result will come in the chat that asked for it.")
    return replace(tool_result(note, at=message.created_at), id=f"waits for {message.id} {call.id}")


def cut_at(messages: Sequence[Message], sizes: Sequence[int], keep: int, limit: int | None = None) -> int:
    """The number of oldest messages to evict so that the rest takes at most ``keep`` tokens.

    Unanswered messages stay, and so does the last group. If the unanswered messages alone exceed ``limit``, only the
    newest of them is sure to stay.
    """
    waiting = [index for index, message in enumerate(messages) if not message.answered]
    gone = _cut(messages, sizes, keep, waiting[:1])
    if limit is not None and sum(sizes[gone:]) > limit:
        gone = _cut(messages, sizes, keep, waiting[-1:])
    return gone


def _cut(messages: Sequence[Message], sizes: Sequence[int], keep: int, stay: Sequence[int]) -> int:
    borders = groups(messages)
    if not borders:
        return 0
    last = min([borders[-1], *stay])
    total = sum(sizes)
    gone = 0
    for index in borders[1:]:
        if index > last or total <= keep:
            break
        total -= sum(sizes[gone:index])
        gone = index
    return gone


def shorten(text: str, budget: int, count: Callable[[str], int], note: str) -> str:
    """A text cut to a budget of tokens, with a note where it was cut.

    Args:
        text: any text.
        budget: tokens it may take.
        count: counts the tokens of a text.
        note: how to get the rest; ``{shown}`` and ``{total}`` are numbers of characters.
    """
    if len(text.encode("utf-8", "replace")) <= budget or count(text) <= budget:  # a token is a byte at least
        return text
    shown = len(text)
    for _ in range(20):
        cut = text[:shown] + "\n" + note.format(shown=shown, total=len(text))
        size = count(cut)
        if size <= budget or shown == 0:
            return cut
        shown = min(int(shown * budget / size * 0.95), shown - 1)
    return note.format(shown=0, total=len(text))


def squeeze(
    messages: Sequence[Message],
    sizes: Sequence[int],
    limit: int,
    count: Callable[[str], int],
    size: Callable[[Message], int],
) -> list[Message]:
    """Fit a turn that exceeds the room by itself: its longest texts are cut, longest first.

    If that is not enough, the oldest calls are left out, each with its result.

    Args:
        messages: what is in context.
        sizes: their tokens.
        limit: tokens they may take together.
        count: counts the tokens of a text.
        size: counts the tokens of a message.
    """
    fitted, taken = list(messages), list(sizes)
    whole: set[int] = set()  # those that cannot be cut any more
    while (over := sum(taken) - limit) > 0 and len(whole) < len(fitted):
        longest = max((index for index in range(len(fitted)) if index not in whole), key=taken.__getitem__)
        shorter = _shorter(fitted[longest], over, count)
        after = size(shorter)
        if after >= taken[longest]:
            whole.add(longest)
            continue
        fitted[longest], taken[longest] = shorter, after
    return _thinned(fitted, taken, limit, size)


def _shorter(message: Message, over: int, count: Callable[[str], int]) -> Message:
    """The message with the longest of its texts cut: its content, or an argument of one of its calls."""

    def cut(text: str) -> str:
        before = count(text)
        note = REST_BY_SEARCH if message.role == "tool" else REST_IN_RECALL
        return shorten(text, max(before - over, before // 2, 24), count, note)

    texts = [
        (len(value), call.id, name, value)
        for call in message.tool_calls
        for name, value in call.arguments.items()
        if isinstance(value, str)
    ]
    length, call_id, name, text = max(texts, default=(-1, "", "", ""))
    if length <= len(message.content):
        return replace(message, content=cut(message.content))
    return replace(
        message,
        tool_calls=tuple(
            replace(call, arguments={**call.arguments, name: cut(text)}) if call.id == call_id else call
            for call in message.tool_calls
        ),
    )


def _thinned(
    messages: list[Message], sizes: Sequence[int], limit: int, size: Callable[[Message], int]
) -> list[Message]:
    """Leave out the oldest messages, and calls with their results, until the rest fits.

    The newest unanswered message and the last call stay.
    """
    total = sum(sizes)
    taken = {message.id: tokens for message, tokens in zip(messages, sizes, strict=True)}
    left = list(messages)
    waiting = next((message.id for message in reversed(left) if not message.answered), None)
    while total > limit:
        index = next((i for i, one in enumerate(left) if one.role != "tool" and one.id != waiting), None)
        if index is None:
            break
        oldest = left[index]
        newer = any(message.role != "tool" for message in left[index + 1 :])
        if len(oldest.tool_calls) < 2 and not newer:
            break
        gone = {oldest.tool_calls[0].id} if oldest.tool_calls else set()
        kept = [replace(oldest, tool_calls=oldest.tool_calls[1:])] if len(oldest.tool_calls) > 1 else []
        behind = [message for message in left[index + 1 :] if message.call_id is None or message.call_id not in gone]
        left = [*left[:index], *kept, *behind]
        taken |= {message.id: size(message) for message in kept}
        total = sum(taken[message.id] for message in left)
    return left
