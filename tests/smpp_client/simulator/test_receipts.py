"""Delivery receipts: what they say, to whom they go, when they come again."""

import time

import pytest

from tests.smpp_client.simulator.client import NUMBER, SENDER
from tests.smpp_client.simulator.conftest import Bound, Start


def test_a_receipt_says_delivered_in_the_text_and_in_the_options(
    start: Start, bound: Bound
) -> None:
    client = bound(start())
    response = client.response(b"Works tonight")
    receipt = client.receipt()
    assert receipt.short_message.startswith(b"id:" + response.message_id + b" sub:001 dlvrd:001")
    assert receipt.short_message.endswith(b"stat:DELIVRD err:000 text:Works tonight")
    assert (receipt.receipted_message_id, receipt.message_state) == (response.message_id, 2)


def test_a_receipt_is_marked_and_goes_the_other_way(start: Start, bound: Bound) -> None:
    client = bound(start())
    client.response()
    receipt = client.receipt()
    assert (receipt.esm_class, receipt.source_addr) == (4, NUMBER.encode())
    assert receipt.destination_addr == SENDER.encode()


def test_a_receipt_returns_the_clients_own_reference(start: Start, bound: Bound) -> None:
    client = bound(start())
    client.response(user_message_reference=513)
    assert client.receipt().user_message_reference == 513


def test_every_fourth_message_is_undeliverable(start: Start, bound: Bound) -> None:
    client = bound(start(undeliverable_percent=25))
    states = []
    for _ in range(8):
        client.response()
        states.append(client.receipt().message_state)
    assert states == [2, 2, 2, 5, 2, 2, 2, 5]


@pytest.mark.parametrize(
    ("wanted", "percent", "count"), [(0, 0, 0), (1, 0, 1), (2, 0, 0), (2, 100, 1)]
)
def test_receipts_come_only_when_they_are_asked_for(
    start: Start, bound: Bound, wanted: int, percent: int, count: int
) -> None:
    simulator = start(undeliverable_percent=percent)
    client = bound(simulator)
    client.response(registered_delivery=wanted)
    client.response(registered_delivery=1)
    assert simulator.wait_for(receipts_sent=count + 1)["receipts_sent"] == count + 1


def test_receipts_can_be_switched_off(start: Start, bound: Bound) -> None:
    simulator = start(receipts=False)
    bound(simulator).response()
    assert simulator.counters()["receipts_open"] == 0


def test_a_receipt_waits_for_its_delay(start: Start, bound: Bound) -> None:
    client = bound(start(receipt_delay=0.3))
    client.response()
    answered_at = time.monotonic()
    client.receipt()
    assert time.monotonic() - answered_at >= 0.25


def test_jitter_changes_the_order(start: Start, bound: Bound) -> None:
    client = bound(start(receipt_jitter=0.5))
    for _ in range(10):
        client.submit()
    got = [client.read_pdu() for _ in range(20)]
    ids = [pdu.message_id for pdu in got if pdu.command == "submit_sm_resp"]
    receipts = [pdu.receipted_message_id for pdu in got if pdu.command == "deliver_sm"]
    assert sorted(receipts) == sorted(ids)
    assert receipts != ids


def test_a_receipt_can_come_before_the_response(start: Start, bound: Bound) -> None:
    client = bound(start(receipt_first=True))
    client.submit()
    assert [client.read_pdu().command, client.read_pdu().command] == [
        "deliver_sm",
        "submit_sm_resp",
    ]


def test_receipts_can_come_twice(start: Start, bound: Bound) -> None:
    client = bound(start(duplicate_receipts=True))
    client.response()
    assert client.receipt().receipted_message_id == client.receipt().receipted_message_id


def test_the_id_in_the_receipt_can_have_another_form(start: Start, bound: Bound) -> None:
    client = bound(start(message_id="hex", receipt_id="decimal"))
    in_response = int(client.response().message_id, 16)
    assert int(client.receipt().receipted_message_id) == in_response


def test_a_receipt_goes_to_a_receiver_of_the_same_account(start: Start, bound: Bound) -> None:
    simulator = start()
    receiver = bound(simulator, mode="receiver")
    response = bound(simulator, mode="transmitter").response()
    assert receiver.receipt().receipted_message_id == response.message_id


def test_a_receipt_never_goes_to_another_account(start: Start, bound: Bound) -> None:
    simulator = start()
    bound(simulator, mode="receiver", system_id="stranger")
    bound(simulator, mode="transmitter").response()
    counters = simulator.wait_for(receipts_open=1)
    assert counters["receipts_sent"] == 0


def test_a_receipt_waits_for_the_next_bind(start: Start, bound: Bound) -> None:
    simulator = start()
    response = bound(simulator, mode="transmitter").response()
    simulator.wait_for(receipts_open=1)
    assert bound(simulator).receipt().receipted_message_id == response.message_id


def test_an_unacknowledged_receipt_comes_again_after_the_next_bind(
    start: Start, bound: Bound
) -> None:
    simulator = start()
    client = bound(simulator)
    client.response()
    first = client.read_pdu()
    client.disconnect()
    again = bound(simulator).receipt()
    assert again.receipted_message_id == first.receipted_message_id


def test_a_refused_receipt_comes_again(start: Start, bound: Bound) -> None:
    simulator = start()
    client = bound(simulator)
    client.response()
    first = client.receipt(status=0x64)
    assert client.receipt().receipted_message_id == first.receipted_message_id
    counters = simulator.wait_for(receipts_acknowledged=1)
    assert counters["receipts_refused"] == 1


def test_receipts_stop_at_their_window(start: Start, bound: Bound) -> None:
    simulator = start(receipt_window=2)
    client = bound(simulator)
    for _ in range(5):
        client.submit()
    counters = simulator.wait_for(accepted=5, receipts_sent=2)
    assert (counters["receipts_sent"], counters["receipts_open"]) == (2, 3)


def test_an_acknowledged_receipt_makes_room_for_the_next(start: Start, bound: Bound) -> None:
    simulator = start(receipt_window=1)
    client = bound(simulator, mode="receiver")
    transmitter = bound(simulator, mode="transmitter")
    for _ in range(3):
        transmitter.response()
    assert len({client.receipt().receipted_message_id for _ in range(3)}) == 3


def test_a_subscriber_can_write_to_a_sender(start: Start, bound: Bound) -> None:
    simulator = start()
    client = bound(simulator)
    simulator.write(system_id="campaigns", source=NUMBER, destination="55501", text="STOP")
    message = client.receipt()
    assert message.short_message.decode("utf-16-be") == "STOP"
    assert (message.esm_class, message.source_addr) == (0, NUMBER.encode())
