"""The pages of connections and routes: the platform team's, and nobody else's."""

from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest
from django.test import Client
from django.utils import timezone

from smpp_client.actions.changes import make_change
from smpp_client.actions.connections import disable_connection
from smpp_client.models import Connection, ConnectionChange, Route, RouteGrant
from tests.smpp_client import wires
from tests.smpp_client.test_connection_changes import person
from tests.workspaces import make
from tests.workspaces.log import entries, ops
from workspaces.rules.permissions import Role

HOME = "/platform/connections/"
ROUTES = "/platform/routes/"


class Answer(Protocol):
    """What these tests look at of a response."""

    content: bytes
    status_code: int


def text(response: Answer) -> str:
    """Return a page's text with single spaces."""
    return " ".join(response.content.decode().split())


@pytest.fixture
def keeper(db: None) -> Client:
    """A member of the platform team."""
    return make.signed_in(make.user("Olga Nazarova", is_super_admin=True))


@pytest.fixture
def smsc(tmp_path: Path, db: None) -> Connection:
    """A connection."""
    return wires.connection(tmp_path)


def form(folder: Path, **fields: Any) -> dict[str, Any]:
    """Return what the form of a right connection posts."""
    settings = wires.certified(folder)
    values = {
        "name": "smsc-a",
        "host": "127.0.0.1",
        "port": 2775,
        "system_id": "center",
        "password": "secret",
        "ca_file": settings.ca_file,
        "cert_file": settings.cert_file,
        "key_file": settings.key_file,
        "server_name": "localhost",
        "rate": 100,
        "window": 50,
        "alphabet": "gsm",
        "message_id_rule": "as_is",
        "short_code_ton": "3",
        "enquire_seconds": "30",
        "response_seconds": "60",
        "bind_form": "transceiver",
        "bind_count": 1,
        "tls_minimum": "1.2",
        "long_form": "udh",
    }
    return {**values, **fields}


PAGES = [
    HOME,
    f"{HOME}new/",
    f"{HOME}smsc-a/",
    f"{HOME}smsc-a/edit/",
    f"{HOME}smsc-a/disable/",
    f"{HOME}smsc-a/enable/",
    ROUTES,
    f"{ROUTES}new/",
    f"{ROUTES}main/",
]


@pytest.mark.parametrize("path", PAGES)
def test_the_platform_team_opens_every_page(keeper: Client, smsc: Connection, path: str) -> None:
    wires.route("main", smsc_a=1)
    assert keeper.get(path).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        *PAGES,
        f"{HOME}smsc-a/check/",
        f"{ROUTES}main/grant/",
        f"{ROUTES}main/revoke/care/",
    ],
)
def test_for_an_admin_of_a_workspace_none_of_it_exists(smsc: Connection, path: str) -> None:
    wires.route("main", smsc_a=1)
    admin = make.me_in(make.workspace("care"), Role.ADMIN)
    client = make.signed_in(admin.user)
    assert client.get(path).status_code == 404
    assert client.post(path, {}).status_code == 404
    assert Connection.objects.get().is_enabled


@pytest.mark.parametrize("path", [f"{HOME}nobody/", f"{HOME}nobody/edit/", f"{ROUTES}nobody/"])
def test_what_is_not_there_is_404(keeper: Client, path: str) -> None:
    assert keeper.get(path).status_code == 404


def test_without_a_connection_the_page_says_what_one_is(keeper: Client) -> None:
    page = text(keeper.get(HOME))
    assert "No connection yet." in page
    assert "Nothing can be sent." in page


def test_the_list_tells_what_was_observed(keeper: Client, smsc: Connection, tmp_path: Path) -> None:
    wires.seen(smsc, rate_now=40, in_flight=12)
    other = wires.connection(tmp_path, "smsc-b")
    wires.seen(other, "down", sentence="The password is wrong (0x0E).")
    page = text(keeper.get(HOME))
    assert "1 of 2 connections are up and carry <b>40 segments/s</b>." in page
    assert "The password is wrong (0x0E)." in page
    assert "12 of 50" in page


