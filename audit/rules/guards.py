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
FUNCTIONS: Mapping[str, str] = {
    "audit_append(uuid,uuid,bytea,text)": "3d7380efdc7d4ac7",
    "audit_chain_of(bigint)": "6ce26f130de31927",
    "audit_disclose(uuid,uuid,text,bytea,text)": "28fcf893cce23ccd",
    "audit_disclosures(uuid)": "316a769a1613e297",
    "audit_erase(uuid,uuid)": "712c4bc0c6d44c03",
    "audit_holding(uuid,text)": "a2db41430eaae9c4",
    "audit_kept(uuid,uuid)": "4e08bcaa63724a97",
    "audit_only_erased()": "01be3576169ea70e",
    "audit_only_forward()": "5454cd879e519c0c",
    "audit_only_pruned()": "b30a7568615d4184",
    "audit_only_the_first_note()": "d7b008b0e78b4523",
    "audit_open_chain(uuid,timestamp with time zone)": "635d71d9b1331dd7",
    "audit_outside_at_commit()": "b42b9cc10f18dd0b",
    "audit_prune(uuid,uuid)": "8f264b03eb4da7f8",
    "audit_publish_key(text,bigint,text)": "2108372b0cbabc8c",
    "audit_publish_note(bigint,text)": "df33da5be2f3c7ba",
    "audit_refuse()": "ba80a6ca94cd2afc",
    "audit_sides(jsonb,jsonb,text[])": "94aaad024ec242cb",
    "audit_value(jsonb)": "0cc4af22fdb363d1",
    "audit_watch()": "9c3b22cbc0de0cf4",
}


def source_digest(source: str, *, is_definer: bool, config: Sequence[str]) -> str:
    """Return the digest by which a function is known: SHA-256, its first 16 hex digits."""
    text = "\n".join([source, "definer" if is_definer else "invoker", *config])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
