"""Building: positions, segment counts, the freeze; what stops it, and what goes on after a kill."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone

from campaigns.actions import building, drafts
from campaigns.actions.moves import WrongState
from campaigns.actions.review import Blocked
from campaigns.actions.running import audience_digest, cancel
from campaigns.models import Campaign, ListState, Message, Mode, Progress, Recipient, RecipientList
from campaigns.queries.blockers import content_blockers
from campaigns.rules.campaign_states import State
from smpp_client.models import Route
from tests import make
from tests.workspaces.log import entries
from workspaces.queries.me import Me


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of three rows, so that a list of seven takes three."""
    monkeypatch.setattr(building, "CHUNK", 3)


def start(campaign: Campaign, by: Me) -> Campaign:
    """Begin building."""
    return building.start_build(number=campaign.number, by=by, now=timezone.now())


def chunk(campaign: Campaign) -> building.Built:
    """Build one chunk."""
    return building.build_chunk(campaign.pk, timezone.now())


def finish(campaign: Campaign) -> Campaign:
    """Build the rest."""
    while not chunk(campaign).is_done:
        pass
    campaign.refresh_from_db()
    return campaign


def positions(campaign: Campaign) -> list[int]:
    """Return the positions of the audience in order."""
    rows = Message.objects.filter(campaign=campaign).order_by("position")
    return list(rows.values_list("position", flat=True))


def codes(campaign: Campaign) -> list[str]:
    """Return what keeps a campaign from being built."""
    return [blocker.code for blocker in content_blockers(campaign, timezone.now())]


def listed(author: Me, values: list[dict[str, str]], **more: Any) -> int:
    """Make a list and return its id."""
    return make.recipient_list(author.here, author.user, values, **more).pk


def test_every_recipient_gets_one_position_from_zero(author: Me, route: Route) -> None:
    campaign = make.ready(author, route, rows=17)
    assert positions(campaign) == list(range(17))
    recipients = Message.objects.filter(campaign=campaign).values_list("recipient_id", flat=True)
    assert len(set(recipients)) == 17


def test_segments_are_counted_by_the_encoder_for_each_row(author: Me, route: Route) -> None:
    rows = [{"name": "Ann"}, {"name": "x" * 155}, {"name": "Ольга"}]
    campaign = make.ready(author, route, recipient_list_id=listed(author, rows))
    assert campaign.segment_total == 1 + 2 + 1
    assert campaign.segment_histogram == {"1": 2, "2": 1}


def test_an_empty_text_for_somebody_still_is_one_segment(author: Me, route: Route) -> None:
    pk = listed(author, [{"name": ""}])
    assert make.ready(author, route, text="{{name}}", recipient_list_id=pk).segment_total == 1


def test_chunks_go_on_where_the_last_one_stopped(
    author: Me, route: Route, small_chunks: None
) -> None:
    campaign = start(make.draft(author, route, rows=7), author)
    assert [chunk(campaign) for _ in range(3)] == [
        building.Built(3, is_done=False),
        building.Built(3, is_done=False),
        building.Built(1, is_done=True),
    ]
    assert positions(campaign) == list(range(7))


def test_a_list_of_whole_chunks_is_frozen_too(author: Me, route: Route, small_chunks: None) -> None:
    campaign = finish(start(make.draft(author, route, rows=6), author))
    assert (campaign.state, campaign.total) == (State.READY, 6)


def test_a_chunk_after_the_last_changes_nothing(author: Me, route: Route) -> None:
    campaign = make.ready(author, route)
    assert chunk(campaign) == building.Built(0, is_done=True)
    assert positions(campaign) == list(range(5))


def test_the_freeze_hashes_the_rows_as_they_are(author: Me, route: Route) -> None:
    campaign = make.ready(author, route)
    assert bytes(campaign.audience_digest or b"") == audience_digest(campaign.pk)


def test_after_the_freeze_everything_is_queued(author: Me, route: Route) -> None:
    campaign = make.ready(author, route, rows=4)
    progress = Progress.objects.get(campaign=campaign)
    assert (progress.total, progress.queued, progress.cursor) == (4, 4, 0)


