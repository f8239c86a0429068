"""Importing recipient lists; a killed worker's successor goes on where it stopped."""

from contextlib import suppress
from time import monotonic

from celery import shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError

from campaigns.actions.imports import Run, lists_to_import
from campaigns.actions.uploads import forget_file, give_up_uploads
from campaigns.queries.lists import list_anywhere, lists_with_leftover_files
from workspaces.scope import scope, scope_everywhere

# Short enough for the task's time limit, long enough that asking again costs nothing.
BUDGET_SECONDS = 60


@shared_task(name="campaigns.import_list", ignore_result=True)
def import_list(list_id: int) -> None:
    """Import for a minute, then ask for the rest; remove the file when nothing is left to do."""
    with scope_everywhere("the importer is told a list, not a workspace"):
        lst = list_anywhere(list_id)
    if lst is None:
        return
    until = monotonic() + BUDGET_SECONDS
    with scope(lst.workspace), Run(list_id) as run:
        while not run.step(timezone.now()).is_done:
            if monotonic() > until:
                import_list.delay(list_id)
                return
        forget_file(lst)


def nudge_import(list_id: int) -> None:
    """Ask for an import at once. With the broker down the sweep starts it a little later."""
    with suppress(OperationalError):
        import_list.apply_async((list_id,), retry=False)


@shared_task(name="campaigns.sweep_lists", ignore_result=True)
def sweep_lists() -> None:
    """Nudge imports without a worker, end uploads that were left, remove files nobody needs."""
    with scope_everywhere("the sweep looks after the lists of all workspaces"):
        now = timezone.now()
        for list_id in lists_to_import(now):
            import_list.delay(list_id)
        give_up_uploads(now)
        for lst in lists_with_leftover_files():
            forget_file(lst)
