"""The tables, as a list of migrations: entry N takes a database from version N to N + 1. Append, never edit."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from ..search.names import heading_of
from ..search.text import searchable

_FIRST = """
CREATE TABLE agents (
    id TEXT PRIMARY KEY, user_id TEXT NOT NULL, step_id TEXT,
    name TEXT NOT NULL, config TEXT NOT NULL, paused_until TEXT, created_at TEXT NOT NULL,
    UNIQUE (user_id, name)
);
CREATE TABLE steps (
    id TEXT PRIMARY KEY, user_id TEXT NOT NULL, step_id TEXT,
    agent_id TEXT NOT NULL REFERENCES agents ON DELETE CASCADE,
    outcome TEXT NOT NULL, model TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL,
    cost REAL NOT NULL, created_at TEXT NOT NULL
);
CREATE INDEX steps_agent ON steps (agent_id, id);

CREATE TABLE blocks (
    id TEXT PRIMARY KEY, user_id TEXT NOT NULL, step_id TEXT,
    label TEXT NOT NULL, value TEXT NOT NULL, char_limit INTEGER NOT NULL, version INTEGER NOT NULL,
    created_at TEXT NOT NULL
);
CREATE TABLE block_versions (
    block_id TEXT NOT NULL REFERENCES blocks ON DELETE CASCADE, version INTEGER NOT NULL,
    user_id TEXT NOT NULL, step_id TEXT, agent_id TEXT, value TEXT NOT NULL, created_at TEXT NOT NULL,
    PRIMARY KEY (block_id, version)
);
CREATE TABLE agent_blocks (
    agent_id TEXT NOT NULL REFERENCES agents ON DELETE CASCADE,
    block_id TEXT NOT NULL REFERENCES blocks ON DELETE CASCADE,
    user_id TEXT NOT NULL, step_id TEXT, position INTEGER NOT NULL,
    PRIMARY KEY (agent_id, block_id)
);

CREATE TABLE messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, user_id TEXT NOT NULL, step_id TEXT,
    agent_id TEXT NOT NULL REFERENCES agents ON DELETE CASCADE,
    conversation_id TEXT, session_id TEXT,
    role TEXT NOT NULL, kind TEXT NOT NULL, author TEXT, content TEXT NOT NULL, text TEXT NOT NULL,
    tool_calls TEXT, call_id TEXT, answered INTEGER NOT NULL, created_at TEXT NOT NULL
);
CREATE INDEX messages_agent ON messages (agent_id, seq);
CREATE INDEX messages_time ON messages (agent_id, created_at);
CREATE INDEX messages_open ON messages (agent_id) WHERE answered = 0;
CREATE VIRTUAL TABLE messages_fts USING fts5(
    text, content='messages', content_rowid='seq', tokenize='porter unicode61 remove_diacritics 2'
);
CREATE TRIGGER messages_insert AFTER INSERT ON messages WHEN new.text <> '' BEGIN
    INSERT INTO messages_fts (rowid, text) VALUES (new.seq, new.text);
END;
CREATE TRIGGER messages_delete AFTER DELETE ON messages WHEN old.text <> '' BEGIN
    INSERT INTO messages_fts (messages_fts, rowid, text) VALUES ('delete', old.seq, old.text);
END;
CREATE TABLE summaries (
    id TEXT PRIMARY KEY, user_id TEXT NOT NULL, step_id TEXT,
    agent_id TEXT NOT NULL REFERENCES agents ON DELETE CASCADE,
    first_message_id TEXT NOT NULL, last_message_id TEXT NOT NULL, last_seq INTEGER NOT NULL,
    messages INTEGER NOT NULL, text TEXT NOT NULL, created_at TEXT NOT NULL
);
CREATE INDEX summaries_agent ON summaries (agent_id, last_seq);

