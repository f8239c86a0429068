"""What subscribers write, in every coding, whole and in parts."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp_client.protocol.messages import ReadMessage, read_message
from smpp_client.protocol.pdus import DELIVER_SM, read_delivery
from smpp_client.rules.codings import Coding
from smpp_client.rules.segments import Alphabet
from tests.smpp_client.protocol.make import delivery_body, tlv

HEADER = b"\x05\x00\x03\x07\x02\x01"


def read(
    message: bytes,
    *,
    esm_class: int = 0,
    coding: int = 0,
    alphabet: Alphabet = Alphabet.GSM,
    options: bytes = b"",
) -> ReadMessage:
    body = delivery_body(message, esm_class=esm_class, data_coding=coding, options=options)
    return read_message(read_delivery(DELIVER_SM, body), alphabet)


def sar(reference: int, total: int, part: int) -> bytes:
    return (
        tlv(0x020C, struct.pack(">H", reference))
        + tlv(0x020E, bytes((total,)))
        + tlv(0x020F, bytes((part,)))
    )


def place(message: ReadMessage) -> tuple[int, int, int]:
    return message.reference, message.part, message.part_count


@pytest.mark.parametrize(
    ("message", "esm_class", "coding"),
    [
        (b"STOP", 0, 0),
        (b"STOP", 0, 1),
        (b"STOP", 0, 3),
        (b"STOP", 0, 0x10),
        (b"STOP", 0, 0xF1),
        ("STOP".encode("utf-16-be"), 0, 8),
        ("STOP".encode("utf-16-be"), 0, 0x18),
        (HEADER + b"STOP", 0x40, 0),
        (HEADER + "STOP".encode("utf-16-be"), 0x40, 8),
    ],
)
def test_stop_is_read_in_every_coding(message: bytes, esm_class: int, coding: int) -> None:
    assert read(message, esm_class=esm_class, coding=coding).text == "STOP"


def test_data_coding_0_is_what_the_connection_says() -> None:
    assert read(b"a\x00b").text == "a@b"
    assert read(b"\xe9", alphabet=Alphabet.LATIN1).text == "é"


def test_a_header_longer_than_the_message_is_none() -> None:
    assert read(b"\x40STOP", esm_class=0x40).text.endswith("STOP")


@pytest.mark.parametrize("coding", [2, 4, 0xF5])
def test_a_binary_message_has_no_text(coding: int) -> None:
    message = read(b"\x01\x02", coding=coding)
    assert (message.coding, message.text) == (Coding.BINARY, "")


def test_a_header_says_which_part_it_is() -> None:
    assert place(read(HEADER + b"STOP", esm_class=0x40)) == (7, 1, 2)


def test_a_header_with_a_wide_reference_says_which_part_it_is() -> None:
    wide = b"\x06\x08\x04\x12\x34\x03\x02"
    assert place(read(wide + b"x", esm_class=0x40)) == (0x1234, 2, 3)


def test_the_part_is_found_behind_another_element_of_the_header() -> None:
    header = b"\x0b\x05\x04\x23\xf4\x00\x00\x00\x03\x07\x02\x02"
    message = read(header + b"x", esm_class=0x40)
    assert (place(message), message.octets) == ((7, 2, 2), b"x")


def test_sar_options_say_which_part_it_is() -> None:
    message = read(b"x", options=sar(0x1234, 3, 2))
    assert (place(message), message.octets) == ((0x1234, 2, 3), b"x")


@pytest.mark.parametrize("header", [b"\x05\x00\x03\x07\x02\x03", b"\x05\x00\x03\x07\x00\x00"])
def test_a_part_outside_of_its_message_stands_alone(header: bytes) -> None:
    assert place(read(header + b"x", esm_class=0x40)) == (0, 1, 1)


@given(st.binary(max_size=254), st.integers(0, 255), st.integers(0, 255), st.binary(max_size=40))
def test_any_message_is_read(message: bytes, esm_class: int, coding: int, options: bytes) -> None:
    found = read(message, esm_class=esm_class, coding=coding, options=options)
    assert isinstance(found.text, str)
    assert 1 <= found.part <= found.part_count
