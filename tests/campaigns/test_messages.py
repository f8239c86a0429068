"""Messages by state, a page at a time; one with its attempts; its number for a reason."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns.actions import running
from campaigns.models import Campaign, OptOut, Progress, Recipient, Submission
from campaigns.queries import messages as questions
from campaigns.queries.attempts import attempts_of
from campaigns.queries.messages import message_of, page_of_messages
from campaigns.rules.message_states import MessageState
from smpp_client.carrier import Kind
from tests import make
from tests.campaigns.looking import Team, client_of, path, seen_by, team, text
from tests.campaigns.sending.conftest import desk  # noqa: F401 - the fixture
from tests.campaigns.sending.ground import Ground, derived
from tests.workspaces.log import entries
from workspaces.queries.keys import keys
from workspaces.rules.permissions import Role
from workspaces.scope import scope

S = MessageState
LONG = "Hello {{name}}, " + "this text takes two segments. " * 7


@pytest.fixture
def care(db: None) -> Team:
    return team()


def attempt(campaign: Campaign, position: int, kind: str = "submitted", **fields: Any) -> None:
    """Store the outcome of an attempt and let the cursor be behind it."""
    now = timezone.now()
    values: dict[str, Any] = {"status": 0, "cause": "", "smsc_id": "", "receipt_state": ""}
    values |= {"receipt_error": "", "part": 1, "part_count": 1, "batch_id": 1, "connection_id": 1}
    values |= fields
    with scope(campaign.workspace):
        Submission.objects.create(
            batch_on=now.date(),
            workspace_id=campaign.workspace_id,
            campaign=campaign,
            position=position,
            kind=kind,
            happened_at=now,
            **values,
        )
        Progress.objects.filter(campaign=campaign, cursor__lte=position).update(cursor=position + 1)


# By state


def test_every_filter_shows_exactly_the_messages_in_its_state(
    desk: Ground,  # noqa: F811
) -> None:
    campaign = make.sending(desk.author, desk.route, rows=20)
    opt_out(desk, make.number(3))
    segments = desk.claim(room=16)
    kinds = [Kind.UNKNOWN, Kind.REFUSED, Kind.DEFERRED, Kind.RELEASED]
    for segment, kind in zip(segments, kinds, strict=False):
        desk.record([segment], kind, 0x58 if kind is Kind.DEFERRED else 0x0B)
    desk.record(segments[4:10], Kind.SUBMITTED)
    desk.receipts(segments[4:6], "delivered")
    desk.receipts(segments[6:8], "undeliverable")
    wanted = derived(campaign)
    assert set(wanted) >= {"unknown", "refused", "deferred", "queued", "submitted", "delivered"}
    assert wanted["sending"] > 0
    for state in MessageState:
        page = page_of_messages(fresh(campaign), state)
        assert {row.state for row in page.rows} <= {state.value}
        assert len(page.rows) == wanted.get(state.value, 0), state
        assert page.after is None


def fresh(campaign: Campaign) -> Campaign:
    """Return the campaign as a page reads it."""
    return Campaign.objects.get(pk=campaign.pk)


def opt_out(ground: Ground, number: str) -> None:
    OptOut.objects.create(
        workspace=ground.author.here,
        fingerprint=keys().fingerprint(number),
        number_sealed=keys().seal_number(number, ground.author.here.pk),
        source="page",
        added_at=timezone.now(),
    )


def test_what_a_cancellation_dropped_is_found_with_what_came_back(
    desk: Ground,  # noqa: F811
) -> None:
    campaign = make.sending(desk.author, desk.route, rows=9)
    segments = desk.claim(room=5)
    desk.record(segments[:2], Kind.DEFERRED, 0x58)
    desk.record(segments[2:], Kind.SUBMITTED)
    running.cancel(number=campaign.number, by=desk.author, why="", now=timezone.now())
    page = page_of_messages(fresh(campaign), S.CANCELLED)
    assert len(page.rows) == 6 == derived(campaign)["cancelled"]
    assert page_of_messages(fresh(campaign), S.QUEUED).rows == []
    assert page_of_messages(fresh(campaign), S.EXPIRED).rows == []


def test_pages_follow_each_other_without_a_gap_or_a_repeat(desk: Ground) -> None:  # noqa: F811
    campaign = make.sending(desk.author, desk.route, rows=23)
    segments = desk.claim(room=12)
    desk.record(segments, Kind.SUBMITTED)
    desk.receipts(segments[::2], "delivered")
    for state in (None, S.QUEUED, S.DELIVERED, S.SUBMITTED):
        seen: list[int] = []
        after: int | None = -1
        while after is not None:
            page = page_of_messages(fresh(campaign), state, after=after, size=4)
            seen += [row.position for row in page.rows]
            after = page.after
        assert seen == sorted(set(seen), reverse=state is S.SUBMITTED)
        whole = derived(campaign)
        assert len(seen) == (sum(whole.values()) if state is None else whole[state.value])


@pytest.mark.django_db
def test_a_look_that_was_long_enough_ends_and_says_where(
    care: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = care.campaign(rows=40)
    for position in (0, 39):
        attempt(campaign, position)
    monkeypatch.setattr(questions, "STRIDE", 5)
    with scope(care.place):
        first = page_of_messages(fresh(campaign), S.SUBMITTED, size=10)
        assert [row.position for row in first.rows] == [39]
        assert (first.is_partial, first.after) == (True, 20)
        rest = page_of_messages(fresh(campaign), S.SUBMITTED, after=20, size=10)
        assert ([row.position for row in rest.rows], rest.after) == ([0], None)
        delivered = page_of_messages(fresh(campaign), S.DELIVERED, size=10)
    assert ([*delivered.rows], delivered.after) == ([], 19)


@pytest.mark.django_db
def test_a_draft_has_no_messages(care: Team) -> None:
    campaign = care.campaign("draft")
    assert "There are no messages" in seen_by(care.author, path(campaign, "messages/"))


# In words


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "fields", "words"),
    [
        ("refused", {"status": 0x0B}, "The SMSC said: bad number (0x0B)."),
        ("refused", {"status": 0x450}, "The SMSC said: the SMSC's own error (0x450)."),
        ("refused", {"cause": "The text is too long."}, "The text is too long."),
        ("unknown", {"cause": "no answer: the session ended"}, "no answer: the session ended"),
        ("suppressed", {"cause": "opted_out"}, "The person opted out after the approval."),
        (
            "submitted",
            {"receipt_state": "undeliverable", "receipt_error": "006"},
            "The phone is off or out of reach. (006)",
        ),
        ("submitted", {"receipt_state": "expired"}, "Its validity ran out in the network."),
        ("submitted", {"receipt_state": "delivered"}, ""),
    ],
)
def test_a_message_says_why_it_is_where_it_is(
    care: Team, kind: str, fields: dict[str, Any], words: str
) -> None:
    campaign = care.campaign()
    attempt(campaign, 0, kind, **fields)
    with scope(care.place):
        row = message_of(fresh(campaign), 0)
    assert row is not None
    assert row.cause == words


@pytest.mark.django_db
def test_a_receipts_error_is_said_as_the_connections_own_table_has_it(care: Team) -> None:
    campaign = care.campaign()
    over = make.connection(receipt_classes={"6": "final", "E12": "later"})
    other = make.connection()
    undelivered: dict[str, Any] = {"receipt_state": "undeliverable"}
    for position, (code, wire) in enumerate((("006", over), ("e12", over), ("006", other))):
        attempt(campaign, position, receipt_error=code, connection_id=wire.pk, **undelivered)
    with scope(care.place):
        said = [(message_of(fresh(campaign), n), attempts_of(fresh(campaign), n)) for n in range(3)]
    told = [row.cause for row, _attempts in said if row is not None]
    assert told == [attempts[-1].words for _row, attempts in said]
    assert "will not pass. (006)" in told[0]
    assert "not sent again by itself. (e12)" in told[1]
    assert told[2] == "The phone is off or out of reach. (006)"


@pytest.mark.django_db
def test_the_last_attempt_of_the_part_that_failed_is_the_reason(care: Team) -> None:
    campaign = care.campaign(rows=1, text=LONG)
    attempt(campaign, 0, "submitted", part=1, part_count=2, receipt_state="delivered")
    attempt(campaign, 0, "deferred", part=2, part_count=2, status=0x58)
    attempt(campaign, 0, "refused", part=2, part_count=2, status=0x0B, batch_id=2)
    with scope(care.place):
        row = message_of(fresh(campaign), 0)
        attempts = attempts_of(fresh(campaign), 0)
    assert row is not None
    assert (row.state, row.cause) == ("refused", "The SMSC said: bad number (0x0B).")
    assert [(one.part, one.kind) for one in attempts] == [
        (1, "submitted"),
        (2, "deferred"),
        (2, "refused"),
    ]


@pytest.mark.django_db
def test_times_are_told_when_they_are_known(care: Team) -> None:
    campaign = care.campaign(rows=2)
    later = timezone.now() + timedelta(seconds=5)
    attempt(campaign, 0, receipt_state="delivered", receipt_at=later)
    attempt(campaign, 1, "unknown")
    with scope(care.place):
        rows = page_of_messages(fresh(campaign), None).rows
    assert (rows[0].settled_at, rows[1].sent_at) == (later, None)
    assert rows[0].sent_at is not None


# Pages


@pytest.mark.django_db
def test_numbers_are_masked_for_everybody(care: Team) -> None:
    campaign = care.campaign(rows=1)
    attempt(campaign, 0)
    number = make.number(0)
    for role in (Role.VIEWER, Role.ADMIN):
        page = seen_by(care.member(role), path(campaign, "messages/"))
        assert "+44 77 •••• •••• 00" in page or "•" in page
        assert number not in page


@pytest.mark.django_db
def test_the_filter_is_an_address_and_shows_its_count(care: Team) -> None:
    campaign = care.campaign(rows=3)
    attempt(campaign, 1, "unknown", cause="no answer: the session ended")
    care.counts(campaign, unknown=1)
    page = seen_by(care.author, path(campaign, "messages/?state=unknown"))
    assert 'aria-current="page">Unknown <span class="n">1</span>' in page
    assert "no answer: the session ended" in page
    assert seen_by(care.author, path(campaign, "messages/?state=nonsense&after=x"))


@pytest.mark.django_db
def test_a_message_shows_every_attempt_with_the_peers_own_id(care: Team) -> None:
    campaign = care.campaign(rows=1)
    attempt(campaign, 0, "deferred", status=0x58)
    attempt(campaign, 0, smsc_id="4711", batch_id=2)
    page = seen_by(care.author, path(campaign, "messages/0/"))
    assert "The SMSC said: throttled (0x58)." in page
    assert "4711" in page


@pytest.mark.django_db
def test_a_message_that_is_not_there_is_not_found(care: Team) -> None:
    campaign = care.campaign(rows=1)
    assert client_of(care.author).get(path(campaign, "messages/7/")).status_code == 404


# A number in full


@pytest.mark.django_db
def test_a_number_is_shown_for_a_reason_and_the_log_keeps_who_and_why(care: Team) -> None:
    campaign = care.campaign(rows=1)
    moderator = care.member(Role.MODERATOR)
    response = client_of(moderator).post(
        path(campaign, "messages/0/reveal/"), {"why": "Complaint 4711"}
    )
    assert f"+{make.number(0)}" in text(response)
    assert "no-store" in response["Cache-Control"]
    entry = entries(care.place)[-1]
    assert (entry["op"], entry["why"]) == ("number.reveal", "Complaint 4711")
    assert entry["act"]["id"] == f"usr_{moderator.user.pk}"
    assert entry["diff"] == {"position": [None, 0]}
    assert len(entry["pd"]["number"]) == 64
    assert make.number(0) not in str(entry)


@pytest.mark.django_db
def test_without_a_reason_nothing_is_shown_or_recorded(care: Team) -> None:
    campaign = care.campaign(rows=1)
    admin = care.member(Role.ADMIN)
    response = client_of(admin).post(path(campaign, "messages/0/reveal/"), {"why": "  "})
    assert "Say why you need it." in text(response)
    assert make.number(0) not in text(response)
    assert entries(care.place)[-1]["op"] != "number.reveal"


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUTHOR, Role.AUTHOR_MODERATOR])
def test_others_do_not_see_a_number_whatever_they_say(care: Team, role: Role) -> None:
    campaign = care.campaign(rows=1)
    address = path(campaign, "messages/0/reveal/")
    client = client_of(care.member(role))
    assert client.post(address, {"why": "Please"}).status_code == 403
    assert "Show the full number" not in text(client.get(path(campaign, "messages/0/")))


@pytest.mark.django_db
def test_an_erased_number_is_gone(care: Team) -> None:
    campaign = care.campaign(rows=1)
    with scope(care.place):
        Recipient.objects.update(number_sealed=None)
    admin = care.member(Role.ADMIN)
    response = client_of(admin).post(path(campaign, "messages/0/reveal/"), {"why": "Ticket"})
    assert "The number was erased." in text(response)
