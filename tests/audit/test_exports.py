"""Asking for evidence, releasing, writing, taking and deleting it: each step in the log."""

import io
import os
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from audit.actions import exports
from audit.actions.exporting import run
from audit.actions.exporting.site import WITNESS_PATIENCE, this_site
from audit.actions.exports import ExportRefused
from audit.models import Export
from audit.queries.system import every_chain
from audit.rules.export_states import State
from tests import make as nouns
from tests.audit.conftest import Log
from tests.audit.evidence.installation import WITNESS_VKEY
from tests.audit.exported import ADMIN, EXPORT_KEY, REASON, Exporter, judge, personal
from tests.audit.site import EDIT, SECRET, Site
from tests.workspaces.log import entries
from workspaces.actions.workspaces import create_workspace
from workspaces.models import Workspace
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope


@pytest.fixture
def exporter(log: Log, tmp_path: Path, settings: Settings) -> Exporter:
    """An installation whose settings name what an export needs."""
    made = Exporter(Site(log, tmp_path / "audit"), tmp_path)
    nonces, key = tmp_path / "nonces", tmp_path / "export.pem"
    nonces.write_bytes(SECRET)
    settings.AUDIT_NONCE_FILE = str(nonces)
    settings.AUDIT_EXPORT_KEY_FILE = str(key)
    settings.AUDIT_EXPORT_DIR = tmp_path / "exports"
    settings.EXPORTER_DATABASE_URL = log.ground.url("exporter", log.name)
    settings.CELERY_TASK_ALWAYS_EAGER = False
    return made


@pytest.fixture
def team(exporter: Exporter) -> Workspace:
    return create_workspace(
        slug=f"team-{uuid4().hex[:8]}",
        name="Marketing",
        zone="UTC",
        by_actor=ADMIN,
        now=timezone.now(),
    )


@pytest.fixture
def ada(team: Workspace, request: pytest.FixtureRequest) -> Iterator[Me]:
    """An admin; a test without a browser is inside the workspace's scope."""
    with ExitStack() as stack:
        stack.enter_context(scope(team))
        made = nouns.person_in(team, Role.ADMIN, "Ada Admin")
        if "client" in request.fixturenames:
            stack.close()
        yield made


@pytest.fixture
def bob(ada: Me, team: Workspace) -> Me:
    with scope(team):
        return nouns.person_in(team, Role.ADMIN, "Bob Admin")


def asked(by: Me, **changes: Any) -> Export:
    wanted = {"since": None, "until": None, "shows_values": False, "reason": REASON} | changes
    with scope(by.here):
        return exports.ask(by=by, **wanted, now=timezone.now())


def written(exporter: Exporter, export: Export) -> Export:
    """Number, sign and let the worker write."""
    exporter.number()
    assert worked(export)
    export.refresh_from_db()
    return export


def worked(export: Export) -> bool:
    """Do the worker's part, outside of any scope."""
    return run.run(export.pk, timezone.now)


def ops(team: Workspace) -> list[tuple[str, str]]:
    return [(one["op"], one.get("res", "ok")) for one in entries(team) if "export." in one["op"]]


def test_asking_is_recorded_with_its_reason_and_period(ada: Me, team: Workspace) -> None:
    since = timezone.now() - timedelta(days=3)
    export = asked(ada, since=since)
    [entry] = [one for one in entries(team) if one["op"] == "export.create"]
    assert (entry["why"], entry["act"]["id"]) == (REASON, ada.actor.id)
    assert entry["diff"]["values"] == [None, False]
    assert entry["eid"] == str(export.forced_by)
    assert export.state == State.QUEUED


@pytest.mark.parametrize("reason", ["", "   ", "because", "x" * 501])
def test_a_reason_must_say_something(ada: Me, team: Workspace, reason: str) -> None:
    with pytest.raises(ExportRefused) as refused:
        asked(ada, reason=reason)
    assert refused.value.field == "reason"
    assert ops(team) == []


def test_a_period_is_over_and_begins_before_it_ends(ada: Me) -> None:
    now = timezone.now()
    with pytest.raises(ExportRefused, match="future"):
        asked(ada, until=now + timedelta(hours=1))
    with pytest.raises(ExportRefused, match="before it begins"):
        asked(ada, since=now, until=now - timedelta(hours=1))


def test_three_exports_at_a_time(ada: Me) -> None:
    for _ in range(3):
        asked(ada)
    with pytest.raises(ExportRefused, match="Three exports"):
        asked(ada)


