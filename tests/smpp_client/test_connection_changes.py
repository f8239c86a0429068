"""How a connection's wire is secured changes only when two people want it."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.rules.events import Actor
from smpp_client.actions.changes import (
    ChangeRefused,
    SamePerson,
    add_plain_connection,
    ask_change,
    drop_change,
    make_change,
)
from smpp_client.actions.connections import (
    ChangedMeanwhile,
    ConnectionRefused,
    NeedsAnother,
    Wanted,
    add_connection,
    edit_connection,
    enable_connection,
)
from smpp_client.actions.noting import Caller
from smpp_client.engine.accounts import account_of
from smpp_client.models import ChangeState, Connection, ConnectionChange
from smpp_client.queries.connection_settings import ConnectionSettings, settings_of
from tests.smpp_client import wires
from tests.workspaces import make
from tests.workspaces.log import ops

pytestmark = pytest.mark.django_db
WEAKER: tuple[dict[str, Any], ...] = (
    {"plain_reason": "IPsec", "plain_until": timezone.now().date() + timedelta(days=9)},
    {"tls_minimum": "1.3"},
    {"pins": "ab" * 32},
    {"server_name": "other.example.net"},
)


@pytest.fixture
def smsc(tmp_path: Path) -> Connection:
    """A connection."""
    return wires.connection(tmp_path)


def person() -> Caller:
    """Return a super admin."""
    user = make.user(is_super_admin=True)
    return Caller(Actor(kind="user", id=f"usr_{user.pk}"), user)


def other(one: Connection, fields: dict[str, Any]) -> ConnectionSettings:
    """Return its settings with some others; an exception has no files."""
    return replace(settings_of(one), **fields)


def ask(one: Connection, by: Caller, **fields: Any) -> ConnectionChange:
    """Ask for other settings."""
    wanted = Wanted(one.name, other(one, fields), one.version)
    return ask_change(wanted, by=by, now=timezone.now())


@pytest.mark.parametrize("fields", WEAKER, ids=lambda fields: next(iter(fields)))
def test_one_person_alone_changes_nothing_and_two_do(
    smsc: Connection, fields: dict[str, Any]
) -> None:
    if "plain_until" in fields:
        fields = {**fields, "ca_file": "", "cert_file": "", "key_file": ""}
    first, second, now = person(), person(), timezone.now()
    before = settings_of(smsc)
    with pytest.raises(NeedsAnother):
        edit_connection(Wanted(smsc.name, other(smsc, fields), 1), by=first, now=now)
    asked = ask(smsc, first, **fields, rate=30)
    smsc.refresh_from_db()
    assert settings_of(smsc) == before
    with pytest.raises(SamePerson):
        make_change(change_id=asked.pk, by=first, now=now)
    changed = make_change(change_id=asked.pk, by=second, now=now)
    assert settings_of(changed) == replace(before, **fields, rate=30)
    assert changed.version == 2
    assert [op for op, _object, _diff in ops()][-2:] == ["connection.ask", "connection.edit"]
    with pytest.raises(ChangeRefused, match="decided already"):
        make_change(change_id=asked.pk, by=second, now=now)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("", {"host": "192.0.2.7"}),
        ("", {"further_hosts": "192.0.2.8:2775"}),
        ("127.0.0.1", {"further_hosts": "192.0.2.8:2775"}),
    ],
)
def test_one_person_alone_changes_no_host_whose_own_name_the_certificate_has_to_hold(
    tmp_path: Path, name: str, fields: dict[str, Any]
) -> None:
    smsc = wires.connection(tmp_path, server_name=name)
    wanted = Wanted(smsc.name, other(smsc, fields), 1)
    with pytest.raises(NeedsAnother, match="another host"):
        edit_connection(wanted, by=person(), now=timezone.now())


def test_a_name_that_the_certificate_has_to_hold_lets_one_person_change_the_host(
    smsc: Connection,
) -> None:
    smsc.server_name = "smsc.example.net"
    smsc.save(update_fields=["server_name"])
    for fields in ({"host": "192.0.2.7"}, {"further_hosts": "192.0.2.8:2775"}, {"port": 2776}):
        smsc.refresh_from_db()
        wanted = Wanted(smsc.name, other(smsc, fields), smsc.version)
        edit_connection(wanted, by=person(), now=timezone.now())


@pytest.mark.parametrize(
    "fields",
    [{"host": "192.0.2.7"}, {"port": 2776}, {"further_hosts": "192.0.2.8:2775"}],
    ids=lambda fields: next(iter(fields)),
)
def test_one_person_alone_moves_nothing_that_has_no_tls(
    smsc: Connection, fields: dict[str, Any]
) -> None:
    until = timezone.now().date() + timedelta(days=9)
    exception = {"plain_reason": "IPsec", "plain_until": until, "server_name": "smsc.example.net"}
    files = {"ca_file": "", "cert_file": "", "key_file": ""}
    Connection.objects.filter(pk=smsc.pk).update(**exception, **files)
    smsc.refresh_from_db()
    with pytest.raises(NeedsAnother, match="another host"):
        edit_connection(Wanted(smsc.name, other(smsc, fields), 1), by=person(), now=timezone.now())
    asked = ask(smsc, person(), **fields)
    changed = make_change(change_id=asked.pk, by=person(), now=timezone.now())
    assert {name: getattr(changed, name) for name in fields} == fields


def test_the_same_person_with_another_account_does_not_count(smsc: Connection) -> None:
    first = person()
    again = make.user(is_super_admin=True)
    assert first.user is not None
    again.person_id = first.user.person_id
    again.save(update_fields=["person"])
    asked = ask(smsc, first, tls_minimum="1.3")
    with pytest.raises(SamePerson):
        make_change(
            change_id=asked.pk,
            by=Caller(Actor(kind="user", id=f"usr_{again.pk}"), again),
            now=timezone.now(),
        )


def test_the_database_refuses_one_account_for_both(smsc: Connection) -> None:
    asked = ask(smsc, person(), tls_minimum="1.3")
    with pytest.raises(IntegrityError), transaction.atomic():
        ConnectionChange.objects.filter(pk=asked.pk).update(
            state=ChangeState.MADE, decided_by=asked.asked_by
        )


def test_a_connection_that_changed_meanwhile_stays_as_it_is(smsc: Connection) -> None:
    asked = ask(smsc, person(), tls_minimum="1.3")
    wanted = Wanted(smsc.name, other(smsc, {"rate": 30}), 1)
    edit_connection(wanted, by=person(), now=timezone.now())
    with pytest.raises(ChangedMeanwhile):
        make_change(change_id=asked.pk, by=person(), now=timezone.now())
    smsc.refresh_from_db()
    assert smsc.tls_minimum == "1.2"


def test_one_change_waits_at_a_time_and_can_be_dropped(smsc: Connection) -> None:
    first = person()
    asked = ask(smsc, first, tls_minimum="1.3")
    with pytest.raises(ChangeRefused, match="waits already"):
        ask(smsc, person(), pins="ab" * 32)
    drop_change(change_id=asked.pk, by=first, now=timezone.now())
    assert ask(smsc, person(), pins="ab" * 32).state == ChangeState.ASKED
    assert "connection.drop" in [op for op, _object, _diff in ops()]


def test_a_new_password_waits_along_with_it(smsc: Connection) -> None:
    sealed = bytes(smsc.password_sealed)
    wanted = Wanted(smsc.name, other(smsc, {"tls_minimum": "1.3"}), 1, "another")
    asked = ask_change(wanted, by=person(), now=timezone.now())
    smsc.refresh_from_db()
    assert bytes(smsc.password_sealed) == sealed
    changed = make_change(change_id=asked.pk, by=person(), now=timezone.now())
    assert bytes(changed.password_sealed) not in (sealed, b"")
    assert "another" not in str(ops())


def plain(**fields: Any) -> ConnectionSettings:
    """Return settings of a partner without TLS."""
    until = timezone.now().date() + timedelta(days=9)
    values = {"plain_reason": "IPsec", "plain_until": until, **fields}
    return ConnectionSettings(host="127.0.0.1", port=2775, system_id="center", **values)


def add_plain(by: Caller, name: str = "smsc-p") -> Connection:
    """Add a connection that asks for an exception."""
    return add_plain_connection(
        name=name, settings=plain(), password="secret", by=by, now=timezone.now()
    )


def test_one_person_alone_adds_no_connection_without_tls() -> None:
    with pytest.raises(NeedsAnother):
        add_connection(
            name="smsc-p", settings=plain(), password="secret", by=person(), now=timezone.now()
        )
    assert not Connection.objects.exists()


def test_a_new_exception_waits_disabled_until_another_person_makes_it() -> None:
    first, now = person(), timezone.now()
    one = add_plain(first)
    assert (one.is_enabled, one.plain_until, one.plain_reason) == (False, None, "")
    asked = ConnectionChange.objects.get()
    with pytest.raises(SamePerson):
        make_change(change_id=asked.pk, by=first, now=now)
    made = make_change(change_id=asked.pk, by=person(), now=now)
    assert made.is_enabled
    assert settings_of(made) == plain()
    told = [one for one in ops() if one[0].startswith("connection.")]
    assert [op for op, _object, _diff in told] == [
        "connection.add",
        "connection.ask",
        "connection.edit",
    ]
    assert told[0][2]["plain_until"] == [None, None]
    assert told[2][2]["plain_reason"] == ["", "IPsec"]
    assert told[2][2]["is_enabled"] == [False, True]


def test_enabled_by_one_person_it_still_has_no_exception() -> None:
    one = add_plain(person())
    enable_connection(name=one.name, by=person(), now=timezone.now())
    one.refresh_from_db()
    assert not account_of(one).is_plain(timezone.now().date())
    with pytest.raises(ChangedMeanwhile):
        make_change(change_id=ConnectionChange.objects.get().pk, by=person(), now=timezone.now())


def test_a_dropped_exception_leaves_it_disabled() -> None:
    first = person()
    one = add_plain(first)
    drop_change(change_id=ConnectionChange.objects.get().pk, by=first, now=timezone.now())
    one.refresh_from_db()
    assert (one.is_enabled, one.plain_until) == (False, None)


def test_a_new_exception_is_asked_for_by_a_person_and_must_be_right() -> None:
    with pytest.raises(ChangeRefused, match="A person asks"):
        add_plain(wires.BY)
    with pytest.raises(ConnectionRefused):
        add_plain(person(), name="Not a name")
    assert not Connection.objects.exists()
