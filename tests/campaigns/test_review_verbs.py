"""Review: submitted with the number typed, decided by another person on exactly what was seen."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.utils import timezone

from campaigns.actions import building, drafts, review
from campaigns.actions.moves import WrongState
from campaigns.models import Approval, Campaign, Mode, Verdict
from campaigns.rules.campaign_states import State
from smpp_client.models import Route
from tests import make
from tests.campaigns.names import revised
from tests.conftest import Database
from tests.workspaces.log import entries
from workspaces.models import User
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope

Decide = Callable[..., Campaign]


@pytest.fixture
def author(db: None) -> Iterator[Me]:
    """An admin who writes campaigns, inside his workspace: no role decides on its own work."""
    place = make.workspace()
    with scope(place):
        yield make.person_in(place, Role.ADMIN)


@pytest.fixture
def moderator(author: Me) -> Me:
    """A moderator who had no part in anything."""
    return make.person_in(author.here, Role.MODERATOR)


def seen(campaign: Campaign) -> str:
    """Return what the form of the page carries."""
    return review.digest_of(campaign.pk).hex()


def approve(campaign: Campaign, by: Me, digest: str = "") -> Campaign:
    """Approve what is there now, unless another digest is given."""
    return review.approve(
        number=campaign.number, by=by, seen=digest or seen(campaign), now=timezone.now()
    )


def submit(campaign: Campaign, by: Me, typed: int | None = None) -> Campaign:
    """Submit with the right number, unless another one is typed."""
    count = campaign.total if typed is None else typed
    return review.submit(number=campaign.number, by=by, typed_count=count, now=timezone.now())


def again(account: User, author: Me) -> Me:
    """Return another account's caller in the author's workspace."""
    return make.me(account, author.here, Role.MODERATOR)


def test_a_ready_campaign_goes_to_review(author: Me, route: Route) -> None:
    campaign = submit(make.ready(author, route), author)
    assert (campaign.state, campaign.submitter_person_id) == (State.IN_REVIEW, author.person_id)


def test_the_typed_number_has_to_be_right(author: Me, route: Route) -> None:
    with pytest.raises(review.WrongCount, match="Type 5"):
        submit(make.ready(author, route), author, typed=4)


def test_a_triggers_number_is_how_many_a_day_it_may_send(author: Me, route: Route) -> None:
    campaign = make.ready(
        author,
        route,
        mode=Mode.TRIGGER,
        text="Hi",
        daily_cap=700,
        ends_at=timezone.now() + timedelta(days=3),
    )
    with pytest.raises(review.WrongCount):
        submit(campaign, author, typed=0)
    assert submit(campaign, author, typed=700).state == State.IN_REVIEW


def test_a_draft_is_not_submitted(author: Me, route: Route) -> None:
    with pytest.raises(review.Blocked) as refused:
        submit(make.draft(author, route), author, typed=5)
    assert [blocker.code for blocker in refused.value.blockers] == ["not_built"]


def test_submitting_twice_is_refused(author: Me, route: Route) -> None:
    with pytest.raises(WrongState):
        submit(make.in_review(author, route), author)


def test_a_sender_revised_since_the_build_asks_for_another_build(author: Me, route: Route) -> None:
    campaign = make.ready(author, route)
    revised(campaign.sender_id or 0, author)
    with pytest.raises(review.Blocked, match="Build it again"):
        submit(campaign, author)


def test_another_person_approves(author: Me, route: Route, moderator: Me) -> None:
    campaign = approve(make.in_review(author, route), moderator)
    assert campaign.state == State.APPROVED
    approval = Approval.objects.get(pk=campaign.approval_id or 0)
    assert (approval.verdict, approval.decided_person_id) == ("approve", moderator.person_id)
    assert bytes(approval.signature) == review.sign(
        campaign.pk, moderator.user.pk, bytes(approval.digest)
    )


def test_an_approval_is_recorded_with_the_digest(author: Me, route: Route, moderator: Me) -> None:
    campaign = make.in_review(author, route)
    digest = seen(campaign)
    approve(campaign, moderator)
    last = entries(author.here)[-1]
    assert (last["op"], last["diff"]["digest"]) == ("campaign.approve", [None, digest])


@pytest.mark.parametrize("role", [Role.ADMIN, Role.MODERATOR, Role.SUPER_ADMIN])
def test_the_author_never_approves_whatever_his_role(author: Me, route: Route, role: Role) -> None:
    campaign = make.in_review(author, route)
    with pytest.raises(review.FourEyes):
        approve(campaign, make.me(author.user, author.here, role))


def test_a_second_account_of_the_author_is_still_the_author(author: Me, route: Route) -> None:
    campaign = make.in_review(author, route)
    twin = make.user("Second account", person=author.user.person)
    with pytest.raises(review.FourEyes):
        approve(campaign, again(twin, author))


def written_by(one: Me, others: Me, route: Route) -> Campaign:
    """Return a campaign in review that one person wrote; others did the rest."""
    return submit(ready_again(renamed(draft_by(one, others, route), others), others), others)


def uploaded_by(one: Me, others: Me, route: Route) -> Campaign:
    """Return one whose list one person uploaded."""
    people = make.recipient_list(one.here, one.user, [{"name": "Ann"}])
    return make.in_review(others, route, recipient_list_id=people.pk)


def edited_by(one: Me, others: Me, route: Route) -> Campaign:
    """Return one that one person edited last."""
    return submit(ready_again(renamed(make.draft(others, route), one), others), others)


def submitted_by(one: Me, others: Me, route: Route) -> Campaign:
    """Return one that one person submitted."""
    return submit(make.ready(others, route), one)


def draft_by(one: Me, others: Me, route: Route) -> Campaign:
    """Return a draft of one person to others' list."""
    people = make.recipient_list(one.here, others.user, [{"name": "Ann"}])
    return make.draft(one, route, recipient_list_id=people.pk)