CREATE TABLE sources (
    id TEXT PRIMARY KEY, user_id TEXT NOT NULL, step_id TEXT,
    name TEXT NOT NULL, agent_id TEXT REFERENCES agents ON DELETE CASCADE,
    embedder TEXT NOT NULL DEFAULT '', dim INTEGER NOT NULL DEFAULT 0, created_at TEXT NOT NULL,
    UNIQUE (user_id, name)
);
CREATE TABLE attachments (
    agent_id TEXT NOT NULL REFERENCES agents ON DELETE CASCADE,
    source_id TEXT NOT NULL REFERENCES sources ON DELETE CASCADE,
    user_id TEXT NOT NULL, step_id TEXT, created_at TEXT NOT NULL,
    PRIMARY KEY (agent_id, source_id)
);
CREATE TABLE passages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, user_id TEXT NOT NULL, step_id TEXT,
    source_id TEXT NOT NULL REFERENCES sources ON DELETE CASCADE,
    text TEXT NOT NULL, uri TEXT NOT NULL, metadata TEXT NOT NULL, vector BLOB, created_at TEXT NOT NULL
);
CREATE INDEX passages_source ON passages (source_id, seq);
CREATE INDEX passages_backlog ON passages (source_id) WHERE vector IS NULL;
CREATE VIRTUAL TABLE passages_fts USING fts5(
    text, content='passages', content_rowid='seq', tokenize='porter unicode61 remove_diacritics 2'
);
CREATE TRIGGER passages_insert AFTER INSERT ON passages BEGIN
    INSERT INTO passages_fts (rowid, text) VALUES (new.seq, new.text);
END;
CREATE TRIGGER passages_delete AFTER DELETE ON passages BEGIN
    INSERT INTO passages_fts (passages_fts, rowid, text) VALUES ('delete', old.seq, old.text);
END;

CREATE TABLE conversations (
    id TEXT PRIMARY KEY, user_id TEXT NOT NULL, step_id TEXT,
    agent_id TEXT NOT NULL REFERENCES agents ON DELETE CASCADE,
    peer TEXT NOT NULL, created_at TEXT NOT NULL
);
CREATE INDEX conversations_peer ON conversations (agent_id, peer, id);
CREATE TABLE conversation_entries (
    conversation_id TEXT NOT NULL REFERENCES conversations ON DELETE CASCADE, position INTEGER NOT NULL,
    user_id TEXT NOT NULL, step_id TEXT, digest TEXT NOT NULL,
    PRIMARY KEY (conversation_id, position)
);
"""

#: Vectors get tables of their own, numbered as they come, so that what is kept in memory is brought up to date by what
#: was added since. ``edition`` counts what was taken away. The column passages.vector stays, empty: older SQLite cannot
#: drop it.
_VECTORS = """
ALTER TABLE agents ADD COLUMN edition INTEGER NOT NULL DEFAULT 0;
ALTER TABLE agents ADD COLUMN embedder TEXT NOT NULL DEFAULT '';
ALTER TABLE sources ADD COLUMN edition INTEGER NOT NULL DEFAULT 0;
CREATE TABLE message_vectors (
    number INTEGER PRIMARY KEY AUTOINCREMENT, user_id TEXT NOT NULL, step_id TEXT,
    owner_id TEXT NOT NULL REFERENCES agents ON DELETE CASCADE,
    seq INTEGER NOT NULL UNIQUE REFERENCES messages ON DELETE CASCADE, vector BLOB NOT NULL
);
CREATE INDEX message_vectors_owner ON message_vectors (owner_id, number);
CREATE TABLE passage_vectors (
    number INTEGER PRIMARY KEY AUTOINCREMENT, user_id TEXT NOT NULL, step_id TEXT,
    owner_id TEXT NOT NULL REFERENCES sources ON DELETE CASCADE,
    seq INTEGER NOT NULL UNIQUE REFERENCES passages ON DELETE CASCADE, vector BLOB NOT NULL
);
CREATE INDEX passage_vectors_owner ON passage_vectors (owner_id, number);
CREATE TRIGGER messages_gone AFTER DELETE ON messages BEGIN
    UPDATE agents SET edition = edition + 1 WHERE id = old.agent_id;
