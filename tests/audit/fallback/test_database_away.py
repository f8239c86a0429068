"""The database stopped for real under the product: refused, recorded, nothing typed lost."""

import http.client
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest
from django.conf import LazySettings, settings
from django.db import DatabaseError, connections
from django.test import Client
from django.utils import timezone

from audit.actions.fallback import Fallback, fallback
from audit.actions.fallback_ingest import remember_installation
from audit.actions.fallback_sweep import sweep
from audit.actions.processes import START, STOP, note_process
from audit.actions.record import record_denied
from audit.rules.canonical import decode_event
from audit.rules.events import Actor, Obj
from audit.rules.fallback import NotRecorded
from message_center.errors import PAGES
from tests.audit.fallback.ground import all_eids, files, read, state_of
from tests.conftest import Database
from tests.ground import Ground
from tests.poll import poll
from tests.processes import Processes
from tests.workspaces import make
from workspaces.actions.passes import keep_passes
from workspaces.queries.access import installation_uuid
from workspaces.rules.permissions import Role
from workspaces.scope import scope

DIAGNOSTICS = "/platform/diagnostics/"
API = "/api/v1/diagnostics"
CAMPAIGN = Obj("campaign", "cmp_3")
GATE = Actor("system", "gate")


@contextmanager
def stopped(servers: Ground) -> Iterator[None]:
    """Stop the database server, for real, and start it again."""
    servers.postgres.stop()
    try:
        yield
    finally:
        servers.postgres.start()
        for alias in connections:
            connections[alias].close()


@pytest.fixture
def folder(database: Database, settings: LazySettings, tmp_path: Path) -> Fallback:
    """This machine's folder, which knows the installation."""
    settings.AUDIT_FALLBACK_DIR = tmp_path / "fallback"
    settings.DATA_DIR = tmp_path
    found = fallback()
    assert remember_installation(found)
    return found


def send(client: Client, path: str, fields: dict[str, str]) -> Any:
    """Send a form as a browser does."""
    return client.post(path, urlencode(fields), content_type="application/x-www-form-urlencoded")


def lines(folder: Fallback) -> list[dict[str, Any]]:
    """Return all events in open files."""
    found = [line for path in files(folder, "open") for line in read(path).lines]
    return [decode_event(line.ev) for line in found]