def test_freezing_is_recorded_as_the_machines_own_act(author: Me, route: Route) -> None:
    make.ready(author, route)
    last = entries(author.here)[-1]
    assert (last["op"], last["act"]["kind"], last["why"]) == (
        "campaign.freeze",
        "system",
        "5 messages",
    )


def test_a_spread_takes_its_catch_up_limit_as_ceiling(author: Me, route: Route) -> None:
    campaign = make.ready(author, route, rows=10, mode=Mode.SPREAD, **make.window(hours=1))
    assert campaign.rate_ceiling is not None
    assert float(campaign.rate_ceiling) == pytest.approx(1.25 * 10 / 3600, abs=0.001)


def test_building_takes_the_senders_approved_revision(author: Me, route: Route) -> None:
    campaign = make.ready(author, route)
    assert campaign.sender is not None
    assert campaign.sender_revision_id == campaign.sender.approved_revision_id is not None


def test_building_again_takes_the_first_audience_away(author: Me, route: Route) -> None:
    campaign = make.ready(author, route, rows=4)
    pk = listed(author, [{"name": "only"}])
    drafts.edit_draft(
        number=campaign.number,
        by=author,
        fields={"recipient_list_id": pk},
        version=campaign.version,
        now=timezone.now(),
    )
    again = finish(start(campaign, author))
    assert (again.total, positions(again)) == (1, [0])
    assert Progress.objects.get(campaign=campaign).total == 1


def test_a_ready_campaign_can_be_built_again_as_it_is(author: Me, route: Route) -> None:
    campaign = make.ready(author, route, rows=4)
    assert finish(start(campaign, author)).state == State.READY


def test_a_frozen_audience_cannot_be_changed_by_anybody(author: Me, route: Route) -> None:
    campaign = make.ready(author, route)
    for statement, words in (
        ("DELETE FROM message WHERE campaign_id = %s", "permission denied"),
        ("UPDATE message SET position = 9 WHERE campaign_id = %s", "permission denied"),
        ("SELECT discard_audience(%s)", "not being built"),
    ):
        with (
            pytest.raises(ProgrammingError, match=words),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement, [campaign.pk])


def test_a_campaign_in_review_is_not_built(author: Me, route: Route) -> None:
    with pytest.raises(WrongState):
        start(make.in_review(author, route), author)


def test_a_build_can_be_stopped_and_begun_again(
    author: Me, route: Route, small_chunks: None
) -> None:
    campaign = start(make.draft(author, route, rows=7), author)
    chunk(campaign)
    building.stop_build(number=campaign.number, by=author, now=timezone.now())
    assert chunk(campaign).is_done
    campaign.refresh_from_db()
    assert campaign.state == State.DRAFT
    assert finish(start(campaign, author)).total == 7


def test_a_campaign_is_cancelled_while_it_is_built(
    author: Me, route: Route, small_chunks: None
) -> None:
    campaign = start(make.draft(author, route, rows=7), author)
    chunk(campaign)
    cancel(number=campaign.number, by=author, why="wrong list", now=timezone.now())
    assert chunk(campaign).is_done
    campaign.refresh_from_db()
    assert campaign.state == State.CANCELLED


def test_a_text_that_nobody_can_be_sent_fails_the_build_with_a_sentence(
    author: Me, route: Route
) -> None:
    pk = listed(author, [{"name": "fine"}, {"name": "x" * 45_000}])
    campaign = finish(start(make.draft(author, route, recipient_list_id=pk), author))
    assert campaign.state == State.FAILED
    assert "255" in campaign.hold_sentence
    assert positions(campaign) == []


def test_a_failed_build_is_mended_and_built(author: Me, route: Route) -> None:
    pk = listed(author, [{"name": "x" * 45_000}])
    campaign = finish(start(make.draft(author, route, recipient_list_id=pk), author))
    campaign = drafts.edit_draft(
        number=campaign.number,
        by=author,
        fields={"text": "Hello"},
        version=campaign.version,
        now=timezone.now(),
    )
    assert (campaign.state, campaign.hold_sentence) == (State.DRAFT, "")
    assert finish(start(campaign, author)).state == State.READY


