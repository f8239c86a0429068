"""How what happened in the product becomes the bytes of an event."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any
from uuid import UUID

import pytest

from audit.rules.canonical import MAX_BYTES, NotCanonical, decode_event
from audit.rules.events import (
    Actor,
    Happening,
    Obj,
    event_bytes,
    json_safe,
    personal_text,
    plain_text,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PLAIN = Happening(
    op="campaign.approve",
    eid=UUID("a648a7dd-0683-4eb9-85b6-e6e307d4bedc"),
    workspace=UUID("78e51061-7311-48a3-82ce-6f447ed4d57b"),
    actor=Actor("user", "usr_6"),
    obj=Obj("campaign", "cmp_3"),
    at=NOW,
)


class State(StrEnum):
    READY = "ready"


class Shape(Enum):
    EVEN = 2


def read(happening: Happening) -> dict[str, Any]:
    return decode_event(event_bytes(happening))


def test_a_plain_event_holds_only_what_is_known() -> None:
    assert read(PLAIN) == {
        "act": {"id": "usr_6", "kind": "user"},
        "eid": "a648a7dd-0683-4eb9-85b6-e6e307d4bedc",
        "obj": {"id": "cmp_3", "type": "campaign"},
        "op": "campaign.approve",
        "res": "ok",
        "t": "2026-03-01T00:00:00.000000Z",
        "v": 1,
        "ws": "78e51061-7311-48a3-82ce-6f447ed4d57b",
    }


def test_the_session_the_request_and_the_reason_are_kept() -> None:
    event = read(
        replace(PLAIN, actor=Actor("user", "usr_6", "ses_1"), request_id="req_1", why="Fits.")
    )
    assert (event["act"]["sid"], event["req"], event["why"]) == ("ses_1", "req_1", "Fits.")


def test_a_change_is_kept_as_old_and_new() -> None:
    event = read(replace(PLAIN, diff={"state": (State.READY, "in_review"), "rate": [None, 50]}))
    assert event["diff"] == {"rate": [None, 50], "state": ["ready", "in_review"]}


def test_text_is_normalised_before_it_is_recorded() -> None:
    assert read(replace(PLAIN, why="cafe\u0301"))["why"] == "caf\u00e9"


def test_a_long_note_is_cut_where_it_can_be_seen() -> None:
    why = read(replace(PLAIN, why="x" * 5_000))["why"]
    assert why == "x" * 4_000 + "… [1000 more characters cut]"


def test_a_change_of_many_long_texts_is_cut_shorter_until_it_fits() -> None:
    fields = {f"field_{number}": ("№" * 3_000, "€" * 3_000) for number in range(20)}
    happening = replace(PLAIN, diff=fields, why="because " * 1_000)
    event = read(happening)
    assert (len(event["diff"]), len(event_bytes(happening)) <= MAX_BYTES) == (20, True)


def test_a_change_of_too_many_fields_is_replaced_by_their_count() -> None:
    fields = {f"field_{number}": ("old" * 20, "new" * 20) for number in range(5_000)}
    event = read(replace(PLAIN, diff=fields))
    assert event["diff"] == {"cut": [None, "5000 changed fields were too many to keep"]}


def test_text_that_cannot_be_stored_is_replaced_and_not_refused() -> None:
    assert plain_text("nul \0 and half \ud83d") == "nul \ufffd and half ?"


def test_a_changed_field_needs_a_name_that_can_be_a_key() -> None:
    with pytest.raises(NotCanonical, match="Column A"):
        event_bytes(replace(PLAIN, diff={"Column A": (1, 2)}))


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(NotCanonical, match="zone"):
        event_bytes(replace(PLAIN, at=datetime(2026, 3, 1)))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("value", "safe"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (2**60, "1152921504606846976"),
        (1.5, "1.5"),
        (Decimal("1E+2"), "100"),
        (date(2026, 3, 1), "2026-03-01"),
        (NOW, "2026-03-01T00:00:00.000000Z"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (State.READY, "ready"),
        (Shape.EVEN, 2),
        (b"\x01\xff", "01ff"),
        ((1, "a"), [1, "a"]),
        ({"b", "a"}, ["a", "b"]),
        ({"name": Decimal("0.10")}, {"name": "0.10"}),
        ({"Column A": 1}, [["Column A", 1]]),
        ({1: "one"}, [["1", "one"]]),
    ],
)
def test_any_value_becomes_canonical_json(value: object, safe: object) -> None:
    assert json_safe(value) == safe


def test_a_value_that_is_too_deep_is_written_as_text() -> None:
    deep: object = {"Name": 1}
    for _ in range(12):
        deep = {"Name": [deep]}
    assert "Name" in json.dumps(read(replace(PLAIN, diff={"deep": (None, deep)})))


def test_a_personal_value_stands_on_one_line() -> None:
    assert personal_text("12 High\nStreet\r\nLeeds") == "12 High Street Leeds"
