"""What subscribers write, in every coding, with and without a header."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp_client.protocol.messages import read_text
from smpp_client.protocol.pdus import DELIVER_SM, read_delivery
from smpp_client.rules.segments import Alphabet
from tests.smpp_client.protocol.make import delivery_body

HEADER = b"\x05\x00\x03\x07\x02\x01"


def read(
    message: bytes, *, esm_class: int = 0, coding: int = 0, alphabet: Alphabet = Alphabet.GSM
) -> str:
    body = delivery_body(message, esm_class=esm_class, data_coding=coding)
    return read_text(read_delivery(DELIVER_SM, body), alphabet)


@pytest.mark.parametrize(
    ("message", "esm_class", "coding"),
    [
        (b"STOP", 0, 0),
        (b"STOP", 0, 1),
        (b"STOP", 0, 3),
        ("STOP".encode("utf-16-be"), 0, 8),
        (HEADER + b"STOP", 0x40, 0),
        (HEADER + "STOP".encode("utf-16-be"), 0x40, 8),
    ],
)
def test_stop_is_read_in_every_coding(message: bytes, esm_class: int, coding: int) -> None:
    assert read(message, esm_class=esm_class, coding=coding) == "STOP"


def test_data_coding_0_is_what_the_connection_says() -> None:
    assert read(b"a\x00b") == "a@b"
    assert read(b"\xe9", alphabet=Alphabet.LATIN1) == "é"


def test_a_header_longer_than_the_message_is_none() -> None:
    assert read(b"\x40STOP", esm_class=0x40).endswith("STOP")


def test_a_binary_message_has_no_text() -> None:
    assert read(b"\x01\x02", coding=4) == ""


@given(st.binary(max_size=254), st.integers(0, 255), st.integers(0, 255))
def test_any_message_is_read(message: bytes, esm_class: int, coding: int) -> None:
    assert isinstance(read(message, esm_class=esm_class, coding=coding), str)
