"""Say once, in the system chain and in the log, that something outside is missing for too long."""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from audit.actions.anchors.sending import ANCHORS
from audit.actions.record import record
from audit.models import Anchor
from audit.queries.anchors import anchor_states
from audit.queries.last_check import CHECKER, LastCheck
from audit.queries.status import Silence
from audit.queries.system import system_uuid
from audit.rules.anchoring import Expected, plain
from audit.rules.events import Actor, Obj

log = logging.getLogger("audit.anchors")

# The rows that remember whether the alarm about the signer, or about the nightly check, was raised;
# no anchor may be called so, nor as what else raises alarms by `tell`.
SIGNER, CHECK = "signer", "check"


def tell_late(wanted: Sequence[Expected], *, now: datetime) -> list[str]:
    """Raise the alarm for each anchor whose last receipt is too old; return those told now."""
    late = [state for state in anchor_states(wanted, now=now) if state.is_late]
    told = []
    for state in late:
        since = f"since {state.last_at:%Y-%m-%d %H:%M} UTC" if state.last_at else "yet"
        said = f"No checkpoint was placed there {since}. {plain(state.failure)}".strip()
        if _tell(state.name, "anchor.late", Obj("anchor", state.name), said, ANCHORS, now):
            told.append(state.name)
    return told


def tell_silence(silence: Silence | None, *, now: datetime) -> bool:
    """Raise the alarm when epochs or signatures stay away, and forget it when they are back."""
    sentence = silence.sentence if silence else ""
    return tell(SIGNER, "checkpoint.late", Obj("audit", "checkpoint"), sentence, now=now)


def tell_unchecked(last: LastCheck, *, now: datetime) -> bool:
    """Raise the alarm when the log is not checked any more, and forget it when it was."""
    sentence = (
        f"The whole log has not been checked since {last.due_since:%Y-%m-%d %H:%M} UTC: the check "
        "of each night fails or does not run. The worker's log says why."
        if last.due_since
        else ""
    )
    return tell(CHECK, "audit.late", Obj("audit", "check"), sentence, actor=CHECKER, now=now)


def tell(
    name: str, op: str, obj: Obj, sentence: str, *, actor: Actor = ANCHORS, now: datetime
) -> bool:
    """Raise the alarm of this name when its trouble (a sentence) begins; say whether that was now.

    Without a sentence the trouble is over, and the next one is told again.
    """
    Anchor.objects.get_or_create(name=name, defaults={"since": now, "next_try_at": now})
    if not sentence:
        Anchor.objects.filter(name=name).exclude(told_at=None).update(told_at=None, failure="")
        return False
    return _tell(name, op, obj, sentence, actor, now)


def _tell(name: str, op: str, obj: Obj, sentence: str, actor: Actor, now: datetime) -> bool:
    install = system_uuid()
    with transaction.atomic(durable=True):
        is_new = Anchor.objects.filter(name=name, told_at=None).update(told_at=now)
        if is_new:
            record(
                op,
                workspace=install,
                actor=actor,
                obj=obj,
                now=now,
                why=sentence,
                result="failed",
            )
            log.error("%s: %s", name, sentence)
    return bool(is_new)
