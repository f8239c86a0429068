"""Whether a partner refuses nearly everything: then no segment can help it, and each that is tried
is one more that is put off. Told to people, and to the feeder.
"""

import time
from collections.abc import Mapping

from django.utils.translation import gettext as _

from smpp_client.carrier import Kind
from smpp_client.engine.feeder import Feeder
from smpp_client.protocol.events import Settled
from smpp_client.rules.errors import SYSTEM_ERROR, StatusClass, classify

# The first pause in seconds, where a person has to act and where the partner heals by itself.
ALARM_PAUSE, FAULT_PAUSE = 10.0, 1.0


class Refusals:
    """Reads the answers of one slot. `sentence` says what is wrong while its link stands still."""

    def __init__(self, feeder: Feeder) -> None:
        self.sentence = ""
        self._feeder = feeder

    def read(self, event: Settled, classes: Mapping[int, StatusClass]) -> bool:
        """Take one answer; return whether the sentence is another one now."""
        pause = _pause_after(event, classes)
        if pause is None:
            return False
        now, before = time.monotonic(), self._feeder.standstill
        after = before.answered(now, written_at=now - event.seconds, shortest=pause)
        self._feeder.standstill = after
        if after.is_on and after.until != before.until:
            self.sentence = _said(event, classes, after.until - now)
        elif before.is_on and not after.is_on:
            self.sentence = ""
        else:
            return False
        return True


def _pause_after(event: Settled, classes: Mapping[int, StatusClass]) -> float | None:
    """Return the first pause after an answer that says that other segments will fare no better, 0
    after one that is about its segment, None where it says nothing of either.
    """
    if event.kind is Kind.SUBMITTED or (event.kind is Kind.REFUSED and event.status):
        return 0.0
    if event.kind is not Kind.DEFERRED:
        return None
    status_class = classify(event.status, classes)
    if status_class is StatusClass.ALARM:
        return ALARM_PAUSE
    is_its_own_fault = event.status == SYSTEM_ERROR and status_class is StatusClass.LATER
    return FAULT_PAUSE if is_its_own_fault else None


def _said(event: Settled, classes: Mapping[int, StatusClass], pause: float) -> str:
    figures = {"code": event.cause, "n": f"{pause:.0f}"}
    if classify(event.status, classes) is StatusClass.ALARM:
        return (
            _(
                "The partner refuses everything: %(code)s. Somebody has to act; one segment is"
                " tried in %(n)s s."
            )
            % figures
        )
    return (
        _("The partner fails at everything: %(code)s. One segment is tried in %(n)s s.") % figures
    )
