"""The check of a connection, against a real simulator over mutual TLS."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from message_center.stack.certificates import (
    DemoCertificates,
    issue_by_stranger,
    make_authority,
)
from smpp_client.actions.checks import check_connection
from smpp_client.actions.connections import NoSuchConnection, add_connection
from smpp_client.models import Connection
from smpp_client.queries.connection_settings import ConnectionSettings
from smpp_client.queries.connections import events_of
from tests.simulator import RunningSimulator, start_simulator
from tests.smpp_client import wires
from tests.smpp_client.conftest import StartPartner
from tests.workspaces.log import entries

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def partner(start_partner: StartPartner) -> RunningSimulator:
    """A partner that wants our certificate and knows one account."""
    return start_partner()


def add(
    certificates: DemoCertificates, port: int, password: str = "secret", **fields: Any
) -> Connection:
    """Add a connection to a port on this machine."""
    values: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": port,
        "system_id": "center",
        "server_name": "localhost",
        "ca_file": str(certificates.ca),
        "cert_file": str(certificates.client_cert),
        "key_file": str(certificates.client_key),
        **fields,
    }
    return add_connection(
        name="smsc-a",
        settings=ConnectionSettings(**values),
        password=password,
        by=wires.BY,
        now=timezone.now(),
    )


def steps(*, name: str = "smsc-a") -> list[tuple[str, bool]]:
    """Check the connection and return which steps went through."""
    result = check_connection(name=name, by=wires.BY, now=timezone.now())
    return [(step, ok) for step, ok, _sentence in result.steps]


def sentence() -> str:
    """Check the connection and return its last sentence."""
    result = check_connection(name="smsc-a", by=wires.BY, now=timezone.now())
    return result.steps[-1][2]


WELL = [("Certificates", True), ("Connection", True), ("Bind", True)]


def test_a_connection_that_works_goes_through_every_step(
    certificates: DemoCertificates, partner: RunningSimulator
) -> None:
    add(certificates, partner.port)
    assert steps() == WELL


def test_a_check_is_told_on_the_connections_page_and_in_the_log(
    certificates: DemoCertificates, partner: RunningSimulator
) -> None:
    one = add(certificates, partner.port)
    steps()
    assert events_of(one)[0].sentence == "Checked by the command line: The check went through"
    assert (entries()[-1]["op"], entries()[-1]["diff"]) == (
        "connection.check",
        {"well": [None, True]},
    )


def test_a_check_leaves_no_session_behind(
    certificates: DemoCertificates, partner: RunningSimulator
) -> None:
    add(certificates, partner.port)
    before = partner.counters()
    steps()
    after = partner.wait_for(unbinds=before["unbinds"] + 1)
    assert after["binds"] == before["binds"] + 1


def test_a_wrong_password_stops_at_the_bind(
    certificates: DemoCertificates, partner: RunningSimulator
) -> None:
    add(certificates, partner.port, password="wrong")
    assert steps() == [("Certificates", True), ("Connection", True), ("Bind", False)]
    assert "password" in sentence()


def test_a_port_where_nobody_listens_is_named(certificates: DemoCertificates) -> None:
    add(certificates, 1)
    assert steps() == [("Certificates", True), ("Connection", False)]
    assert sentence() == "Nobody listens at 127.0.0.1 port 1."


def test_a_partner_with_another_name_is_refused(
    certificates: DemoCertificates, partner: RunningSimulator
) -> None:
    add(certificates, partner.port, server_name="smsc.example.net")
    assert steps() == [("Certificates", True), ("Connection", False)]
    assert "another name" in sentence()


def test_a_partner_of_another_authority_is_refused(
    certificates: DemoCertificates, partner: RunningSimulator, tmp_path: Path
) -> None:
    stranger = make_authority(tmp_path, name="Another authority")
    add(certificates, partner.port, ca_file=str(stranger.path))
    assert steps() == [("Certificates", True), ("Connection", False)]
    assert "signed by" in sentence()


def test_a_partner_that_does_not_know_our_authority_never_counts_as_up(
    certificates: DemoCertificates, partner: RunningSimulator, tmp_path: Path
) -> None:
    pair = issue_by_stranger(tmp_path, client=True, now=timezone.now())
    add(certificates, partner.port, cert_file=str(pair.cert), key_file=str(pair.key))
    assert steps()[-1][1] is False


def test_a_file_that_went_missing_stops_at_once(
    certificates: DemoCertificates, partner: RunningSimulator, tmp_path: Path
) -> None:
    one = add(certificates, partner.port)
    Connection.objects.filter(pk=one.pk).update(key_file=str(tmp_path / "gone.key"))
    assert steps() == [("Certificates", False)]
    assert sentence().startswith("There is no file")


def test_a_partner_without_tls_is_refused_and_an_exception_allows_it(
    certificates: DemoCertificates, tmp_path: Path
) -> None:
    plain = start_simulator(tmp_path, None, system_id="center", password="secret")
    try:
        one = add(certificates, plain.port)
        assert steps() == [("Certificates", True), ("Connection", False)]
        until = timezone.now().date() + timedelta(days=1)
        Connection.objects.filter(pk=one.pk).update(plain_until=until, plain_reason="IPsec")
        assert steps() == WELL
    finally:
        plain.stop()


def test_an_exception_that_is_over_does_not_go_without_tls(
    certificates: DemoCertificates, partner: RunningSimulator
) -> None:
    one = add(certificates, partner.port)
    Connection.objects.filter(pk=one.pk).update(
        plain_until=timezone.now().date() - timedelta(days=1), plain_reason="IPsec", ca_file=""
    )
    assert steps() == [("Certificates", False)]


def test_a_partner_that_says_nothing_is_given_up(
    certificates: DemoCertificates, partner: RunningSimulator
) -> None:
    add(certificates, partner.port)
    partner.freeze()
    try:
        assert steps()[-1] == ("Connection", False)
    finally:
        partner.thaw()
    assert steps() == WELL


def test_nobody_checks_what_is_not_there() -> None:
    with pytest.raises(NoSuchConnection):
        steps(name="nobody")


def test_the_command_tells_each_step_and_fails_with_the_check(
    certificates: DemoCertificates, partner: RunningSimulator, capsys: pytest.CaptureFixture[str]
) -> None:
    one = add(certificates, partner.port)
    call_command("connection", "check", "smsc-a")
    assert "ok   Bind: Bound as center, and unbound again." in capsys.readouterr().out
    Connection.objects.filter(pk=one.pk).update(port=1)
    with pytest.raises(CommandError, match="smsc-a cannot be bound"):
        call_command("connection", "check", "smsc-a")
    assert "FAIL Connection: Nobody listens" in capsys.readouterr().out


def test_a_pinned_key_counts_instead_of_the_name(
    certificates: DemoCertificates, partner: RunningSimulator
) -> None:
    add(certificates, partner.port, pins="0" * 64, server_name="elsewhere.example")
    assert steps() == [("Certificates", True), ("Connection", False)]
    assert "public key is not the pinned one" in sentence()