END;
CREATE TRIGGER message_vectors_gone AFTER DELETE ON message_vectors BEGIN
    UPDATE agents SET edition = edition + 1 WHERE id = old.owner_id;
END;
CREATE TRIGGER passages_gone AFTER DELETE ON passages BEGIN
    UPDATE sources SET edition = edition + 1 WHERE id = old.source_id;
END;
CREATE TRIGGER passage_vectors_gone AFTER DELETE ON passage_vectors BEGIN
    UPDATE sources SET edition = edition + 1 WHERE id = old.owner_id;
END;
INSERT INTO passage_vectors (user_id, step_id, owner_id, seq, vector)
    SELECT user_id, step_id, source_id, seq, vector FROM passages WHERE vector IS NOT NULL ORDER BY seq;
DROP INDEX passages_backlog;
UPDATE passages SET vector = NULL WHERE vector IS NOT NULL;
"""

#: What a source was loaded from, so that loading it again touches only what changed.
_DOCUMENTS = """
CREATE TABLE documents (
    id TEXT PRIMARY KEY, user_id TEXT NOT NULL, step_id TEXT,
    source_id TEXT NOT NULL REFERENCES sources ON DELETE CASCADE,
    uri TEXT NOT NULL, digest TEXT NOT NULL, created_at TEXT NOT NULL,
    UNIQUE (source_id, uri)
);
ALTER TABLE passages ADD COLUMN document_id TEXT REFERENCES documents ON DELETE CASCADE;
CREATE INDEX passages_document ON passages (document_id) WHERE document_id IS NOT NULL;
"""

#: So that each can be taken back: which step answered a message, how far the log had come when a summary was written
#: (empty: the user asked for it), and every pause (the newest holds; the column agents.paused_until is no longer read).
_UNDO = """
ALTER TABLE messages ADD COLUMN answered_step TEXT;
ALTER TABLE summaries ADD COLUMN at_seq INTEGER;
CREATE TABLE pauses (
    number INTEGER PRIMARY KEY AUTOINCREMENT, user_id TEXT NOT NULL, step_id TEXT,
    agent_id TEXT NOT NULL REFERENCES agents ON DELETE CASCADE, until TEXT NOT NULL
);
CREATE INDEX pauses_agent ON pauses (agent_id, number);
INSERT INTO pauses (user_id, agent_id, until) SELECT user_id, id, paused_until FROM agents WHERE paused_until <> '';
"""

#: The pictures that came with a message: a JSON list of addresses, ``https:`` or ``data:``.
_IMAGES = "ALTER TABLE messages ADD COLUMN images TEXT;"

#: How many passages a source holds, so that attaching and telling do not count them; where their vectors are (empty:
#: here); and the sources that are gone and may still have vectors elsewhere.
_COUNTS = """
ALTER TABLE sources ADD COLUMN passages INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sources ADD COLUMN vectors_in TEXT NOT NULL DEFAULT '';
UPDATE sources SET passages = (SELECT count(*) FROM passages WHERE source_id = sources.id);
CREATE TRIGGER passages_counted AFTER INSERT ON passages BEGIN
    UPDATE sources SET passages = passages + 1 WHERE id = new.source_id;
END;
CREATE TRIGGER passages_uncounted AFTER DELETE ON passages BEGIN
    UPDATE sources SET passages = passages - 1 WHERE id = old.source_id;
END;
CREATE INDEX passages_time ON passages (source_id, created_at);
CREATE TABLE vectors_left (
    source_id TEXT NOT NULL, user_id TEXT NOT NULL, step_id TEXT, vectors_in TEXT NOT NULL,
    PRIMARY KEY (source_id, vectors_in)
);
CREATE TRIGGER sources_gone AFTER DELETE ON sources WHEN old.vectors_in <> '' BEGIN
    INSERT OR IGNORE INTO vectors_left (source_id, user_id, vectors_in) VALUES (old.id, old.user_id, old.vectors_in);