@pytest.mark.parametrize("valid_count", [3, 8])
def test_a_list_that_has_not_as_many_rows_as_it_says_is_never_frozen(
    author: Me, route: Route, valid_count: int
) -> None:
    campaign = start(make.draft(author, route, rows=5), author)
    RecipientList.objects.filter(pk=campaign.recipient_list_id or 0).update(valid_count=valid_count)
    assert finish(campaign).state == State.FAILED
    assert "Import it again" in campaign.hold_sentence


def test_the_audience_is_a_fair_shuffle_of_the_list(author: Me, route: Route) -> None:
    campaign = make.ready(author, route, rows=400)
    first = Message.objects.filter(campaign=campaign, position__lt=100)
    row_numbers = Recipient.objects.filter(
        pk__in=first.values_list("recipient_id", flat=True)
    ).values_list("row_number", flat=True)
    assert 120 < sum(row_numbers) / 100 < 280


def test_builds_under_way_are_found_by_the_sweep(author: Me, route: Route) -> None:
    campaign = start(make.draft(author, route), author)
    assert building.builds_under_way() == [campaign.pk]
    finish(campaign)
    assert building.builds_under_way() == []


def test_a_trigger_is_ready_at_once_and_has_nobody_yet(author: Me, route: Route) -> None:
    campaign = start(make.draft(author, route, **trigger()), author)
    assert (campaign.state, campaign.total) == (State.READY, 0)


def trigger(**fields: Any) -> dict[str, Any]:
    """Return the fields of a trigger that lacks nothing."""
    return {
        "mode": Mode.TRIGGER,
        "text": "Your code is {{code}}",
        "slots": [{"name": "code", "type": "code", "max_length": 8}],
        "daily_cap": 1_000,
        "ends_at": timezone.now() + timedelta(days=30),
        **fields,
    }


LATER = datetime(2036, 1, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"name": " "}, "name_missing"),
        ({"sender_id": None}, "sender_missing"),
        ({"text": ""}, "text_missing"),
        ({"text": "Hello {{surname}}"}, "unknown_placeholder"),
        ({"text": "x" * 50_000}, "text_refused"),
        ({"recipient_list_id": None, "text": "Hello"}, "list_missing"),
        ({"route_id": None}, "route_missing"),
        ({"mode": Mode.SCHEDULED}, "start_missing"),
        ({"mode": Mode.SCHEDULED, "starts_at": datetime(2020, 1, 1, tzinfo=UTC)}, "start_past"),
        ({"mode": Mode.SPREAD, "starts_at": LATER}, "end_missing"),
        ({"ends_at": datetime(2020, 1, 1, tzinfo=UTC)}, "window_past"),
        (
            {
                "mode": Mode.SPREAD,
                "starts_at": LATER,
                "ends_at": LATER + timedelta(hours=1),
                "daily_from": time(20),
                "daily_until": time(21),
            },
            "plan_refused",
        ),
        (trigger(daily_cap=None), "cap_missing"),
        (trigger(ends_at=None), "end_missing"),
        (trigger(ends_at=timezone.now() + timedelta(days=400)), "end_too_late"),
        (trigger(slots=[]), "unknown_placeholder"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_missing_is_named_and_nothing_is_built(
    author: Me, route: Route, fields: dict[str, Any], code: str
) -> None:
    campaign = make.draft(author, route, **fields)
    assert codes(campaign) == [code]
    with pytest.raises(Blocked):
        start(campaign, author)


def test_a_draft_that_lacks_nothing_has_no_blocker(author: Me, route: Route) -> None:
    assert codes(make.draft(author, route)) == []
    assert codes(make.draft(author, route, **trigger())) == []


def test_a_route_that_was_taken_away_is_a_blocker(author: Me, route: Route) -> None:
    campaign = make.draft(author, route)
    route.grants.all().delete()
    assert codes(campaign) == ["route_not_granted"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"is_archived": True}, "list_archived"),
        ({"state": ListState.IMPORTING}, "list_not_ready"),
        ({"valid_count": 0}, "list_empty"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_list_that_nobody_can_be_written_to_from_is_a_blocker(
    author: Me, route: Route, fields: dict[str, Any], code: str
) -> None:
    campaign = make.draft(author, route)
    RecipientList.objects.filter(pk=campaign.recipient_list_id or 0).update(**fields)
    assert codes(campaign) == [code]
    with pytest.raises(Blocked):
        start(campaign, author)
