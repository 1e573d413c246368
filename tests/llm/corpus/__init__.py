"""Replies as models write them where no grammar holds them: what can be read of them, and what cannot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memgpt_autogen.errors import ModelReplyError
from memgpt_autogen.llm.repair import check_calls, parse_calls
from memgpt_autogen.messages import ToolSchema

TEXT = {"type": "string"}
BEAT = {"type": "boolean"}


def _tool(name: str, /, *required: str, **properties: Any) -> ToolSchema:
    return ToolSchema(name, name, {"type": "object", "properties": properties, "required": list(required)})


TOOLS = (
    _tool("send_message", "message", message=TEXT),
    _tool(
        "core_memory_append",
        "name",
        "content",
        "request_heartbeat",
        name={"enum": ["human", "persona"]},
        content=TEXT,
        request_heartbeat=BEAT,
    ),
    _tool(
        "archival_memory_search",
        "query",
        "request_heartbeat",
        query=TEXT,
        page={"type": "integer", "minimum": 0},
        request_heartbeat=BEAT,
    ),
    _tool(
        "plan_trip",
        "stops",
        "by_train",
        stops={"type": "array", "items": TEXT, "minItems": 1},
        days={"type": "number"},
        by_train=BEAT,
        note={"anyOf": [TEXT, {"type": "null"}]},
    ),
)


@dataclass(frozen=True)
class Case:
    """One reply. ``calls``: what it says, as (name, arguments); None where there is no whole, fitting call in it."""

    kind: str
    text: str
    calls: list[tuple[str, dict[str, Any]]] | None


def cases() -> Iterator[Case]:
    """Those of ``replies.jsonl``."""
    for line in (Path(__file__).parent / "replies.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        calls = None if row["calls"] is None else [(name, arguments) for name, arguments in row["calls"]]
        yield Case(row["kind"], row["text"], calls)


def read(text: str, aloud: bool = False) -> list[tuple[str, dict[str, Any]]] | None:
    """The calls in a reply as an agent would run them; None where it is refused."""
    try:
        calls, _ = parse_calls(text, TOOLS, aloud=aloud)
        return [(call.name, dict(call.arguments)) for call in check_calls(calls, TOOLS, None, text)]
    except ModelReplyError:
        return None