END;
"""

#: Documents on their way into a source of that name, out of sight.
_ARRIVALS = "ALTER TABLE sources ADD COLUMN loading_for TEXT;"

#: Where a source's vectors are being moved to, so that an interrupted move goes on, or leaves nothing there.
_MOVING = """
ALTER TABLE sources ADD COLUMN moving_to TEXT NOT NULL DEFAULT '';
CREATE TRIGGER sources_gone_moving AFTER DELETE ON sources WHEN old.moving_to <> '' BEGIN
    INSERT OR IGNORE INTO vectors_left (source_id, user_id, vectors_in) VALUES (old.id, old.user_id, old.moving_to);
END;
"""

#: Full text in any language: the index is given each text as ``searchable``, a function of ours, makes it.
_LANGUAGES = """
DROP TRIGGER messages_insert;
DROP TRIGGER messages_delete;
DROP TABLE messages_fts;
CREATE VIEW messages_searchable AS SELECT seq, searchable(text) AS text FROM messages;
CREATE VIRTUAL TABLE messages_fts USING fts5(
    text, content='messages_searchable', content_rowid='seq',
    tokenize="porter unicode61 remove_diacritics 2 categories 'L* M* N* Co'"
);
CREATE TRIGGER messages_insert AFTER INSERT ON messages WHEN new.text <> '' BEGIN
    INSERT INTO messages_fts (rowid, text) VALUES (new.seq, searchable(new.text));
END;
CREATE TRIGGER messages_delete AFTER DELETE ON messages WHEN old.text <> '' BEGIN
    INSERT INTO messages_fts (messages_fts, rowid, text) VALUES ('delete', old.seq, searchable(old.text));
END;
DROP TRIGGER passages_insert;
DROP TRIGGER passages_delete;
DROP TABLE passages_fts;
CREATE VIEW passages_searchable AS SELECT seq, searchable(text) AS text FROM passages;
CREATE VIRTUAL TABLE passages_fts USING fts5(
    text, content='passages_searchable', content_rowid='seq',
    tokenize="porter unicode61 remove_diacritics 2 categories 'L* M* N* Co'"
);
CREATE TRIGGER passages_insert AFTER INSERT ON passages BEGIN
    INSERT INTO passages_fts (rowid, text) VALUES (new.seq, searchable(new.text));
END;
CREATE TRIGGER passages_delete AFTER DELETE ON passages BEGIN
    INSERT INTO passages_fts (passages_fts, rowid, text) VALUES ('delete', old.seq, searchable(old.text));
END;
INSERT INTO messages_fts (messages_fts) VALUES ('rebuild');
INSERT INTO passages_fts (passages_fts) VALUES ('rebuild');
"""

#: Messages without words are in the full text index too, so that its own check compares it with the table. ``upkeep``:
#: what is to be done to the file (``unclean``: what was forgotten may still stand in it), and what was (``swept``).
_UPKEEP = """
DROP TRIGGER messages_insert;
DROP TRIGGER messages_delete;
CREATE TRIGGER messages_insert AFTER INSERT ON messages BEGIN
    INSERT INTO messages_fts (rowid, text) VALUES (new.seq, searchable(new.text));
END;
CREATE TRIGGER messages_delete AFTER DELETE ON messages BEGIN
    INSERT INTO messages_fts (messages_fts, rowid, text) VALUES ('delete', old.seq, searchable(old.text));
