"""Row-level security and keys that hold a row and its parent in one workspace."""

from django.db import migrations

from workspaces.rules.tenancy import (
    key_with_workspace,
    no_row_level_security,
    row_level_security,
    same_workspace,
)

PARENTS = ("sender", "sender_revision", "recipient_list", "campaign", "approval")
CHILDREN = (
    ("sender", "approved_revision_id", "sender_revision"),
    ("sender_revision", "sender_id", "sender"),
    ("sender_decision", "revision_id", "sender_revision"),
    ("recipient", "recipient_list_id", "recipient_list"),
    ("recipient_fault", "recipient_list_id", "recipient_list"),
    ("campaign", "sender_id", "sender"),
    ("campaign", "sender_revision_id", "sender_revision"),
    ("campaign", "recipient_list_id", "recipient_list"),
    ("campaign", "approval_id", "approval"),
    ("approval", "campaign_id", "campaign"),
    ("progress", "campaign_id", "campaign"),
    ("batch", "campaign_id", "campaign"),
    ("queued_segment", "campaign_id", "campaign"),
    ("rate_sample", "campaign_id", "campaign"),
    ("api_message", "campaign_id", "campaign"),
)
TABLES = (
    "sender",
    "sender_revision",
    "sender_decision",
    "recipient_list",
    "recipient",
    "recipient_fault",
    "opt_out",
    "campaign",
    "approval",
    "progress",
    "batch",
    "queued_segment",
    "rate_sample",
    "api_message",
)
# Rows that change many times a second are rewritten in place when their page has room.
HOT = ("progress", "queued_segment")


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0001_campaigns")]

    operations = [
        *[migrations.RunSQL(key_with_workspace(table)) for table in PARENTS],
        *[migrations.RunSQL(same_workspace(*child)) for child in CHILDREN],
        *[
            migrations.RunSQL(row_level_security(table), no_row_level_security(table))
            for table in TABLES
        ],
        *[
            migrations.RunSQL(
                f'ALTER TABLE "{table}" SET (fillfactor = 20)', migrations.RunSQL.noop
            )
            for table in HOT
        ],
        migrations.RunSQL(
            "ALTER TABLE lease SET (fillfactor = 20);"
            "ALTER TABLE session_status SET (fillfactor = 20);",
            migrations.RunSQL.noop,
        ),
    ]
