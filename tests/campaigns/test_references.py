"""What a phone puts the parts of a long message together by."""

from hypothesis import given
from hypothesis import strategies as st

from campaigns.rules.references import joining_reference

NUMBER = "447700900123"
ids = st.integers(1, 2**40)
steps = st.integers(1, 255)


def in_header(campaign: int, position: int, *, is_pushed: bool) -> int:
    return joining_reference(campaign, position, NUMBER, is_pushed=is_pushed) % 256


@given(ids, steps, ids, ids)
def test_two_campaigns_near_each_other_differ_for_one_person_wherever_he_stands_in_them(
    campaign: int, step: int, place: int, other_place: int
) -> None:
    first = in_header(campaign, place, is_pushed=False)
    assert first != in_header(campaign + step, other_place, is_pushed=False)


@given(ids, ids, steps)
def test_two_pushed_messages_near_each_other_differ(campaign: int, place: int, step: int) -> None:
    first = in_header(campaign, place, is_pushed=True)
    assert first != in_header(campaign, place + step, is_pushed=True)


def test_a_message_has_the_same_at_every_attempt() -> None:
    assert joining_reference(7, 3, NUMBER, is_pushed=True) == joining_reference(
        7, 3, NUMBER, is_pushed=True
    )
    assert 0 <= joining_reference(2**50, 2**50, NUMBER, is_pushed=True) <= 0xFFFF
