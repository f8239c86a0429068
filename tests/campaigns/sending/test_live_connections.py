"""What people do to connections while a sender lives: it follows, and is never started again."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from smpp_client.actions.connections import Wanted, edit_connection
from smpp_client.actions.noting import COMMAND_LINE
from smpp_client.models import Connection, ConnectionEvent, SessionStatus
from smpp_client.queries.connection_settings import settings_of
from tests import make
from tests.campaigns.sending.wire import Site, wait_bound
from tests.poll import poll
from tests.processes import Processes

pytestmark = pytest.mark.processes


def command(*words: str) -> None:
    """Run `manage.py connection`."""
    call_command("connection", *words, stdout=StringIO())


def add(site: Site, folder: Path, *, password: str) -> Connection:
    """Add a second connection to the site's peer."""
    secret = folder / "password"
    secret.write_text(password)
    files = site.certificates
    words = ["--host", "127.0.0.1", "--port", str(site.simulator.port), "--system-id", "center"]
    words += ["--password-file", str(secret), "--server-name", "localhost", "--no-route"]
    words += ["--ca", str(files.ca), "--cert", str(files.client_cert)]
    words += ["--key", str(files.client_key)]
    command("add", "added", *words)
    return Connection.objects.get(name="added")


def give_password(name: str, password: str) -> None:
    """Change the password as the page does, and nothing else."""
    row = Connection.objects.get(name=name)
    wanted = Wanted(name, settings_of(row), row.version, password)
    edit_connection(wanted, by=COMMAND_LINE, now=timezone.now())


def told(connection: Connection, words: str) -> bool:
    """Whether an event of the connection has these words; events are told at once."""
    return ConnectionEvent.objects.filter(connection=connection, sentence__contains=words).exists()


def is_down(connection: Connection) -> bool:
    """Whether its one session is shown as ended."""
    return SessionStatus.objects.filter(lease__connection=connection, state="down").exists()


def test_connections_are_added_given_a_password_disabled_and_enabled_under_a_living_sender(
    wired: Site, processes: Processes, tmp_path: Path
) -> None:
    """The added one has a wrong password first; the other one sends, and is switched meanwhile."""
    peer, sending = wired.simulator, wired.connection
    # Receipts would come over either session of the one system id.
    peer.control(receipts=False)
    Connection.objects.update(rate=50)
    processes.start("sender")
    wait_bound(sending, 30)
    make.sending(wired.author, wired.route, rows=1_000)
    added = add(wired, tmp_path, password="wrong")
    poll(lambda: told(added, "bad password (0x0E)"), 30, "what is added is not tried")
    peer.wait_for(accepted=1, seconds=30)
    give_password("added", "secret")
    command("disable", sending.name)
    poll(lambda: is_down(sending), 30, "its session goes on")
    accepted = peer.counters()["accepted"]
    poll(lambda: told(added, "Bound as center"), 30, "the new password is not tried")
    assert (peer.counters()["sessions_open"], peer.counters()["accepted"]) == (1, accepted)
    command("enable", sending.name)
    bound = ConnectionEvent.objects.filter(kind="bound").order_by("id")
    poll(lambda: len(bound.all()) == 3, 30, "it is not bound again")
    assert [event.connection_id for event in bound] == [sending.pk, added.pk, sending.pk]
    assert set(wired.accepted().values()) == {1}
