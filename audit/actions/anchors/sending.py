"""Hand the newest checkpoint to the anchors. An anchor's row is the work order.

A try is counted, and the next one put off, before anything is sent: whatever ends it (a power cut,
a time limit) leaves a failure behind, and no other process tries at the same time. Only a receipt
puts it back. All of it happens in the worker: neither the sequencer nor the signer ever waits.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

from django.db import transaction

from audit.actions.anchors.installed import Installed
from audit.actions.record import record
from audit.models import Anchor, AnchorReceipt
from audit.queries.anchors import last_receipt, newest_checkpoint
from audit.queries.system import system_uuid
from audit.rules.anchoring import (
    AnchorRefused,
    Given,
    SignedCheckpoint,
    Unreachable,
    believed,
    is_free,
    pause_after,
    plain,
    wants,
)
from audit.rules.events import Actor, Obj

log = logging.getLogger("audit.anchors")

ANCHORS = Actor("system", "anchors")
# What a try that was broken off leaves behind; each other end writes its own sentence.
_UNFINISHED = "The last try did not end."


def due(anchors: Sequence[Installed], *, now: datetime) -> list[str]:
    """Return the names of the anchors that should get the newest checkpoint now.

    An anchor that is new gets its row.
    """
    checkpoint = newest_checkpoint()
    waiting = []
    for one in anchors:
        row, _is_new = Anchor.objects.get_or_create(
            name=one.expected.name, defaults={"since": now, "next_try_at": now}
        )
        if checkpoint and is_free(row.next_try_at, now) and _wants(one, checkpoint, now):
            waiting.append(row.name)
    return waiting


def send_newest(one: Installed, *, now: datetime) -> bool:
    """Hand the newest checkpoint to an anchor; say whether it gave a receipt.

    Does nothing when it is not its time, or another process has just begun.
    """
    name = one.expected.name
    # Read before the receipts: a try that ends after it has changed the row, so none begins here.
    row = Anchor.objects.get(name=name)
    checkpoint = newest_checkpoint()
    if checkpoint is None or not _wants(one, checkpoint, now) or not _begin(row, now):
        return False
    try:
        given = believed(one.anchor.send(checkpoint, last_receipt(name)), checkpoint)
    except AnchorRefused as refusal:
        _refused(name, plain(str(refusal)), checkpoint, now)
    except Unreachable as failure:
        said = plain(str(failure))
        log.warning("The anchor %s gave no receipt: %s", name, said)
        Anchor.objects.filter(name=name).update(failure=said, is_refused=False)
    else:
        _keep(one, checkpoint, given, now)
        return True
    return False


def _wants(one: Installed, checkpoint: SignedCheckpoint, now: datetime) -> bool:
    last = last_receipt(one.expected.name)
    return wants(last, checkpoint.epoch, period=one.expected.period, now=now)


def _begin(row: Anchor, now: datetime) -> bool:
    if not is_free(row.next_try_at, now):
        return False
    begun = Anchor.objects.filter(
        name=row.name, try_count=row.try_count, next_try_at=row.next_try_at
    ).update(
        try_count=row.try_count + 1,
        next_try_at=now + pause_after(row.try_count + 1),
        failure=row.failure or _UNFINISHED,
    )
    return bool(begun)


def _keep(one: Installed, checkpoint: SignedCheckpoint, given: Given, now: datetime) -> None:
    install, note_digest = system_uuid(), sha256(checkpoint.note.encode())
    with transaction.atomic(durable=True):
        eid = record(
            "anchor.receipt",
            workspace=install,
            actor=ANCHORS,
            obj=Obj("anchor", one.expected.name),
            now=now,
            diff={
                "epoch": (None, checkpoint.epoch),
                "note_sha256": (None, note_digest.hexdigest()),
                "receipt_sha256": (None, sha256(given.content).hexdigest()),
                "attested_at": (None, given.attested_at),
            },
        )
        AnchorReceipt.objects.create(
            anchor=one.expected.name,
            epoch=checkpoint.epoch,
            kind=one.expected.kind,
            note_digest=note_digest.digest(),
            content=given.content,
            attested_at=given.attested_at,
            made_at=now,
            eid=eid,
        )
        Anchor.objects.filter(name=one.expected.name).update(
            try_count=0, next_try_at=now, failure="", is_refused=False, told_at=None
        )
    log.info("The anchor %s has the checkpoint of epoch %d.", one.expected.name, checkpoint.epoch)


def _refused(name: str, sentence: str, checkpoint: SignedCheckpoint, now: datetime) -> None:
    """Raise the alarm, once for a row of refusals."""
    install = system_uuid()
    with transaction.atomic(durable=True):
        is_new = Anchor.objects.filter(name=name, is_refused=False).update(is_refused=True)
        Anchor.objects.filter(name=name).update(failure=sentence)
        if is_new:
            record(
                "anchor.refused",
                workspace=install,
                actor=ANCHORS,
                obj=Obj("anchor", name),
                now=now,
                diff={"epoch": (None, checkpoint.epoch)},
                why=sentence,
                result="failed",
            )
    log.error(
        "The anchor %s refused the checkpoint of epoch %d: %s", name, checkpoint.epoch, sentence
    )
