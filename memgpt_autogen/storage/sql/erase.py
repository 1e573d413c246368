"""Finding and deleting what an agent remembers about something, down to the bytes of the file."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..records import Forgotten, Remembered
from ..search.text import normal
from ..search.words import holders, telling
from .database import Database, Row
from .rows import reading_rows

_MESSAGES = """SELECT seq, author, content, text, tool_calls, call_id, images FROM messages
               WHERE agent_id = ? ORDER BY seq"""
_NOTES = """SELECT seq, text, uri, metadata FROM passages WHERE source_id IN (SELECT id FROM sources WHERE agent_id = ?)
            ORDER BY seq"""
_BLOCKS = """SELECT blocks.id, label, value FROM blocks JOIN agent_blocks ON block_id = blocks.id
             WHERE agent_id = ? ORDER BY position"""
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n")
#: What stands in a summary of which nothing is left.
_NOTHING = "(Removed at the user's wish.)"
_BESIDE = "call or result beside them"
_EXCERPT = 80
#: What a receipt calls the place that a kind of thing was removed from.
_PLACES = {
    "message": "messages",
    _BESIDE: "calls and results beside them",
    "summary": "summaries",
    "archival note": "archival notes",
    "setting": "settings",
}
_SETTINGS = ("persona", "human", "system", "blocks")


@reading_rows
def remembered(database: Database, agent_id: str, about: str) -> tuple[Remembered, ...]:
    """Everything that holds all the words of ``about`` that matter, in whatever form they stand."""
    found: list[Remembered] = []

    def add(kind: str, texts: Sequence[str]) -> None:
        found.extend(Remembered(kind, _excerpt(texts[place], about)) for place in sorted(holders(texts, about)))

    with database.held():
        messages = database.all(_MESSAGES, agent_id)
        held, gone = _held(messages, about), _gone(messages, about)
        found += [Remembered("message", _excerpt(_shown(row), about)) for row in messages if row["seq"] in held]
        found += [Remembered(_BESIDE, _excerpt(_shown(row), about)) for row in messages if row["seq"] in gone - held]
        add("summary", [row["text"] for row in database.all("SELECT text FROM summaries WHERE agent_id = ?", agent_id)])
        add("archival note", [_of_note(row) for row in database.all(_NOTES, agent_id)])
        for block in database.all(_BLOCKS, agent_id):
            add(f"core memory ({block['label']})", block["value"].split("\n"))
            versions = database.all("SELECT value FROM block_versions WHERE block_id = ?", block["id"])
            old = {line for row in versions for line in row["value"].split("\n")} - {*block["value"].split("\n")}
            add(f"earlier core memory ({block['label']})", sorted(old))
        add("setting", [line for text in _texts(_config(database, agent_id)) for line in text.split("\n")])
    return tuple(found)


def forget(database: Database, agent_id: str, about: str) -> Forgotten:
    """Delete that from the rows; the file still holds traces of it, which is noted in the same transaction."""
    with database.transaction():
        found = remembered(database, agent_id, about)
        gone = _gone(database.all(_MESSAGES, agent_id), about)
        notes = database.all(_NOTES, agent_id)
        held = holders([_of_note(row) for row in notes], about)
        these = database.dialect.these
        messages = database.listed(sorted(gone))
        passages = database.listed(row["seq"] for place, row in enumerate(notes) if place in held)
        vectors = database.number(f"SELECT count(*) FROM message_vectors WHERE seq {these}", messages)
        vectors += database.number(f"SELECT count(*) FROM passage_vectors WHERE seq {these}", passages)
        database.execute(f"DELETE FROM messages WHERE seq {these}", messages)
        database.execute(f"DELETE FROM passages WHERE seq {these}", passages)
        _rewrite(database, "summaries", "text", "agent_id", agent_id, lambda text: _summary(text, about))
        for block in database.all(_BLOCKS, agent_id):
            _rewrite(database, "blocks", "value", "id", block["id"], lambda text: _lines(text, about))
            _rewrite(database, "block_versions", "value", "block_id", block["id"], lambda text: _lines(text, about))
        prompts = _of_prompts(database, agent_id, about)
        texts = _changed(_config(database, agent_id), lambda text: _lines(text, about))
        _rewrite(database, "agents", "config", "id", agent_id, lambda text: json.dumps({**json.loads(text), **texts}))
        database.mark_unclean()
    removed = Counter(_PLACES.get(one.kind.partition(" (")[0], one.kind) for one in found)
    index = {"full text index": len(gone) + len(held), "vectors": vectors, "records of prompts": prompts}
    return Forgotten(found, {**removed, **{place: count for place, count in index.items() if count}})


def _of_note(row: Row) -> str:
    return "\n".join([row["text"], row["uri"], *_texts(json.loads(row["metadata"]))])


def _rewrite(database: Database, table: str, column: str, key: str, value: str, change: Callable[[str], str]) -> None:
    """Change the texts of a column, in the rows of one key."""
    for row in database.all(f"SELECT DISTINCT {column} FROM {table} WHERE {key} = ?", value):
        text = change(row[column])
        if text != row[column]:
            where = f"WHERE {key} = ? AND {column} = ?"
            database.execute(f"UPDATE {table} SET {column} = ? {where}", text, value, row[column])


def _of_prompts(database: Database, agent_id: str, about: str) -> int:
    """Take the lines about it out of the records of prompts; how many records and texts held any."""
    kept = database.all("SELECT digest, text FROM prompt_texts WHERE agent_id = ? AND words = 1", agent_id)
    held = holders([_readable(row["text"]) for row in kept], about)
    for row in (kept[place] for place in held):
        database.execute(
            "UPDATE prompt_texts SET text = ? WHERE agent_id = ? AND digest = ?",
            *(_without(row["text"], about), agent_id, row["digest"]),
        )
    records = database.all("SELECT id, parts FROM prompts WHERE agent_id = ?", agent_id)
    named = holders(["\n".join(_texts(json.loads(row["parts"]))) for row in records], about)
    for row in (records[place] for place in named):
        parts = _changed(json.loads(row["parts"]), lambda text: _lines(text, about))
        database.execute("UPDATE prompts SET parts = ? WHERE id = ?", json.dumps(parts, ensure_ascii=False), row["id"])
    return len(held) + len(named)


def _readable(text: str) -> str:
    """The text, with the words of function calls without the escapes of JSON."""
    try:
        return "\n".join([text, *_texts(json.loads(text))])
    except ValueError:
        return text


def _without(text: str, about: str) -> str:
    """The text without the lines about it; nothing of it, where the words stand in several."""
    try:
        rest = json.dumps(_changed(json.loads(text), lambda held: _lines(held, about)), ensure_ascii=False)
    except ValueError:
        rest = _lines(text, about)
    return "" if holders([_readable(rest)], about) else rest


def _gone(messages: Sequence[Row], about: str) -> set[int]:
    """Numbers of the messages about it, with the replies and results that belong together with one of them."""
    gone = _held(messages, about)
    calls = {row["seq"]: [call["id"] for call in json.loads(row["tool_calls"] or "[]")] for row in messages}
    answered = {row["call_id"] for row in messages if row["seq"] in gone and row["call_id"]}
    gone |= {seq for seq, ids in calls.items() if answered.intersection(ids)}
    called = {call_id for seq in gone for call_id in calls[seq]}
    return gone | {row["seq"] for row in messages if row["call_id"] in called}


def _held(messages: Sequence[Row], about: str) -> set[int]:
    places = holders([_all_words(row) for row in messages], about)
    return {messages[place]["seq"] for place in places}


def _all_words(row: Row) -> str:
    """All that a message holds, without the escapes of JSON."""
    addresses = [image for image in json.loads(row["images"] or "[]") if not image.startswith("data:")]
    parts = [row["author"] or "", row["text"], row["content"], row["tool_calls"] or "", *addresses]
    for held in (row["content"], row["tool_calls"] or ""):
        try:
            parts += _texts(json.loads(held))
        except ValueError:
            continue
    return "\n".join(parts)


def _shown(row: Row) -> str:
    return str(row["text"] or row["content"] or row["tool_calls"] or "")


def _lines(text: str, about: str) -> str:
    lines = text.split("\n")
    held = holders(lines, about)
    return "\n".join(line for place, line in enumerate(lines) if place not in held) if held else text


def _summary(text: str, about: str) -> str:
    """The summary without the sentences about it; without all of it, where the words stand in several."""
    if not holders([text], about):
        return text
    sentences = _SENTENCE.split(text)
    held = holders(sentences, about)
    rest = " ".join(sentence for place, sentence in enumerate(sentences) if place not in held).strip()
    return rest if rest and not holders([rest], about) else _NOTHING


def _config(database: Database, agent_id: str) -> dict[str, Any]:
    """The texts in an agent's record, which its core memory began with."""
    row = database.one("SELECT config FROM agents WHERE id = ?", agent_id)
    config = json.loads(row["config"]) if row else {}
    return {key: config[key] for key in _SETTINGS if key in config}


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {key: _changed(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [_changed(item, change) for item in value]
    return change(value) if isinstance(value, str) else value


def _excerpt(text: str, about: str) -> str:
    """The part of a text around the words."""
    line = " ".join(text.split())
    places: Iterable[int] = (normal(line).find(word) for word in [normal(about), *telling(about)])
    start = max(0, next((place for place in places if place >= 0), 0) - _EXCERPT // 3)
    cut = line[start : start + _EXCERPT]
    return f"{'…' * (start > 0)}{cut}{'…' * (start + _EXCERPT < len(line))}"