def test_what_is_down_carries_nothing_worth_a_figure(keeper: Client, smsc: Connection) -> None:
    wires.seen(smsc, "down", sentence="The password is wrong (0x0E).")
    page = text(keeper.get(HOME))
    assert "The one connection is not up." in page
    assert "carries" not in page


def test_what_is_not_known_says_on_a_phone_what_it_is(keeper: Client, smsc: Connection) -> None:
    """There the heads of the columns are gone."""
    page = text(keeper.get(HOME))
    for name in ("Window", "Rate"):
        assert f'<span class="only-m">{name} </span>not known' in page


def test_what_nobody_observes_is_not_known_and_never_zero(keeper: Client, smsc: Connection) -> None:
    page = text(keeper.get(f"{HOME}smsc-a/"))
    assert "No sender has seen it yet." in page
    assert '<div class="v">not known</div>' in page


def test_the_page_shows_the_budget_the_certificate_and_the_events(
    keeper: Client, smsc: Connection
) -> None:
    page = text(keeper.get(f"{HOME}smsc-a/"))
    assert "at most 50 segments can be left unknown" in page
    assert "in 364 days" in page
    assert "SHA-256" in page
    assert "Added by the command line" in page


def test_a_connection_is_added_and_its_password_is_never_shown(
    keeper: Client, tmp_path: Path
) -> None:
    response = keeper.post(f"{HOME}new/", form(tmp_path), follow=True)
    assert "smsc-a is added." in text(response)
    assert "secret" not in text(keeper.get(f"{HOME}smsc-a/edit/"))
    assert entries()[-1]["act"]["kind"] == "user"


def test_a_connection_without_tls_is_added_disabled_and_another_person_confirms_it(
    keeper: Client, tmp_path: Path
) -> None:
    until = f"{timezone.now() + timedelta(days=9):%Y-%m-%d}"
    none = {"ca_file": "", "cert_file": "", "key_file": ""}
    posted = form(tmp_path, **none, plain_reason="IPsec", plain_until=until)
    page = text(keeper.post(f"{HOME}new/", posted, follow=True))
    assert "smsc-a is added, disabled: another super admin confirms the exception." in page
    assert "waits for another super admin" in page
    assert "Make this change" not in page
    one = Connection.objects.get()
    assert (one.is_enabled, one.plain_until) == (False, None)
    make_path = f"{HOME}smsc-a/changes/{ConnectionChange.objects.get().pk}/make/"
    assert keeper.post(make_path).status_code == 409
    second = make.signed_in(make.user("Timur Rashidov", is_super_admin=True))
    assert "Make this change" in text(second.get(f"{HOME}smsc-a/"))
    assert "Without TLS until" in text(second.post(make_path, follow=True))
    one.refresh_from_db()
    assert (one.is_enabled, one.plain_reason) == (True, "IPsec")


def test_every_fault_stands_at_its_field_and_nothing_typed_is_lost_but_the_password(
    keeper: Client, tmp_path: Path
) -> None:
    posted = form(tmp_path, host="smpp://x", password="123456789", key_file="", rate=0)
    page = text(keeper.post(f"{HOME}new/", posted))
    assert "without smpp:// and port" in page
    assert "at most 8 octets here; this has 9" in page
    assert "A certificate needs its key" in page
    assert "at least 1 segment a second" in page
    assert 'value="center"' in page
    assert "123456789" not in page
    assert not Connection.objects.exists()


def test_settings_are_changed_and_an_empty_password_keeps_the_old_one(
    keeper: Client, smsc: Connection, tmp_path: Path
) -> None:
    posted = form(tmp_path, rate=30, password="", seen=1)
    assert "smsc-a is changed." in text(keeper.post(f"{HOME}smsc-a/edit/", posted, follow=True))
    before, sealed = bytes(smsc.password_sealed), bytes(Connection.objects.get().password_sealed)
    assert (Connection.objects.get().rate, sealed) == (30, before)
    assert "rate 100 → 30, by Olga Nazarova" in text(keeper.get(f"{HOME}smsc-a/"))


