"""The installation's first breath: its identity, its keys, its system chain."""

import uuid
from datetime import datetime

from django.db import transaction

from audit.actions.record import open_chain, record
from audit.rules.events import Actor, Obj
from workspaces.models import Installation
from workspaces.queries.keys import (
    DATA_KEY_CONTEXT,
    FINGERPRINT_KEY_CONTEXT,
    wrapping_key,
)
from workspaces.rules.sealing import new_key, seal

SYSTEM = Actor(kind="system", id="setup")


def install(now: datetime) -> bool:
    """Make the installation's row, keys and system chain; return whether it was new.

    Run again, it changes nothing.
    """
    if Installation.objects.filter(id=1).exists():
        return False
    wrapping = wrapping_key()
    with transaction.atomic(durable=True):
        installation = Installation.objects.create(
            id=1,
            uuid=uuid.uuid4(),
            data_key=seal(wrapping, new_key(), DATA_KEY_CONTEXT),
            fingerprint_key=seal(wrapping, new_key(), FINGERPRINT_KEY_CONTEXT),
            created_at=now,
        )
        open_chain(installation.uuid, now=now)
        record(
            "install.create",
            workspace=installation.uuid,
            actor=SYSTEM,
            obj=Obj("installation", str(installation.uuid)),
            now=now,
        )
    return True
