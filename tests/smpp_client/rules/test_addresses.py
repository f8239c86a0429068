"""Addresses are derived from what people write, and refused rather than cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp_client.rules.addresses import (
    Address,
    AddressRefused,
    destination_address,
    sender_address,
)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Operator", Address(5, 0, "Operator")),
        ("Best Tariff", Address(5, 0, "Best Tariff")),
        ("4U", Address(5, 0, "4U")),
        ("150", Address(3, 0, "150")),
        ("150500", Address(3, 0, "150500")),
        ("+447700900123", Address(1, 1, "447700900123")),
        ("447700900123", Address(1, 1, "447700900123")),
    ],
)
def test_a_sender_gets_its_type_and_plan(text: str, address: Address) -> None:
    assert sender_address(text) == address


def test_the_type_of_a_short_code_is_the_connections_choice() -> None:
    assert sender_address("150", short_code_ton=0) == Address(0, 0, "150")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Enter a sender"),
        ("TwelveLetter", "at most 11 characters; this one has 12"),
        ("Оператор", "cannot carry “О”"),
        ("Oper\x00ator", r"cannot carry the character U\+0000"),
        ("Oper[1]", r"cannot carry “\["),
        (" Operator", "cannot begin or end with a space"),
        ("12 34", "needs a letter"),
        ("+44x", "digits only"),
        ("123456789012345678901", "has 21"),
        ("0044770090012", "without leading zeros"),
        ("١٢٣", "cannot carry"),
    ],
)
def test_a_sender_that_the_wire_cannot_carry_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(AddressRefused, match=sentence):
        sender_address(text)


@pytest.mark.parametrize("text", ["447700900123", "+447700900123"])
def test_a_number_goes_without_its_plus_sign(text: str) -> None:
    assert destination_address(text) == Address(1, 1, "447700900123")


@pytest.mark.parametrize(
    "text",
    ["", "123456", "1234567890123456", "44 7700", "4477009001\x0023", "0770090012", "++4477009"],
)
def test_what_is_not_a_number_is_refused(text: str) -> None:
    with pytest.raises(AddressRefused):
        destination_address(text)


@given(st.text())
def test_an_address_is_what_was_written_or_refused(text: str) -> None:
    try:
        address = sender_address(text)
    except AddressRefused:
        return
    assert address.value == text.removeprefix("+")
    assert len(address.value) <= 15
    assert address.value.isascii()