def test_a_stale_form_is_a_conflict(keeper: Client, smsc: Connection, tmp_path: Path) -> None:
    keeper.post(f"{HOME}smsc-a/edit/", form(tmp_path, rate=30, seen=1))
    response = keeper.post(f"{HOME}smsc-a/edit/", form(tmp_path, rate=40, seen=1))
    assert response.status_code == 409
    assert "Somebody changed this connection meanwhile." in text(response)
    assert Connection.objects.get().rate == 30


def test_disabling_asks_first_says_the_effect_and_is_a_conflict_when_done(
    keeper: Client, smsc: Connection
) -> None:
    question = text(keeper.get(f"{HOME}smsc-a/disable/"))
    assert "Disable smsc-a?" in question
    assert "What waits for it stays queued" in question
    assert "smsc-a is disabled." in text(keeper.post(f"{HOME}smsc-a/disable/", follow=True))
    assert keeper.post(f"{HOME}smsc-a/disable/").status_code == 409
    assert "smsc-a is enabled." in text(keeper.post(f"{HOME}smsc-a/enable/", follow=True))


def test_a_disabled_connection_says_so(keeper: Client, smsc: Connection) -> None:
    disable_connection(name="smsc-a", by=wires.BY, now=timezone.now())
    assert "It is disabled. What waits for it stays queued." in text(keeper.get(f"{HOME}smsc-a/"))


def test_a_check_shows_how_far_it_came(keeper: Client, smsc: Connection) -> None:
    Connection.objects.update(port=1)
    page = text(keeper.post(f"{HOME}smsc-a/check/"))
    assert "The check stopped" in page
    assert "Nobody listens at 127.0.0.1 port 1." in page


def test_a_check_is_not_done_by_looking(keeper: Client, smsc: Connection) -> None:
    assert keeper.get(f"{HOME}smsc-a/check/").status_code == 405


def test_a_route_is_made_and_granted(keeper: Client, smsc: Connection) -> None:
    care = make.workspace("care", "Care")
    made = keeper.post(f"{ROUTES}new/", {"name": "main", "weight_smsc-a": 3}, follow=True)
    assert "The route main is there." in text(made)
    granted = keeper.post(f"{ROUTES}main/grant/", {"workspace": "care"}, follow=True)
    assert "Care may use main." in text(granted)
    assert RouteGrant.objects.get().workspace == care


@pytest.mark.parametrize(
    ("posted", "said"),
    [
        ({"name": "Main", "weight_smsc-a": 1}, "Use small letters"),
        ({"name": "main"}, "weight above 0"),
        ({"name": "main", "weight_smsc-a": 2000}, "less than or equal to 1000"),
        ({"weight_smsc-a": 1}, "This field is required"),
    ],
)
def test_a_route_that_cannot_be_is_told(
    keeper: Client, smsc: Connection, posted: dict[str, Any], said: str
) -> None:
    assert said in text(keeper.post(f"{ROUTES}new/", posted))
    assert not Route.objects.exists()


def test_weights_are_set(keeper: Client, smsc: Connection, tmp_path: Path) -> None:
    wires.connection(tmp_path, "smsc-b")
    wires.route("main", smsc_a=1)
    posted = {"weight_smsc-a": 0, "weight_smsc-b": 4}
    page = text(keeper.post(f"{ROUTES}main/", posted, follow=True))
    assert "The weights of main are set." in page
    assert "<b>smsc-b</b> takes 100 %" in page
    assert ops()[-1][0] == "route.edit"


def test_weights_that_cannot_be_are_told(keeper: Client, smsc: Connection) -> None:
    wires.route("main", smsc_a=1)
    page = text(keeper.post(f"{ROUTES}main/", {"weight_smsc-a": 0}))
    assert "weight above 0" in page


def test_a_grant_is_taken_after_a_question(keeper: Client, smsc: Connection) -> None:
    wires.route("main", smsc_a=1)
    make.workspace("care", "Care")
    keeper.post(f"{ROUTES}main/grant/", {"workspace": "care"})
    path = f"{ROUTES}main/revoke/care/"
    assert "held from the next claim on" in text(keeper.get(path))
    assert "Care may not use main any more." in text(keeper.post(path, follow=True))
    assert "does not have main any more" in text(keeper.post(path, follow=True))


