"""What happens to each reply of the model before its calls run, as one list in order: :data:`REPLY_PIPELINE`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, replace
from typing import TypeAlias

from ..events import clean
from ..llm.streaming import StreamedReply
from ..messages import Reply, ToolCall
from ..prompts.tool_rules import ToolRules
from .guide import Guide, ReplyContext


@dataclass(frozen=True)
class ReplyStage:
    """What the stages of the pipeline work with.

    Attributes:
        context: the prompt behind the reply, and a way to ask again.
        guides: of this turn.
        streamed: what observers were shown while the reply was written.
        rules: which function may follow which.
        called: functions that this turn has called before.
        offered: names of all functions on offer.
    """

    context: ReplyContext
    guides: Sequence[Guide]
    streamed: StreamedReply
    rules: ToolRules
    called: Sequence[str]
    offered: Sequence[str]


def check_by_guides(reply: Reply, stage: ReplyStage) -> Reply:
    """Let each guide check the reply, in order."""
    for guide in stage.guides:
        reply = guide.check_reply(reply, stage.context)
    return reply


def settle_stream(reply: Reply, stage: ReplyStage) -> Reply:
    """See that observers of a streamed reply were shown this reply; what differs is discarded."""
    stage.streamed.reconcile(reply)
    return reply


def clean_reply(reply: Reply, stage: ReplyStage) -> Reply:
    """Remove characters that no database accepts, and give each call an id that the prompt does not have yet."""
    return with_own_ids(reply, stage.context.prompt.call_ids)


def check_order(reply: Reply, stage: ReplyStage) -> Reply:
    """Put an error on the calls if one of them may not follow the one before it."""
    return replace(reply, tool_calls=stage.rules.checked(reply.tool_calls, stage.called, stage.offered))


Stage: TypeAlias = Callable[[Reply, ReplyStage], Reply]
REPLY_PIPELINE: tuple[Stage, ...] = (check_by_guides, settle_stream, clean_reply, check_order)


def run_pipeline(reply: Reply, stage: ReplyStage) -> Reply:
    """The reply after every stage."""
    for apply in REPLY_PIPELINE:
        reply = apply(reply, stage)
    return reply


def with_own_ids(reply: Reply, taken: Set[str]) -> Reply:
    """The reply with cleaned text and a unique id for each call.

    Args:
        reply: the model's. Some servers number the calls of every reply from 0.
        taken: ids that other calls have.
    """
    own: set[str] = set()
    calls = []
    for call in reply.tool_calls:
        call_id = clean(call.id)
        made = f"{len(taken) + len(own)} {call.name} {json.dumps(dict(call.arguments), default=str)}"
        while not call_id or call_id in taken or call_id in own:
            # The same reply gets the same id, so that a cache finds what follows.
            call_id = "call_" + hashlib.sha256(made.encode("utf-8", "replace")).hexdigest()[:12]
            made += "."
        own.add(call_id)
        calls.append(ToolCall(clean(call.name), clean(call.arguments), call_id, clean(call.error)))
    return replace(reply, tool_calls=tuple(calls), inner_thoughts=clean(reply.inner_thoughts))