END;
INSERT INTO messages_fts (messages_fts) VALUES ('rebuild');
CREATE TABLE upkeep (
    id TEXT PRIMARY KEY, user_id TEXT NOT NULL, step_id TEXT,
    kind TEXT NOT NULL, told TEXT NOT NULL, created_at TEXT NOT NULL
);
"""

#: The name that a passage is about (see :func:`memgpt_autogen.storage.names.heading_of`), so that a name leads to it.
_HEADINGS = """
ALTER TABLE passages ADD COLUMN heading TEXT NOT NULL DEFAULT '';
UPDATE passages SET heading = heading_of(text, uri);
CREATE INDEX passages_heading ON passages (heading, source_id);
"""

#: Up to which message facts were extracted from what people said; see :mod:`memgpt_autogen.guides.keeper`.
_EXTRACTED = """
CREATE TABLE IF NOT EXISTS extracted (
    agent_id TEXT PRIMARY KEY REFERENCES agents ON DELETE CASCADE,
    user_id TEXT NOT NULL, step_id TEXT, message_id TEXT NOT NULL
);
"""

#: What each model call was sent; see :mod:`memgpt_autogen.memory.prompt_log`.
_PROMPTS = """
CREATE TABLE prompts (
    id TEXT PRIMARY KEY, user_id TEXT NOT NULL, step_id TEXT,
    agent_id TEXT NOT NULL REFERENCES agents ON DELETE CASCADE,
    model TEXT NOT NULL, base TEXT NOT NULL, parts TEXT NOT NULL, tools TEXT NOT NULL, options TEXT NOT NULL,
    digest TEXT NOT NULL, created_at TEXT NOT NULL
);
CREATE INDEX prompts_step ON prompts (agent_id, step_id, id);
CREATE TABLE prompt_texts (
    agent_id TEXT NOT NULL REFERENCES agents ON DELETE CASCADE, digest TEXT NOT NULL,
    user_id TEXT NOT NULL, step_id TEXT, text TEXT NOT NULL, words INTEGER NOT NULL,
    PRIMARY KEY (agent_id, digest)
);
"""

#: All that a search by days needs of the messages it only counts or passes over.
_DAYS = """
CREATE INDEX messages_days ON messages (agent_id, created_at, seq) WHERE text <> '';
DROP INDEX messages_time;
"""

#: The code of each vector (see :mod:`memgpt_autogen.storage.vectors.coded`), and all that a first search reads of it in
#: the order of an index. A vector that is moved elsewhere takes its code along.
_CODES = """
ALTER TABLE message_vectors ADD COLUMN code BLOB NOT NULL DEFAULT x'';
ALTER TABLE passage_vectors ADD COLUMN code BLOB NOT NULL DEFAULT x'';
UPDATE message_vectors SET code = code_of(vector);
UPDATE passage_vectors SET code = code_of(vector);
DROP INDEX message_vectors_owner;
DROP INDEX passage_vectors_owner;
CREATE INDEX message_vectors_codes ON message_vectors (owner_id, number, seq, code);
CREATE INDEX passage_vectors_codes ON passage_vectors (owner_id, number, seq, code);
CREATE TRIGGER message_vectors_coded AFTER INSERT ON message_vectors BEGIN
    UPDATE message_vectors SET code = code_of(new.vector) WHERE number = new.number;
END;
CREATE TRIGGER passage_vectors_coded AFTER INSERT ON passage_vectors BEGIN
    UPDATE passage_vectors SET code = code_of(new.vector) WHERE number = new.number;
END;
CREATE TRIGGER passage_vectors_moved AFTER UPDATE OF vector ON passage_vectors BEGIN
    UPDATE passage_vectors SET code = code_of(new.vector) WHERE number = new.number;
END;
"""

MIGRATIONS: tuple[str, ...] = (
    *(_FIRST, _VECTORS, _DOCUMENTS, _UNDO, _IMAGES, _COUNTS, _ARRIVALS, _MOVING, _LANGUAGES),
    *(_UPKEEP, _HEADINGS, _EXTRACTED, _PROMPTS, _DAYS, _CODES),
)


def code_of(vector: bytes) -> bytes:
    """The code of a stored vector."""
    import numpy as np

    from ..vectors.coded import packed

    return packed(np.frombuffer(vector, dtype="<f4"))


def add_functions(connection: sqlite3.Connection) -> None:
    """Give a connection the functions of ours that the schema calls."""
    connection.create_function("searchable", 1, searchable, deterministic=True)
    connection.create_function("code_of", 1, code_of, deterministic=True)
    connection.create_function("heading_of", 2, heading_of, deterministic=True)


def statements(script: str) -> Iterator[str]:
    """Split a script where SQLite itself says that a statement is complete (triggers hold semicolons)."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
