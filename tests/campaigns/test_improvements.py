"""What may improve what: the table in Python, and the same in the database."""

from itertools import permutations

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from campaigns.rules.improvements import RANKS, accepted_state, climbs, may_settle, rank
from campaigns.rules.references import segment_reference

WORDS = [*RANKS, "enroute", "accepted", "scheduled", "unknown", "nonsense"]


def last(words: list[str]) -> str:
    """Return the receipt state after these receipts, in this order."""
    state = ""
    for word in words:
        state = word if climbs(state, word) else state
    return state


@given(st.lists(st.sampled_from(WORDS)))
def test_the_order_of_receipts_does_not_change_how_much_is_known(words: list[str]) -> None:
    assert rank(last(words)) == max(map(rank, words), default=0)


@pytest.mark.parametrize("order", list(permutations(["delivered", "expired", "enroute", "none"])))
def test_delivered_beats_everything_in_every_order(order: tuple[str, ...]) -> None:
    assert last([*order]) == "delivered"


def test_a_late_interim_state_never_goes_back() -> None:
    assert not climbs("undeliverable", "enroute")
    assert not climbs("none", "accepted")


def test_of_two_ways_to_fail_the_first_stays() -> None:
    assert last(["expired", "rejected"]) == "expired"


def test_only_an_unknown_attempt_is_settled_by_an_answer() -> None:
    assert may_settle("unknown", "submitted")
    assert not may_settle("unknown", "unknown")
    assert not may_settle("refused", "submitted")


@pytest.mark.django_db
def test_the_database_holds_the_same_table() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT w, receipt_rank(w), accepted_state(w) FROM unnest(%s::text[]) AS w", [WORDS]
        )
        assert cursor.fetchall() == [(word, rank(word), accepted_state(word)) for word in WORDS]


@pytest.mark.django_db
def test_the_database_computes_the_same_references() -> None:
    wanted = [(1, 0, 1), (7, 65_534, 255), (99_999_999, 9_999_999_999, 3), (12, 5, 2)]
    with connection.cursor() as cursor:
        for one in wanted:
            cursor.execute("SELECT segment_reference(%s, %s, %s)", one)
            assert cursor.fetchone() == (segment_reference(*one),)


@given(st.integers(1, 2**40), st.integers(0, 2**40), st.integers(1, 255), st.integers(1, 255))
def test_a_reference_is_two_octets_and_tells_parts_apart(
    campaign: int, position: int, part: int, other: int
) -> None:
    reference = segment_reference(campaign, position, part)
    assert 1 <= reference <= 65_535
    assert (reference == segment_reference(campaign, position, other)) is (part == other)
