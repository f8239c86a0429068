"""Row-level security and keys that hold a row and its parent in one workspace."""

from django.db import migrations

from workspaces.rules.tenancy import (
    key_with_workspace,
    no_row_level_security,
    row_level_security,
    same_workspace,
)

PARENTS = (
    "sender",
    "sender_revision",
    "recipient_list",
    "campaign",
    "approval",
    "call_record_import",
)
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
    ("resend_decision", "campaign_id", "campaign"),
    ("call_record", "records_id", "call_record_import"),
)
TABLES = (
    "sender",
    "sender_revision",
    "sender_decision",
    "recipient_list",
    "recipient",
    "recipient_fault",
    "opt_out",
    "inbound_message",
    "workspace_stop_word",
    "campaign",
    "approval",
    "progress",
    "api_message",
    "message",
    "batch",
    "submission",
    "queued_segment",
    "rate_sample",
    "resend_decision",
    "call_record_import",
    "call_record",
    "message_segment",
)


class Migration(migrations.Migration):
    replaces = [
        ("campaigns", "0002_tenancy"),
    ]
    dependencies = [("campaigns", "0005_unknowns_and_evidence")]

    operations = [
        *[migrations.RunSQL(key_with_workspace(table)) for table in PARENTS],
        *[migrations.RunSQL(same_workspace(*child)) for child in CHILDREN],
        *[
            migrations.RunSQL(row_level_security(table), no_row_level_security(table))
            for table in TABLES
        ],
    ]
