"""The wizard's arithmetic: local times, durations, two figures that make the third, letters."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.rules.calculator import Sum, Unknown, after_change, plan_of_sum, solved
from campaigns.rules.composition import (
    excess,
    letters_of,
    marked,
    measure,
    parts_of,
    plainer,
)
from campaigns.rules.local_times import (
    TimeRefused,
    read_duration,
    to_utc,
    whole_minute,
    write_duration,
)
from campaigns.rules.text import compile_text
from smpp_client.rules.gsm import is_gsm
from smpp_client.rules.pace import Daily, PlanRefused
from smpp_client.rules.segments import Encoding, TextRefused, count

TURNED = "\u02bb"
START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def test_a_local_time_becomes_an_instant() -> None:
    at = to_utc(date(2026, 11, 20), time(10, 0), "Asia/Tashkent")
    assert at == datetime(2026, 11, 20, 5, 0, tzinfo=UTC)


def test_a_time_that_the_clocks_leave_out_is_refused_with_a_sentence() -> None:
    with pytest.raises(TimeRefused, match=r"29 Mar 2026 .* 02:30 does not happen"):
        to_utc(date(2026, 3, 29), time(2, 30), "Europe/Berlin")


@pytest.mark.parametrize(("at", "hour"), [(time(1, 59), 0), (time(3, 0), 1)])
def test_the_minutes_around_the_change_are_fine(at: time, hour: int) -> None:
    assert to_utc(date(2026, 3, 29), at, "Europe/Berlin").hour == hour


def test_a_time_that_happens_twice_is_its_first() -> None:
    at = to_utc(date(2026, 10, 25), time(2, 30), "Europe/Berlin")
    assert at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("2:30", 150),
        ("2 h 30 min", 150),
        ("2h30m", 150),
        ("150 min", 150),
        ("1 d", 1440),
        ("1 day 2 hours", 1560),
        ("1,5 h", 90),
        ("1.5h", 90),
    ],
)
def test_durations_are_read_as_people_write_them(text: str, minutes: int) -> None:
    assert read_duration(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize("text", ["two hours", "2", "2:75", "0 h", "2 h or so", "h", "-1 h"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(TimeRefused):
        read_duration(text)


@given(st.integers(1, 60 * 24 * 400))
def test_a_written_duration_reads_back(minutes: int) -> None:
    duration = timedelta(minutes=minutes)
    assert read_duration(write_duration(duration)) == duration


@pytest.mark.parametrize(("is_up", "minute"), [(True, 1), (False, 0)])
def test_whole_minutes(is_up: bool, minute: int) -> None:
    assert whole_minute(START.replace(second=1), is_up=is_up).minute == minute
    assert whole_minute(START, is_up=is_up) == START


# --- the calculator


def known(**fields: object) -> Sum:
    """Return 7,200 segments from START."""
    return Sum(7_200, **{"starts_at": START, **fields})  # type: ignore[arg-type]


def test_start_and_finish_make_the_rate() -> None:
    found = solved(known(ends_at=START + timedelta(hours=2)))
    assert found.rate == pytest.approx(1.0, rel=0.001)
    assert found.duration == timedelta(hours=2)


def test_start_and_rate_make_the_finish_to_the_minute() -> None:
    found = solved(known(rate=1.0, unknown=Unknown.END))
    assert found.ends_at is not None
    assert found.ends_at.second == 0
    late = (found.ends_at - START - timedelta(hours=2)).total_seconds()
    assert 0 <= late <= 60


def test_finish_and_rate_make_the_latest_start() -> None:
    end = START + timedelta(hours=2)
    found = solved(Sum(7_200, ends_at=end, rate=1.0, unknown=Unknown.START))
    assert found.starts_at is not None
    assert timedelta(hours=2) <= end - found.starts_at <= timedelta(hours=2, minutes=1)


def test_a_daily_window_is_counted_out() -> None:
    daily = Daily(time(10), time(11), "UTC")
    found = solved(known(ends_at=START + timedelta(days=1, hours=1), daily=daily))
    assert found.rate == pytest.approx(1.0, rel=0.001)


@pytest.mark.parametrize("unknown", list(Unknown))
def test_with_one_figure_missing_nothing_is_invented(unknown: Unknown) -> None:
    found = solved(Sum(7_200, starts_at=START, unknown=unknown))
    assert (found.ends_at, found.rate) == (None, None)
    assert plan_of_sum(found) is None


def test_without_segments_there_is_no_rate() -> None:
    assert solved(Sum(0, starts_at=START, ends_at=START + timedelta(hours=1))).rate is None


def test_a_finish_before_the_start_is_refused() -> None:
    with pytest.raises(PlanRefused, match="not after"):
        solved(known(ends_at=START - timedelta(hours=1)))


@pytest.mark.parametrize(
    ("before", "changed", "after"),
    [
        (Unknown.RATE, "rate", Unknown.END),
        (Unknown.END, "end", Unknown.RATE),
        (Unknown.START, "start", Unknown.RATE),
        (Unknown.RATE, "end", Unknown.RATE),
        (Unknown.END, "rate", Unknown.END),
        (Unknown.RATE, "route", Unknown.RATE),
    ],
)
def test_what_somebody_types_is_not_worked_out_any_more(
    before: Unknown, changed: str, after: Unknown
) -> None:
    assert after_change(known(unknown=before), changed).unknown is after


def test_a_typed_duration_moves_the_finish() -> None:
    typed = known(ends_at=START + timedelta(hours=2), duration=timedelta(hours=4))
    found = solved(after_change(typed, "duration"))
    assert found.ends_at == START + timedelta(hours=4)
    assert found.rate == pytest.approx(0.5, rel=0.001)


@given(total=st.integers(1, 5_000_000), minutes=st.integers(1, 60 * 24 * 30))
def test_the_rate_of_a_window_fills_that_window_again(total: int, minutes: int) -> None:
    end = START + timedelta(minutes=minutes)
    rate = solved(Sum(total, starts_at=START, ends_at=end)).rate
    back = solved(Sum(total, starts_at=START, rate=rate, unknown=Unknown.END)).ends_at
    assert back is not None
    assert abs((back - end).total_seconds()) <= 61


# --- letters and parts


def test_a_letter_outside_gsm_is_named_with_what_could_stand_there() -> None:
    (letter,) = letters_of(f"35 000 so{TURNED}m, so{TURNED}zini")
    assert (letter.name, letter.count) == ("modifier letter turned comma", 2)
    assert letter.suggestion == "'"
    assert [(word.before, word.after) for word in letter.words] == [("so", "m,"), ("so", "zini")]


def test_letters_of_placeholders_are_not_the_texts() -> None:
    assert letters_of("Hello {{name}}") == []


def test_a_letter_nobody_sees_says_so() -> None:
    (letter,) = letters_of("20\u00a0GB")
    assert not letter.is_visible
    assert (letter.name, letter.suggestion) == ("no-break space", " ")


def test_a_letter_without_a_counterpart_has_no_suggestion() -> None:
    (letter,) = letters_of("Привет"[:1])
    assert letter.suggestion is None


def test_the_replacement_leaves_placeholders_and_other_letters_alone() -> None:
    text = f"“{{{{name}}}}” so{TURNED}m Ж {{{{ name }}}}"
    assert plainer(text) == '"{{name}}" so\'m Ж {{ name }}'


@given(st.text(max_size=80))
def test_replacing_twice_changes_nothing_more(text: str) -> None:
    assert plainer(plainer(text)) == plainer(text)


@given(st.text(max_size=120))
def test_marks_are_the_text_again(text: str) -> None:
    template = compile_text(text)
    literals = "".join(words for kind, words in marked(text) if kind != "name")
    assert literals == "".join(template.literals)
    assert all(not is_gsm(words) for kind, words in marked(text) if kind == "foreign")


def test_rows_are_counted_one_by_one() -> None:
    rows = [{"name": "Ann"}, {"name": "x" * 150}, {"name": "Ольга"}, {"name": "Bob"}]
    found = measure(compile_text("Hello {{name}}, hello"), rows)
    assert found.parts == {1: 3, 2: 1}
    assert found.encodings == {Encoding.GSM: 3, Encoding.UCS2: 1}
    assert (found.longest, found.rarest) == (1, 2)
    assert found.mean_parts == pytest.approx(1.25)


def test_a_text_without_placeholders_is_counted_once_for_all() -> None:
    assert measure(compile_text("x" * 161), [{}, {}, {}]).parts == {2: 3}


def test_where_all_are_alike_nobody_is_rare() -> None:
    assert measure(compile_text("Hi"), [{}, {}]).rarest is None


@pytest.mark.parametrize(
    ("text", "over"),
    [("x" * 160, 0), ("x" * 161, 1), ("x" * 306, 146), ("x" * 307, 1), ("Ж" * 71, 1)],
)
def test_how_many_characters_fewer_make_one_part_less(text: str, over: int) -> None:
    assert excess(count(text)) == over
    if over:
        assert count(text[:-over]).segments == count(text).segments - 1


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=500))
def test_the_parts_on_the_phone_are_the_text(text: str) -> None:
    parts = parts_of(text)
    assert "".join(parts) == text
    assert len(parts) == count(text).segments


def test_a_text_of_too_many_parts_cannot_be_measured() -> None:
    with pytest.raises(TextRefused):
        measure(compile_text("{{x}}"), [{"x": "y" * 50_000}])