def renamed(campaign: Campaign, by: Me) -> Campaign:
    """Edit a draft."""
    return drafts.edit_draft(
        number=campaign.number,
        by=by,
        fields={"name": "Better"},
        version=campaign.version,
        now=timezone.now(),
    )


PARTS = pytest.mark.parametrize(
    ("part", "made_by"),
    [
        ("author", written_by),
        ("uploader", uploaded_by),
        ("editor", edited_by),
        ("submitter", submitted_by),
    ],
)


def ready_again(campaign: Campaign, by: Me) -> Campaign:
    """Build a draft."""
    now = timezone.now()
    building.start_build(number=campaign.number, by=by, now=now)
    building.build_chunk(campaign.pk, now)
    campaign.refresh_from_db()
    return campaign


@PARTS
def test_who_had_one_part_in_it_does_not_approve(
    author: Me, route: Route, moderator: Me, part: str, made_by: Callable[[Me, Me, Route], Campaign]
) -> None:
    campaign = made_by(moderator, author, route)
    assert parts_of(campaign, moderator) == {part}
    with pytest.raises(review.FourEyes):
        approve(campaign, moderator)


def parts_of(campaign: Campaign, by: Me) -> set[str]:
    """Return which parts in a campaign a person had."""
    assert campaign.recipient_list
    persons = {
        "author": campaign.author_person_id,
        "uploader": campaign.recipient_list.uploaded_person_id,
        "editor": campaign.editor_person_id,
        "submitter": campaign.submitter_person_id,
    }
    return {part for part, person in persons.items() if person == by.person_id}


def test_the_attempt_on_own_work_is_recorded(database: Database) -> None:
    place = make.workspace()
    with scope(place):
        author = make.person_in(place, Role.ADMIN)
        campaign = make.in_review(author, make.route(place, make.connection()))
        with pytest.raises(review.FourEyes):
            approve(campaign, author)
        last = entries(place)[-1]
    assert (last["op"], last["res"], last["why"]) == ("campaign.approve", "denied", "four eyes")


@pytest.mark.parametrize("verdict", ["return_", "reject"])
def test_own_work_is_neither_returned_nor_rejected(author: Me, route: Route, verdict: str) -> None:
    campaign = make.in_review(author, route)
    with pytest.raises(review.FourEyes):
        getattr(review, verdict)(
            number=campaign.number,
            by=author,
            seen=seen(campaign),
            words="no",
            now=timezone.now(),
        )


@pytest.mark.parametrize(
    ("verdict", "state"), [("return_", State.RETURNED), ("reject", State.REJECTED)]
)
def test_returning_and_rejecting_need_words(
    author: Me, route: Route, moderator: Me, verdict: str, state: State
) -> None:
    campaign = make.in_review(author, route)
    decide: Decide = getattr(review, verdict)
    number, digest = campaign.number, seen(campaign)
    with pytest.raises(review.NoteMissing):
        decide(number=number, by=moderator, seen=digest, words="  ", now=timezone.now())
    decided = decide(number=number, by=moderator, seen=digest, words="Why?", now=timezone.now())
    assert decided.state == state


def test_a_stale_form_decides_nothing(author: Me, route: Route, moderator: Me) -> None:
    campaign = make.in_review(author, route)
    old = seen(campaign)
    review.withdraw(number=campaign.number, by=author, now=timezone.now())
    campaign = drafts.edit_draft(
        number=campaign.number,
        by=author,
        fields={"text": "Another text"},
        version=Campaign.objects.get(pk=campaign.pk).version,
        now=timezone.now(),
    )
    campaign = submit(ready_again(campaign, author), author)
    with pytest.raises(review.SeenAnother):
        approve(campaign, moderator, digest=old)


