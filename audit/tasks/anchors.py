"""Checkpoints go outside: the sweep guarantees them, each anchor has a task of its own."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from audit.actions.anchors.alarms import tell_late, tell_silence, tell_unchecked
from audit.actions.anchors.installed import installed
from audit.actions.anchors.sending import due, send_newest
from audit.actions.log_keys import record_log_keys
from audit.queries.last_check import last_check
from audit.queries.status import silence

# Beyond the period of epochs, for a sequencer that was started again.
_GRACE = timedelta(minutes=10)


@shared_task(name="audit.sweep_anchors")
def sweep_anchors() -> None:
    """Nudge each anchor that should get a checkpoint, and raise the alarm for what is late."""
    now, anchors = timezone.now(), installed()
    for name in due(anchors, now=now):
        send_to_anchor.delay(name)
    tell_late([one.expected for one in anchors], now=now)
    patience = timedelta(seconds=settings.AUDIT_EPOCH_SECONDS) + _GRACE
    tell_silence(silence(now=now, patience=patience), now=now)
    tell_unchecked(last_check(now), now=now)
    record_log_keys(now=now)


# An anchor that hangs holds up neither the others nor its own next try.
@shared_task(name="audit.anchor", soft_time_limit=40, time_limit=50)
def send_to_anchor(name: str) -> None:
    """Hand the newest checkpoint to one anchor."""
    for one in installed():
        if one.expected.name == name:
            send_newest(one, now=timezone.now())
