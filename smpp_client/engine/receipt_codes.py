"""What the codes in receipts do to the connection that they come over, by its own table of them."""

import time
from collections.abc import Collection, Mapping

from django.utils.translation import gettext as _

from smpp_client.engine.reporter import Reporter
from smpp_client.engine.tools import Slows
from smpp_client.rules.errors import THROTTLED, StatusClass, classify_receipt

# A receipt does not say to the second when its segment was written: so long ago, it is taken to be.
# What was on its way when the rate was cut must not cut it again.
WAY_SECONDS = 5.0


class ReceiptCodes:
    """Slows down and alarms. `final` and `later` do nothing here: what a receipt speaks of was
    taken by the partner, and goes out no second time; they are said where the message is shown.
    """

    def __init__(self, reporter: Reporter, feeders: Collection[Slows]) -> None:
        self._reporter = reporter
        self._feeders = feeders

    def read(self, error: str, classes: Mapping[str, str]) -> None:
        """Take the code of one receipt.

        All of `feeders` slow down: a receipt comes over any session of the system id, and over a
        receiver where binds are pairs.
        """
        match classify_receipt(error, classes):
            case StatusClass.ALARM:
                said = _("Receipts come with error %(code)s: somebody has to act.")
                self._reporter.alarm(error, said % {"code": error})
            case StatusClass.SLOW_DOWN:
                self._reporter.seen.throttled += 1
                for feeder in self._feeders:
                    feeder.slow_down(THROTTLED, time.monotonic() - WAY_SECONDS)
            case _:
                pass
