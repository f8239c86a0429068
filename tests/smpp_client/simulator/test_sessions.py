"""Binding, links, endings: what a session may and may not do."""

import asyncio
import socket
import ssl
import struct
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from smpplib.exceptions import ConnectionError as Gone
from smpplib.exceptions import PDUError

from message_center.stack.certificates import (
    DemoCertificates,
    issue_by_stranger,
    issue_expired,
    read_authority,
)
from smpp_client.simulator.exchange import Config
from smpp_client.simulator.server import Simulator
from tests.simulator import start_simulator
from tests.smpp_client.simulator.client import TlsClient, client_context, connected
from tests.smpp_client.simulator.conftest import Bound, Start

ENQUIRE_LINK = struct.pack(">LLLL", 16, 0x15, 0, 7)


def test_a_client_with_our_certificate_binds(start: Start, bound: Bound) -> None:
    simulator = start()
    bound(simulator)
    assert simulator.counters()["binds"] == 1


@pytest.mark.parametrize("mode", ["transmitter", "receiver", "transceiver"])
def test_every_kind_of_bind_is_answered(start: Start, bound: Bound, mode: str) -> None:
    simulator = start()
    bound(simulator, mode=mode)
    assert simulator.counters()["binds"] == 1


def test_a_client_without_a_certificate_never_binds(
    start: Start, certificates: DemoCertificates
) -> None:
    simulator = start()
    client = TlsClient(simulator.port, ssl.create_default_context(cafile=certificates.ca))
    with pytest.raises((Gone, OSError)):
        _bind(client)
    assert simulator.counters()["binds"] == 0


def test_a_client_of_another_authority_never_binds(
    start: Start, certificates: DemoCertificates, tmp_path: Path
) -> None:
    simulator = start()
    stranger = issue_by_stranger(tmp_path, client=True, now=datetime.now(UTC))
    context = ssl.create_default_context(cafile=certificates.ca)
    context.load_cert_chain(stranger.cert, stranger.key)
    with pytest.raises((Gone, OSError)):
        _bind(TlsClient(simulator.port, context))
    assert simulator.counters()["binds"] == 0


def test_a_client_with_an_expired_certificate_never_binds(
    start: Start, certificates: DemoCertificates, tmp_path: Path
) -> None:
    simulator = start()
    authority = read_authority(certificates.ca.parent)
    expired = issue_expired(tmp_path, authority, client=True, now=datetime.now(UTC))
    context = ssl.create_default_context(cafile=certificates.ca)
    context.load_cert_chain(expired.cert, expired.key)
    with pytest.raises((Gone, OSError)):
        _bind(TlsClient(simulator.port, context))
    assert simulator.counters()["binds"] == 0


def test_a_client_older_than_tls_1_2_never_binds(
    start: Start, certificates: DemoCertificates
) -> None:
    simulator = start()
    context = client_context(certificates)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1 is deprecated"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((Gone, OSError)):
        _bind(TlsClient(simulator.port, context))
    assert simulator.counters()["binds"] == 0


def test_plain_means_no_tls(tmp_path: Path) -> None:
    simulator = start_simulator(tmp_path, None)
    client = connected(simulator, None)
    client.bind_transceiver(system_id="campaigns", password="secret")
    client.disconnect()
    assert simulator.counters()["binds"] == 1
    simulator.stop()


@pytest.mark.parametrize(
    ("system_id", "password", "status"), [("other", "secret", 0x0F), ("campaigns", "wrong", 0x0E)]
)
def test_a_wrong_name_or_password_is_refused(
    start: Start, bound: Bound, system_id: str, password: str, status: int
) -> None:
    simulator = start(system_id="campaigns", password="secret")
    with pytest.raises(PDUError) as refusal:
        bound(simulator, system_id=system_id, password=password)
    assert refusal.value.args[1] == status


def test_the_right_name_and_password_bind(start: Start, bound: Bound) -> None:
    simulator = start(system_id="campaigns", password="secret")
    bound(simulator)
    assert simulator.counters()["binds"] == 1


def test_binds_are_refused_with_the_code_that_is_switched_on(start: Start, bound: Bound) -> None:
    simulator = start(refuse_bind="0x0D")
    with pytest.raises(PDUError) as refusal:
        bound(simulator)
    assert refusal.value.args[1] == 0x0D


def test_a_refused_bind_ends_the_connection(start: Start, certificates: DemoCertificates) -> None:
    client = connected(start(refuse_bind=0x0D), certificates)
    with pytest.raises(PDUError):
        client.bind_transceiver(system_id="campaigns", password="secret")
    assert client.is_cut()


def test_a_second_bind_on_one_connection_is_refused(start: Start, bound: Bound) -> None:
    client = bound(start())
    bind = b"campaigns\0secret\0\0\x34\0\0\0"
    client.write(struct.pack(">LLLL", 16 + len(bind), 9, 0, 50) + bind)
    assert client.read_pdu().status == 0x05


def test_the_answer_to_a_bind_can_be_held_back(start: Start, bound: Bound) -> None:
    started_at = time.monotonic()
    bound(start(sleep_before_bind=0.3))
    assert time.monotonic() - started_at >= 0.3