def test_an_export_is_written_packed_and_verifies(
    exporter: Exporter, ada: Me, team: Workspace, tmp_path: Path
) -> None:
    personal(team)
    export = written(exporter, asked(ada))
    assert (export.state, export.problem) == (State.READY, "")
    file = run.folder() / export.file
    assert (file.stat().st_mode & 0o777, file.stat().st_size) == (0o600, export.size)
    with zipfile.ZipFile(file) as archive:
        archive.extractall(tmp_path / "desk")
    [bundle] = (tmp_path / "desk").iterdir()
    key = (bundle / "keys/export.vkey").read_text().strip()
    found = judge(bundle, "--trust", str(exporter.site.key), "--trust", key)
    assert (found.exit, found.level) == (0, "A"), found.said
    assert ops(team)[-1] == ("export.ready", "ok")
    assert not [path for path in run.folder().iterdir() if path.is_dir()]


def test_without_its_checkpoint_it_waits_and_fails_in_the_end(
    exporter: Exporter, ada: Me, team: Workspace
) -> None:
    export = asked(ada)
    assert not worked(export)
    export.refresh_from_db()
    assert export.state == State.QUEUED
    late = timezone.now() + exports.PATIENCE + timedelta(seconds=1)
    assert run.run(export.pk, lambda: late) is False
    export.refresh_from_db()
    assert (export.state, "No checkpoint came" in export.problem) == (State.FAILED, True)
    assert ops(team)[-1] == ("export.ready", "failed")


def test_it_waits_a_while_for_the_witness_and_goes_on_without(
    exporter: Exporter, ada: Me, settings: Settings
) -> None:
    settings.AUDIT_WITNESS_URL, settings.AUDIT_WITNESS_KEY = "http://127.0.0.1:1/", WITNESS_VKEY
    export = asked(ada)
    exporter.number()
    assert not worked(export)
    late = timezone.now() + WITNESS_PATIENCE
    assert run.run(export.pk, lambda: late)
    export.refresh_from_db()
    assert export.state == State.READY


@pytest.mark.parametrize("trouble", ["disk", "database"])
def test_what_cannot_be_written_is_tried_again_for_a_while_and_ends_with_an_entry(
    exporter: Exporter, ada: Me, team: Workspace, tmp_path: Path, settings: Settings, trouble: str
) -> None:
    export = asked(ada)
    exporter.number()
    if trouble == "disk":
        settings.AUDIT_EXPORT_DIR = tmp_path / "taken"
        (tmp_path / "taken").write_text("A file stands where the folder should be.")
    else:
        settings.EXPORTER_DATABASE_URL = "postgresql://mc_exporter@127.0.0.1:1/nowhere"
    assert worked(export)
    export.refresh_from_db()
    assert export.state == State.QUEUED
    late = timezone.now() + exports.PATIENCE + timedelta(seconds=1)
    assert run.run(export.pk, lambda: late)
    export.refresh_from_db()
    said = {"disk": "could not be written: File exists", "database": "database did not answer"}
    assert (export.state, said[trouble] in export.problem) == (State.FAILED, True)
    assert ops(team)[-1] == ("export.ready", "failed")


def test_an_export_that_loses_every_worker_fails_in_the_end(ada: Me, team: Workspace) -> None:
    export = asked(ada)
    later = timezone.now() + exports.LONGEST
    with scope(team):
        assert exports.take(export.pk, now=later)
        assert exports.take(export.pk, now=later + timedelta(hours=1)) is None
    export.refresh_from_db()
    assert (export.state, "worker" in export.problem) == (State.FAILED, True)


def test_two_workers_of_one_export_leave_the_archive_that_the_row_names(
    exporter: Exporter, ada: Me
) -> None:
    """The first was thought to be lost; the second is done before the first is."""
    export = asked(ada)
    exporter.number()
    told = []

    def clock() -> datetime:
        told.append(timezone.now())
        if len(told) == 2:
            later = told[0] + exports.LOST + timedelta(seconds=1)
            run.run(export.pk, lambda: later)
        return told[-1]

    assert run.run(export.pk, clock)
    export.refresh_from_db()
    assert export.state == State.READY
    [file] = run.folder().iterdir()
    assert file.name == export.file
    assert sha256(file.read_bytes()).hexdigest() == export.sha256


