"""The tables, as a list of migrations: entry N takes a schema from version N to N + 1. Append, never edit.

Tables and columns are those of SQLite, so that a store moves from one to the other as it is. Beside each table with a
full text stands one of its terms: ``tsvector`` of the stems that SQLite's index has, with the owner as one of them, so
that PostgreSQL looks for a word among one owner's rows by its index alone.
"""

from __future__ import annotations

#: Rows of one owner are numbered while the owner's row is locked, so that they become visible in the order of their
#: numbers: whoever has read up to a number has read all before it.
_FIRST = """
CREATE TABLE agents (
    id TEXT PRIMARY KEY, user_id TEXT NOT NULL, step_id TEXT,
    name TEXT NOT NULL, config TEXT NOT NULL, created_at TEXT NOT NULL,
    edition BIGINT NOT NULL DEFAULT 0, embedder TEXT NOT NULL DEFAULT '',
    UNIQUE (user_id, name)
);
CREATE TABLE steps (
    id TEXT PRIMARY KEY, user_id TEXT NOT NULL, step_id TEXT,
    agent_id TEXT NOT NULL REFERENCES agents ON DELETE CASCADE,
    outcome TEXT NOT NULL, model TEXT NOT NULL,
    prompt_tokens BIGINT NOT NULL, completion_tokens BIGINT NOT NULL, cached_tokens BIGINT NOT NULL,
    cost DOUBLE PRECISION NOT NULL, created_at TEXT NOT NULL
);
CREATE INDEX ON steps (agent_id, id);
CREATE TABLE blocks (
    id TEXT PRIMARY KEY, user_id TEXT NOT NULL, step_id TEXT,
    label TEXT NOT NULL, value TEXT NOT NULL, char_limit BIGINT NOT NULL, version BIGINT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE TABLE block_versions (
    block_id TEXT NOT NULL REFERENCES blocks ON DELETE CASCADE, version BIGINT NOT NULL,
    user_id TEXT NOT NULL, step_id TEXT, agent_id TEXT, value TEXT NOT NULL, created_at TEXT NOT NULL,
    PRIMARY KEY (block_id, version)
);
CREATE INDEX ON block_versions (step_id);
CREATE TABLE agent_blocks (
    agent_id TEXT NOT NULL REFERENCES agents ON DELETE CASCADE,
    block_id TEXT NOT NULL REFERENCES blocks ON DELETE CASCADE,
    user_id TEXT NOT NULL, step_id TEXT, position BIGINT NOT NULL,
    PRIMARY KEY (agent_id, block_id)
);
CREATE INDEX ON agent_blocks (block_id);

CREATE SEQUENCE messages_seq;
CREATE TABLE messages (
    seq BIGINT PRIMARY KEY, id TEXT NOT NULL UNIQUE, user_id TEXT NOT NULL, step_id TEXT,
    agent_id TEXT NOT NULL REFERENCES agents ON DELETE CASCADE,
    conversation_id TEXT, session_id TEXT,
    role TEXT NOT NULL, kind TEXT NOT NULL, author TEXT, content TEXT NOT NULL, text TEXT NOT NULL,
    tool_calls TEXT, call_id TEXT, answered BIGINT NOT NULL, created_at TEXT NOT NULL,
    answered_step TEXT, images TEXT
);
CREATE INDEX ON messages (agent_id, seq);
CREATE INDEX ON messages (agent_id, created_at, seq) WHERE text <> '';
CREATE INDEX ON messages (agent_id) WHERE answered = 0;
CREATE TABLE messages_terms (
    seq BIGINT PRIMARY KEY REFERENCES messages ON DELETE CASCADE, user_id TEXT NOT NULL, step_id TEXT,
    terms TSVECTOR NOT NULL
);
CREATE INDEX messages_terms_words ON messages_terms USING gin (terms);
CREATE TABLE summaries (
    id TEXT PRIMARY KEY, user_id TEXT NOT NULL, step_id TEXT,
    agent_id TEXT NOT NULL REFERENCES agents ON DELETE CASCADE,
    first_message_id TEXT NOT NULL, last_message_id TEXT NOT NULL, last_seq BIGINT NOT NULL,
    messages BIGINT NOT NULL, text TEXT NOT NULL, created_at TEXT NOT NULL, at_seq BIGINT
);
CREATE INDEX ON summaries (agent_id, last_seq);

CREATE TABLE sources (
    id TEXT PRIMARY KEY, user_id TEXT NOT NULL, step_id TEXT,
    name TEXT NOT NULL, agent_id TEXT REFERENCES agents ON DELETE CASCADE,
    embedder TEXT NOT NULL DEFAULT '', dim BIGINT NOT NULL DEFAULT 0, created_at TEXT NOT NULL,
    edition BIGINT NOT NULL DEFAULT 0, passages BIGINT NOT NULL DEFAULT 0,
    vectors_in TEXT NOT NULL DEFAULT '', loading_for TEXT, moving_to TEXT NOT NULL DEFAULT '',
    UNIQUE (user_id, name)
);
CREATE INDEX ON sources (agent_id);
CREATE TABLE attachments (
    agent_id TEXT NOT NULL REFERENCES agents ON DELETE CASCADE,
    source_id TEXT NOT NULL REFERENCES sources ON DELETE CASCADE,
    user_id TEXT NOT NULL, step_id TEXT, created_at TEXT NOT NULL,
    PRIMARY KEY (agent_id, source_id)
);
CREATE INDEX ON attachments (source_id);
CREATE TABLE documents (
    id TEXT PRIMARY KEY, user_id TEXT NOT NULL, step_id TEXT,
    source_id TEXT NOT NULL REFERENCES sources ON DELETE CASCADE,
    uri TEXT NOT NULL, digest TEXT NOT NULL, created_at TEXT NOT NULL,
    UNIQUE (source_id, uri)
);
CREATE SEQUENCE passages_seq;
CREATE TABLE passages (
    seq BIGINT PRIMARY KEY, id TEXT NOT NULL UNIQUE, user_id TEXT NOT NULL, step_id TEXT,
    source_id TEXT NOT NULL REFERENCES sources ON DELETE CASCADE,
    document_id TEXT REFERENCES documents ON DELETE CASCADE,
    text TEXT NOT NULL, uri TEXT NOT NULL, metadata TEXT NOT NULL, created_at TEXT NOT NULL,
    heading TEXT NOT NULL DEFAULT ''
);
CREATE INDEX ON passages (source_id, seq);
CREATE INDEX ON passages (source_id, created_at);
CREATE INDEX ON passages (document_id);
CREATE INDEX ON passages (heading, source_id) WHERE heading <> '';
CREATE TABLE passages_terms (
    seq BIGINT PRIMARY KEY REFERENCES passages ON DELETE CASCADE, user_id TEXT NOT NULL, step_id TEXT,
    terms TSVECTOR NOT NULL
);
CREATE INDEX passages_terms_words ON passages_terms USING gin (terms);

CREATE SEQUENCE message_vectors_seq;
CREATE TABLE message_vectors (
    number BIGINT PRIMARY KEY, user_id TEXT NOT NULL, step_id TEXT,
    owner_id TEXT NOT NULL REFERENCES agents ON DELETE CASCADE,
    seq BIGINT NOT NULL UNIQUE REFERENCES messages ON DELETE CASCADE, vector VECTOR
);
CREATE INDEX ON message_vectors (owner_id, number);
CREATE SEQUENCE passage_vectors_seq;
CREATE TABLE passage_vectors (
    number BIGINT PRIMARY KEY, user_id TEXT NOT NULL, step_id TEXT,
    owner_id TEXT NOT NULL REFERENCES sources ON DELETE CASCADE,
    seq BIGINT NOT NULL UNIQUE REFERENCES passages ON DELETE CASCADE, vector VECTOR
);
CREATE INDEX ON passage_vectors (owner_id, number);
CREATE TABLE vectors_left (
    source_id TEXT NOT NULL, user_id TEXT NOT NULL, step_id TEXT, vectors_in TEXT NOT NULL,
    PRIMARY KEY (source_id, vectors_in)
);

CREATE TABLE conversations (
    id TEXT PRIMARY KEY, user_id TEXT NOT NULL, step_id TEXT,
    agent_id TEXT NOT NULL REFERENCES agents ON DELETE CASCADE,
    peer TEXT NOT NULL, created_at TEXT NOT NULL
);
CREATE INDEX ON conversations (agent_id, peer, id);
CREATE TABLE conversation_entries (
    conversation_id TEXT NOT NULL REFERENCES conversations ON DELETE CASCADE, position BIGINT NOT NULL,
    user_id TEXT NOT NULL, step_id TEXT, digest TEXT NOT NULL,
    PRIMARY KEY (conversation_id, position)
);
CREATE SEQUENCE pauses_seq;
CREATE TABLE pauses (
    number BIGINT PRIMARY KEY DEFAULT nextval('pauses_seq'), user_id TEXT NOT NULL, step_id TEXT,
    agent_id TEXT NOT NULL REFERENCES agents ON DELETE CASCADE, until TEXT NOT NULL
);
CREATE INDEX ON pauses (agent_id, number);
CREATE TABLE extracted (
    agent_id TEXT PRIMARY KEY REFERENCES agents ON DELETE CASCADE,
    user_id TEXT NOT NULL, step_id TEXT, message_id TEXT NOT NULL
);
CREATE TABLE prompts (
    id TEXT PRIMARY KEY, user_id TEXT NOT NULL, step_id TEXT,
    agent_id TEXT NOT NULL REFERENCES agents ON DELETE CASCADE,
    model TEXT NOT NULL, base TEXT NOT NULL, parts TEXT NOT NULL, tools TEXT NOT NULL, options TEXT NOT NULL,
    digest TEXT NOT NULL, created_at TEXT NOT NULL
);
CREATE INDEX ON prompts (agent_id, step_id, id);
CREATE TABLE prompt_texts (
    agent_id TEXT NOT NULL REFERENCES agents ON DELETE CASCADE, digest TEXT NOT NULL,
    user_id TEXT NOT NULL, step_id TEXT, text TEXT NOT NULL, words BIGINT NOT NULL,
    PRIMARY KEY (agent_id, digest)
);
CREATE TABLE upkeep (
    id TEXT PRIMARY KEY, user_id TEXT NOT NULL, step_id TEXT,
    kind TEXT NOT NULL, told TEXT NOT NULL, created_at TEXT NOT NULL
);
CREATE TABLE leases (
    user_id TEXT NOT NULL, key TEXT NOT NULL, step_id TEXT,
    token BIGINT NOT NULL, holder BIGINT NOT NULL, expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id, key)
);

CREATE FUNCTION instr(held text, wanted text) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT strpos(held, wanted)';
CREATE FUNCTION number_message() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF new.seq IS NULL THEN
        PERFORM 1 FROM agents WHERE id = new.agent_id FOR NO KEY UPDATE;
        new.seq := nextval('messages_seq');
    END IF;
    RETURN new;
END $$;
CREATE TRIGGER numbered BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION number_message();
CREATE FUNCTION number_passage() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF new.seq IS NULL THEN
        PERFORM 1 FROM sources WHERE id = new.source_id FOR NO KEY UPDATE;
        new.seq := nextval('passages_seq');
    END IF;
    RETURN new;
END $$;
CREATE TRIGGER numbered BEFORE INSERT ON passages FOR EACH ROW EXECUTE FUNCTION number_passage();
CREATE FUNCTION number_message_vector() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF new.number IS NULL THEN
        PERFORM 1 FROM agents WHERE id = new.owner_id FOR NO KEY UPDATE;
        new.number := nextval('message_vectors_seq');
    END IF;
    RETURN new;
END $$;
CREATE TRIGGER numbered BEFORE INSERT ON message_vectors FOR EACH ROW EXECUTE FUNCTION number_message_vector();
CREATE FUNCTION number_passage_vector() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF new.number IS NULL THEN
        PERFORM 1 FROM sources WHERE id = new.owner_id FOR NO KEY UPDATE;
        new.number := nextval('passage_vectors_seq');
    END IF;
    RETURN new;
END $$;
CREATE TRIGGER numbered BEFORE INSERT ON passage_vectors FOR EACH ROW EXECUTE FUNCTION number_passage_vector();

CREATE FUNCTION move_terms() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE passages_terms
    SET terms = ts_delete(terms, '@' || old.source_id) || array_to_tsvector(ARRAY['@' || new.source_id])
    WHERE seq = new.seq;
    RETURN NULL;
END $$;
CREATE TRIGGER moved AFTER UPDATE OF source_id ON passages FOR EACH ROW
    WHEN (old.source_id IS DISTINCT FROM new.source_id) EXECUTE FUNCTION move_terms();
CREATE FUNCTION count_passages() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE sources SET passages = passages + added.number
    FROM (SELECT source_id, count(*) AS number FROM fresh GROUP BY source_id) AS added WHERE id = added.source_id;
    RETURN NULL;
END $$;
CREATE TRIGGER counted AFTER INSERT ON passages REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION count_passages();
CREATE FUNCTION uncount_passages() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE sources SET passages = passages - taken.number, edition = edition + 1
    FROM (SELECT source_id, count(*) AS number FROM gone GROUP BY source_id) AS taken WHERE id = taken.source_id;
    RETURN NULL;
END $$;
CREATE TRIGGER uncounted AFTER DELETE ON passages REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION uncount_passages();
CREATE FUNCTION messages_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE agents SET edition = edition + 1 WHERE id IN (SELECT agent_id FROM gone);
    RETURN NULL;
END $$;
CREATE TRIGGER noted AFTER DELETE ON messages REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION messages_gone();
CREATE FUNCTION message_vectors_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE agents SET edition = edition + 1 WHERE id IN (SELECT owner_id FROM gone);
    RETURN NULL;
END $$;
CREATE TRIGGER noted AFTER DELETE ON message_vectors REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION message_vectors_gone();
CREATE FUNCTION passage_vectors_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE sources SET edition = edition + 1 WHERE id IN (SELECT owner_id FROM gone);
    RETURN NULL;
END $$;
CREATE TRIGGER noted AFTER DELETE ON passage_vectors REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION passage_vectors_gone();
CREATE FUNCTION leave_vectors() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO vectors_left (source_id, user_id, vectors_in)
    SELECT old.id, old.user_id, place FROM unnest(ARRAY[old.vectors_in, old.moving_to]) AS place WHERE place <> ''
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER left_behind AFTER DELETE ON sources FOR EACH ROW EXECUTE FUNCTION leave_vectors();
"""

MIGRATIONS: tuple[str, ...] = (_FIRST,)
