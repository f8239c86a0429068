"""Who may be at the other end: every wrong peer gets no bind, and its own sentence."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import pytest
from django.test import Client

from message_center.stack.certificates import (
    demo_certificates,
    issue_valid,
    read_authority,
)
from smpp_client.models import ConnectionEvent, SessionStatus
from tests import make
from tests.campaigns.sending.wire import Site, wait_bound, wait_for_counts
from tests.poll import poll
from tests.processes import Processes
from tests.simulator import certificate_hash, start_simulator
from tests.workspaces import make as people
from tests.wrong_servers import WRONG_SERVERS

pytestmark = pytest.mark.processes


def sentence_of(name: str) -> str:
    """Return what the sender says of a connection."""
    row = SessionStatus.objects.filter(lease__connection__name=name).first()
    return row.sentence if row else ""


def sessions_on_the_page(reader: Client, name: str) -> str:
    """Return what the connection's page says of its sessions."""
    page = unescape(reader.get(f"/platform/connections/{name}/").content.decode())
    return page.partition('id="slots"')[2].partition("</section>")[0]


def test_every_wrong_peer_gets_no_bind_and_its_own_sentence(
    wired: Site, processes: Processes, tmp_path: Path
) -> None:
    simulators = {}
    for name, issue, _words in WRONG_SERVERS:
        folder = tmp_path / name
        good = demo_certificates(folder)
        bad = issue(folder, read_authority(folder), datetime.now(UTC))
        served = replace(good, server_cert=bad.cert, server_key=bad.key)
        simulators[name] = start_simulator(folder, served)
        make.connection(
            name,
            port=simulators[name].port,
            server_name="localhost",
            ca_file=str(good.ca),
            cert_file=str(good.client_cert),
            key_file=str(good.client_key),
        )
    processes.start("sender")
    wait_bound(wired.connection)
    reader = people.signed_in(make.user(is_super_admin=True))
    for name, _issue, words in WRONG_SERVERS:
        poll(lambda n=name, w=words: w in sentence_of(n), 30, f"{name} does not say: {words}")  # type: ignore[misc]
        # While it tries again, it says so for a moment.
        poll(
            lambda n=name, w=words: w in sessions_on_the_page(reader, n),  # type: ignore[misc]
            30,
            f"the page of {name} does not say: {words}",
        )
    binds = {name: simulator.counters()["binds"] for name, simulator in simulators.items()}
    for simulator in simulators.values():
        simulator.kill()
    assert binds == dict.fromkeys(simulators, 0)


def test_new_certificate_files_are_used_by_the_next_bind(
    wired: Site, processes: Processes, tmp_path: Path
) -> None:
    """The first bind uses the old pair, the next one the new pair, without a restart."""
    folder = wired.certificates.ca.parent
    processes.start("sender")
    wait_bound(wired.connection)
    before = certificate_hash(wired.certificates.client_cert)
    fresh = issue_valid(
        tmp_path / "fresh", read_authority(folder), "client", client=True, now=datetime.now(UTC)
    )
    shutil.copy(fresh.cert, wired.certificates.client_cert)
    shutil.copy(fresh.key, wired.certificates.client_key)
    poll(lambda: ConnectionEvent.objects.filter(kind="certificate").exists(), 30, "no swap")
    wired.simulator.do("drop")
    poll(lambda: ConnectionEvent.objects.filter(kind="bound").count() == 2, 30, "no second bind")
    assert wired.simulator.certificates() == [before, certificate_hash(fresh.cert)]
    campaign = make.sending(wired.author, wired.route, rows=20)
    wait_for_counts(campaign, delivered=20)


def test_a_certificate_with_another_key_keeps_the_old_pair_and_says_so(
    wired: Site, processes: Processes, tmp_path: Path
) -> None:
    folder = wired.certificates.ca.parent
    old = certificate_hash(wired.certificates.client_cert)
    processes.start("sender")
    wait_bound(wired.connection)
    other = issue_valid(
        tmp_path / "other", read_authority(folder), "client", client=True, now=datetime.now(UTC)
    )
    shutil.copy(other.key, wired.certificates.client_key)
    poll(lambda: ConnectionEvent.objects.filter(kind="alarm").exists(), 30, "not noticed")
    said = ConnectionEvent.objects.get(kind="alarm").sentence
    assert "does not belong to the certificate" in said
    wired.simulator.do("drop")
    poll(lambda: ConnectionEvent.objects.filter(kind="bound").count() == 2, 30, "no second bind")
    assert wired.simulator.certificates() == [old, old]


def test_a_refused_password_is_said_and_not_tried_in_a_hurry(
    wired: Site, processes: Processes
) -> None:
    wired.simulator.control(refuse_bind=0x0E)
    processes.start("sender")
    poll(lambda: "bad password (0x0E)" in sentence_of(wired.connection.name), 30, "not said")
    binds = wired.simulator.counters()["binds_refused"]
    assert binds == 1
