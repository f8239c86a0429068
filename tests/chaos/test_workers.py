"""Workers that are killed in the middle of everything, and two schedulers of which one is killed.

From the upload to the last receipt: every row once, every message once, the campaign started once.
"""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from campaigns.models import Message, RecipientList
from campaigns.rules.campaign_states import State
from smpp_client.simulator.ledger import texts
from tests.campaigns.sending.ground import derived
from tests.campaigns.sending.wire import site, wait_for_counts
from tests.chaos.journey import approve, begin_build, begin_import, is_in, wait_imported
from tests.poll import poll
from tests.processes import Handle, Processes
from tests.workspaces.log import ops
from workspaces.queries import keys as key_queries
from workspaces.scope import scope_everywhere

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]
ROWS = 20_000
KILLS = 3


def test_killed_workers_and_a_killed_scheduler_do_nothing_twice_and_leave_nothing_undone(
    processes: Processes, tmp_path: Path, settings: Settings
) -> None:
    key_queries.keys.cache_clear()
    settings.UPLOAD_DIR = processes.data / "uploads"
    with scope_everywhere("the test makes its ground"):
        place = site(tmp_path / "wire", rate=2_000, window=400)
    try:
        worker = processes.start("worker")
        first, second = processes.start("beat"), processes.prepare("beat", known_as="beat-2")
        second.begin()
        recipients = begin_import(place, ROWS)
        for _kill in range(KILLS):
            _kill_once_it_has_begun(worker, lambda: _bytes_read(recipients))
            _look_lost(recipients)
        wait_imported(recipients)
        assert recipients.valid_count == ROWS
        with scope_everywhere("the test looks at everything"):
            campaign = begin_build(place, recipients)
            frozen = Message.objects.filter(campaign=campaign)
            _kill_once_it_has_begun(worker, frozen.count)
            approve(place, campaign)
            assert frozen.count() == ROWS
            # The one that stands by has nothing to lose: it takes over and starts the campaign.
            first.kill9()
            processes.start("sender")
            poll(lambda: is_in(campaign, State.COMPLETED), 240, "never completed")
            wait_for_counts(campaign, 120, delivered=ROWS)
            assert derived(campaign) == {"delivered": ROWS}
        done = Counter(op for op, _object, _diff in ops(place.author.here))
        assert done["campaign.start"] == done["campaign.approve"] == 1
        assert second.is_running
        accepted = Counter(line.destination for line in texts(place.simulator.ledger))
        assert (len(accepted), set(accepted.values())) == (ROWS, {1})
    finally:
        place.simulator.kill()


def _bytes_read(lst: RecipientList) -> int:
    with scope_everywhere("the test looks at everything"):
        return RecipientList.objects.get(pk=lst.pk).next_byte


def _look_lost(lst: RecipientList) -> None:
    """Let it look as it does when nobody has touched it for a while: the sweep goes on with it."""
    with scope_everywhere("the test looks at everything"):
        found = RecipientList.objects.filter(pk=lst.pk)
        found.update(touched_at=timezone.now() - timedelta(hours=1))


def _kill_once_it_has_begun(worker: Handle, look: Callable[[], int]) -> None:
    """Kill the worker in the middle of a chunk, or right after the last, and start another one."""
    poll(lambda: look() > 0, 120, "nothing moves")
    worker.kill9()
    worker.start(60)
