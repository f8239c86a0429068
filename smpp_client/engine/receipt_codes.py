"""What the codes in receipts do to the connection that they come over, by its own table of them."""

from collections.abc import Mapping

from django.utils.translation import gettext as _

from smpp_client.engine.crew import Crew
from smpp_client.engine.reporter import Reporter
from smpp_client.rules.errors import StatusClass, classify_receipt


class ReceiptCodes:
    """Slows down and alarms. `final` and `later` do nothing here: what a receipt speaks of was
    taken by the partner, and goes out no second time; they are said where the message is shown.
    """

    def __init__(self, reporter: Reporter, crew: Crew) -> None:
        self._reporter = reporter
        self._crew = crew

    def read(self, error: str, classes: Mapping[str, str]) -> None:
        """Take the code of one receipt."""
        match classify_receipt(error, classes):
            case StatusClass.ALARM:
                said = _("Receipts come with error %(code)s: somebody has to act.")
                self._reporter.alarm(error, said % {"code": error})
            case StatusClass.SLOW_DOWN:
                self._reporter.seen.throttled += 1
                self._crew.hear()
            case _:
                pass
