"""What call records tell: the rule, one subscriber at a time."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.rules.call_records import Attempt, Reason, Record, Stated, judge, state_of
from campaigns.rules.record_times import guess_form, read_time

T = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = Stated(T - timedelta(days=1), T + timedelta(days=1))


def attempt(n: int, fate: str = "unknown", minutes: float = 0, **fields: object) -> Attempt:
    """Make attempt n of campaign 7, `minutes` after T."""
    since = T + minutes * MINUTE
    values = {
        "key": ("2026-11-20", n, n, 1),
        "message": (7, n),
        "sender": "Care",
        "since": since,
        "until": since + MINUTE,
        "fate": fate,
        **fields,
    }
    return Attempt(**values)  # type: ignore[arg-type]


def test_one_record_of_one_unknown_attempt_settles_it_with_id_and_state() -> None:
    found = judge([attempt(1)], [Record(1, "Care", T, "id-1", state="delivered")], MINUTE)
    assert [(one.smsc_id, one.state) for one in found.accepted] == [("id-1", "delivered")]
    assert found.reasons == {1: Reason.SETTLED}


@pytest.mark.parametrize(
    "record",
    [Record(1, "Other", T), Record(1, "Care", T + 10 * MINUTE), Record(1, "Care", T - 10 * MINUTE)],
)
def test_another_sender_or_time_settles_nothing(record: Record) -> None:
    found = judge([attempt(1)], [record], MINUTE)
    assert not found.accepted
    assert found.reasons == {1: Reason.NO_MATCH}


def test_a_record_of_a_known_attempt_does_not_count_for_the_unknown_one() -> None:
    known = attempt(1, "submitted", smsc_id="a")
    found = judge([known, attempt(2)], [Record(1, "Care", T, "a")], MINUTE, DAY)
    assert not found.accepted
    assert [one.key[1] for one in found.absent] == [2]


def test_a_known_attempt_whose_record_has_another_id_makes_one_record_too_few() -> None:
    known = attempt(1, "submitted", smsc_id="0a")
    found = judge([known, attempt(2)], [Record(1, "Care", T, "10")], MINUTE, DAY)
    assert not found.accepted
    assert not found.absent
    assert found.reasons == {1: Reason.FEWER}


def test_as_many_records_as_attempts_settle_all_of_them() -> None:
    records = [Record(1, "Care", T, "10"), Record(2, "Care", T, "11")]
    found = judge([attempt(1, "submitted", smsc_id="0a"), attempt(2)], records, MINUTE)
    assert [(one.attempt.key[1], one.smsc_id) for one in found.accepted] == [(2, "")]


def test_more_records_than_attempts_settle_nothing() -> None:
    found = judge([attempt(1)], [Record(1, "Care", T), Record(2, "Care", T)], MINUTE, DAY)
    assert not found.accepted
    assert set(found.reasons.values()) == {Reason.MORE}


def test_an_attempt_in_flight_makes_everything_wait() -> None:
    found = judge([attempt(1), attempt(2, "sending")], [Record(1, "Care", T)] * 1, MINUTE, DAY)
    assert not found.accepted
    assert found.reasons == {1: Reason.OPEN}


def test_our_reference_tells_two_attempts_apart() -> None:
    attempts = [attempt(1, reference=11), attempt(2, reference=22)]
    found = judge(attempts, [Record(1, "Care", T, "x", reference=22)], MINUTE)
    assert [one.attempt.key[1] for one in found.accepted] == [2]


def test_the_parts_of_one_message_take_its_records_in_their_order() -> None:
    parts = [attempt(1, key=("2026-11-20", 1, 1, part), message=(7, 1)) for part in (1, 2)]
    records = [Record(2, "Care", T + MINUTE, "b"), Record(1, "Care", T, "a")]
    found = judge(parts, records, MINUTE)
    assert [(one.attempt.key[3], one.smsc_id) for one in found.accepted] == [(1, "a"), (2, "b")]


def test_attempts_far_apart_are_settled_each_by_its_own_record() -> None:
    attempts = [attempt(1), attempt(2, minutes=60)]
    found = judge(attempts, [Record(1, "Care", T + 60 * MINUTE, "late")], MINUTE)
    assert [(one.attempt.key[1], one.smsc_id) for one in found.accepted] == [(2, "late")]


def test_only_complete_records_say_that_a_message_was_never_there() -> None:
    assert not judge([attempt(1)], [], MINUTE).absent
    assert judge([attempt(1)], [], MINUTE, DAY).absent
    late = Stated(T + MINUTE, T + 5 * MINUTE)
    assert not judge([attempt(1)], [], MINUTE, late).absent


def test_a_record_of_that_person_under_another_sender_leaves_doubt() -> None:
    found = judge([attempt(1)], [Record(1, "Care-2", T)], MINUTE, DAY)
    assert not found.absent


@given(
    st.lists(st.sampled_from(["unknown", "submitted"]), min_size=1, max_size=4),
    st.lists(st.booleans(), min_size=4, max_size=4),
    st.permutations(range(4)),
)
def test_what_is_settled_is_true_whatever_was_lost(
    fates: list[str], arrived: list[bool], order: list[int]
) -> None:
    """The world: attempts that arrived or not, complete records without ids in any order."""
    attempts = [attempt(n, fate) for n, fate in enumerate(fates)]
    there = [n for n, fate in enumerate(fates) if fate == "submitted" or arrived[n]]
    rows = [n for n in order if n in there]
    found = judge(attempts, [Record(n, "Care", T) for n in rows], MINUTE, DAY)
    assert {one.attempt.key[1] for one in found.accepted} <= set(there)
    assert not {one.key[1] for one in found.absent} & set(there)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_order_of_records_changes_nothing(order: tuple[int, ...]) -> None:
    attempts = [attempt(1, "submitted", smsc_id="a"), attempt(2), attempt(3, minutes=60)]
    records = [
        Record(1, "Care", T, "a"),
        Record(2, "Care", T, "b"),
        Record(3, "Care", T + 60 * MINUTE, "c"),
    ]
    found = judge(attempts, [records[n] for n in order], MINUTE)
    assert {(one.attempt.key[1], one.smsc_id) for one in found.accepted} == {(2, "b"), (3, "c")}


def test_statuses_are_read_as_receipts_write_them() -> None:
    assert [
        state_of(word) for word in ("DELIVRD", "Delivered", "2", "UNDELIV", "5", "ACCEPTD")
    ] == [
        "delivered",
        "delivered",
        "delivered",
        "undeliverable",
        "undeliverable",
        "",
    ]


def test_times_are_read_in_the_zone_of_the_file() -> None:
    tashkent = ZoneInfo("Asia/Tashkent")
    wanted = datetime(2026, 11, 20, 4, 5, 6, tzinfo=UTC)
    assert read_time("2026-11-20 09:05:06", "iso", tashkent) == wanted
    assert read_time("2026-11-20T04:05:06Z", "iso", tashkent) == wanted
    assert read_time(f"{wanted.timestamp():.6f}", "unix", tashkent) == wanted
    assert read_time("20.11.2026 09:05:06", "dmy", tashkent) == wanted
    assert read_time("20261120090506", "compact", tashkent) == wanted
    assert read_time("yesterday", "iso", tashkent) is None


def test_a_form_is_guessed_only_when_no_other_fits() -> None:
    assert guess_form(["1795165506.25"]) == "unix"
    assert guess_form(["20/11/2026 09:05:06"]) == "dmy"
    assert guess_form(["nonsense"]) == ""
