"""A connection that names a carrier of its own: its form, its faults, the commands."""

import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from smpp_client.actions.checks import check_connection
from smpp_client.actions.connections import add_connection
from smpp_client.forms.connections import ConnectionForm
from smpp_client.queries.carriers import has_carrier
from smpp_client.queries.connection_settings import ConnectionSettings, faults
from smpp_client.queries.connections import certificate_of
from tests import make
from tests.carriers.conftest import Carrier
from tests.carriers.far_end import FarEnd
from tests.smpp_client import wires
from tests.workspaces.log import entries

SETTINGS = ConnectionSettings("far.example", 7000, "center", carrier="lines")


def said(settings: ConnectionSettings) -> list[str]:
    """Return the fields that are wrong."""
    return [fault.field for fault in faults(settings, timezone.now())]


def form(**fields: Any) -> ConnectionForm:
    """A form of a connection with this carrier."""
    values = {key: value for key, value in asdict(SETTINGS).items() if value not in (None, "")}
    values |= {"name": "far", "password": "a secret that is long", "carrier_settings": "{}"}
    return ConnectionForm(values | fields, now=timezone.now())


def test_a_carrier_of_its_own_needs_no_certificate(carrier: Carrier) -> None:
    assert said(SETTINGS) == []


def test_smpp_needs_one() -> None:
    assert said(replace(SETTINGS, carrier="smpp")) == ["ca_file"]


def test_a_carrier_that_is_not_installed_is_refused() -> None:
    assert said(replace(SETTINGS, carrier="pigeons")) == ["carrier"]


def test_smpp_has_no_settings_of_a_carrier(tmp_path: Path) -> None:
    settings = wires.certified(tmp_path, carrier_settings={"line": 2})
    assert said(settings) == ["carrier_settings"]


def test_too_many_settings_are_refused(carrier: Carrier) -> None:
    assert said(replace(SETTINGS, carrier_settings={"x": "y" * 10_000})) == ["carrier_settings"]


def test_the_form_takes_settings_and_a_long_secret(carrier: Carrier) -> None:
    typed = form(carrier_settings='{"line": 2}')
    assert typed.is_valid(), typed.errors
    assert typed.settings().carrier_settings == {"line": 2}


def test_no_settings_are_shown_as_nothing(carrier: Carrier) -> None:
    assert ConnectionForm(now=timezone.now())["carrier_settings"].value() == ""


@pytest.mark.parametrize("text", ["[1]", "2", "{", "line: 2"])
def test_the_form_refuses_what_is_no_object(carrier: Carrier, text: str) -> None:
    assert list(form(carrier_settings=text).errors) == ["carrier_settings"]


def test_a_secret_longer_than_smpp_carries_is_refused_for_smpp(carrier: Carrier) -> None:
    assert "password" in form(carrier="smpp").errors


@pytest.mark.django_db
def test_it_is_added_with_an_entry_and_shows_no_certificate(carrier: Carrier) -> None:
    one = add_connection(
        name="far",
        settings=replace(SETTINGS, carrier_settings={"line": 2}),
        password="a secret that is long",
        by=wires.BY,
        now=timezone.now(),
    )
    assert entries()[-1]["diff"]["carrier_settings"] == [None, {"line": 2}]
    assert certificate_of(one, timezone.now()) is None


@pytest.mark.django_db
def test_the_command_lists_carriers_with_their_connections(
    carrier: Carrier, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wires.connection(tmp_path, "smsc-a")
    password = tmp_path / "password"
    password.write_text("a secret that is long")
    words = ["--host=far.example", "--port=7000", "--system-id=center", "--carrier=lines"]
    words += [f"--password-file={password}", '--carrier-settings={"line": 2}', "--no-route"]
    call_command("connection", "add", "far", *words)
    capsys.readouterr()
    call_command("carriers")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["smpp", "smsc-a", "lines", "far"]
    assert lines[2].split()[1:4] == ["line-carrier", "1.2.0", "installed"]


def test_nothing_of_a_carrier_is_loaded_to_list_it(carrier: Carrier) -> None:
    assert has_carrier("lines")
    assert "line_carrier" not in sys.modules


@pytest.mark.django_db
def test_the_short_check_opens_the_carrier(carrier: Carrier, far_end: FarEnd) -> None:
    carrier.is_now("")
    fields = {"carrier": "lines", "carrier_settings": {"mood": str(carrier.mood_file)}}
    make.connection("far", port=far_end.port, **fields)
    make.connection("nowhere", port=1, **fields)
    well = check_connection(name="far", by=wires.BY, now=timezone.now())
    bad = check_connection(name="nowhere", by=wires.BY, now=timezone.now())
    assert well.steps == [("Carrier lines", True, "It opened, and closed again.")]
    assert bad.steps[0][2].startswith("The far end does not answer: ")
