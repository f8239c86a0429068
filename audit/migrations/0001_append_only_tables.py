"""The tables of the audit log, in SQL: what they promise matters more than how Django sees them.

Columns are those of the published format; the generated ones of `audit_event` are for searching and
always follow the body. There are no foreign keys out of these tables, on purpose.
"""

import django.db.models.deletion
from django.db import migrations, models

TABLES = """
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
CREATE INDEX audit_event_by_object ON audit_event (ws, obj_type, obj_id, id);

CREATE TABLE audit_pending (event_id bigint PRIMARY KEY);

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
"""

NO_TABLES = """
DROP SCHEMA audit_private CASCADE;
DROP TABLE audit_epoch_change, audit_epoch, audit_head, audit_entry, audit_pending, audit_event;
"""

STATE = [
    migrations.CreateModel(
        name="Event",
        fields=[
            ("id", models.BigIntegerField(primary_key=True, serialize=False)),
            ("ws", models.UUIDField()),
            ("eid", models.UUIDField(unique=True)),
            ("created", models.DateTimeField()),
            ("leaf", models.BinaryField()),
            ("body", models.TextField()),
            ("op", models.TextField()),
            ("result", models.TextField()),
            ("actor_id", models.TextField()),
            ("obj_type", models.TextField()),
            ("obj_id", models.TextField()),
        ],
        options={"db_table": "audit_event"},
    ),
    migrations.CreateModel(
        name="Pending",
        fields=[("event_id", models.BigIntegerField(primary_key=True, serialize=False))],
        options={"db_table": "audit_pending"},
    ),
    migrations.CreateModel(
        name="Entry",
        fields=[
            (
                "pk",
                models.CompositePrimaryKey(
                    "ws", "seq", blank=True, editable=False, primary_key=True, serialize=False
                ),
            ),
            ("ws", models.UUIDField()),
            ("seq", models.BigIntegerField()),
            ("at", models.DateTimeField()),
            ("prev", models.BinaryField()),
            ("hash", models.BinaryField()),
            (
                "event",
                models.OneToOneField(
                    db_constraint=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    to="audit.event",
                ),
            ),
        ],
        options={
            "db_table": "audit_entry",
            "constraints": [
                models.UniqueConstraint(fields=("ws", "prev"), name="audit_entry_no_fork")
            ],
        },
    ),
    migrations.CreateModel(
        name="Head",
        fields=[
            ("ws", models.UUIDField(primary_key=True, serialize=False)),
            ("slot", models.IntegerField(unique=True)),
            ("seq", models.BigIntegerField()),
            ("hash", models.BinaryField()),
            ("created", models.DateTimeField()),
        ],
        options={"db_table": "audit_head"},
    ),
    migrations.CreateModel(
        name="Epoch",
        fields=[
            ("epoch", models.BigIntegerField(primary_key=True, serialize=False)),
            ("body", models.TextField()),
            ("note", models.TextField(null=True)),
        ],
        options={"db_table": "audit_epoch"},
    ),
    migrations.CreateModel(
        name="EpochChange",
        fields=[
            (
                "pk",
                models.CompositePrimaryKey(
                    "epoch", "slot", blank=True, editable=False, primary_key=True, serialize=False
                ),
            ),
            ("epoch", models.BigIntegerField()),
            ("slot", models.IntegerField()),
            ("seq", models.BigIntegerField()),
        ],
        options={"db_table": "audit_epoch_change"},
    ),
    migrations.CreateModel(
        name="Disclosure",
        fields=[
            (
                "pk",
                models.CompositePrimaryKey(
                    "eid", "field", blank=True, editable=False, primary_key=True, serialize=False
                ),
            ),
            ("ws", models.UUIDField()),
            ("eid", models.UUIDField()),
            ("field", models.TextField()),
            ("salt", models.BinaryField()),
            ("value", models.TextField()),
        ],
        options={"db_table": 'audit_private"."audit_disclosure'},
    ),
]


class Migration(migrations.Migration):
    initial = True

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(TABLES, NO_TABLES)], state_operations=STATE
        )
    ]
