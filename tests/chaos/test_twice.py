"""Every Celery task runs twice, from the upload to the evidence, and nothing happens twice."""

import inspect
from collections import Counter
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from audit.actions import exports
from audit.actions.record import open_chain
from audit.models import AnchorReceipt, Export
from audit.tasks.exports import nudge_export
from campaigns.actions.records import Mapped, start_import, take_records
from campaigns.models import CallRecordImport, Campaign, RecipientList, RecordsState
from campaigns.rules.campaign_states import State
from campaigns.rules.layouts import Wish
from campaigns.tasks.records import nudge_records
from message_center.celery import app
from smpp_client.actions.noting import Caller
from smpp_client.actions.reports import Asked, ask_report
from smpp_client.models import ConnectionReport, ReportState
from smpp_client.simulator.ledger import texts
from smpp_client.tasks import nudge_check
from tests.campaigns.sending.ground import counts, derived
from tests.campaigns.sending.records import COLUMNS
from tests.campaigns.sending.wire import Site, site
from tests.chaos.journey import approve, begin_build, begin_import, is_in, wait_imported
from tests.poll import poll
from tests.processes import Processes
from tests.workspaces.log import entries
from workspaces.queries import keys as key_queries
from workspaces.scope import scope_everywhere
from workspaces.tasks.links import send_password_link

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]
ROWS = 900


def test_tasks_that_are_delivered_twice_have_one_effect(
    processes: Processes, tmp_path: Path, settings: Settings
) -> None:
    key_queries.keys.cache_clear()
    settings.UPLOAD_DIR = processes.data / "uploads"
    ran, anchored = tmp_path / "twice", tmp_path / "checkpoints.jsonl"
    anchored.touch()
    twice = {"DJANGO_SETTINGS_MODULE": "tests.chaos.twice", "TWICE_FILE": str(ran)}
    # The anchor's file is our own, which only those may have who try the product out.
    anchor = {"AUDIT_ANCHOR_FILE": str(anchored), "DEBUG": "1"}
    with scope_everywhere("the test makes its ground"):
        place = site(tmp_path / "wire")
        open_chain(place.author.here.uuid, now=timezone.now())
    try:
        worker = processes.start("worker", **twice, **anchor)
        processes.start_together("beat", "sequencer", "signer")
        recipients = begin_import(place, ROWS)
        wait_imported(recipients)
        assert recipients.valid_count == ROWS
        with scope_everywhere("the test looks at everything"):
            campaign = _one_campaign(processes, place, recipients)
            _what_else_there_is_to_do(place)
            every = {f"{turn} {name}" for turn in ("once", "again") for name in _ours()}
            poll(lambda: every <= set(ran.read_text().splitlines()), 60, "not all ran twice")
            _one_effect_of_each(processes, place, anchored)
            assert counts(campaign) == derived(campaign)
        accepted = Counter(line.destination for line in texts(place.simulator.ledger))
        assert (len(accepted), set(accepted.values())) == (ROWS, {1})
        for failure in ("raised unexpected", "Traceback"):
            assert failure not in worker.log_text
    finally:
        place.simulator.kill()


def _ours() -> set[str]:
    """Return the name of every task of the product: a new one is missed here until it runs."""
    app.loader.import_default_modules()
    return {name for name in app.tasks if not name.startswith("celery.")}


def _one_campaign(processes: Processes, place: Site, recipients: RecipientList) -> Campaign:
    campaign = begin_build(place, recipients)
    approve(place, campaign)
    processes.start("sender")
    poll(lambda: is_in(campaign, State.COMPLETED), 120, "never completed")
    final = counts(campaign)
    assert sum(final.values()) == ROWS
    assert final == derived(campaign)
    return campaign


def _what_else_there_is_to_do(place: Site) -> None:
    """Ask for one of each that a campaign does not need; then send every task that needs nothing,
    as the clock would.
    """
    by, now = place.author, timezone.now()
    send_password_link.delay(by.user.pk)
    nudge_records(_ordered_records(place).pk)
    checked = ask_report(
        name=place.connection.name, asked=Asked(), by=Caller(by.actor, by.user), now=now
    )
    nudge_check(checked.pk)
    export = exports.ask(
        by=by, since=None, until=None, shows_values=False, reason="Request 118-26", now=now
    )
    nudge_export(export.pk)
    poll(lambda: Export.objects.get(pk=export.pk).state == "ready", 90, "no evidence")
    for name in sorted(_ours()):
        if not inspect.signature(app.tasks[name].run).parameters:
            app.send_task(name)
    poll(AnchorReceipt.objects.exists, 60, "no checkpoint went outside")


def _ordered_records(place: Site) -> CallRecordImport:
    by, now, ledger = place.author, timezone.now(), place.simulator.ledger
    with ledger.open("rb") as file:
        size = ledger.stat().st_size
        taken = take_records(by=by, file=file, file_name="ledger.tsv", size_bytes=size, now=now)
    mapped = Mapped(
        place.connection.pk, COLUMNS, "", "unix", "UTC", 2, None, Wish("\t", has_header=False)
    )
    start_import(by=by, records_id=taken.pk, mapped=mapped, now=now)
    return taken


def _one_effect_of_each(processes: Processes, place: Site, anchored: Path) -> None:
    records, report = CallRecordImport.objects, ConnectionReport.objects
    poll(lambda: records.get().state == RecordsState.DONE, 60, "the records are not read")
    poll(lambda: report.get().state == ReportState.DONE, 120, "the check is not done")
    assert records.get().row_count == ROWS
    steps = [step["key"] for step in report.get().steps]
    assert len(steps) == len(set(steps)) > 1
    assert len(list((processes.data / "mail").iterdir())) == 1
    [archive] = (processes.data / "exports").iterdir()
    assert archive.name == Export.objects.get().file
    done = Counter(entry["op"] for entry in entries(place.author.here))
    assert [done[op] for op in ("records.settle", "export.ready", "campaign.start")] == [1, 1, 1]
    poll(lambda: _lines(anchored) == AnchorReceipt.objects.count(), 30, "a checkpoint went twice")


def _lines(path: Path) -> int:
    return len(path.read_text().splitlines())
