"""The one encoder: limits, boundaries, headers, and that the count is what is sent."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp_client.rules.gsm import BASIC, EXTENSION, decode_gsm
from smpp_client.rules.segments import (
    Alphabet,
    Count,
    Encoding,
    NotText,
    TextTooLong,
    count,
    encode,
    is_alike,
    split_points,
)

GSM = "".join(sorted((set(BASIC) - {"\x1b"}) | set(EXTENSION)))
texts = st.one_of(
    st.text(GSM, max_size=700),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
    st.text("a€😀ж", max_size=700),
)


@pytest.mark.parametrize(
    ("text", "segments", "left"),
    [
        ("", 1, 160),
        ("a" * 160, 1, 0),
        ("a" * 161, 2, 145),
        ("a" * 306, 2, 0),
        ("a" * 307, 3, 152),
        ("€" * 80, 1, 0),
        ("a" * 159 + "€", 2, 145),
        ("ж" * 70, 1, 0),
        ("ж" * 71, 2, 63),
        ("ж" * 134, 2, 0),
        ("ж" * 135, 3, 66),
        ("😀" * 35, 1, 0),
        ("😀" * 36, 2, 61),
        ("`", 1, 69),
        ("@" * 160, 1, 0),
        ("§" * 160, 1, 0),
    ],
)
def test_segments_are_counted_at_their_limits(text: str, segments: int, left: int) -> None:
    counted = count(text)
    assert (counted.segments, counted.units_left) == (segments, left)


def test_a_count_says_what_the_preview_shows() -> None:
    assert count("5 €") == Count(Encoding.GSM, segments=1, units=4, units_left=156, unit_limit=160)


def test_at_is_octet_zero_inside_the_message() -> None:
    assert encode("a@b", reference=1).parts == (b"a\x00b",)


def test_an_escape_pair_is_not_split_at_153() -> None:
    first, second = encode("a" * 152 + "€" + "b" * 20, reference=1).parts
    assert first[6:] == b"a" * 152
    assert second[6:] == b"\x1b\x65" + b"b" * 20


def test_a_surrogate_pair_is_not_split_at_67() -> None:
    first, second = encode("ж" * 66 + "😀" + "ж" * 9, reference=1).parts
    assert first[6:].decode("utf-16-be") == "ж" * 66
    assert second[6:].decode("utf-16-be") == "😀" + "ж" * 9


def test_parts_carry_an_eight_bit_reference_total_and_number() -> None:
    encoded = encode("a" * 400, reference=0x1FE)
    assert encoded.has_header
    assert [part[:6].hex() for part in encoded.parts] == [
        "050003fe0301",
        "050003fe0302",
        "050003fe0303",
    ]


def test_a_wide_reference_costs_one_more_unit() -> None:
    encoded = encode("a" * 161, reference=0x1234, is_wide=True)
    assert [part[:7].hex() for part in encoded.parts] == ["06080412340201", "06080412340202"]
    assert [len(part) - 7 for part in encoded.parts] == [152, 9]


def test_two_long_messages_with_neighbouring_references_differ() -> None:
    one, other = encode("a" * 161, reference=7), encode("a" * 161, reference=8)
    assert one.parts[0] != other.parts[0]


@pytest.mark.parametrize(("letter", "limit"), [("a", 153), ("ж", 67)])
def test_255_parts_are_the_most(letter: str, limit: int) -> None:
    assert len(encode(letter * limit * 255, reference=1).parts) == 255
    with pytest.raises(TextTooLong, match="needs 256 parts; a message can have 255"):
        encode(letter * (limit * 255 + 1), reference=1)


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(NotText, match="Character 3"):
        encode("жж\ud83d", reference=1)


def test_ucs2_goes_under_data_coding_8_and_gsm_under_0() -> None:
    assert encode("ж", reference=1).data_coding == 8
    assert encode("z", reference=1).data_coding == 0


def test_where_data_coding_0_is_latin1_the_octets_are_latin1() -> None:
    encoded = encode("é@[", reference=1, alphabet=Alphabet.LATIN1)
    assert (encoded.data_coding, encoded.parts) == (0, ("é@[".encode("latin-1"),))


@pytest.mark.parametrize("text", ["Ω", "€", "ê"])
def test_what_latin1_and_gsm_do_not_share_goes_as_ucs2(text: str) -> None:
    assert count(text, alphabet=Alphabet.LATIN1).encoding is Encoding.UCS2


def test_latin1_counts_the_septets_of_the_air() -> None:
    assert count("[" * 81, alphabet=Alphabet.LATIN1).segments == 2
    assert [
        len(part) for part in encode("[" * 81, reference=1, alphabet=Alphabet.LATIN1).parts
    ] == [
        6 + 76,
        6 + 5,
    ]


@given(texts, st.sampled_from(Alphabet), st.booleans())
def test_the_count_is_what_is_sent(text: str, alphabet: Alphabet, is_wide: bool) -> None:
    encoded = encode(text, reference=9, alphabet=alphabet, is_wide=is_wide)
    assert count(text, alphabet=alphabet, is_wide=is_wide).segments == len(encoded.parts)
    assert len(split_points(text, alphabet=alphabet, is_wide=is_wide)) == len(encoded.parts) - 1


@given(texts, st.sampled_from(Alphabet), st.booleans())
def test_each_part_reads_as_its_piece_of_the_text(
    text: str, alphabet: Alphabet, is_wide: bool
) -> None:
    encoded = encode(text, reference=9, alphabet=alphabet, is_wide=is_wide)
    points = (0, *split_points(text, alphabet=alphabet, is_wide=is_wide), len(text))
    skip = (7 if is_wide else 6) if encoded.has_header else 0
    encoding = count(text, alphabet=alphabet).encoding
    for part, (start, stop) in zip(encoded.parts, pairwise(points), strict=True):
        assert _read(part[skip:], encoding) == text[start:stop]


@given(texts)
def test_latin1_never_needs_fewer_parts_and_gsm_makes_as_many_where_it_is_asked_to(
    text: str,
) -> None:
    most = count(text, alphabet=Alphabet.LATIN1).segments
    assert count(text).segments <= most
    alike = encode(text, reference=9, counted_for=Alphabet.LATIN1)
    assert len(alike.parts) == most
    if is_alike(text):
        assert count(text).segments == most
        assert alike == encode(text, reference=9)


@given(texts, st.booleans())
def test_no_part_is_larger_than_one_segment(text: str, is_wide: bool) -> None:
    for part in encode(text, reference=9, is_wide=is_wide).parts:
        assert len(part) <= (140 if count(text).encoding is Encoding.UCS2 else 160)


def _read(octets: bytes, encoding: Encoding) -> str:
    if encoding is Encoding.GSM:
        return decode_gsm(octets)
    return octets.decode("latin-1" if encoding is Encoding.LATIN1 else "utf-16-be")
