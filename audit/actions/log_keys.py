"""Write into the system chain which keys sign the log; the signer itself cannot write there."""

from datetime import datetime

from django.db import connection, transaction

from audit.actions.record import record
from audit.models import Event, LogKey
from audit.queries.system import every_chain, system_uuid
from audit.rules.events import Actor, Obj
from audit.rules.keyring import is_loss
from audit.rules.notes import read_key

_LOCK = "hashtextextended('audit_log_keys', 0)"
KIND = "log_key"


def record_log_keys(*, now: datetime) -> int:
    """Record each published key that is in no entry yet, with its rotation note; return how many.

    The published row is the work order: two that run at once record each key once.
    """
    install = system_uuid()
    with every_chain(), transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
        seen = set(Event.objects.filter(ws=install, obj_type=KIND).values_list("obj_id", flat=True))
        keys = {_key_id(row): row for row in LogKey.objects.order_by("first_epoch")}
        new = [(key_id, row) for key_id, row in keys.items() if key_id not in seen]
        for key_id, row in new:
            record(
                _op(row),
                workspace=install,
                actor=Actor("system", "signer"),
                obj=Obj(KIND, key_id),
                now=now,
                diff={
                    "key": (None, row.key),
                    "first_epoch": (None, row.first_epoch),
                    **({"note": (None, row.note)} if row.note else {}),
                },
            )
    return len(new)


def _op(row: LogKey) -> str:
    if not row.note:
        return "log_key.publish"
    return "log_key.lost" if is_loss(row.note) else "log_key.rotate"


def _key_id(row: LogKey) -> str:
    return read_key(row.key).key_id.hex()
