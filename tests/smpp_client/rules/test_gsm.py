"""The alphabet, checked against the pages of 23.038 rather than against our own table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp_client.rules.gsm import (
    BASIC,
    EXTENSION,
    NotGsm,
    decode_gsm,
    encode_gsm,
    foreign_characters,
    is_gsm,
)

ALPHABET = "".join(sorted((set(BASIC) - {"\x1b"}) | set(EXTENSION)))


@pytest.mark.parametrize(
    ("character", "septets"),
    [
        ("@", "00"),
        ("£", "01"),
        ("$", "02"),
        ("\n", "0a"),
        ("\r", "0d"),
        ("_", "11"),
        (" ", "20"),
        ("¤", "24"),
        ("A", "41"),
        ("Ä", "5b"),
        ("Ñ", "5d"),
        ("§", "5f"),
        ("¿", "60"),
        ("a", "61"),
        ("à", "7f"),
        ("\f", "1b0a"),
        ("^", "1b14"),
        ("{", "1b28"),
        ("}", "1b29"),
        ("\\", "1b2f"),
        ("[", "1b3c"),
        ("~", "1b3d"),
        ("]", "1b3e"),
        ("|", "1b40"),
        ("€", "1b65"),
    ],
)
def test_a_character_has_the_septets_of_the_standard(character: str, septets: str) -> None:
    assert encode_gsm(character).hex() == septets


def test_the_basic_table_has_128_places() -> None:
    assert len(BASIC) == 128
    assert len(set(BASIC)) == 128


@pytest.mark.parametrize("character", ["`", "\x1b", "\t", "\x00", "ç", "й", "“", "😀", "\ud800"])
def test_what_is_not_in_the_tables_is_not_gsm(character: str) -> None:
    assert not is_gsm("a" + character)


def test_a_foreign_character_is_refused_and_never_replaced() -> None:
    with pytest.raises(NotGsm, match="“`” is not in the GSM alphabet"):
        encode_gsm("it`s")


@given(st.text(ALPHABET))
def test_what_is_encoded_reads_back_the_same(text: str) -> None:
    assert decode_gsm(encode_gsm(text)) == text


@given(st.binary())
def test_any_octets_can_be_read(octets: bytes) -> None:
    assert isinstance(decode_gsm(octets), str)


def test_an_unknown_escape_shows_the_basic_character() -> None:
    assert decode_gsm(b"\x1bA") == "A"


@pytest.mark.parametrize(
    ("foreign", "suggestion"),
    [
        ("“", '"'),
        ("”", '"'),
        ("’", "'"),
        ("`", "'"),
        ("—", "-"),
        ("–", "-"),
        ("…", "..."),
        ("\u00a0", " "),
        ("\u202f", " "),
        ("\t", " "),
        ("\u200b", ""),
        ("ê", "e"),
        ("ç", "c"),
        ("ł", "l"),
        ("ﬁ", "fi"),
        ("ж", None),
        ("й", None),
        ("ў", None),
        ("😀", None),
    ],
)
def test_a_foreign_character_comes_with_what_was_meant(
    foreign: str, suggestion: str | None
) -> None:
    assert foreign_characters("ab" + foreign) == [(2, foreign, suggestion)]


@given(st.text())
def test_every_suggestion_is_itself_gsm(text: str) -> None:
    for found in foreign_characters(text):
        assert text[found.offset] == found.character
        assert found.suggestion is None or is_gsm(found.suggestion)


@given(st.text())
def test_a_text_is_gsm_when_it_has_no_foreign_characters(text: str) -> None:
    assert is_gsm(text) == (foreign_characters(text) == [])
