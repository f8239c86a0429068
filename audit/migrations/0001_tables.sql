CREATE TABLE audit_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ws uuid NOT NULL,
    eid uuid NOT NULL UNIQUE,
    created timestamptz NOT NULL DEFAULT clock_timestamp(),
    leaf bytea NOT NULL CHECK (octet_length(leaf) = 32),
    body text NOT NULL,
    op text NOT NULL GENERATED ALWAYS AS (body::json ->> 'op') STORED,
    result text NOT NULL GENERATED ALWAYS AS (coalesce(body::json ->> 'res', 'ok')) STORED,
    actor_id text NOT NULL GENERATED ALWAYS AS (coalesce(body::json #>> '{act,id}', '')) STORED,
    obj_type text NOT NULL GENERATED ALWAYS AS (coalesce(body::json #>> '{obj,type}', '')) STORED,
    obj_id text NOT NULL GENERATED ALWAYS AS (coalesce(body::json #>> '{obj,id}', '')) STORED
);
CREATE INDEX audit_event_by_operation ON audit_event (ws, op text_pattern_ops, id);
CREATE INDEX audit_event_by_actor ON audit_event (ws, actor_id, id);
-- An object is found by its id alone, refused attempts without reading the whole chain.
CREATE INDEX audit_event_by_object ON audit_event (ws, obj_id, obj_type, id);
CREATE INDEX audit_event_not_ok ON audit_event (ws, result, id) WHERE result <> 'ok';

-- An event knows the transaction that appended it while it waits for its number. Nobody but
-- audit_append writes here, so it is the mark by which a change is known to be recorded: nothing
-- that a session could set.
CREATE TABLE audit_pending (
    event_id bigint PRIMARY KEY,
    xact xid8 NOT NULL DEFAULT pg_current_xact_id()
);

CREATE TABLE audit_entry (
    ws uuid NOT NULL,
    seq bigint NOT NULL CHECK (seq >= 1),
    at timestamptz NOT NULL,
    prev bytea NOT NULL CHECK (octet_length(prev) = 32),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    event_id bigint NOT NULL UNIQUE,
    PRIMARY KEY (ws, seq),
    CONSTRAINT audit_entry_no_fork UNIQUE (ws, prev)
);

CREATE TABLE audit_head (
    ws uuid PRIMARY KEY,
    slot integer NOT NULL UNIQUE CHECK (slot >= 0),
    seq bigint NOT NULL CHECK (seq >= 0),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    created timestamptz NOT NULL
) WITH (fillfactor = 20);

CREATE TABLE audit_epoch (
    epoch bigint PRIMARY KEY CHECK (epoch >= 0),
    body text NOT NULL,
    note text
);

CREATE TABLE audit_epoch_change (
    epoch bigint NOT NULL,
    slot integer NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (epoch, slot)
);
CREATE INDEX audit_epoch_change_by_slot ON audit_epoch_change (slot, epoch);

CREATE SCHEMA audit_private;
CREATE TABLE audit_private.audit_disclosure (
    ws uuid NOT NULL,
    eid uuid NOT NULL,
    field text NOT NULL,
    salt bytea NOT NULL CHECK (octet_length(salt) = 32),
    value text NOT NULL,
    PRIMARY KEY (eid, field)
);

-- What is left of an event whose term is over: its leaf, by which the chain still verifies.
CREATE TABLE audit_pruned (
    event_id bigint PRIMARY KEY,
    eid uuid NOT NULL UNIQUE,
    leaf bytea NOT NULL CHECK (octet_length(leaf) = 32),
    xact xid8 NOT NULL DEFAULT pg_current_xact_id()
);

-- Receipts of what left the machine, and the public keys of the log; both only grow.
CREATE TABLE audit_anchor (
    name text PRIMARY KEY,
    since timestamptz NOT NULL,
    try_count integer NOT NULL CHECK (try_count >= 0),
    next_try_at timestamptz NOT NULL,
    failure text NOT NULL,
    is_refused boolean NOT NULL,
    told_at timestamptz
);

CREATE TABLE audit_anchor_receipt (
    anchor text NOT NULL,
    epoch bigint NOT NULL CHECK (epoch >= 0),
    kind text NOT NULL,
    note_digest bytea NOT NULL CHECK (octet_length(note_digest) = 32),
    content bytea NOT NULL,
    attested_at timestamptz,
    made_at timestamptz NOT NULL,
    eid uuid NOT NULL UNIQUE,
    PRIMARY KEY (anchor, epoch)
);
CREATE INDEX audit_receipt_by_epoch ON audit_anchor_receipt (epoch);

CREATE TABLE audit_log_key (
    key text PRIMARY KEY,
    first_epoch bigint NOT NULL UNIQUE CHECK (first_epoch >= 0),
    note text NOT NULL,
    published_at timestamptz NOT NULL
);

-- What a statement changed, from the statement to the end of its transaction. No row outlives it.
CREATE UNLOGGED TABLE audit_outside (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ws uuid NOT NULL,
    op text NOT NULL,
    accounts text[] NOT NULL,
    obj_type text NOT NULL,
    obj_id text NOT NULL,
    deed text NOT NULL,
    diff text NOT NULL
);
