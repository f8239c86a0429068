"""Evidence is written by the worker: a nudge after asking, and a sweep that guarantees it."""

from contextlib import suppress

from celery import shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError

from audit.actions.exporting.run import run, sweep


# A million entries take some twenty seconds; the broker gives a task an hour.
@shared_task(name="audit.export", soft_time_limit=3_000, time_limit=3_300)
def write_export(export_id: int) -> None:
    """Write one export; try again in a second while its checkpoint is not signed yet."""
    if not run(export_id, timezone.now):
        write_export.apply_async((export_id,), countdown=1)


def nudge_export(export_id: int) -> None:
    """Ask for an export at once. With the broker down the sweep starts it a little later."""
    with suppress(OperationalError):
        write_export.apply_async((export_id,), retry=False)


@shared_task(name="audit.sweep_exports")
def sweep_exports() -> None:
    """Nudge what waits for a worker, and delete the archives whose time is over."""
    for export_id in sweep(timezone.now):
        write_export.delay(export_id)