def test_enquire_link_is_answered_with_its_number(start: Start, bound: Bound) -> None:
    simulator = start()
    client = bound(simulator)
    client.write(ENQUIRE_LINK)
    assert client.read_pdu().sequence == 7
    assert simulator.counters()["enquire_links"] == 1


def test_the_simulator_can_ask_for_the_link_itself(start: Start, bound: Bound) -> None:
    simulator = start()
    client = bound(simulator)
    simulator.do("enquire")
    client.read_once()
    simulator.wait_for(enquire_links_answered=1)


def test_unbind_is_answered_before_the_connection_ends(start: Start, bound: Bound) -> None:
    simulator = start()
    client = bound(simulator)
    assert client.unbind().command == "unbind_resp"
    assert client.is_cut()


def test_unbind_waits_for_responses_that_are_held_back(start: Start, bound: Bound) -> None:
    client = bound(start(delay=0.2, receipts=False))
    client.submit()
    assert client.unbind().command == "submit_sm_resp"
    assert client.read_pdu().command == "unbind_resp"


def test_the_simulator_unbinds_after_so_many_submits(start: Start, bound: Bound) -> None:
    client = bound(start(unbind_after=2, receipts=False))
    commands = [client.response().command, client.response().command, client.read_pdu().command]
    assert commands == ["submit_sm_resp", "submit_sm_resp", "unbind"]


def test_an_answered_unbind_ends_the_connection(start: Start, bound: Bound) -> None:
    simulator = start()
    client = bound(simulator)
    simulator.do("unbind")
    unbind = client.read_pdu()
    client.write(struct.pack(">LLLL", 16, 0x80000006, 0, unbind.sequence))
    assert client.is_cut()


def test_the_connection_is_cut_at_the_submit_that_is_switched_on(
    start: Start, bound: Bound
) -> None:
    simulator = start(drop_after=3, receipts=False)
    client = bound(simulator)
    client.response()
    client.response()
    client.submit()
    assert client.is_cut()
    assert simulator.wait_for(accepted=3)["sessions_open"] == 0


def test_all_connections_can_be_cut_at_once(start: Start, bound: Bound) -> None:
    simulator = start()
    clients = [bound(simulator), bound(simulator)]
    simulator.do("drop")
    assert all(client.is_cut() for client in clients)


def test_a_silent_session_accepts_but_answers_nothing(start: Start, bound: Bound) -> None:
    simulator = start(silent_after=2)
    client = bound(simulator)
    client.response()
    client.submit()
    client.write(ENQUIRE_LINK)
    counters = simulator.wait_for(accepted=2, enquire_links=1)
    assert counters["responses"] == 1


def test_an_unknown_command_is_rejected_and_the_session_goes_on(start: Start, bound: Bound) -> None:
    client = bound(start())
    client.write(struct.pack(">LLLL", 16, 0x0103, 0, 9) + ENQUIRE_LINK)
    rejection = client.read_pdu()
    assert (rejection.command, rejection.status, rejection.sequence) == ("generic_nack", 3, 9)
    assert client.read_pdu().command == "enquire_link_resp"


@pytest.mark.parametrize("length", [0, 4, 15, 65_537, 0x7FFFFFFF, 0xFFFFFFFF])
def test_an_impossible_length_ends_the_session(start: Start, bound: Bound, length: int) -> None:
    client = bound(start())
    client.write(struct.pack(">LLLL", length, 0x15, 0, 1))
    assert client.read_pdu().status == 0x02
    assert client.is_cut()


def test_octets_may_come_one_by_one(start: Start, bound: Bound) -> None:
    client = bound(start())
    for octet in ENQUIRE_LINK:
        client.write(bytes((octet,)))
    assert client.read_pdu().command == "enquire_link_resp"


def test_who_does_not_read_is_not_read_either(tmp_path: Path) -> None:
    simulator = start_simulator(tmp_path, None)
    with socket.create_connection(("127.0.0.1", simulator.port), timeout=0.5) as wire:
        sent = _write_until_blocked(wire)
        assert simulator.counters()["enquire_links"] * 16 < sent
        assert _read_exactly(wire, sent // 16 * 16) == sent // 16 * 16
    simulator.stop()


def test_the_simulator_also_runs_inside_a_test(tmp_path: Path) -> None:
    config = Config(ledger=tmp_path / "ledger.tsv", plain=True)
    assert asyncio.run(_enquire_inside(config)) == struct.pack(">LLLL", 16, 0x80000015, 0, 7)


async def _enquire_inside(config: Config) -> bytes:
    async with Simulator(config) as simulator:
        reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
        writer.write(ENQUIRE_LINK)
        answer = await reader.readexactly(16)
        writer.close()
        return answer


def _write_until_blocked(wire: socket.socket) -> int:
    """Send links until nothing is taken for half a second; return how many octets went."""
    sent = 0
    try:
        while sent < 100_000_000:
            sent += wire.send(ENQUIRE_LINK * 4096)
    except TimeoutError:
        return sent
    raise AssertionError("the simulator never stopped reading")


def _read_exactly(wire: socket.socket, count: int) -> int:
    got = 0
    while got < count:
        piece = wire.recv(65_536)
        assert piece
        got += len(piece)
    return got


def _bind(client: TlsClient) -> None:
    """With TLS 1.3 the server's refusal comes only with the first read."""
    client.connect()
    client.bind_transceiver(system_id="campaigns", password="secret")