def test_the_sweep_removes_what_killed_workers_left(exporter: Exporter, ada: Me) -> None:
    ready = written(exporter, asked(ada))
    folder = run.folder()
    for name in ("7-old", "8-young"):
        (folder / name).mkdir()
        (folder / f"{name}.zip").write_bytes(b"half")
    for name in ("7-old", "7-old.zip", ready.file):
        os.utime(folder / name, (0, 0))
    run.sweep(timezone.now)
    left = {path.name for path in folder.iterdir()}
    assert left == {"8-young", "8-young.zip", ready.file}


def test_personal_values_wait_for_another_person(
    exporter: Exporter, ada: Me, bob: Me, team: Workspace
) -> None:
    personal(team)
    export = asked(ada, shows_values=True)
    assert export.state == State.WAITING
    with pytest.raises(ExportRefused, match="yourself"):
        exports.release(export_id=export.pk, by=ada, note="", now=timezone.now())
    exports.release(export_id=export.pk, by=bob, note="Seen.", now=timezone.now())
    export = written(exporter, export)
    with zipfile.ZipFile(run.folder() / export.file) as archive:
        [shown] = [name for name in archive.namelist() if name.endswith("disclosures.jsonl")]
        assert b"+447700900008" in archive.read(shown)
    assert [op for op, _ in ops(team)] == ["export.create", "export.approve", "export.ready"]


def test_refusing_needs_words_and_writes_nothing(ada: Me, bob: Me, team: Workspace) -> None:
    export = asked(ada, shows_values=True)
    with pytest.raises(ExportRefused) as refused:
        exports.refuse(export_id=export.pk, by=bob, note=" ", now=timezone.now())
    assert refused.value.field == "note"
    exports.refuse(export_id=export.pk, by=bob, note="Not needed.", now=timezone.now())
    export.refresh_from_db()
    assert (export.state, worked(export)) == (State.REFUSED, True)
    assert ops(team)[-1] == ("export.refuse", "ok")
    with pytest.raises(ExportRefused, match="decided this already"):
        exports.release(export_id=export.pk, by=bob, note="", now=timezone.now())


def test_the_database_refuses_values_that_nobody_else_released(ada: Me) -> None:
    export = asked(ada, shows_values=True)
    for fields in ({"state": "queued"}, {"decided_person": export.asked_person}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Export.objects.filter(pk=export.pk).update(**fields)


def test_a_worker_that_is_gone_is_replaced_and_a_living_one_is_not(
    exporter: Exporter, ada: Me
) -> None:
    export = asked(ada)
    now = timezone.now()
    assert exports.take(export.pk, now=now) is not None
    assert exports.take(export.pk, now=now) is None
    later = now + exports.LOST + timedelta(seconds=1)
    assert exports.take(export.pk, now=later) is not None


def test_a_log_that_was_changed_fails_with_its_code(
    exporter: Exporter, ada: Me, team: Workspace
) -> None:
    export = asked(ada)
    exporter.number()
    exporter.site.attack(
        EDIT.format(seq=1).replace(":marketing", f"'{team.uuid}'"),
    )
    worked(export)
    export.refresh_from_db()
    assert (export.state, export.problem[:4]) == (State.FAILED, "C05:")
    assert not list(run.folder().glob("*.zip"))


def test_taking_it_is_recorded_and_its_time_ends(
    exporter: Exporter, ada: Me, team: Workspace
) -> None:
    export = written(exporter, asked(ada))
    exports.download(export_id=export.pk, by=ada, now=timezone.now())
    assert ops(team)[-1] == ("export.download", "ok")
    after = timezone.now() + timedelta(days=8)
    with pytest.raises(ExportRefused, match="deleted"):
        exports.download(export_id=export.pk, by=ada, now=after)
    assert export.pk not in run.sweep(lambda: after)
    export.refresh_from_db()
    assert (export.state, list(run.folder().iterdir())) == (State.EXPIRED, [])
    assert ops(team)[-1] == ("export.expire", "ok")


def test_the_sweep_finds_what_needs_a_worker(exporter: Exporter, ada: Me, bob: Me) -> None:
    queued, lost = asked(ada), asked(ada)
    asked(ada, shows_values=True)
    now = timezone.now()
    exports.take(lost.pk, now=now - timedelta(hours=1))
    found = run.sweep(lambda: now)
    assert {queued.pk, lost.pk} <= set(found)
    assert not Export.objects.filter(pk__in=found, state=State.WAITING).exists()


# --- The pages ------------------------------------------------------------------------------------


@pytest.fixture
def client(ada: Me) -> Client:
    made = Client()
    nouns.sign_in(made, ada.user)
    return made


def page(team: Workspace, path: str = "") -> str:
    return f"/w/{team.slug}/evidence/{path}"


FORM = {"since": "", "until": "", "values": "masked", "reason": REASON}


def test_an_empty_page_says_so_and_asks(client: Client, team: Workspace) -> None:
    body = client.get(page(team)).content.decode()
    assert "No evidence was exported yet" in body
    assert "Make the bundle" in body
    assert "hx-trigger" not in body


def test_a_person_asks_watches_and_downloads(
    exporter: Exporter, client: Client, team: Workspace
) -> None:
    answer = client.post(page(team), FORM, follow=True).content.decode()
    assert "waits for the next checkpoint" in answer
    assert "hx-trigger" in answer
    with scope(team):
        [export] = Export.objects.filter(ws=team.uuid)
    exporter.number()
    assert worked(export)
    body = client.get(page(team, "now/")).content.decode()
    assert "Download" in body
    assert "hx-trigger" not in body
    response: Any = client.post(page(team, f"{export.pk}/file/"))
    archive = zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))
    assert any(name.endswith("/manifest.json") for name in archive.namelist())
    assert "no-store" in response["Cache-Control"]
    assert ".zip" in response["Content-Disposition"]
    assert ops(team)[-1] == ("export.download", "ok")


