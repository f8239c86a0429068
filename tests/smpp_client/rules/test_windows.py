"""When sending is allowed, over midnight and over clock changes."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp_client.rules.pace import Daily, OpenTime, PlanRefused, open_time

ZONES = (
    "America/New_York",
    "Asia/Tashkent",
    "Europe/London",
    "Australia/Lord_Howe",
    "Pacific/Apia",
)


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def spans(open_: OpenTime, zone: str = "UTC") -> list[tuple[str, str]]:
    def shown(seconds: float) -> str:
        return datetime.fromtimestamp(seconds, ZoneInfo(zone)).strftime("%d %H:%M")

    return [(shown(a), shown(b)) for a, b in zip(open_.starts, open_.stops, strict=True)]


def test_a_span_without_a_daily_window_is_open_throughout() -> None:
    open_ = open_time(at("2026-11-20 10:00"), at("2026-11-20 12:00"))
    assert open_.seconds == 7200
    assert open_.until(at("2026-11-20 10:30")) == 1800
    assert open_.until(at("2026-11-20 09:00")) == 0
    assert open_.until(at("2026-11-20 13:00")) == 7200


def test_a_daily_window_opens_each_day_in_local_time() -> None:
    daily = Daily(time(9), time(18), "Asia/Tashkent")
    open_ = open_time(
        at("2026-11-20 12:00", "Asia/Tashkent"), at("2026-11-22 10:30", "Asia/Tashkent"), daily
    )
    assert spans(open_, "Asia/Tashkent") == [
        ("20 12:00", "20 18:00"),
        ("21 09:00", "21 18:00"),
        ("22 09:00", "22 10:30"),
    ]


def test_a_window_over_midnight_began_the_day_before() -> None:
    daily = Daily(time(22), time(6), "Europe/London")
    open_ = open_time(
        at("2026-11-20 03:00", "Europe/London"), at("2026-11-20 23:00", "Europe/London"), daily
    )
    assert spans(open_) == [("20 03:00", "20 06:00"), ("20 22:00", "20 23:00")]


def test_the_end_of_a_window_is_outside_it() -> None:
    open_ = open_time(at("2026-11-20 10:00"), at("2026-11-20 12:00"))
    assert open_.contains(at("2026-11-20 10:00"))
    assert not open_.contains(at("2026-11-20 12:00"))


def test_an_opening_that_the_clocks_skip_is_the_moment_of_the_change() -> None:
    daily = Daily(time(2, 30), time(4), "America/New_York")
    open_ = open_time(at("2026-03-08 00:00"), at("2026-03-09 00:00"), daily)
    assert spans(open_, "America/New_York") == [("08 03:00", "08 04:00")]


def test_a_closing_that_the_clocks_skip_is_the_moment_of_the_change() -> None:
    daily = Daily(time(1), time(2, 30), "America/New_York")
    open_ = open_time(at("2026-03-08 00:00"), at("2026-03-09 00:00"), daily)
    assert open_.seconds == 3600


def test_an_hour_that_happens_twice_opens_late_and_closes_early() -> None:
    daily = Daily(time(1, 30), time(9), "America/New_York")
    open_ = open_time(at("2026-11-01 00:00"), at("2026-11-02 00:00"), daily)
    assert open_.seconds == 7.5 * 3600
    closing = Daily(time(0), time(1, 30), "America/New_York")
    open_ = open_time(
        at("2026-11-01 00:00", "America/New_York"),
        at("2026-11-01 12:00", "America/New_York"),
        closing,
    )
    assert open_.seconds == 1.5 * 3600


def test_a_window_over_a_clock_change_has_the_hours_that_really_pass() -> None:
    daily = Daily(time(0), time(12), "America/New_York")
    spring = open_time(at("2026-03-08 04:00"), at("2026-03-09 00:00"), daily)
    autumn = open_time(at("2026-11-01 04:00"), at("2026-11-02 00:00"), daily)
    assert (spring.seconds, autumn.seconds) == (11 * 3600, 13 * 3600)


@pytest.mark.parametrize(
    ("start", "end", "sentence"),
    [
        ("2026-11-20 10:00", "2026-11-20 10:00", "not after the start"),
        ("2026-11-20 10:00", "2028-11-20 10:00", "at most 366 days"),
        ("2026-11-20 19:00", "2026-11-20 20:00", "never opens"),
    ],
)
def test_a_span_that_cannot_be_kept_is_refused(start: str, end: str, sentence: str) -> None:
    with pytest.raises(PlanRefused, match=sentence):
        open_time(at(start), at(end), Daily(time(9), time(18), "UTC"))


def test_a_window_without_length_and_an_unknown_zone_are_refused() -> None:
    with pytest.raises(PlanRefused, match="at the same time"):
        Daily(time(9), time(9), "UTC")
    with pytest.raises(PlanRefused, match="no time zone"):
        Daily(time(9), time(18), "Mars/Olympus")


starts = st.integers(1_767_225_600, 1_830_297_599).map(
    lambda seconds: datetime.fromtimestamp(seconds, UTC)
)
clock_times = st.integers(0, 24 * 60 - 1).map(lambda minute: time(minute // 60, minute % 60))


@given(
    starts, st.integers(1, 20), clock_times, clock_times, st.sampled_from(ZONES), st.floats(0, 1)
)
def test_open_instants_have_a_local_time_inside_the_window(
    start: datetime, days: int, opens: time, closes: time, zone: str, share: float
) -> None:
    try:
        open_ = open_time(start, start + timedelta(days=days), Daily(opens, closes, zone))
    except PlanRefused:
        return
    moment = open_.instant(share * open_.seconds * 0.999)
    local = moment.astimezone(ZoneInfo(zone)).time()
    is_inside = opens <= local < closes if opens < closes else local >= opens or local < closes
    assert is_inside
    assert open_.contains(moment)


@given(starts, st.integers(1, 20), clock_times, clock_times, st.sampled_from(ZONES))
def test_open_time_is_in_order_and_adds_up(
    start: datetime, days: int, opens: time, closes: time, zone: str
) -> None:
    end = start + timedelta(days=days)
    try:
        open_ = open_time(start, end, Daily(opens, closes, zone))
    except PlanRefused:
        return
    edges = [edge for span in zip(open_.starts, open_.stops, strict=True) for edge in span]
    assert edges == sorted(edges)
    assert start <= open_.starts_at < open_.ends_at <= end
    lengths = [b - a for a, b in zip(open_.starts, open_.stops, strict=True)]
    assert open_.seconds == pytest.approx(sum(lengths))
    assert open_.until(end) == pytest.approx(open_.seconds)


@given(starts, st.floats(0, 1))
def test_an_instant_and_its_open_time_belong_together(start: datetime, share: float) -> None:
    open_ = open_time(start, start + timedelta(days=9), Daily(time(9), time(18), "Europe/London"))
    seconds = share * open_.seconds
    assert open_.until(open_.instant(seconds)) == pytest.approx(seconds, abs=1e-3)


def test_the_edge_between_two_windows_is_an_end_or_a_start() -> None:
    daily = Daily(time(9), time(18), "UTC")
    open_ = open_time(at("2026-11-20 00:00"), at("2026-11-22 00:00"), daily)
    assert open_.instant(9 * 3600, is_end=True) == at("2026-11-20 18:00")
    assert open_.instant(9 * 3600) == at("2026-11-21 09:00")
