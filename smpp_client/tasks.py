"""Full checks on a worker: begun by a nudge, and by the sweep where that was lost."""

from contextlib import suppress

from celery import shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError

from smpp_client.actions.reports import break_off_silent, run_report
from smpp_client.queries.reports import waiting_reports


@shared_task(name="smpp_client.check", ignore_result=True)
def check(report_id: int) -> None:
    """Run a full check that waits; one that has been taken is left alone."""
    run_report(report_id, clock=timezone.now)


@shared_task(name="smpp_client.sweep_reports", ignore_result=True)
def sweep_reports() -> None:
    """Break off checks that nobody runs any more, nudge those that wait."""
    break_off_silent(timezone.now())
    for report_id in waiting_reports():
        check.delay(report_id)


def nudge_check(report_id: int) -> None:
    """Ask a worker to begin at once. With the broker down the sweep does it a little later."""
    with suppress(OperationalError):
        check.apply_async((report_id,), retry=False)
