"""What in the database keeps the log growing only, as the migrations made it.

`manage.py audit_check` compares it each night with what is there.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from audit.rules.watched import WATCHED, watchers

_GROWING = (
    "audit_entry",
    "audit_epoch_change",
    "audit_anchor_receipt",
    "audit_log_key",
    "audit_pruned",
)

# (Table, trigger): that each is there and on. What it does is in SHAPES.
GUARDS: Sequence[tuple[str, str]] = (
    *((table, "audit_no_change") for table in _GROWING),
    *((table, "audit_no_truncate") for table in _GROWING),
    ("audit_event", "audit_no_change"),
    ("audit_event", "audit_no_truncate"),
    ("audit_head", "audit_forward"),
    ("audit_head", "audit_no_change"),
    ("audit_head", "audit_no_truncate"),
    ("audit_epoch", "audit_no_change"),
    ("audit_epoch", "audit_no_truncate"),
    ("audit_epoch", "audit_one_note"),
    ("audit_pending", "audit_no_truncate"),
    ("audit_disclosure", "audit_no_change"),
    ("audit_disclosure", "audit_with_an_entry"),
    ("audit_disclosure", "audit_no_truncate"),
    ("audit_outside", "audit_at_commit"),
    *((table, name) for table in WATCHED for name in watchers()),
)

# What pg_trigger says of a trigger that nobody has touched. One that was disabled and enabled again
# says O instead.
ALWAYS = "A"

TRIGGERS = "triggers"
# Table and kind -> digest of the definitions, the order apart: when a guard fires and with which
# arguments, what keeps a chain from forking and tenants from each other, that no rule swallows an
# event. After a change a test says which line to write here.
SHAPES: Mapping[str, str] = {
    "account triggers": "45aea644806ec4e4",
    "api_key triggers": "5c8ca29fd4180e52",
    "approval triggers": "2104a5d18ad7d8a1",
    "audit_anchor constraints": "15a7841ac80b2b0c",
    "audit_anchor policies": "ab97a1f30e577f3f",
    "audit_anchor_receipt constraints": "9921bf2b0e769d79",
    "audit_anchor_receipt policies": "ab97a1f30e577f3f",
    "audit_anchor_receipt triggers": "7c663ee5c0fa90f8",
    "audit_disclosure constraints": "a2d56977a2782775",
    "audit_disclosure policies": "ab97a1f30e577f3f",
    "audit_disclosure triggers": "36073f8e4c8461fa",
    "audit_entry constraints": "e5a5bb088842bc86",
    "audit_entry policies": "870ac5327a176ab5",
    "audit_entry triggers": "bf30629d55f4bd2d",
    "audit_epoch constraints": "31242066b4163b7d",
    "audit_epoch policies": "ab97a1f30e577f3f",
    "audit_epoch triggers": "b94c68555c4ee440",
    "audit_epoch_change constraints": "ade4fcf643740af9",
    "audit_epoch_change policies": "76cc413ee639f3ec",
    "audit_epoch_change triggers": "20c426cffeaa0149",
    "audit_event constraints": "960203892cbde159",
    "audit_event defaults": "1f6812dc1bd6b9c5",
    "audit_event policies": "870ac5327a176ab5",
    "audit_event triggers": "c663b909ee2e5104",
    "audit_export constraints": "72b7778ce1e1d83d",
    "audit_export policies": "870ac5327a176ab5",
    "audit_head constraints": "4f778e896a69ea6a",
    "audit_head policies": "870ac5327a176ab5",
    "audit_head triggers": "09584eb660da646d",
    "audit_log_key constraints": "9eac68e4310f5b6c",
    "audit_log_key policies": "ab97a1f30e577f3f",
    "audit_log_key triggers": "c2de72db2a417010",
    "audit_outside constraints": "cabab13fc948e501",
    "audit_outside policies": "ab97a1f30e577f3f",
    "audit_outside triggers": "f4743bb8a88fce85",
    "audit_pending constraints": "88ba23f4d017470e",
    "audit_pending defaults": "e1ba6ee4e1b1ac42",
    "audit_pending policies": "ab97a1f30e577f3f",
    "audit_pending triggers": "3166b94649192e07",
    "audit_pruned constraints": "f0a1aa3bf9aa5ee1",
    "audit_pruned defaults": "e1ba6ee4e1b1ac42",
    "audit_pruned policies": "ab97a1f30e577f3f",
    "audit_pruned triggers": "6dc456f52f966fb3",
    "connection triggers": "6e4381cb58b7ef05",
    "membership triggers": "d0dc8526c1fcbacb",
    "opt_out triggers": "1235a46a81b62a3e",
    "route triggers": "ec1dbf853ca9db4e",
    "route_connection triggers": "475276a48f526efa",
    "route_grant triggers": "b8253e476847fa6c",
    "route_range triggers": "81ca7ca75a208342",
    "sender triggers": "01308f54ad24fb6f",
    "sender_decision triggers": "f8bd58ad8761fe88",
    "sender_revision triggers": "8dcc38cc764021e9",
}

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
    "audit_only_erased()": "fe72cbc8b418dc22",
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


def shape_digest(definitions: Iterable[str]) -> str:
    """Return the digest by which definitions are known, in any order: as `source_digest`."""
    return hashlib.sha256("\n".join(sorted(definitions)).encode()).hexdigest()[:16]
