"""Receipts as SMSCs write them: options, texts, both, neither."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp_client.protocol.pdus import DELIVER_SM, Delivery, read_delivery
from smpp_client.protocol.receipts import ReadReceipt, read_receipt
from smpp_client.rules.message_ids import IdRule
from tests.smpp_client.protocol.make import OPERATOR, SUBSCRIBER, delivery_body, tlv

ID, STATE, REFERENCE, PAYLOAD, NETWORK_ERROR = 0x001E, 0x0427, 0x0204, 0x0424, 0x0423
FULL = (
    b"id:abc-1 sub:001 dlvrd:001 submit date:2611201000 done date:2611201001"
    b" stat:DELIVRD err:000 text:Dear customer"
)


def read(
    message: bytes = b"",
    options: bytes = b"",
    *,
    esm_class: int = 0x04,
    data_coding: int = 0,
    rule: IdRule = IdRule.AS_IS,
) -> ReadReceipt | None:
    body = delivery_body(message, esm_class=esm_class, data_coding=data_coding, options=options)
    return read_receipt(read_delivery(DELIVER_SM, body), body, rule)


def seen(receipt: ReadReceipt | None) -> tuple[str, str, str]:
    assert receipt is not None
    return receipt.smsc_id, receipt.state, receipt.error


def test_a_receipt_of_options_only() -> None:
    receipt = read(options=tlv(ID, b"abc-1\0") + tlv(STATE, b"\x02") + tlv(REFERENCE, b"\0\x07"))
    assert seen(receipt) == ("abc-1", "delivered", "")
    assert receipt is not None
    assert receipt.reference == 7


def test_a_receipt_of_text_only() -> None:
    assert seen(read(FULL)) == ("abc-1", "delivered", "000")


def test_a_receipt_names_who_was_written_to_and_by_whom() -> None:
    receipt = read(FULL)
    assert receipt is not None
    assert (receipt.subscriber, receipt.sender) == (SUBSCRIBER.value, OPERATOR.value)


def test_both_that_agree_do_not_contradict() -> None:
    receipt = read(FULL, tlv(ID, b"abc-1\0") + tlv(STATE, b"\x02"))
    assert receipt is not None
    assert not receipt.is_contradicting


def test_of_both_that_contradict_the_options_win() -> None:
    receipt = read(FULL, tlv(ID, b"xyz-9\0") + tlv(STATE, b"\x05"))
    assert seen(receipt) == ("xyz-9", "undeliverable", "000")
    assert receipt is not None
    assert receipt.is_contradicting


def test_a_rule_that_converts_was_made_for_the_text() -> None:
    text = FULL.replace(b"abc-1", b"12107289")
    receipt = read(text, tlv(ID, b"00B8BE19\0"), rule=IdRule.HEX_TO_DECIMAL)
    assert seen(receipt)[0] == "12107289"


def test_a_receipt_in_message_payload() -> None:
    assert seen(read(options=tlv(PAYLOAD, FULL))) == ("abc-1", "delivered", "000")


def test_a_receipt_without_anything_is_kept_as_unknown() -> None:
    assert seen(read()) == ("", "unknown", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"id:1 stat:UNDELIV err:001", ("1", "undeliverable", "001")),
        (b"ID:1 SUB:1 STAT:undeliv ERR:E12 TEXT:", ("1", "undeliverable", "E12")),
        (b"id: 1 sub: 001 stat: EXPIRED err: 0B", ("1", "expired", "0B")),
        (
            b"id:1 submit date:261120100000 done date:261120100105 stat:REJECTD",
            ("1", "rejected", ""),
        ),
        (b"id:1 submit_date:2611 done_date:2611 stat:DELETED err:7", ("1", "deleted", "7")),
        (b"id:1 stat:DELIVERED", ("1", "delivered", "")),
        (b"id:1 stat:DELIV", ("1", "delivered", "")),
        (b"id:1 stat:ENROUTE err:0", ("1", "enroute", "0")),
        (b"id:1 stat:ACCEPTD", ("1", "accepted", "")),
        (b"id:1 stat:SKIPPED", ("1", "undeliverable", "")),
        (b"id:1 stat:UNKNOWN", ("1", "unknown", "")),
        (b"id:1 stat:WHATEVER", ("1", "unknown", "")),
        (b"id:1 vendor:x cell:9 stat:DELIVRD", ("1", "delivered", "")),
        (b"id:a b c sub:001 stat:DELIVRD", ("a b c", "delivered", "")),
        (b"stat:DELIVRD id:1", ("1", "delivered", "")),
        (b"sub:001 stat:DELIVRD err:000", ("", "delivered", "000")),
        (b"id:1 stat:DELIVRD text:id:2 stat:UNDELIV err:9", ("1", "delivered", "")),
        (b"id:1 stat:DELIVRD err:000\0", ("1", "delivered", "000")),
        (b"\x05\0\x03\x01\x02\x01id:1 stat:DELIVRD", ("1", "delivered", "")),
        (b"nothing that we know", ("", "unknown", "")),
    ],
)
def test_the_text_varies_and_is_read(text: bytes, expected: tuple[str, str, str]) -> None:
    assert seen(read(text)) == expected


def test_a_text_in_ucs2_is_read() -> None:
    text = FULL.decode().encode("utf-16-be")
    assert seen(read(text, data_coding=8)) == ("abc-1", "delivered", "000")


@pytest.mark.parametrize("esm_class", [0x04, 0x44, 0x24])
def test_a_receipt_is_known_by_its_class_whatever_other_bits_say(esm_class: int) -> None:
    receipt = read(b"id:1 stat:DELIVRD", esm_class=esm_class & ~0x20)
    assert seen(receipt)[1] == "delivered"


def test_an_intermediate_notification_never_settles() -> None:
    assert seen(read(b"id:1 stat:UNDELIV err:9", esm_class=0x20))[1] == "enroute"
    assert seen(read(b"id:1 stat:ACCEPTD", esm_class=0x20))[1] == "accepted"


def test_a_receipt_without_its_class_is_known_by_its_full_form_and_marked() -> None:
    receipt = read(FULL, esm_class=0)
    assert seen(receipt)[0] == "abc-1"
    assert receipt is not None
    assert receipt.is_unmarked


def test_a_receipt_without_its_class_is_known_by_its_options() -> None:
    receipt = read(options=tlv(ID, b"1\0") + tlv(STATE, b"\x02"), esm_class=0)
    assert receipt is not None
    assert not receipt.is_unmarked


@pytest.mark.parametrize("esm_class", [0x00, 0x08, 0x10, 0x40])
def test_somebodys_message_is_not_a_receipt(esm_class: int) -> None:
    assert read(b"STOP", esm_class=esm_class) is None
    assert read(b"id:1 stat:DELIVRD", esm_class=esm_class) is None


def test_a_handsets_own_acknowledgement_with_an_id_is_read() -> None:
    assert seen(read(FULL, esm_class=0x08))[1] == "delivered"


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (1, "enroute"),
        (2, "delivered"),
        (3, "expired"),
        (4, "deleted"),
        (5, "undeliverable"),
        (6, "accepted"),
        (7, "unknown"),
        (8, "rejected"),
        (99, "unknown"),
    ],
)
def test_each_state_has_its_word(state: int, word: str) -> None:
    assert seen(read(options=tlv(ID, b"1\0") + tlv(STATE, bytes((state,)))))[1] == word


def test_a_state_in_two_octets_does_not_hide_the_id_after_it() -> None:
    assert seen(read(options=tlv(STATE, b"\0\x02") + tlv(ID, b"ABC123"))) == (
        "ABC123",
        "delivered",
        "",
    )


def test_a_network_error_is_the_error_when_the_text_has_none() -> None:
    options = tlv(ID, b"1\0") + tlv(STATE, b"\x05") + tlv(NETWORK_ERROR, b"\x03\x00\x22")
    assert seen(read(options=options))[2] == "3/34"


@pytest.mark.parametrize(
    ("rule", "written", "stored"),
    [
        (IdRule.AS_IS, "00B8BE19", "00B8BE19"),
        (IdRule.HEX_TO_DECIMAL, "0012107289", "12107289"),
        (IdRule.DECIMAL_TO_HEX, "00B8BE19", "12107289"),
        (IdRule.HEX, "00B8BE19", "b8be19"),
        (IdRule.UNPADDED, "000123", "123"),
    ],
)
def test_an_id_is_brought_to_the_connections_form(rule: IdRule, written: str, stored: str) -> None:
    assert seen(read(f"id:{written} stat:DELIVRD".encode(), rule=rule))[0] == stored


def test_the_common_form_and_the_general_reading_agree() -> None:
    common = read(FULL)
    general = read(FULL.replace(b" sub:", b"  sub:"))
    assert seen(common) == seen(general)


@given(st.binary(max_size=254), st.integers(0, 255), st.integers(0, 255))
def test_any_message_is_read_without_fault(message: bytes, esm_class: int, coding: int) -> None:
    read(message, esm_class=esm_class, data_coding=coding)


@given(st.binary(max_size=200), st.binary(max_size=90), st.binary(max_size=10))
def test_whatever_a_receipt_says_a_database_takes_it(
    text: bytes, smsc_id: bytes, reference: bytes
) -> None:
    options = tlv(ID, smsc_id) + tlv(REFERENCE, reference)
    for message in (b"id:" + text, b"err:" + text, b"id:" + text * 4 + b" err:" + text):
        receipt = read(message[:254], options)
        assert receipt is not None
        assert len(receipt.smsc_id) <= 65
        assert len(receipt.error) <= 20
        assert "\0" not in receipt.smsc_id + receipt.error + receipt.state
        assert 0 <= receipt.reference <= 0xFFFF


def test_a_hostile_text_is_cheap() -> None:
    for text in (b" " * 60_000, b"id:" * 20_000, b"id:" + b" x" * 30_000, b"a:" * 30_000):
        read_receipt(Delivery(SUBSCRIBER, OPERATOR, 4, 0, text, {}), b"", IdRule.AS_IS)
