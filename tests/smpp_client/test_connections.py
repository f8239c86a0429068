"""Connections and routes: added, changed, switched, granted; and how they were seen."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from smpp_client.actions.connections import (
    ChangedMeanwhile,
    ConnectionRefused,
    NoSuchConnection,
    Wanted,
    add_connection,
    disable_connection,
    edit_connection,
    enable_connection,
    password_context,
)
from smpp_client.actions.routes import (
    NoSuchRoute,
    RouteRefused,
    create_route,
    grant_route,
    revoke_route,
    set_weights,
)
from smpp_client.models import (
    FIRST_RECEIVER_SLOT,
    Connection,
    Route,
    RouteGrant,
    SessionStatus,
)
from smpp_client.queries import connections as questions
from smpp_client.queries import routes as route_questions
from smpp_client.queries.connection_settings import settings_of
from smpp_client.queries.connections import Observed
from tests.smpp_client import wires
from tests.workspaces import make
from tests.workspaces.log import ops
from workspaces.queries.keys import keys
from workspaces.rules.sealing import SealBroken

pytestmark = pytest.mark.django_db


@pytest.fixture
def smsc(tmp_path: Path) -> Connection:
    """A connection."""
    return wires.connection(tmp_path)


def change(one: Connection, password: str = "", **fields: Any) -> Connection:
    """Change settings of a connection as it is now."""
    wanted = Wanted(one.name, replace(settings_of(one), **fields), one.version, password)
    return edit_connection(wanted, by=wires.BY, now=timezone.now())


def sight(one: Connection) -> questions.Sight:
    """Return what was seen of a connection."""
    one.refresh_from_db()
    return questions.sight_of(one, timezone.now())


def test_a_password_is_sealed_for_this_connection_only(smsc: Connection) -> None:
    sealed = bytes(smsc.password_sealed)
    assert b"secret" not in sealed
    assert keys().open(sealed, password_context("smsc-a")) == "secret"
    with pytest.raises(SealBroken):
        keys().open(sealed, password_context("smsc-b"))


def test_adding_is_in_the_systems_chain_without_the_password(smsc: Connection) -> None:
    op, obj, diff = ops()[-1]
    assert (op, obj) == ("connection.add", f"con_{smsc.pk}")
    assert diff["host"] == [None, "127.0.0.1"]
    assert "secret" not in str(diff)


def test_adding_tells_everything_that_is_wrong(tmp_path: Path) -> None:
    settings = wires.certified(tmp_path, port=0)
    with pytest.raises(ConnectionRefused) as refused:
        add_connection(
            name="SMSC",
            settings=settings,
            password="too long a one",
            by=wires.BY,
            now=timezone.now(),
        )
    assert [fault.field for fault in refused.value.faults] == ["name", "port", "password"]
    assert not Connection.objects.exists()


def test_a_name_is_used_once(smsc: Connection, tmp_path: Path) -> None:
    with pytest.raises(ConnectionRefused, match="Another connection has this name"):
        wires.connection(tmp_path)


def test_a_change_raises_the_version_and_the_log_says_from_what(smsc: Connection) -> None:
    changed = change(smsc, rate=30)
    assert (changed.rate, changed.version) == (30, 2)
    assert ops()[-1][2] == {"rate": [100, 30]}
    assert questions.events_of(changed)[0].sentence == "rate 100 → 30, by the command line"


def test_saving_without_a_change_does_nothing(smsc: Connection) -> None:
    before = ops()
    assert change(smsc).version == 1
    assert ops() == before


def test_an_empty_password_keeps_the_one_that_is(smsc: Connection) -> None:
    changed = change(smsc, rate=30)
    assert keys().open(bytes(changed.password_sealed), password_context("smsc-a")) == "secret"


def test_a_new_password_is_logged_as_changed_only(smsc: Connection) -> None:
    changed = change(smsc, password="another")
    assert changed.version == 2
    assert keys().open(bytes(changed.password_sealed), password_context("smsc-a")) == "another"
    assert ops()[-1][2] == {"password": ["sealed", "sealed anew"]}


def test_a_stale_form_changes_nothing(smsc: Connection) -> None:
    change(smsc, rate=30)
    with pytest.raises(ChangedMeanwhile):
        change(smsc, rate=40)
    assert Connection.objects.get().rate == 30


def test_a_change_to_what_cannot_be_is_refused(smsc: Connection) -> None:
    with pytest.raises(ConnectionRefused):
        change(smsc, window=0)
    with pytest.raises(ConnectionRefused, match="octets"):
        change(smsc, password="123456789")


def test_a_connection_is_disabled_once_and_enabled_again(smsc: Connection) -> None:
    now = timezone.now()
    disable_connection(name="smsc-a", by=wires.BY, now=now)
    assert (sight(smsc).observed, smsc.version) == (Observed.DISABLED, 2)
    with pytest.raises(ChangedMeanwhile):
        disable_connection(name="smsc-a", by=wires.BY, now=now)
    enable_connection(name="smsc-a", by=wires.BY, now=now)
    with pytest.raises(ChangedMeanwhile):
        enable_connection(name="smsc-a", by=wires.BY, now=now)
    assert [op for op, _, _ in ops()[-2:]] == ["connection.disable", "connection.enable"]


def test_what_is_not_there_cannot_be_switched(db: None) -> None:
    with pytest.raises(NoSuchConnection):
        enable_connection(name="nobody", by=wires.BY, now=timezone.now())


def test_a_connection_that_no_sender_watches_is_not_known_rather_than_down(
    smsc: Connection,
) -> None:
    found = sight(smsc)
    assert (found.observed, found.rate_now, found.in_flight) == (Observed.NOT_KNOWN, None, None)


@pytest.mark.parametrize(
    ("state", "fields", "observed"),
    [
        ("bound", {}, Observed.UP),
        ("bound", {"rate_allowed": 40}, Observed.RECOVERING),
        ("bound", {"stands_still": True, "sentence": "It refuses all."}, Observed.STANDS_STILL),
        ("connecting", {}, Observed.CONNECTING),
        ("down", {"sentence": "Nobody listens there."}, Observed.DOWN),
    ],
)
def test_what_was_seen_is_told(
    smsc: Connection, state: str, fields: dict[str, Any], observed: Observed
) -> None:
    wires.seen(smsc, state, **fields)
    assert sight(smsc).observed is observed
    assert sight(smsc).sentence == fields.get("sentence", "")


def test_what_was_seen_long_ago_is_not_known(smsc: Connection) -> None:
    at = timezone.now() - timedelta(minutes=1)
    wires.seen(smsc, at=at, rate_now=70)
    found = sight(smsc)
    assert (found.observed, found.rate_now, found.observed_at) == (Observed.NOT_KNOWN, None, at)


def test_several_sessions_add_up(smsc: Connection) -> None:
    wires.seen(smsc, rate_now=40, in_flight=5, response_ms=20)
    wires.seen(smsc, "down", slot=1, rate_now=0, in_flight=0, rate_allowed=0)
    found = sight(smsc)
    assert (found.session_count, found.bound_count) == (2, 1)
    assert (found.rate_now, found.in_flight, found.response_ms) == (40, 5, 20)


def test_a_pair_whose_receiver_is_up_alone_is_down(smsc: Connection) -> None:
    wires.seen(smsc, "down", sentence="Nobody listens there.", rate_allowed=0)
    wires.seen(smsc, slot=FIRST_RECEIVER_SLOT, rate_allowed=0)
    found = sight(smsc)
    assert found.observed is Observed.DOWN
    assert found.sentence == "Nobody listens there."


def test_a_route_says_that_the_backup_carries_while_the_primary_stands_still(
    smsc: Connection, tmp_path: Path
) -> None:
    other = wires.connection(tmp_path, "smsc-b")
    route = wires.route("main", smsc_a=1, smsc_b=1)
    route.route_connections.filter(connection=other).update(tier=1)
    status = wires.seen(smsc)
    wires.seen(other)

    def parts_now() -> list[float]:
        return [part.part_now for part in route_questions.route_row(route, timezone.now()).parts]

    assert parts_now() == [1.0, 0.0]
    status.stands_still = True
    status.save(update_fields=["stands_still"])
    assert parts_now() == [0.0, 1.0]


def test_a_list_takes_the_same_number_of_queries_however_long(
    tmp_path: Path, django_assert_num_queries: Any
) -> None:
    for index in range(4):
        wires.seen(wires.connection(tmp_path, f"smsc-{index}"))
    with django_assert_num_queries(3):
        assert len(questions.sights(timezone.now())) == 4
    assert SessionStatus.objects.count() == 4


def test_a_certificate_is_read_from_its_file(smsc: Connection) -> None:
    found = questions.certificate_of(smsc, timezone.now())
    assert found is not None
    assert found.read is not None
    assert found.days_left == 364
    assert len(found.read.fingerprint.split(":")) == 32


def test_a_certificate_that_is_gone_says_so(smsc: Connection) -> None:
    Path(smsc.cert_file).unlink()
    found = questions.certificate_of(smsc, timezone.now())
    assert found is not None
    assert (found.read, found.is_ending) == (None, True)
    assert found.trouble.startswith("There is no file")


def test_a_route_shares_by_weight(smsc: Connection, tmp_path: Path) -> None:
    wires.connection(tmp_path, "smsc-b")
    route = wires.route("main", smsc_a=3, smsc_b=1)
    row = route_questions.route_row(route, timezone.now())
    assert [(part.sight.connection.name, part.percent) for part in row.parts] == [
        ("smsc-a", 75),
        ("smsc-b", 25),
    ]
    assert (row.up_count, row.used_count) == (0, 2)


@pytest.mark.parametrize(
    ("name", "weights", "words"),
    [
        ("Main", {"smsc-a": 1}, "Use small letters"),
        ("main", {}, "weight above 0"),
        ("main", {"smsc-a": 0}, "weight above 0"),
        ("main", {"smsc-a": -1}, "0 to 1000"),
        ("main", {"smsc-a": 1001}, "0 to 1000"),
        ("main", {"smsc-x": 1}, "no connection “smsc-x”"),
    ],
)
def test_a_route_that_cannot_be_is_refused(
    smsc: Connection, name: str, weights: dict[str, int], words: str
) -> None:
    with pytest.raises(RouteRefused, match=words):
        create_route(name=name, weights=weights, by=wires.BY, now=timezone.now())
    assert not Route.objects.exists()


def test_a_routes_name_is_used_once(smsc: Connection) -> None:
    wires.route("main", smsc_a=1)
    with pytest.raises(RouteRefused, match="Another route has this name"):
        wires.route("main", smsc_a=1)


def test_weights_are_said_anew_and_logged(smsc: Connection, tmp_path: Path) -> None:
    wires.connection(tmp_path, "smsc-b")
    wires.route("main", smsc_a=1)
    now = timezone.now()
    set_weights(name="main", weights={"smsc-a": 0, "smsc-b": 5}, by=wires.BY, now=now)
    op, _obj, diff = ops()[-1]
    assert op == "route.edit"
    assert diff["weights"] == [[["smsc-a", 1]], [["smsc-a", 0], ["smsc-b", 5]]]


def test_a_route_is_granted_once_and_taken_once(smsc: Connection) -> None:
    wires.route("main", smsc_a=1)
    care, now = make.workspace("care"), timezone.now()
    grant_route(name="main", workspace=care, by=wires.BY, now=now)
    assert RouteGrant.objects.get().workspace == care
    with pytest.raises(RouteRefused, match="may use main already"):
        grant_route(name="main", workspace=care, by=wires.BY, now=now)
    revoke_route(name="main", workspace=care, by=wires.BY, now=now)
    with pytest.raises(RouteRefused, match="does not have main any more"):
        revoke_route(name="main", workspace=care, by=wires.BY, now=now)
    assert [op for op, _, _ in ops()[-2:]] == ["route.grant", "route.revoke"]


def test_a_route_that_is_not_there_is_not_granted(db: None) -> None:
    with pytest.raises(NoSuchRoute):
        grant_route(name="main", workspace=make.workspace(), by=wires.BY, now=timezone.now())
