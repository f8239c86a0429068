"""The ledger: nothing answered is missing, long messages come back whole."""

import contextlib
import struct
from pathlib import Path
from threading import Thread

import pytest
from smpplib import gsm

from smpp_client.simulator import ledger
from smpp_client.simulator.pdus import Submit
from tests.simulator import start_simulator
from tests.smpp_client.simulator.client import NUMBER, SENDER, TlsClient, connected
from tests.smpp_client.simulator.conftest import Bound, Start


def test_what_was_answered_survives_a_kill_in_full_flow(tmp_path: Path) -> None:
    simulator = start_simulator(tmp_path, None, receipts=False)
    client = connected(simulator, None)
    client.bind_transmitter(system_id="campaigns", password="secret")
    flow = Thread(target=_write_all, args=(client, 200_000))
    flow.start()
    answered = [client.read_pdu().message_id.decode() for _ in range(1500)]
    simulator.kill()
    answered += _answers_left(client)
    flow.join()
    client.disconnect()
    accepted = {line.message_id for line in ledger.read(simulator.ledger)}
    assert set(answered) <= accepted
    assert len(accepted) < 200_000


def test_a_second_start_appends_with_new_ids(start: Start, bound: Bound) -> None:
    first = start(receipts=False)
    bound(first).response()
    first.kill()
    second = start(receipts=False)
    bound(second).response()
    assert len({line.message_id for line in ledger.read(second.ledger)}) == 2


def test_a_long_message_is_read_as_one(start: Start, bound: Bound) -> None:
    text = "Planned works in your area. " * 12
    simulator = start(receipts=False)
    _send_long(bound(simulator), text)
    (message,) = ledger.texts(simulator.ledger)
    assert (message.text, message.source, message.destination) == (text, SENDER, NUMBER)
    assert (len(message.message_ids), message.is_complete) == (3, True)


def test_a_long_ucs2_message_is_read_as_one(start: Start, bound: Bound) -> None:
    text = "Плановые работы в вашем районе. " * 6
    simulator = start(receipts=False)
    _send_long(bound(simulator), text)
    (message,) = ledger.texts(simulator.ledger)
    assert message.text == text


def test_a_missing_part_shows(tmp_path: Path) -> None:
    path = _ledger(tmp_path, _part(b"one ", 1, 3), _part(b"three", 3, 3))
    (message,) = ledger.texts(path)
    assert (message.text, message.is_complete) == ("one three", False)


def test_a_part_that_came_twice_shows_as_a_second_message(tmp_path: Path) -> None:
    path = _ledger(tmp_path, _part(b"one ", 1, 2), _part(b"one ", 1, 2), _part(b"two", 2, 2))
    messages = list(ledger.texts(path))
    assert [(each.text, each.is_complete) for each in messages] == [
        ("one two", True),
        ("one ", False),
    ]


def test_parts_may_come_in_any_order(tmp_path: Path) -> None:
    path = _ledger(tmp_path, _part(b"two", 2, 2), _part(b"one ", 1, 2))
    assert [each.text for each in ledger.texts(path)] == ["one two"]


def test_a_reference_of_two_octets_is_read(tmp_path: Path) -> None:
    parts = [_submit(b"\x06\x08\x04\x01\x02\x02" + bytes((n,)) + b"ab", 0x40) for n in (1, 2)]
    assert [each.text for each in ledger.texts(_ledger(tmp_path, *parts))] == ["abab"]


def test_a_cut_escape_pair_shows(tmp_path: Path) -> None:
    path = _ledger(tmp_path, _part(b"price \x1b", 1, 2), _part(b"e", 2, 2))
    assert [each.text for each in ledger.texts(path)] == ["price \N{REPLACEMENT CHARACTER}e"]


