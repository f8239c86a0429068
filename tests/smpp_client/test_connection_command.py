"""manage.py connection: one act each, a sentence and exit code 1 when it is refused."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from smpp_client.models import Connection, Route, RouteGrant
from tests.smpp_client import wires
from tests.workspaces import make
from tests.workspaces.log import entries
from workspaces.queries.keys import keys

pytestmark = pytest.mark.django_db


def run(*words: str) -> str:
    """Run the command and return what it says."""
    out = StringIO()
    call_command("connection", *words, stdout=out)
    return out.getvalue()


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """The words that add a connection."""
    settings = wires.certified(tmp_path)
    (tmp_path / "password").write_text("secret\n")
    return [
        *("add", "smsc-a", "--host", "127.0.0.1", "--port", "2775", "--system-id", "center"),
        *("--password-file", str(tmp_path / "password"), "--server-name", "localhost"),
        *("--ca", settings.ca_file, "--cert", settings.cert_file, "--key", settings.key_file),
        *("--rate", "40", "--window", "20"),
    ]


def test_add_makes_a_connection_and_a_route_of_the_same_name(words: list[str]) -> None:
    said = run(*words)
    one = Connection.objects.get()
    assert (one.name, one.rate, one.window, one.is_enabled) == ("smsc-a", 40, 20, True)
    assert keys().open(bytes(one.password_sealed), "connection.password:smsc-a") == "secret"
    assert Route.objects.get().name == "smsc-a"
    assert "no workspace yet" in said


def test_add_is_in_the_audit_log_as_the_command_lines(words: list[str]) -> None:
    run(*words)
    assert entries()[-1]["act"] == {"kind": "system", "id": "cli"}


def test_add_without_a_route(words: list[str]) -> None:
    run(*words, "--no-route")
    assert not Route.objects.exists()


def test_add_grants_the_workspaces_that_are_named(words: list[str]) -> None:
    care, _other = make.workspace("care"), make.workspace("marketing")
    assert "it may be used by care" in run(*words, "--grant", "care")
    assert RouteGrant.objects.get().workspace == care


def test_add_grants_every_workspace(words: list[str]) -> None:
    make.workspace("care"), make.workspace("marketing")
    run(*words, "--grant-all")
    assert RouteGrant.objects.count() == 2


def test_a_full_check_names_the_option_that_is_missing(words: list[str]) -> None:
    run(*words)
    with pytest.raises(CommandError, match=r"^--from: Enter a sender"):
        run("check", "smsc-a", "--full", "--to", "+447700900001")


def test_a_workspace_that_is_not_there_stops_everything(words: list[str]) -> None:
    with pytest.raises(CommandError, match="There is no workspace “nobody”"):
        run(*words, "--grant", "nobody")
    assert not Connection.objects.exists()


def test_a_route_that_is_there_stops_everything(words: list[str]) -> None:
    run(*words)
    again = ["smsc-b" if word == "smsc-a" else word for word in words]
    run(*again, "--no-route")
    with pytest.raises(CommandError, match="There is a route “smsc-a” already"):
        run(*words)


def test_every_fault_is_told_with_its_option(words: list[str]) -> None:
    words[words.index("--port") + 1] = "0"
    words[words.index("--rate") + 1] = "0"
    with pytest.raises(CommandError) as refused:
        run(*words)
    assert "port: A port is a number" in str(refused.value)
    assert "rate: A rate is at least 1" in str(refused.value)
    assert refused.value.returncode == 1


def test_a_password_file_that_is_not_there_is_named(words: list[str]) -> None:
    words[words.index("--password-file") + 1] = "/nowhere/password"
    with pytest.raises(CommandError, match="/nowhere/password cannot be read"):
        run(*words)


def test_list_tells_what_was_seen(words: list[str]) -> None:
    assert "no connection yet" in run("list")
    run(*words)
    assert "not known" in run("list")
    wires.seen(Connection.objects.get(), "down", sentence="Nobody listens there.")
    assert "down         Nobody listens there." in run("list")


def test_disable_and_enable_switch_and_refuse_twice(words: list[str]) -> None:
    run(*words)
    run("disable", "smsc-a")
    assert not Connection.objects.get().is_enabled
    with pytest.raises(CommandError, match="disabled already"):
        run("disable", "smsc-a")
    run("enable", "smsc-a")
    assert Connection.objects.get().is_enabled


@pytest.mark.parametrize("act", ["disable", "enable"])
def test_a_connection_that_is_not_there_is_named(act: str) -> None:
    with pytest.raises(CommandError, match="There is no connection “nobody”"):
        run(act, "nobody")
