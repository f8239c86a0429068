"""A partner that refuses nearly everything gets single segments, and more when one passes."""

from smpp_client.rules.pace import FLOWING, Standstill


def after(begun: Standstill, answers: str, at: float, *, shortest: float = 10.0) -> Standstill:
    """Let segments written at `at` be answered at once: `.` passed, `x` refused."""
    for answer in answers:
        begun = begun.answered(at, written_at=at, shortest=shortest if answer == "x" else 0.0)
    return begun


def test_some_refusals_among_many_answers_stop_nothing() -> None:
    assert not after(FLOWING, "x..xx...xxx...x..." * 50, 0).is_on


def test_a_row_of_refusals_stops_all_but_one_segment_after_each_pause() -> None:
    stopped = after(FLOWING, "x" * 11, 100)
    assert stopped.is_on
    assert stopped.room(0, 105) == 0
    assert stopped.room(0, 110) == 1
    assert stopped.room(1, 110) == 0


def test_answers_to_what_was_written_before_the_pause_change_nothing() -> None:
    stopped = after(FLOWING, "x" * 11, 100)
    late = stopped
    for shortest in (10.0, 0.0) * 20:
        late = late.answered(104, written_at=99.9, shortest=shortest)
    assert late == stopped


def test_each_pause_is_twice_the_last_up_to_a_minute() -> None:
    stopped, at, pauses = after(FLOWING, "x" * 11, 0), 0.0, []
    for _probe in range(5):
        pauses.append(stopped.until - at)
        at = stopped.until
        stopped = after(stopped, "x", at)
    assert pauses == [10, 20, 40, 60, 60]


def test_one_that_passes_lets_all_go_again_and_many_make_the_next_pause_short() -> None:
    stopped = after(FLOWING, "x" * 11, 0)
    flowing = after(stopped, ".", stopped.until)
    assert flowing.room(50, stopped.until) == float("inf")
    again = after(flowing, "x" * 7, 20)
    assert again.is_on
    assert again.until - 20 == 20
    assert after(flowing, "." * 40, 20) == FLOWING
