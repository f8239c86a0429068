"""The byte form of events: what is written, and what is refused."""

import json
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.rules.canonical import (
    MAX_BYTES,
    NotCanonical,
    decode,
    decode_event,
    encode,
    encode_event,
    read_stamp,
    stamp,
)
from tests.audit import vectors

EVENT: dict[str, Any] = json.loads(vectors.EVENT)


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in EVENT.items() if name != key}


def test_the_published_event_has_the_published_bytes() -> None:
    assert encode_event(EVENT) == vectors.EVENT


def test_the_published_bytes_read_as_the_published_event() -> None:
    assert decode_event(vectors.EVENT) == EVENT


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
plain = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts
keys = st.from_regex(r"[a-z][a-z0-9_.]{0,63}", fullmatch=True)
values = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(keys, values, max_size=4))
def test_every_encoded_value_reads_back_as_itself(value: dict[str, Any]) -> None:
    assert decode(encode(value)) == value


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        {"a": 1e-7},
        2**53,
        -(2**53),
        "nul\0",
        "\ud800",
        {"Key": 1},
        {"": 1},
        {"a\n": 1},
        {"a" * 65: 1},
        {"é": 1},
        {1: 1},
        {"a": {1, 2}},
        b"bytes",
        datetime(2026, 3, 1, tzinfo=UTC),
    ],
)
def test_a_value_without_one_form_is_refused(value: Any) -> None:
    with pytest.raises(NotCanonical):
        encode(value)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def test_eight_containers_around_a_value_are_allowed() -> None:
    assert encode(nested(8)) == b"[[[[[[[[1]]]]]]]]"


def test_nine_containers_around_a_value_are_refused() -> None:
    with pytest.raises(NotCanonical, match="containers"):
        encode(nested(9))


def test_sixty_four_kilobytes_are_allowed() -> None:
    assert len(encode("x" * (MAX_BYTES - 2))) == MAX_BYTES


def test_one_byte_more_than_sixty_four_kilobytes_is_refused() -> None:
    with pytest.raises(NotCanonical, match="more than"):
        encode("x" * (MAX_BYTES - 1))


@pytest.mark.parametrize("key", ["v", "ws", "eid", "t", "op"])
def test_an_event_without_a_required_key_is_refused(key: str) -> None:
    with pytest.raises(NotCanonical, match=key):
        encode_event(without(key))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("v", 0),
        ("v", 2),
        ("v", True),
        ("v", "1"),
        ("ws", "78E51061-7311-48a3-82ce-6f447ed4d57b"),
        ("ws", "78e51061731148a382ce6f447ed4d57b"),
        ("eid", "01890a5d-ac96-774b-bcce-b302099a8057"),
        ("eid", "none"),
        ("t", "2026-03-01T00:00:00Z"),
        ("t", "2026-03-01T00:00:00.000000+00:00"),
        ("t", "2026-02-30T00:00:00.000000Z"),
        ("t", "2026-03-01 00:00:00.000000Z"),
        ("op", "approve"),
        ("op", "Campaign.approve"),
        ("op", "campaign.approve\n"),
    ],
)
def test_an_event_with_a_wrong_required_value_is_refused(key: str, value: Any) -> None:
    with pytest.raises(NotCanonical):
        encode_event({**EVENT, key: value})


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": 1}',
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a":1.0}',
        b'{"a":1e2}',
        b'{"a":1152921504606846976}',
        b'{"a":NaN}',
        b'{"a":"\\u00e9"}',
        b'{"a":"\\ud800"}',
        b'{"a":"\\/"}',
        b'{"a":-0}',
        b'{"a":"\xc0\xaf"}',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":1}\n',
        b'{"a":"line\nbreak"}',
        b"[" * 100_000,
        b"1" * 5_000,
        b"",
    ],
)
def test_other_bytes_for_a_value_are_refused(data: bytes) -> None:
    with pytest.raises(NotCanonical):
        decode(data)


def test_the_verifier_never_normalises() -> None:
    composed = encode({"why": "café"})
    decomposed = encode({"why": unicodedata.normalize("NFD", "café")})
    assert decode(decomposed) != decode(composed)


def test_a_list_is_not_an_event() -> None:
    with pytest.raises(NotCanonical):
        decode_event(b"[]")


def test_a_moment_is_written_with_six_decimals_and_z() -> None:
    assert stamp(datetime(2026, 3, 1, tzinfo=UTC)) == vectors.CREATED


def test_a_moment_of_another_zone_is_written_in_utc() -> None:
    tashkent = timezone(timedelta(hours=5))
    assert stamp(datetime(2026, 3, 1, 5, tzinfo=tashkent)) == vectors.CREATED


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(NotCanonical, match="zone"):
        stamp(datetime(2026, 3, 1))  # noqa: DTZ001


def test_a_written_moment_reads_back_as_itself() -> None:
    moment = datetime(2026, 3, 1, 1, 2, 3, 456789, tzinfo=UTC)
    assert read_stamp(stamp(moment)) == moment
