"""Every Celery task runs twice, from the upload to the last receipt, and nothing happens twice."""

from collections import Counter
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from campaigns.rules.campaign_states import State
from smpp_client.simulator.ledger import texts
from tests.campaigns.sending.ground import counts, derived
from tests.campaigns.sending.wire import site
from tests.chaos.journey import approve, begin_build, begin_import, is_in, wait_imported
from tests.poll import poll
from tests.processes import Processes
from workspaces.queries import keys as key_queries
from workspaces.scope import scope_everywhere

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]
ROWS = 900


def test_tasks_that_are_delivered_twice_have_one_effect(
    processes: Processes, tmp_path: Path, settings: Settings
) -> None:
    key_queries.keys.cache_clear()
    settings.UPLOAD_DIR = processes.data / "uploads"
    ran = tmp_path / "twice"
    twice = {"DJANGO_SETTINGS_MODULE": "tests.chaos.twice", "TWICE_FILE": str(ran)}
    with scope_everywhere("the test makes its ground"):
        place = site(tmp_path / "wire")
    try:
        processes.start("worker", **twice)
        processes.start("beat")
        recipients = begin_import(place, ROWS)
        wait_imported(recipients)
        assert recipients.valid_count == ROWS
        with scope_everywhere("the test looks at everything"):
            campaign = begin_build(place, recipients)
            approve(place, campaign)
            processes.start("sender")
            poll(lambda: is_in(campaign, State.COMPLETED), 120, "never completed")
            final = counts(campaign)
            assert sum(final.values()) == ROWS
            assert final == derived(campaign)
        accepted = Counter(line.destination for line in texts(place.simulator.ledger))
        assert (len(accepted), set(accepted.values())) == (ROWS, {1})
        tasks = Counter(ran.read_text().split())
        assert {"campaigns.import_list", "campaigns.build", "campaigns.sweep"} <= set(tasks)
    finally:
        place.simulator.kill()
