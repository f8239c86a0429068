"""The chart of a campaign, its table, and the pace that the forecast is made of."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns.models import Campaign, Progress, RateSample
from campaigns.queries.happenings import Happening
from campaigns.queries.live_chart import POINTS, TABLE_ROWS, Chart, chart_of, in_words, table_of
from campaigns.queries.live_drawing import as_json
from campaigns.queries.pace import Pace, about, pace_of
from campaigns.rules.campaign_states import State
from tests.campaigns.looking import Team, client_of, path, seen_by, team
from workspaces.scope import scope

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def care(db: None) -> Iterator[Team]:
    made = team(zone="UTC")
    with scope(made.place):
        yield made


def out_since(care: Team, start: datetime = START, **fields: Any) -> Campaign:
    """Make a spread of 7,200 segments over two hours from START; in memory it began then."""
    campaign = care.campaign(rows=2, **fields)
    campaign.started_at = start
    campaign.mode, campaign.starts_at, campaign.ends_at = "spread", start, start + 2 * HOUR
    campaign.segment_total = 7_200
    return campaign


def sent(campaign: Campaign, first: datetime, rates: list[int]) -> None:
    """Let so many segments have been claimed in each second from `first` on."""
    second = int(first.timestamp())
    RateSample.objects.bulk_create(
        RateSample(
            workspace=campaign.workspace, campaign=campaign, second=second + index, claimed=rate
        )
        for index, rate in enumerate(rates)
    )
    Progress.objects.filter(campaign=campaign).update(claimed_segments=sum(rates))


def looked_at(campaign: Campaign, now: datetime) -> tuple[Chart, Pace]:
    pace = pace_of(campaign, Progress.objects.get(campaign=campaign), now)
    chart = chart_of(campaign, pace, [], now)
    assert chart is not None
    return chart, pace


# The chart


def test_before_the_start_there_is_no_chart(care: Team) -> None:
    campaign = care.campaign("approved")
    assert chart_of(campaign, Pace(), [], START) is None


def test_seconds_become_at_most_three_hundred_points_of_a_round_width(care: Team) -> None:
    campaign = out_since(care)
    sent(campaign, START, [1] * 600)
    chart, _pace = looked_at(campaign, START + timedelta(minutes=10))
    assert chart.width == 30
    assert len(chart.points) <= POINTS
    told = [point.sent for point in chart.points if point.sent is not None]
    assert told == [1.0] * 20
    assert sum(point.segments for point in chart.points) == 600


def test_a_month_is_three_hundred_points_too(care: Team) -> None:
    campaign = out_since(care)
    campaign.ends_at = START + timedelta(days=31)
    chart, _pace = looked_at(campaign, START + timedelta(days=3))
    assert 100 < len(chart.points) <= POINTS


def test_a_pause_is_zero_and_closed_hours_are_a_gap(care: Team) -> None:
    campaign = out_since(care)
    campaign.daily_from, campaign.daily_until, campaign.zone = time(10), time(11), "UTC"
    campaign.ends_at = START + timedelta(days=1, hours=1)
    chart, _pace = looked_at(campaign, START + 2 * HOUR)
    by_time = {point.at: point.sent for point in chart.points}
    assert by_time[START + HOUR / 2] == 0.0
    assert by_time[START + HOUR + HOUR / 2] is None
    closed = (START + HOUR, START + timedelta(days=1))
    assert [tuple(datetime.fromtimestamp(at, UTC) for at in gap) for gap in chart.closed] == [
        closed
    ]


def test_the_forecast_goes_on_from_now_to_the_end(care: Team) -> None:
    campaign = out_since(care)
    sent(campaign, START, [1] * 3_600)
    chart, pace = looked_at(campaign, START + HOUR)
    forecast = [point for point in chart.points if point.forecast is not None]
    assert abs(forecast[0].at - (START + HOUR)) <= timedelta(seconds=30)
    assert pace.ends_at is not None
    assert forecast[-1].at <= pace.ends_at <= START + 2 * HOUR
    assert forecast[0].forecast == pytest.approx(1, rel=0.02)


def test_a_chart_that_is_over_is_not_asked_for_again(care: Team) -> None:
    campaign = out_since(care)
    sent(campaign, START, [2] * 60)
    campaign.state, campaign.finished_at = "completed", START + timedelta(minutes=1)
    chart, _pace = looked_at(campaign, START + HOUR)
    assert (chart.every, chart.now) == (0, None)
    assert chart.points[-1].at <= campaign.finished_at


def test_a_wide_point_is_asked_for_less_often(care: Team) -> None:
    campaign = out_since(care)
    assert looked_at(campaign, START + timedelta(minutes=1))[0].every == 6
    campaign.ends_at = START + timedelta(days=31)
    assert looked_at(campaign, START + timedelta(minutes=1))[0].every == 60


def test_the_table_has_the_same_numbers_in_fewer_rows(care: Team) -> None:
    campaign = out_since(care)
    sent(campaign, START, [3] * 7_000)
    chart, pace = looked_at(campaign, START + timedelta(seconds=7_000))
    rows = table_of(chart)
    assert len(rows) <= TABLE_ROWS
    assert sum(row.segments for row in rows) == 21_000
    words = in_words(chart, pace, State.SENDING)
    assert words.startswith("Segments per second: 3.0 now, the plan is 1.0, at most 3.0")


def test_marks_that_would_cover_each_other_lose_their_words(care: Team) -> None:
    campaign = out_since(care)
    now = START + HOUR
    pauses = [
        Happening(now - timedelta(seconds=ago), "campaign.pause", "", "", "")
        for ago in (30, 35, 2_000)
    ]
    chart = chart_of(campaign, Pace(), pauses, now)
    assert chart is not None
    marks = [(mark["label"], mark.get("align")) for mark in as_json(chart)["v"]]
    assert marks == [("Paused", None), ("", None), ("Paused", "right"), ("Now", None)]


def test_the_address_answers_json_and_rows_for_the_table(db: None) -> None:
    care = team()
    campaign = care.campaign()
    with scope(care.place):
        sent(campaign, timezone.now() - timedelta(seconds=3), [4, 4, 4])
    answer = json.loads(client_of(care.author).get(path(campaign, "chart/")).content)
    assert [len(row) for row in answer["data"]] == [len(answer["data"][0])] * 4
    assert answer["ymax"] > 0
    rows = seen_by(care.author, path(campaign, "chart/"), **{"HX-Request": "true"})
    assert rows.startswith("<tr>")


def test_before_the_start_the_address_answers_nothing_to_draw(db: None) -> None:
    care = team()
    campaign = care.campaign("approved")
    answer = json.loads(client_of(care.author).get(path(campaign, "chart/")).content)
    assert answer == {"data": [[], [], [], []], "every": 0}


# The pace


def test_a_spread_on_its_plan_ends_as_planned(care: Team) -> None:
    campaign = out_since(care)
    sent(campaign, START, [1] * 3_602)
    _chart, pace = looked_at(campaign, START + HOUR)
    assert pace.is_on_plan
    assert pace.ends_at == pytest.approx(START + 2 * HOUR, abs=timedelta(seconds=5))
    assert pace.rate_now == 1.0
    assert pace.rate_mean == pytest.approx(1, rel=0.01)


def test_what_the_plan_wanted_and_did_not_get_is_behind(care: Team) -> None:
    campaign = out_since(care)
    sent(campaign, START, [1] * 1_800)
    _chart, pace = looked_at(campaign, START + HOUR)
    assert pace.behind == pytest.approx(1_800, abs=5)
    assert not pace.is_on_plan


def test_a_rate_that_is_too_low_for_the_window_says_what_is_left_over(care: Team) -> None:
    campaign = out_since(care)
    sent(campaign, START, [1] * 1_800)
    sent_now = START + HOUR - timedelta(seconds=60)
    RateSample.objects.bulk_create(
        RateSample(
            workspace=care.place, campaign=campaign, second=int(sent_now.timestamp()) + n, claimed=1
        )
        for n in range(0, 60, 2)
    )
    _chart, pace = looked_at(campaign, START + HOUR)
    assert pace.rate_now == 0.5
    assert (pace.ends_at, pace.is_fitting) == (None, False)
    assert pace.left_over == 5_400 - 1_800


def test_a_campaign_at_once_ends_by_the_rate_it_goes_at(care: Team) -> None:
    campaign = out_since(care)
    campaign.mode, campaign.ends_at = "on_demand", None
    sent(campaign, START, [10] * 60)
    _chart, pace = looked_at(campaign, START + timedelta(seconds=60))
    assert pace.rate_plan is None
    assert pace.behind is None
    assert pace.ends_at == START + timedelta(seconds=60 + 660)


def test_a_pause_makes_the_end_unknown(care: Team) -> None:
    campaign = out_since(care)
    campaign.state = "paused"
    _chart, pace = looked_at(campaign, START + HOUR)
    assert (pace.rate_now, pace.ends_at, pace.is_fitting) == (0.0, None, True)


def test_before_the_start_the_end_is_the_plans(care: Team) -> None:
    campaign = out_since(care)
    campaign.state, campaign.started_at = "scheduled", None
    pace = pace_of(campaign, Progress.objects.get(campaign=campaign), START - HOUR)
    assert pace.ends_at == START + 2 * HOUR


@pytest.mark.parametrize(
    ("rate", "words"), [(86.51, "86.5"), (0.0231, "0.023"), (0, "0.0"), (1_234, "1,234.0")]
)
def test_a_slow_rate_keeps_the_digits_that_count(rate: float, words: str) -> None:
    assert about(rate) == words
