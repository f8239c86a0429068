"""Receipts of what left the machine, and the public keys of the log; both only grow."""

from django.db import migrations, models

TABLES = """
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
"""

NO_TABLES = "DROP TABLE audit_log_key, audit_anchor_receipt, audit_anchor;"

# The signer publishes a key as it publishes a note: once, and never another one in its place.
PUBLISH = """
CREATE FUNCTION audit_publish_key(_key text, _first_epoch bigint, _note text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.audit_log_key (key, first_epoch, note, published_at)
    VALUES (_key, _first_epoch, _note, clock_timestamp())
    ON CONFLICT (key) DO NOTHING;
    PERFORM FROM public.audit_log_key
    WHERE key = _key AND first_epoch = _first_epoch AND note = _note;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'This key was published otherwise.' USING ERRCODE = 'check_violation';
    END IF;
END $$;
REVOKE ALL ON FUNCTION audit_publish_key(text, bigint, text) FROM PUBLIC;
"""

NO_PUBLISH = "DROP FUNCTION audit_publish_key(text, bigint, text);"

GUARDS = """
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit_anchor_receipt
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit_log_key
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_anchor_receipt
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_log_key
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
ALTER TABLE audit_anchor_receipt ENABLE ALWAYS TRIGGER audit_no_change;
ALTER TABLE audit_anchor_receipt ENABLE ALWAYS TRIGGER audit_no_truncate;
ALTER TABLE audit_log_key ENABLE ALWAYS TRIGGER audit_no_change;
ALTER TABLE audit_log_key ENABLE ALWAYS TRIGGER audit_no_truncate;
"""

STATE = [
    migrations.CreateModel(
        name="Anchor",
        fields=[
            ("name", models.TextField(primary_key=True, serialize=False)),
            ("since", models.DateTimeField()),
            ("try_count", models.IntegerField(default=0)),
            ("next_try_at", models.DateTimeField()),
            ("failure", models.TextField(blank=True, default="")),
            ("is_refused", models.BooleanField(default=False)),
            ("told_at", models.DateTimeField(null=True)),
        ],
        options={"db_table": "audit_anchor"},
    ),
    migrations.CreateModel(
        name="AnchorReceipt",
        fields=[
            (
                "pk",
                models.CompositePrimaryKey(
                    "anchor", "epoch", blank=True, editable=False, primary_key=True, serialize=False
                ),
            ),
            ("anchor", models.TextField()),
            ("epoch", models.BigIntegerField()),
            ("kind", models.TextField()),
            ("note_digest", models.BinaryField()),
            ("content", models.BinaryField()),
            ("attested_at", models.DateTimeField(null=True)),
            ("made_at", models.DateTimeField()),
            ("eid", models.UUIDField(unique=True)),
        ],
        options={
            "db_table": "audit_anchor_receipt",
            "indexes": [models.Index(fields=["epoch"], name="audit_receipt_by_epoch")],
        },
    ),
    migrations.CreateModel(
        name="LogKey",
        fields=[
            ("key", models.TextField(primary_key=True, serialize=False)),
            ("first_epoch", models.BigIntegerField(unique=True)),
            ("note", models.TextField()),
            ("published_at", models.DateTimeField()),
        ],
        options={"db_table": "audit_log_key"},
    ),
]


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_index_objects_and_refusals")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(TABLES, NO_TABLES)], state_operations=STATE
        ),
        migrations.RunSQL(PUBLISH, NO_PUBLISH),
        migrations.RunSQL(GUARDS, migrations.RunSQL.noop),
    ]
