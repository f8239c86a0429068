"""What each database role may do with the objects of the audit log: the whole table.

Object -> role -> privileges, as GRANT takes them; functions as PostgreSQL writes them. Roles that
an object does not name may do nothing with it. Nobody may update, delete or truncate an event, an
entry or an epoch.
"""

from collections.abc import Mapping

GRANTS: Mapping[str, Mapping[str, str]] = {
    "audit_event": {
        "app": "SELECT",
        "sequencer": "SELECT",
        "signer": "SELECT",
        "exporter": "SELECT",
    },
    # Ids only; whose events they are is behind the policy of audit_event.
    "audit_pending": {"app": "SELECT", "sequencer": "SELECT, DELETE", "exporter": "SELECT"},
    "audit_entry": {
        "app": "SELECT",
        "sequencer": "SELECT, INSERT",
        "signer": "SELECT",
        "exporter": "SELECT",
    },
    "audit_head": {
        "app": "SELECT",
        "sequencer": "SELECT, UPDATE (seq, hash)",
        "signer": "SELECT",
        "exporter": "SELECT",
    },
    "audit_epoch": {
        "app": "SELECT",
        "sequencer": "SELECT, INSERT (epoch, body)",
        "signer": "SELECT",
        "exporter": "SELECT",
    },
    "audit_epoch_change": {
        "app": "SELECT",
        "sequencer": "SELECT, INSERT",
        "signer": "SELECT",
        "exporter": "SELECT",
    },
    "audit_anchor": {"app": "SELECT, INSERT, UPDATE"},
    "audit_anchor_receipt": {"app": "SELECT, INSERT", "exporter": "SELECT"},
    "audit_export": {"app": "SELECT, INSERT, UPDATE"},
    "audit_log_key": {"app": "SELECT", "signer": "SELECT", "exporter": "SELECT"},
    "audit_pruned": {"app": "SELECT", "signer": "SELECT", "exporter": "SELECT"},
    "FUNCTION audit_append(uuid,uuid,bytea,text)": {"app": "EXECUTE", "sequencer": "EXECUTE"},
    "FUNCTION audit_disclose(uuid,uuid,text,bytea,text)": {"app": "EXECUTE"},
    "FUNCTION audit_disclosures(uuid)": {"exporter": "EXECUTE"},
    "FUNCTION audit_erase(uuid,uuid)": {"app": "EXECUTE"},
    "FUNCTION audit_holding(uuid,text)": {"app": "EXECUTE"},
    "FUNCTION audit_kept(uuid,uuid)": {"app": "EXECUTE"},
    "FUNCTION audit_open_chain(uuid,timestamp with time zone)": {"app": "EXECUTE"},
    "FUNCTION audit_publish_key(text,bigint,text)": {"signer": "EXECUTE"},
    "FUNCTION audit_publish_note(bigint,text)": {"signer": "EXECUTE"},
}
