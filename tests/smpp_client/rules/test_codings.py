"""Octets to text, for messages that come in parts."""

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from smpp_client.rules.codings import Coding, coding_of, decode, decode_parts
from smpp_client.rules.gsm import encode_gsm, is_gsm
from smpp_client.rules.segments import Alphabet


def cut(octets: bytes, places: Sequence[int], coding: Coding) -> list[tuple[bytes, Coding]]:
    """Cut octets anywhere, as phones of others do."""
    ends = sorted({place % (len(octets) + 1) for place in places})
    edges = [0, *ends, len(octets)]
    return [(octets[start:stop], coding) for start, stop in pairwise(edges)]


@given(st.text(max_size=200), st.lists(st.integers(0, 1000), max_size=4))
def test_ucs2_that_is_cut_anywhere_reads_as_it_was_written(text: str, places: list[int]) -> None:
    octets = text.encode("utf-16-be", "replace")
    assert decode_parts(cut(octets, places, Coding.UCS2)) == octets.decode("utf-16-be")


@given(st.text("aé{€}Δ~ 1", max_size=200), st.lists(st.integers(0, 1000), max_size=4))
def test_gsm_that_is_cut_anywhere_reads_as_it_was_written(text: str, places: list[int]) -> None:
    assert is_gsm(text)
    assert decode_parts(cut(encode_gsm(text), places, Coding.GSM)) == text


def test_parts_of_two_codings_are_read_each_in_its_own() -> None:
    parts = [(b"a\x00", Coding.GSM), ("ж".encode("utf-16-be"), Coding.UCS2), (b"b", Coding.GSM)]
    assert decode_parts(parts) == "a@жb"


@given(st.binary(max_size=160), st.sampled_from(Coding))
def test_any_octets_are_read(octets: bytes, coding: Coding) -> None:
    assert isinstance(decode(octets, coding), str)


@given(st.integers(0, 255), st.sampled_from(Alphabet))
def test_every_data_coding_stands_for_something(code: int, alphabet: Alphabet) -> None:
    assert coding_of(code, alphabet) in Coding