def logged(eids: list[str]) -> dict[str, dict[str, Any]]:
    """Return the events of the log with these ids."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT set_config('app.workspace_uuid', '*', false)")
        cursor.execute("SELECT body FROM audit_event WHERE eid = ANY(%s)", [eids])
        found = [decode_event(body.encode()) for (body,) in cursor.fetchall()]
    return {one["op"]: one for one in found}


def test_what_is_tried_meanwhile_is_in_the_file_and_then_in_the_log(
    folder: Fallback, servers: Ground
) -> None:
    place = make.workspace("care")
    admin = make.me_in(place, Role.ADMIN)
    author = make.me_in(place, Role.AUTHOR)
    client = make.signed_in(admin.user)
    client.raise_request_exception = False
    with stopped(servers):
        sign_in = client.post("/sign-in/", {"email": "Ann@example.com", "password": "typed"})
        decision = client.post("/w/care/members/invite/", {"email": "new@example.com", "role": "v"})
        page = client.get("/w/care/members/")
        record_denied(
            "campaign.approve",
            workspace=place.uuid,
            actor=author.actor,
            obj=CAMPAIGN,
            now=timezone.now(),
        )
        said = {one["op"]: one for one in lines(folder)}
        waiting = all_eids(folder)
        assert sweep(timezone.now()) == []
    assert {answer.status_code for answer in (sign_in, decision, page)} == {503}
    assert set(said) == {"user.sign_in_failed", "access.failed", "campaign.approve"}
    assert set(said["user.sign_in_failed"]["pd"]) == {"account", "address"}
    assert said["access.failed"]["obj"]["id"] == "/w/care/members/invite/"
    assert {one["res"] for one in said.values()} == {"failed", "denied"}
    kept = b"".join(path.read_bytes() for path in files(folder, "open"))
    assert b"typed" not in kept
    assert b"ann@example.com" not in kept.lower()
    done = sweep(timezone.now())
    assert sum(one.line_count for one in done) == 3
    found = logged(waiting)
    assert set(found) == set(said)
    assert all(one["src"]["host"] for one in found.values())
    assert found["campaign.approve"]["ws"] == str(place.uuid)
    assert found["access.failed"]["ws"] == str(installation_uuid())


def test_a_call_of_the_api_is_recorded_as_a_form_is_and_answered_as_a_problem(
    folder: Fallback, servers: Ground
) -> None:
    place = make.workspace("care")
    key = make.key(place, make.me_in(place, Role.ADMIN), "message.send")
    client = Client(raise_request_exception=False)

    def call(method: str, token: str) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        body = '{"text": "typed"}'
        return client.generic(
            method, "/api/v1/messages", body, content_type="application/json", headers=headers
        )

    with stopped(servers):
        pushed = call("POST", key.token)
        looked, strange = call("GET", key.token), call("POST", "x")
        assert call("POST", "").status_code == 401
        said = lines(folder)
    for answer in (pushed, looked, strange):
        assert (answer.status_code, answer.json()["code"]) == (503, "database_down")
        assert answer.headers["Content-Type"] == "application/problem+json"
    [one] = said
    assert (one["op"], one["res"], one["act"]) == (
        "access.failed",
        "failed",
        {"kind": "api", "id": "unknown"},
    )
    assert one["obj"] == {"type": "page", "id": "/api/v1/messages"}
    assert one["why"] == (
        f"POST with a key that begins with mc_{key.key.prefix}: the database did not answer"
    )
    assert set(one["pd"]) == {"address"}
    kept = b"".join(path.read_bytes() for path in files(folder, "open"))
    assert key.token.encode() not in kept
    assert b"typed" not in kept
    assert sum(one.line_count for one in sweep(timezone.now())) == 1
    assert logged([one["eid"]])["access.failed"]["src"]["host"]


def test_a_call_that_can_be_recorded_nowhere_is_told_so(
    folder: Fallback, servers: Ground, settings: LazySettings
) -> None:
    settings.AUDIT_FALLBACK_MAX_BYTES = 100
    client = Client(raise_request_exception=False)
    with stopped(servers):
        answer = client.post(
            "/api/v1/messages",
            "{}",
            content_type="application/json",
            headers={"Authorization": "Bearer mc_ab.cd"},
        )
    assert (answer.status_code, answer.json()["code"]) == (503, "not_recorded")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert state_of(fallback(), 100).lost_count == 1


def test_a_decision_is_refused_with_a_sentence_and_what_was_typed_can_be_sent_again(
    folder: Fallback, servers: Ground
) -> None:
    place = make.workspace("care")
    client = make.signed_in(make.member(place, Role.ADMIN))
    client.raise_request_exception = False
    typed = {"name": 'Care "desk"', "zone": "Asia/Tashkent", "reply_days": "90"}
    with stopped(servers):
        answer = send(client, "/w/care/settings/", typed)
    page = answer.content.decode()
    assert answer.status_code == 503
    assert str(PAGES["503"].lede) in page
    again = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
    again.pop("csrfmiddlewaretoken")
    assert again == typed | {"name": "Care &quot;desk&quot;"}
    assert send(client, "/w/care/settings/", typed).status_code == 302
    place.refresh_from_db()
    assert place.name == 'Care "desk"'


def test_a_process_that_ends_meanwhile_says_so_in_the_file_and_names_it(
    folder: Fallback, servers: Ground
) -> None:
    client = Client(raise_request_exception=False)
    assert note_process(START, "web", now=timezone.now())
    with stopped(servers):
        send(client, "/sign-in/", {"email": "a@example.com", "password": "typed"})
        assert note_process(STOP, "web", now=timezone.now())
        tried, ended = lines(folder)
        [file] = [path.name for path in files(folder, "open")]
    assert (tried["op"], ended["op"]) == ("user.sign_in_failed", "process.stop")
    assert ended["diff"]["files"] == [None, [file]]
    assert ended["diff"]["folder"] == [None, str(folder.path)]


def test_a_process_that_begins_before_anything_is_known_raises_no_alarm(
    folder: Fallback, servers: Ground
) -> None:
    (folder.path / "identity.json").unlink(missing_ok=True)
    with stopped(servers):
        assert not note_process(START, "web", now=timezone.now())
        assert files(folder, "open") == []
    assert state_of(folder, 1_000_000).lost_count == 0


def test_a_password_is_not_carried_through_the_page(folder: Fallback, servers: Ground) -> None:
    client = Client(raise_request_exception=False)
    with stopped(servers):
        fields = {"email": "a@example.com", "password": "s3cret-words"}
        page = send(client, "/sign-in/", fields)
    assert b"a@example.com" in page.content
    assert b"s3cret-words" not in page.content


def test_where_neither_can_be_written_the_request_is_refused_and_the_alarm_is_everywhere(
    folder: Fallback, servers: Ground, settings: LazySettings
) -> None:
    settings.AUDIT_FALLBACK_MAX_BYTES = 100
    full = fallback()
    client = Client(raise_request_exception=False)
    with stopped(servers):
        answer = client.post("/sign-in/", {"email": "a@example.com", "password": "typed"})
        health = client.get("/health/audit/")
        with pytest.raises(NotRecorded):
            record_denied(
                "access.denied",
                workspace=installation_uuid(),
                actor=GATE,
                obj=CAMPAIGN,
                now=timezone.now(),
            )
    assert answer.status_code == 503
    assert str(PAGES["not_recorded"].heading) in answer.content.decode()
    assert (health.status_code, health.json()) == (503, {"fallback": "bad"})
    assert state_of(full, 100).lost_count == 2
    root = make.signed_in(make.user(is_super_admin=True))
    page = " ".join(root.get(DIAGNOSTICS).content.decode().split())
    assert "2 attempts were refused because they could be recorded nowhere" in page
    settings.AUDIT_FALLBACK_MAX_BYTES = 1_000_000
    sweep(timezone.now())
    assert client.get("/health/audit/").json() == {"fallback": "ok"}


def test_a_caller_of_the_api_is_told_when_a_refusal_cannot_be_recorded(
    folder: Fallback, settings: LazySettings, database: Database
) -> None:
    settings.AUDIT_FALLBACK_MAX_BYTES = 100
    place = make.workspace("care")
    key = make.key(place, make.me_in(place, Role.ADMIN), "sender.see")
    with broken(database, "audit_append"):
        answer = Client(raise_request_exception=False).get(
            "/api/v1/campaigns", headers={"Authorization": f"Bearer {key.token}"}
        )
    assert (answer.status_code, answer.json()["code"]) == (503, "not_recorded")


def test_a_denied_request_is_kept_when_only_the_log_cannot_be_written(
    folder: Fallback, database: Database
) -> None:
    place = make.workspace("care")
    client = make.signed_in(make.member(place, Role.VIEWER))
    with broken(database, "audit_append"):
        assert client.get("/w/care/keys/").status_code == 403
    [said] = lines(folder)
    assert (said["op"], said["res"], said["ws"]) == ("access.denied", "denied", str(place.uuid))
    client.get("/w/care/members/")
    sweep(timezone.now())
    assert set(logged([said["eid"]])) == {"access.denied"}


@contextmanager
def broken(database: Database, function: str) -> Iterator[None]:
    """Take the right to record away from the product, as a failed restore would."""
    role = settings.DATABASES["default"]["USER"]
    with psycopg.connect(database.url("superuser"), autocommit=True) as superuser:
        superuser.execute(f"REVOKE EXECUTE ON FUNCTION {function} FROM {role}")
        try:
            yield
        finally:
            superuser.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {role}")


def test_a_decision_that_cannot_be_recorded_is_not_done(
    folder: Fallback, database: Database
) -> None:
    place = make.workspace("care")
    admin = make.me_in(place, Role.ADMIN)
    with (
        broken(database, "audit_append"),
        scope(place),
        pytest.raises(DatabaseError, match="permission denied"),
    ):
        make.key(place, admin)
    assert lines(folder) == []


# --- diagnostics without a database -------------------------------------------------------------


def test_a_super_admin_who_was_signed_in_sees_diagnostics_without_the_database(
    folder: Fallback, servers: Ground
) -> None:
    place = make.workspace("care")
    root = make.signed_in(make.user(is_super_admin=True))
    root.get(DIAGNOSTICS)
    member = make.signed_in(make.member(place, Role.ADMIN))
    for client in (root, member):
        client.raise_request_exception = False
    assert keep_passes(timezone.now()) == 1
    with stopped(servers):
        seen, other, nobody = (
            client.get(DIAGNOSTICS)
            for client in (root, member, Client(raise_request_exception=False))
        )
    assert seen.status_code == 200
    assert "The database does not answer" in seen.content.decode()
    assert "Audit fallback file" in seen.content.decode()
    assert (other.status_code, nobody.status_code) == (503, 302)


def test_a_pass_ends_with_the_sessions_own_time(folder: Fallback, servers: Ground) -> None:
    root = make.signed_in(make.user(is_super_admin=True))
    root.raise_request_exception = False
    keep_passes(timezone.now())
    passes = settings.DATA_DIR / "outage_passes.json"
    [(mark, _until)] = json.loads(passes.read_text()).items()
    passes.write_text(json.dumps({mark: timezone.now().isoformat()}))
    with stopped(servers):
        assert root.get(DIAGNOSTICS).status_code == 503


def test_a_super_admins_key_sees_diagnostics_with_and_without_the_database(
    folder: Fallback, servers: Ground
) -> None:
    place = make.workspace("care")
    root = make.user(is_super_admin=True)
    make.visit(place, root)
    mine = make.key(place, make.me(root, place, Role.SUPER_ADMIN), "diagnostics.see")
    others = make.key(place, make.me_in(place, Role.ADMIN), "campaign.see")
    keep_passes(timezone.now())
    client = Client(raise_request_exception=False)
    mine_now = client.get(API, headers={"Authorization": f"Bearer {mine.token}"})
    others_now = client.get(API, headers={"Authorization": f"Bearer {others.token}"})
    with stopped(servers):
        away = client.get(API, headers={"Authorization": f"Bearer {mine.token}"})
        others_away = client.get(API, headers={"Authorization": f"Bearer {others.token}"})
    assert (mine_now.status_code, others_now.status_code) == (200, 403)
    codes = [check["code"] for check in mine_now.json()["checks"]]
    assert {"database", "worker", "sequencer", "signer", "fallback", "disk"} <= set(codes)
    assert (away.status_code, others_away.status_code) == (200, 503)
    assert away.json()["state"] == "bad"
    assert away.json()["fallback"]["cap_bytes"] == settings.AUDIT_FALLBACK_MAX_BYTES


# --- the processes ------------------------------------------------------------------------------


def request(url: str, method: str, path: str, fields: dict[str, str] | None = None) -> Any:
    """Send a request as a browser without a session does, its token included."""
    host, _, port = url.removeprefix("http://").partition(":")
    wire = http.client.HTTPConnection(host, int(port), timeout=60)
    token = "t" * 32
    headers = {
        "Host": "localhost",
        "Cookie": f"csrftoken={token}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    body = urlencode({**(fields or {}), "csrfmiddlewaretoken": token})
    wire.request(method, path, body if method == "POST" else None, headers)
    return wire.getresponse()


@pytest.mark.processes
def test_the_worker_takes_what_web_wrote_as_soon_as_the_database_is_back(
    database: Database, processes: Processes, servers: Ground
) -> None:
    processes.start_together("web", "worker", "beat", "sequencer")
    folder = Fallback(processes.data / "fallback", max_bytes=1, host="")
    poll(lambda: state_of(folder).identity, 60, "the sweep has kept the installation")
    url = processes["web"].url
    with stopped(servers):
        for _ in range(3):
            answer = request(url, "POST", "/sign-in/", {"email": "a@example.com", "password": "x"})
            assert answer.status == 503
        eids = all_eids(folder)
        assert len(eids) == 3
        assert request(url, "GET", "/health/audit/").status in {200, 503}
    query = "SELECT count(*) FROM audit_entry e JOIN audit_event v ON v.id = e.event_id"

    def numbered() -> bool:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT set_config('app.workspace_uuid', '*', false)")
            cursor.execute(f"{query} WHERE v.eid = ANY(%s)", [eids])
            return bool(cursor.fetchone()[0] == 3)

    poll(numbered, 90, "the lines are in the chain")
    assert files(folder, "open") == []
    assert len(files(folder, "kept")) == 1
