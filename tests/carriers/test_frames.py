"""What a carrier says, read without believing any of it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp_client.carrier import Address, Kind, Outcome, Receipt, SegmentKey
from smpp_client.carrier.adapters import Message
from smpp_client.engine.adapters import frames
from smpp_client.engine.adapters.frames import Nonsense

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
KEY = SegmentKey(1, 2, 3, 4)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=9) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)
READERS = (
    frames.read_outcome,
    frames.read_receipt,
    frames.read_message,
    frames.read_keys,
    frames.read_state,
    frames.read_sentence,
)


def outcome(**fields: Any) -> Outcome:
    """An outcome that is right but for what the test says."""
    values: dict[str, Any] = {"kind": Kind.SUBMITTED, "smsc_id": "a-1", "status": 0} | fields
    return Outcome(values.pop("key", KEY), 1, values.pop("kind"), NOW, **values)


def told(line: bytes) -> list[Any]:
    """The values of a line."""
    return frames.read_line(line)[1]


def test_an_outcome_comes_back_as_it_was_told() -> None:
    read = frames.read_outcome(told(frames.outcome_line(outcome(status=88, cause="later"))))
    assert read == frames.ReadOutcome(KEY, Kind.SUBMITTED, 88, "a-1", "later")


def test_a_receipt_comes_back_as_it_was_told() -> None:
    receipt = Receipt("a-1", "delivered", "000", NOW, b"\0raw", 7, "447700900001", "Ex", True)
    read = frames.read_receipt(told(frames.receipt_line(5, receipt)))
    assert read == frames.ToldReceipt(
        5, "a-1", "delivered", "000", "447700900001", "Ex", 7, True, b"\0raw"
    )


def test_a_message_comes_back_as_it_was_told() -> None:
    message = Message(Address(1, 1, "447700900001"), Address(3, 0, "8000"), "СТОП 🛑", b"raw")
    assert frames.read_message(told(frames.message_line(9, message))) == (9, message)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "splendid"},
        {"status": "0"},
        {"status": True},
        {"status": -1},
        {"status": 2**31},
        {"smsc_id": None},
        {"smsc_id": "nul\0"},
        {"smsc_id": "half\ud800"},
        {"smsc_id": "x" * 65},
        {"key": SegmentKey(1, 2, 3, -4)},
        {"key": SegmentKey(1, 2, 3, 4.0)},  # type: ignore[arg-type]
        {"key": SegmentKey(2**63, 2, 3, 4)},
    ],
)
def test_an_outcome_that_cannot_be_stored_is_nonsense(wrong: dict[str, Any]) -> None:
    with pytest.raises(Nonsense):
        frames.read_outcome(told(frames.outcome_line(outcome(**wrong))))


@pytest.mark.parametrize("what", [None, "submitted", {"key": 1}, (KEY, 1), object()])
def test_what_is_no_outcome_is_nonsense(what: object) -> None:
    with pytest.raises(Nonsense):
        frames.outcome_line(what)


@pytest.mark.parametrize("line", [b"", b"x", b"[]", b"[1]", b"{}", b"\xff", b"[" * 5000])
def test_a_line_that_is_none_is_nonsense(line: bytes) -> None:
    with pytest.raises(Nonsense):
        frames.read_line(line)


@given(ANYTHING)
def test_a_reader_reads_or_says_nonsense(value: Any) -> None:
    values = value if isinstance(value, list) else [value]
    for read in READERS:
        try:
            read(json.loads(json.dumps(values)))
        except Nonsense:
            continue