def test_what_was_typed_stays_when_the_reason_says_nothing(client: Client, team: Workspace) -> None:
    typed = FORM | {"since": "2026-03-01", "reason": "short"}
    body = client.post(page(team), typed).content.decode()
    assert "Say why, in 10 to 500 characters" in body
    assert 'value="2026-03-01"' in body
    assert 'value="short"' in body


def test_a_day_that_is_not_over_means_up_to_now(client: Client, team: Workspace) -> None:
    today = f"{timezone.now():%Y-%m-%d}"
    client.post(page(team), FORM | {"until": today})
    with scope(team):
        assert Export.objects.get(ws=team.uuid).until is None


def test_the_second_person_decides_on_a_page(
    client: Client, ada: Me, bob: Me, team: Workspace
) -> None:
    client.post(page(team), FORM | {"values": "in_full"})
    with scope(team):
        [export] = Export.objects.filter(ws=team.uuid)
    one = page(team, f"{export.pk}/")
    assert "Another admin has to release it" in client.get(one).content.decode()
    own = client.post(page(team, f"{export.pk}/release/"), {"note": ""}, follow=True)
    assert "You asked for this yourself" in own.content.decode()
    other = Client()
    nouns.sign_in(other, bob.user)
    assert "Release with personal values" in other.get(one).content.decode()
    empty = other.post(page(team, f"{export.pk}/refuse/"), {"note": ""}).content.decode()
    assert "Say why, so that the other person knows" in empty
    done = other.post(page(team, f"{export.pk}/release/"), {"note": "Fine."}, follow=True)
    assert "Released. The evidence is being written." in done.content.decode()


def test_a_neighbours_export_does_not_exist(
    exporter: Exporter, client: Client, ada: Me, team: Workspace
) -> None:
    export = asked(ada)
    other = create_workspace(
        slug=f"o-{uuid4().hex[:8]}", name="Care", zone="UTC", by_actor=ADMIN, now=timezone.now()
    )
    with every_chain(), connection.cursor() as cursor:
        cursor.execute("UPDATE audit_export SET ws = %s WHERE id = %s", [other.uuid, export.pk])
    assert client.get(page(team, f"{export.pk}/")).status_code == 404
    assert client.post(page(team, f"{export.pk}/file/")).status_code == 404


def test_a_failure_says_what_to_do(client: Client, ada: Me, team: Workspace) -> None:
    export = asked(ada)
    with scope(team):
        taken = exports.take(export.pk, now=timezone.now())
        assert taken is not None
        exports.fail(taken, problem="C05: Entry 3 was changed.", now=timezone.now())
    assert "C05: Entry 3 was changed." in client.get(page(team)).content.decode()
    assert "verify_audit" in client.get(page(team, f"{export.pk}/")).content.decode()


def test_export_key_is_kept_private(exporter: Exporter, settings: Settings) -> None:
    first = this_site().private.private_bytes_raw()
    assert first == this_site().private.private_bytes_raw()
    assert first != EXPORT_KEY.private_bytes_raw()
    assert Path(settings.AUDIT_EXPORT_KEY_FILE).stat().st_mode & 0o077 == 0
