"""What a bundle's report tells of incidents, erasures and of what came around the product."""

import csv
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.utils import timezone

from audit.actions.erase import erase
from audit.actions.exporting import report_tables as tables
from audit.actions.record import record, record_denied
from audit.queries.export_facts import Step
from audit.rules.events import Actor, Erased, Obj
from campaigns.actions.sender_review import approve_revision
from campaigns.actions.senders import create_sender
from campaigns.models import Sender
from tests import make as nouns
from tests.audit.conftest import Log
from tests.audit.exported import ADMIN, Exporter, personal
from tests.audit.make import INSTALL, NOW, append
from tests.audit.site import Site
from tests.campaigns.names import proposal
from workspaces.actions.workspaces import create_workspace
from workspaces.models import Workspace
from workspaces.rules.permissions import Role
from workspaces.scope import scope


@pytest.fixture
def exporter(log: Log, tmp_path: Path) -> Exporter:
    return Exporter(Site(log, tmp_path / "audit"), tmp_path)


@pytest.fixture
def team(exporter: Exporter) -> Iterator[Workspace]:
    slug = f"team-{uuid4().hex[:8]}"
    place = create_workspace(
        slug=slug, name="Marketing", zone="UTC", by_actor=ADMIN, now=timezone.now()
    )
    with scope(place):
        yield place


def table(bundle: Path, name: str) -> list[dict[str, str]]:
    with (bundle / f"tables/{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def step(op: str, result: str = "ok") -> Step:
    actor, obj = Actor("user", "usr_6"), Obj("audit", "x")
    findings = {"findings": [None, ["C05: Entry 3 of 78e51061 was changed.", "N02: One waits."]]}
    return Step(3, NOW, op, result, actor, obj, "", findings)


def test_what_befell_the_log_is_told_from_the_systems_chain_too(
    exporter: Exporter, team: Workspace
) -> None:
    runtime, now = exporter.site.runtime, timezone.now()
    append(runtime, ws=INSTALL, op="gap.declared", at=now, diff={"count": (None, 7)})
    exporter.ask(team.uuid)
    since = timezone.now()
    at = since + timedelta(seconds=1)
    append(runtime, ws=INSTALL, op="clock.step", at=at, obj=Obj("process", "sequencer"))
    for result in ("ok", "failed"):
        append(runtime, ws=INSTALL, op="audit.verify", at=at, result=result)
    whole, _ = exporter.export(team.uuid, "whole")
    told = table(whole, "outages-gaps-and-clocks")
    assert [(one["Chain"], one["What"]) for one in told] == [
        ("system", "Declared a gap in the log"),
        ("system", "The clock stepped"),
        ("system", "The audit log did not verify"),
    ]
    assert told[0]["Details"] == "count: 7"
    # A later period tells what was fixed in it.
    later, _ = exporter.export(team.uuid, "later", since=since)
    assert [one["What"] for one in table(later, "outages-gaps-and-clocks")] == [
        "The clock stepped",
        "The audit log did not verify",
    ]
    assert exporter.verify(later).exit == 0


def test_a_verification_that_failed_is_told_by_its_codes_and_names_nobody() -> None:
    [row] = tables.incidents([step("audit.verify", "failed"), step("audit.verify")], {}).rows
    assert ("C05, N02" in row, any("78e51061" in cell for cell in row)) == (True, False)


def test_what_was_changed_around_the_product_is_in_the_verdict(
    exporter: Exporter, team: Workspace
) -> None:
    honest, changed = (_registered(team) for _ in range(2))
    exporter.site.superuser.execute(
        "UPDATE sender SET is_archived = true WHERE id = %s", [changed.pk]
    )
    bundle, _ = exporter.export(team.uuid)
    told = table(bundle, "changes-around-the-product")
    [row] = [one for one in told if "sender" in one["What"]]
    assert row["Details"] == "is_archived: false → true"
    report = (bundle / "report.html").read_text()
    verdicts = {
        pk: report.partition(f"snd_{pk}</span></h3>")[2].partition("</p>")[0]
        for pk in (honest.pk, changed.pk)
    }
    assert "around" not in verdicts[honest.pk]
    assert "But it was changed around the product, which nobody approved" in verdicts[changed.pk]


def test_many_rows_at_once_cast_doubt_on_every_verdict(exporter: Exporter, team: Workspace) -> None:
    sender = _registered(team)
    append(
        exporter.site.runtime,
        ws=INSTALL,
        op="sender.changed_outside",
        at=timezone.now(),
        obj=Obj("sender_revision", "rev_many"),
    )
    bundle, _ = exporter.export(team.uuid)
    report = (bundle / "report.html").read_text()
    verdict = report.partition(f"snd_{sender.pk}</span></h3>")[2].partition("</p>")[0]
    assert "of the system chain" in verdict


def _registered(team: Workspace) -> Sender:
    """Register a name that no other test has, by one person, and approve it by another."""
    name = f"T{uuid4().hex[:9]}"
    sender = create_sender(
        by=nouns.person_in(team, Role.ADMIN), proposal=proposal(name), now=timezone.now()
    )
    moderator = nouns.person_in(team, Role.MODERATOR)
    approve_revision(sender_id=sender.pk, seen=1, by=moderator, words="Seen.", now=timezone.now())
    return sender


def test_erasures_tell_what_was_done_and_what_was_only_tried(
    exporter: Exporter, team: Workspace
) -> None:
    personal(team)
    exporter.number()
    erase(
        workspace=team.uuid,
        values=[Erased(field="msisdn", seq=2)],
        actor=ADMIN,
        obj=Obj("campaign", "cmp_3"),
        basis="Article 17, request 5-26",
        now=timezone.now(),
    )
    for tell, op in ((record, "number.erase"), (record_denied, "pd.erase")):
        tell(
            op,
            workspace=team.uuid,
            actor=ADMIN,
            obj=Obj("number", "one"),
            now=timezone.now(),
            why="Article 17, request 6-26",
        )
    bundle, _ = exporter.export(team.uuid)
    told = table(bundle, "erasures")
    assert [one["What"] for one in told] == [
        "Erased personal values",
        "Erased a subscriber's number",
        "Tried to erase personal values",
    ]
    assert told[0]["Of which"] == "entry 2: msisdn"
    assert "gone everywhere" not in (bundle / "report.html").read_text()