@pytest.mark.parametrize(
    ("octets", "coding", "text"),
    [
        (b"Hello", 0, "Hello"),
        (b"\x00\x01\x02\x5f\x1b\x65", 0, "@£$§€"),
        (b"\x1b\x28\x1b\x29\x1b\x3c\x1b\x3e\x1b\x40\x1b\x2f\x1b\x14\x1b\x3d", 0, "{}[]|\\^~"),
        (b"\x10\x12\x7f\x60", 0, "ΔΦà¿"),
        (b"\xe9", 3, "é"),
        ("Работы 😀".encode("utf-16-be"), 8, "Работы 😀"),
        (b"\xd8\x3d", 8, "\N{REPLACEMENT CHARACTER}"),
        (b"\x80", 0, "\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_octets_are_read_as_a_phone_shows_them(
    tmp_path: Path, octets: bytes, coding: int, text: str
) -> None:
    path = _ledger(tmp_path, _submit(octets, 0, coding))
    assert [each.text for each in ledger.texts(path)] == [text]


def test_every_octet_of_the_alphabet_agrees_with_smpplib(tmp_path: Path) -> None:
    # smpplib writes the backtick as 0x5F and has neither '§' nor form feed.
    letters = [code for code in range(128) if code not in {0x1B, 0x5F}]
    path = _ledger(tmp_path, _submit(bytes(letters), 0))
    (message,) = ledger.texts(path)
    assert gsm.gsm_encode(message.text) == bytes(letters)


def test_submits_are_counted_by_the_second(tmp_path: Path) -> None:
    writer = ledger.Ledger(tmp_path / "ledger.tsv")
    lines = [ledger.line(at, "1", _submit(b"x", 0), 1, 1) for at in (10.0, 10.999999, 12.5)]
    writer.write(lines)
    assert ledger.per_second(tmp_path / "ledger.tsv") == {10: 2, 12: 1}


def test_an_unfinished_last_line_is_not_read(tmp_path: Path) -> None:
    path = _ledger(tmp_path, _submit(b"whole", 0))
    with path.open("a") as file:
        file.write("1700000000.0\t17")
    assert [line.octets for line in ledger.read(path)] == [b"whole"]


def test_an_unfinished_last_line_is_cut_before_more_is_written(tmp_path: Path) -> None:
    path = _ledger(tmp_path, _submit(b"first", 0))
    with path.open("a") as file:
        file.write("1700000000.0\t17")
    _ledger(tmp_path, _submit(b"second", 0))
    assert [line.octets for line in ledger.read(path)] == [b"first", b"second"]


def _ledger(folder: Path, *submits: Submit) -> Path:
    path = folder / "ledger.tsv"
    writer = ledger.Ledger(path)
    writer.write([ledger.line(1700000000.0, str(n), each, 1, n) for n, each in enumerate(submits)])
    writer.close()
    return path


def _submit(octets: bytes, esm_class: int, coding: int = 0) -> Submit:
    return Submit(b"\x05\0INFO\0", b"\x01\x01447700900123\0", esm_class, 1, coding, octets, -1)


def _part(text: bytes, number: int, total: int) -> Submit:
    return _submit(b"\x05\x00\x03\x2a" + bytes((total, number)) + text, 0x40)


def _send_long(client: TlsClient, text: str) -> None:
    parts, coding, esm_class = gsm.make_parts(text)
    for part in parts:
        client.response(part, data_coding=coding, esm_class=esm_class)


def _answers_left(client: TlsClient) -> list[str]:
    """Read the responses that had left before the kill."""
    ids = []
    try:
        while True:
            ids.append(client.read_pdu().message_id.decode())
    except Exception:
        return ids


def _write_all(client: TlsClient, count: int) -> None:
    with contextlib.suppress(OSError):
        client.write(b"".join(_pdu(number) for number in range(1, count + 1)))


def _pdu(sequence: int) -> bytes:
    body = b"\0\x05\0NETOPS\0\x01\x01447700900123\0" + b"\0" * 5 + b"\x01\0\0\0\x02hi"
    return struct.pack(">LLLL", 16 + len(body), 4, 0, sequence) + body
