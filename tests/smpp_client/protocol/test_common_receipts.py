"""The short way of receipts says what the long way says, or nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp_client.protocol.common_receipts import read_common_receipt
from smpp_client.protocol.pdus import DELIVER_SM, Malformed, read_delivery
from smpp_client.protocol.receipts import ReadReceipt, read_receipt
from smpp_client.rules.message_ids import IdRule
from tests.smpp_client.protocol.make import delivery_body, tlv

ID, STATE, REFERENCE, PAYLOAD = 0x001E, 0x0427, 0x0204, 0x0424
TEXT = (
    b"id:17637110001 sub:001 dlvrd:001 submit date:2611201000 done date:2611201001"
    b" stat:DELIVRD err:000 text:Dear customer"
)
OPTIONS = tlv(ID, b"17637110001\0") + tlv(STATE, b"\x02")
COMMON = delivery_body(TEXT, esm_class=0x04, options=OPTIONS)


def long_way(body: bytes) -> ReadReceipt | None:
    try:
        return read_receipt(read_delivery(DELIVER_SM, body), body, IdRule.AS_IS)
    except Malformed:
        return None


@pytest.mark.parametrize("options", [b"", OPTIONS, OPTIONS + tlv(REFERENCE, b"\x01\x02")])
@pytest.mark.parametrize("text", [TEXT, TEXT.partition(b" text:")[0]])
def test_the_common_receipt_is_read_alike(text: bytes, options: bytes) -> None:
    body = delivery_body(text, esm_class=0x04, options=options)
    short = read_common_receipt(body)
    assert short is not None
    assert short == long_way(body)


@pytest.mark.parametrize(
    "body",
    [
        delivery_body(TEXT, esm_class=0x00, options=OPTIONS),
        delivery_body(TEXT, esm_class=0x20, options=OPTIONS),
        delivery_body(TEXT, esm_class=0x04, options=OPTIONS + tlv(PAYLOAD, b"other")),
        delivery_body(TEXT, esm_class=0x04, options=tlv(ID, b"other\0") + tlv(STATE, b"\x02")),
        delivery_body(TEXT, esm_class=0x04, options=tlv(ID, b"17637110001\0") + tlv(STATE, b"\5")),
        delivery_body(b"", esm_class=0x04, options=OPTIONS),
        COMMON[:-1],
    ],
)
def test_anything_else_goes_the_long_way(body: bytes) -> None:
    assert read_common_receipt(body) is None


@given(
    st.lists(
        st.tuples(st.integers(0, len(COMMON) - 1), st.integers(0, 255)), min_size=1, max_size=4
    ),
    st.integers(0, len(COMMON)),
)
def test_changed_octets_are_never_read_differently(
    changes: list[tuple[int, int]], length: int
) -> None:
    octets = bytearray(COMMON)
    for place, octet in changes:
        octets[place] = octet
    for body in (bytes(octets), bytes(octets[:length])):
        short = read_common_receipt(body)
        assert short is None or short == long_way(body)
