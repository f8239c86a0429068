"""The triggers that keep the log growing only, as the migrations made them: (table, trigger)."""

GUARDS: tuple[tuple[str, str], ...] = (
    ("audit_event", "audit_no_change"),
    ("audit_event", "audit_no_truncate"),
    ("audit_entry", "audit_no_change"),
    ("audit_entry", "audit_no_truncate"),
    ("audit_head", "audit_forward"),
    ("audit_head", "audit_no_change"),
    ("audit_head", "audit_no_truncate"),
    ("audit_epoch", "audit_no_change"),
    ("audit_epoch", "audit_no_truncate"),
    ("audit_epoch", "audit_one_note"),
    ("audit_epoch_change", "audit_no_change"),
    ("audit_epoch_change", "audit_no_truncate"),
    ("audit_pending", "audit_no_truncate"),
    ("audit_disclosure", "audit_no_change"),
    ("audit_anchor_receipt", "audit_no_change"),
    ("audit_anchor_receipt", "audit_no_truncate"),
    ("audit_log_key", "audit_no_change"),
    ("audit_log_key", "audit_no_truncate"),
)

# What pg_trigger says of a trigger that nobody has touched. One that was disabled and enabled again
# says O instead.
ALWAYS = "A"
