"""What in the database keeps the log growing only, as the migrations made it.

`manage.py audit_check` compares it each night with what is there.
"""

import hashlib
from collections.abc import Mapping, Sequence

from audit.rules.watched import WATCHED, watchers

_GROWING = (
    "audit_entry",
    "audit_epoch_change",
    "audit_anchor_receipt",
    "audit_log_key",
    "audit_pruned",
)

# (Table, trigger) -> the function that it calls.
GUARDS: Mapping[tuple[str, str], str] = {
    **{(table, "audit_no_change"): "audit_refuse" for table in _GROWING},
    **{(table, "audit_no_truncate"): "audit_refuse" for table in _GROWING},
    ("audit_event", "audit_no_change"): "audit_only_pruned",
    ("audit_event", "audit_no_truncate"): "audit_refuse",
    ("audit_head", "audit_forward"): "audit_only_forward",
    ("audit_head", "audit_no_change"): "audit_refuse",
    ("audit_head", "audit_no_truncate"): "audit_refuse",
    ("audit_epoch", "audit_no_change"): "audit_refuse",
    ("audit_epoch", "audit_no_truncate"): "audit_refuse",
    ("audit_epoch", "audit_one_note"): "audit_only_the_first_note",
    ("audit_pending", "audit_no_truncate"): "audit_refuse",
    ("audit_disclosure", "audit_no_change"): "audit_refuse",
    ("audit_disclosure", "audit_with_an_entry"): "audit_only_erased",
    ("audit_disclosure", "audit_no_truncate"): "audit_refuse",
    ("audit_outside", "audit_at_commit"): "audit_outside_at_commit",
    **{(table, name): "audit_watch" for table in WATCHED for name in watchers()},
}

# What pg_trigger says of a trigger that nobody has touched. One that was disabled and enabled again
# says O instead.
ALWAYS = "A"

# A chain cannot fork, an event is numbered once and no id is used twice.
CONSTRAINTS = (
    "audit_event_pkey",
    "audit_event_eid_key",
    "audit_entry_pkey",
    "audit_entry_no_fork",
    "audit_entry_event_id_key",
    "audit_head_pkey",
    "audit_head_slot_key",
    "audit_epoch_pkey",
    "audit_epoch_change_pkey",
)
POLICIES = ("audit_event", "audit_entry", "audit_head", "audit_epoch_change")

# Function -> digest of its source and of what it runs as. After a change of a function, a test says
# which line to write here.
FUNCTIONS: Mapping[str, str] = {}


def source_digest(source: str, *, is_definer: bool, config: Sequence[str]) -> str:
    """Return the digest by which a function is known: SHA-256, its first 16 hex digits."""
    text = "\n".join([source, "definer" if is_definer else "invoker", *config])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