def test_granting_nothing_or_twice_is_told(keeper: Client, smsc: Connection) -> None:
    wires.route("main", smsc_a=1)
    make.workspace("care", "Care")
    path = f"{ROUTES}main/grant/"
    assert "Choose a workspace." in text(keeper.post(path, {"workspace": ""}))
    keeper.post(path, {"workspace": "care"})
    keeper.post(path, {"workspace": "care"})
    assert RouteGrant.objects.count() == 1


def test_the_list_takes_as_many_queries_for_many_as_for_one(
    keeper: Client, tmp_path: Path, django_assert_max_num_queries: Any
) -> None:
    for index in range(6):
        wires.seen(wires.connection(tmp_path, f"smsc-{index}"))
    keeper.get(HOME)
    with django_assert_max_num_queries(20):
        keeper.get(HOME)


def test_a_connection_that_stands_still_is_shown_so_with_the_reason(
    keeper: Client, smsc: Connection
) -> None:
    wires.seen(smsc, stands_still=True, sentence="The partner refuses everything.")
    page = text(keeper.get(HOME))
    assert "stands still: its partner takes no segments" in page
    assert "The one connection is not up." in page
    for path in (HOME, f"{HOME}smsc-a/"):
        page = text(keeper.get(path))
        assert "Stands still" in page
        assert "The partner refuses everything." in page


def test_of_two_sessions_the_one_that_stands_still_says_so(
    keeper: Client, smsc: Connection, tmp_path: Path
) -> None:
    pair = wires.connection(tmp_path, "smsc-pair", bind_count=2)
    wires.seen(pair, stands_still=True, sentence="The partner refuses everything.")
    wires.seen(pair, slot=1)
    rows = text(keeper.get(f"{HOME}smsc-pair/")).partition("Session 1")[2]
    first, _, second = rows.partition("Session 2")
    assert "Stands still" in first
    assert "The partner refuses everything." in first
    assert "Up" in second
    assert "Stands still" not in second


def test_before_another_alphabet_is_chosen_it_is_said_that_campaigns_may_be_held(
    keeper: Client, smsc: Connection
) -> None:
    wires.route("main", smsc_a=1)
    for path in (f"{HOME}new/", f"{HOME}smsc-a/edit/", f"{ROUTES}main/"):
        page = text(keeper.get(path))
        assert "campaigns that were approved before and no longer fit are held" in page


def test_sessions_hosts_pins_and_error_tables_are_typed_a_line_at_a_time_and_shown(
    keeper: Client, smsc: Connection, tmp_path: Path
) -> None:
    pin = "ab" * 32
    typed = form(
        tmp_path,
        seen=smsc.version,
        further_hosts="smsc-b.example\n[2001:db8::7]:3000",
        bind_form="pair",
        bind_count=2,
        pins=":".join(pin[at : at + 2].upper() for at in range(0, 64, 2)),
        long_form="sar",
        status_classes="0x0400 later",
        receipt_classes="034 slow down",
    )
    page = text(keeper.post("/platform/connections/smsc-a/edit/", typed, follow=True))
    assert "Nothing has changed yet" in page
    assert "waits for another super admin" in page
    asked = ConnectionChange.objects.get()
    make_path = f"/platform/connections/smsc-a/changes/{asked.pk}/make/"
    refused = keeper.post(make_path)
    assert (refused.status_code, "You asked for it" in text(refused)) == (409, True)
    make_change(change_id=asked.pk, by=person(), now=timezone.now())
    smsc.refresh_from_db()
    assert smsc.further_hosts == "smsc-b.example:2775\n[2001:db8::7]:3000"
    assert smsc.pins == pin
    assert smsc.status_classes == {"0x400": "later"}
    assert smsc.receipt_classes == {"34": "slow_down"}
    wires.seen(smsc, host="smsc-b.example:2775", rate_now=48, in_flight=7)
    page = text(keeper.get("/platform/connections/smsc-a/"))
    for words in ("Session 2", "Receiver 2", "smsc-b.example:2775", "7 of 50 in flight", pin):
        assert words in page
    assert "0x400 later" in text(keeper.get("/platform/connections/smsc-a/edit/"))