@pytest.mark.parametrize(
    "change",
    [
        "text = 'x'",
        "starts_at = now() - interval '9 days'",
        "ends_at = now() + interval '9 days'",
        "rate_ceiling = 99",
        "priority = 'transactional'",
        "daily_from = '01:00', daily_until = '02:00'",
        "start_by = 'hand'",
        "total = total + 1",
        "slots = '[1]'",
        "mode = 'scheduled', starts_at = now()",
        "zone = 'Asia/Tashkent'",
        "daily_cap = 7",
        "sender_id = {sender}",
        "sender_revision_id = {newer}",
        "sender_revision_id = {theirs}",
        "route_id = {route}",
        "recipient_list_id = {people}",
        "audience_digest = 'x'",
        "segment_total = segment_total + 1",
    ],
)
def test_whatever_matters_is_in_the_digest(author: Me, route: Route, change: str) -> None:
    campaign = make.in_review(author, route)
    place = author.here
    other = make.sender(place)
    others = {
        "sender": other.pk,
        "theirs": other.approved_revision_id,
        "newer": revised(campaign.sender_id or 0, author).pk,
        "route": make.route(place, make.connection()).pk,
        "people": make.recipient_list(place, author.user, [{"name": "Ann"}]).pk,
    }
    before = seen(campaign)
    with connection.cursor() as cursor:
        words = change.format(**others)
        cursor.execute(f"UPDATE campaign SET {words} WHERE id = %s", [campaign.pk])  # noqa: S608
    assert seen(campaign) != before


def test_two_moderators_cannot_both_decide(author: Me, route: Route, moderator: Me) -> None:
    campaign = make.in_review(author, route)
    approve(campaign, moderator)
    with pytest.raises(WrongState, match="no decision any more"):
        approve(campaign, make.person_in(author.here, Role.MODERATOR))


def test_what_was_withdrawn_is_not_approved(author: Me, route: Route, moderator: Me) -> None:
    campaign = make.in_review(author, route)
    review.withdraw(number=campaign.number, by=author, now=timezone.now())
    with pytest.raises(WrongState):
        approve(campaign, moderator)


def test_what_is_approved_is_not_withdrawn(author: Me, route: Route) -> None:
    campaign = make.approved(author, route)
    with pytest.raises(WrongState):
        review.withdraw(number=campaign.number, by=author, now=timezone.now())


def test_a_sender_revised_since_the_submission_cannot_be_approved(
    author: Me, route: Route, moderator: Me
) -> None:
    campaign = make.in_review(author, route)
    revised(campaign.sender_id or 0, author)
    with pytest.raises(review.NotSendable):
        approve(campaign, moderator)


def test_a_window_that_is_over_cannot_be_approved(author: Me, route: Route, moderator: Me) -> None:
    campaign = make.in_review(author, route, mode=Mode.SPREAD, **make.window(hours=1))
    with pytest.raises(review.NotSendable, match="window is over"):
        review.approve(
            number=campaign.number,
            by=moderator,
            seen=seen(campaign),
            now=timezone.now() + timedelta(hours=2),
        )


def test_the_state_cannot_be_set_to_approved_past_the_verb(author: Me, route: Route) -> None:
    campaign = make.in_review(author, route)
    with pytest.raises(IntegrityError, match="no approval of what it is now"), transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).update(state=State.APPROVED)


def test_a_clone_of_an_approved_campaign_has_no_approval(author: Me, route: Route) -> None:
    copy = drafts.clone(number=make.approved(author, route).number, by=author, now=timezone.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        Campaign.objects.filter(pk=copy.pk).update(
            state=State.APPROVED, approval_id=Approval.objects.latest("pk").pk
        )


@PARTS
def test_the_database_refuses_an_approval_by_whoever_had_one_part_in_it(
    author: Me, route: Route, moderator: Me, part: str, made_by: Callable[[Me, Me, Route], Campaign]
) -> None:
    campaign = made_by(moderator, author, route)
    assert parts_of(campaign, moderator) == {part}
    with pytest.raises(IntegrityError, match="approval_four_eyes"), transaction.atomic():
        stored(campaign, moderator)
    assert stored(campaign, make.person_in(author.here, Role.MODERATOR)).pk


def stored(campaign: Campaign, by: Me) -> Approval:
    """Put an approval into the database past everything that the verb asks before."""
    return review._store(campaign, by, Verdict.APPROVE, b"\0" * 32, "", timezone.now())


def test_an_approval_is_never_changed(author: Me, route: Route) -> None:
    campaign = make.approved(author, route)
    for statement in ("UPDATE approval SET note = 'other'", "DELETE FROM approval"):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"{statement} WHERE campaign_id = %s", [campaign.pk])
