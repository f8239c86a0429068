"""The moderators' pages: the inbox, what they read of a campaign, and the decision."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns.actions import drafts, review
from campaigns.models import Approval, Campaign, Mode
from campaigns.queries.review import waiting_count
from campaigns.rules.campaign_states import State
from tests import make
from tests.campaigns import names
from tests.campaigns.pages import Stage, stage, text
from workspaces.rules.permissions import Role
from workspaces.scope import scope


@pytest.fixture
def here(db: None) -> Stage:
    """The workspace."""
    return stage()


def item(here: Stage, campaign: Campaign, verdict: str = "") -> str:
    """Return an address of a campaign in review."""
    return here.url(None, f"review/{campaign}/" + (f"{verdict}/" if verdict else ""))


def seen(here: Stage, campaign: Campaign) -> str:
    """Return the digest that the page carries."""
    with scope(here.place):
        return review.digest_of(campaign.pk).hex()


def decide(here: Stage, campaign: Campaign, verdict: str, **fields: Any) -> Any:
    """Post a decision as the moderator's browser does, on what is there now."""
    who = fields.pop("who", here.moderator)
    values = {"seen": seen(here, campaign), "words": "", **fields}
    return here.client(who).post(item(here, campaign, verdict), values)


def spread(minutes: int) -> dict[str, Any]:
    """Return the plan of a spread that starts in some minutes."""
    start = timezone.now() + timedelta(minutes=minutes)
    return {"mode": Mode.SPREAD, "starts_at": start, "ends_at": start + timedelta(hours=2)}


# --- the inbox


def test_an_empty_inbox_says_that_nothing_waits(here: Stage) -> None:
    page = text(here.client(here.moderator).get(here.url(None, "review/")))
    assert "Nothing waits for you." in page


def test_the_first_deadline_stands_first_and_what_has_none_last(here: Stage) -> None:
    for name, fields in (
        ("No deadline", {}),
        ("Later", spread(300)),
        ("Soon", spread(20)),
    ):
        here.made("in_review", name=name, **fields)
    page = text(here.client(here.moderator).get(here.url(None, "review/")))
    assert page.index(">Soon<") < page.index(">Later<") < page.index(">No deadline<")
    assert "min left" in page


def test_own_work_is_listed_last_and_says_why_it_is_not_ones_own(here: Stage) -> None:
    both = here.person(Role.AUTHOR_MODERATOR)
    with scope(here.place):
        make.in_review(both, here.route, name="Mine", **spread(20))
    here.made("in_review", name="Theirs")
    page = text(here.client(both).get(here.url(None, "review/")))
    assert page.index(">Theirs<") < page.index(">Mine<")
    assert "You wrote it, so another person decides." in page
    assert "<b>1 decision</b> waits for you." in page


def test_sender_revisions_wait_in_the_same_inbox(here: Stage) -> None:
    names.proposed(here.person(Role.ADMIN), "Amber")
    page = text(here.client(here.moderator).get(here.url(None, "review/")))
    assert "Amber, revision 1" in page
    assert here.url(None, "senders/Amber/") in page


def test_the_count_beside_the_entry_is_what_one_may_decide(here: Stage) -> None:
    here.made("in_review")
    names.proposed(here.person(Role.ADMIN), "Amber")
    both = here.person(Role.AUTHOR_MODERATOR)
    with scope(here.place):
        make.in_review(both, here.route)
        assert waiting_count(here.moderator) == 3
        assert waiting_count(both) == 2
        assert waiting_count(here.author) == 0


def test_a_viewer_reads_the_inbox_and_is_told_that_he_does_not_decide(here: Stage) -> None:
    page = text(here.client(here.person(Role.VIEWER)).get(here.url(None, "review/")))
    assert "Your role does not decide." in page


# --- one campaign


def test_the_item_shows_what_changed_since_the_last_approved_one(here: Stage) -> None:
    with scope(here.place):
        sender = make.sender(here.place)
    here.made("approved", sender_id=sender.pk, text="Now {{name}} gets 15 GB", name="Old")
    campaign = here.made("in_review", sender_id=sender.pk, text="Now {{name}} gets 20 GB")
    page = text(here.client(here.moderator).get(item(here, campaign)))
    assert "Changes since C-1" in page
    assert "<del>15</del><ins>20</ins>" in page
    assert "Text close to an approved one" in page


def test_the_closest_of_the_approved_ones_is_compared(here: Stage) -> None:
    with scope(here.place):
        sender = make.sender(here.place)
    here.made("approved", sender_id=sender.pk, text="Weekend: 15 GB for 30 000")
    here.made("approved", sender_id=sender.pk, text="Maintenance tonight from 01:00")
    campaign = here.made("in_review", sender_id=sender.pk, text="Weekend: 20 GB for 35 000")
    assert "Changes since C-1" in text(here.client(here.moderator).get(item(here, campaign)))


def test_the_first_campaign_of_a_sender_says_so(here: Stage) -> None:
    page = text(here.client(here.moderator).get(item(here, here.made("in_review"))))
    assert "The first campaign of this sender" in page
    assert "No campaign of this sender was approved before." in page


def test_what_people_will_read_is_rendered_and_its_numbers_are_masked(here: Stage) -> None:
    campaign = here.made("in_review", rows=3)
    page = text(here.client(here.moderator).get(item(here, campaign)))
    assert "Hello Name1" in page
    assert "+44 77 ••• ••• 01" in page
    assert make.number(1) not in page


@pytest.mark.parametrize(
    ("kind", "shown", "hidden"),
    [("longest", "x" * 170, "Hello Ольга"), ("rarest", "Hello Ольга", "x" * 170)],
)
def test_the_longest_and_the_rarest_are_found(
    here: Stage, kind: str, shown: str, hidden: str
) -> None:
    rows = [{"name": f"Name{i}"} for i in range(20)] + [{"name": "x" * 170}, {"name": "Ольга"}]
    with scope(here.place):
        lst = make.recipient_list(here.place, here.author.user, rows)
    campaign = here.made("in_review", recipient_list_id=lst.pk)
    page = text(here.client(here.moderator).get(item(here, campaign), {"texts": kind}))
    first = page.split('class="smp"')[1]
    assert shown in first
    assert hidden not in first


def test_others_can_be_drawn(here: Stage) -> None:
    campaign = here.made("in_review", rows=40)
    client = here.client(here.moderator)
    pages = [text(client.get(item(here, campaign), {"draw": str(n)})) for n in (0, 1, 999)]
    samples = [page.split('id="texts"')[1].split("Plan and audience")[0] for page in pages]
    assert len(set(samples)) == 3


def test_nonsense_in_the_address_shows_the_first_draw(here: Stage) -> None:
    campaign = here.made("in_review", rows=3)
    response = here.client(here.moderator).get(
        item(here, campaign), {"texts": "x", "draw": "9" * 40}
    )
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("fields", "chip"),
    [
        ({"priority": "promotional"}, "Promotional"),
        ({"text": "Look at https://example.com/x"}, "A link in the text"),
        ({"text": "Narxi so\u02bbm"}, "Letters outside GSM-7"),
    ],
    ids=["promotional", "link", "letters"],
)
def test_risks_are_chips_in_words(here: Stage, fields: dict[str, Any], chip: str) -> None:
    assert chip in chips(here, fields)


@pytest.mark.parametrize(
    ("minutes", "chip"), [(30, "Starts soon, in 29 min"), (-1, "Its start has passed")]
)
def test_a_start_that_is_near_or_past_is_a_risk(here: Stage, minutes: int, chip: str) -> None:
    assert chip in chips(here, {"mode": Mode.SPREAD, **spread(minutes)})


def chips(here: Stage, fields: dict[str, Any]) -> str:
    """Return the part of a campaign's review that names its risks."""
    campaign = here.made("in_review", **fields)
    page = text(here.client(here.moderator).get(item(here, campaign)))
    return page.split("Look at")[1].split('class="rv3"')[0]


def test_a_large_audience_is_a_risk(here: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("campaigns.queries.reading.MANY_PEOPLE", 5)
    campaign = here.made("in_review", rows=5)
    page = text(here.client(here.moderator).get(item(here, campaign)))
    assert "5 people</span>" in page.split("Look at")[1]


def test_a_list_that_got_a_campaign_this_week_is_a_risk(here: Stage) -> None:
    first = here.made("sending")
    campaign = here.made("in_review", recipient_list_id=first.recipient_list_id)
    page = text(here.client(here.moderator).get(item(here, campaign)))
    assert "The same list got a campaign in the last 24 hours (C-1 Balance)" in page


def test_a_trigger_shows_its_slots_instead_of_texts(here: Stage) -> None:
    campaign = here.made(
        "in_review",
        mode=Mode.TRIGGER,
        text="Code {{code}}",
        slots=[{"name": "code", "type": "code", "max_length": 8}],
        daily_cap=100,
        ends_at=timezone.now() + timedelta(days=9),
    )
    page = text(here.client(here.moderator).get(item(here, campaign)))
    assert "code, at most 8 characters, no link" in page
    assert "Approve the trigger" in page


def test_the_way_from_rows_to_people_is_counted(here: Stage) -> None:
    campaign = here.made("in_review", rows=6)
    page = text(here.client(here.moderator).get(item(here, campaign)))
    assert "Rows in the file" in page
    assert "Approve 6 messages" in page


def test_who_made_it_reads_it_and_gets_no_buttons(here: Stage) -> None:
    campaign = here.made("in_review")
    page = text(here.client(here.author).get(item(here, campaign)))
    assert "You wrote it: another person decides, whatever your role is." in page
    assert "data-open" not in page.split("<main")[1].split("</main>")[0]


def test_keys_open_questions_and_never_act(here: Stage) -> None:
    page = text(here.client(here.moderator).get(item(here, here.made("in_review"))))
    for key, name in (("a", "approve"), ("r", "return"), ("x", "reject")):
        assert f'data-open="#{name}" data-key="{key}"' in page
        assert f'<dialog class="dlg" id="{name}"' in page


def test_what_is_decided_is_not_in_review_any_more(here: Stage) -> None:
    campaign = here.made("approved")
    response = here.client(here.moderator).get(item(here, campaign))
    assert response.headers["Location"] == here.url(campaign, "")


def test_a_campaign_of_another_workspace_is_not_there(here: Stage) -> None:
    other = stage()
    campaign = other.made("in_review")
    client = here.client(here.moderator)
    for address in (item(here, campaign), item(other, campaign), item(other, campaign, "approve")):
        assert client.get(address).status_code == 404
    assert client.post(item(other, campaign, "approve")).status_code == 404


# --- the decision


@pytest.mark.parametrize(
    ("verdict", "state"),
    [("approve", State.APPROVED), ("return", State.RETURNED), ("reject", State.REJECTED)],
)
def test_another_person_decides(here: Stage, verdict: str, state: State) -> None:
    campaign = here.made("in_review")
    response = decide(here, campaign, verdict, words="Because.")
    assert response.headers["Location"] == here.url(None, "review/")
    assert here.fresh(campaign).state == state
    with scope(here.place):
        assert Approval.objects.get(campaign=campaign).note == "Because."


@pytest.mark.parametrize("verdict", ["return", "reject"])
def test_returning_and_rejecting_ask_for_words(here: Stage, verdict: str) -> None:
    campaign = here.made("in_review")
    page = decide(here, campaign, verdict, words=" ")
    assert "Say why, so that the author knows what to change." in text(page)
    assert "(optional)" not in text(page)
    assert here.fresh(campaign).state == State.IN_REVIEW


def test_approving_needs_no_words(here: Stage) -> None:
    campaign = here.made("in_review")
    decide(here, campaign, "approve")
    assert here.fresh(campaign).state == State.APPROVED


@pytest.mark.parametrize("role", [Role.ADMIN, Role.AUTHOR_MODERATOR])
def test_nobody_decides_on_his_own_work(here: Stage, role: Role) -> None:
    own = here.person(role)
    with scope(here.place):
        campaign = make.in_review(own, here.route)
    page = decide(here, campaign, "approve", who=own, words="Fine")
    assert page.status_code == 403
    assert "Another person has to decide." in text(page)
    assert here.fresh(campaign).state == State.IN_REVIEW


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUTHOR])
def test_who_does_not_review_does_not_decide(here: Stage, role: Role) -> None:
    campaign = here.made("in_review")
    assert decide(here, campaign, "approve", who=here.person(role)).status_code == 403
    assert here.fresh(campaign).state == State.IN_REVIEW


def test_a_stale_form_decides_nothing_and_keeps_the_note(here: Stage) -> None:
    campaign = here.made("in_review")
    page = decide(here, campaign, "return", seen="0" * 64, words="Price of last month")
    assert page.status_code == 409
    words = text(page)
    assert "has changed since you opened this page" in words
    assert "Your note is kept: “Price of last month”" in words
    assert f'value="{seen(here, campaign)}"' in words
    assert ">\nPrice of last month</textarea>" in page.content.decode()
    assert here.fresh(campaign).state == State.IN_REVIEW


def test_a_form_of_an_earlier_version_approves_nothing(here: Stage) -> None:
    campaign = here.made("in_review")
    old = seen(here, campaign)
    with scope(here.place):
        now = timezone.now()
        review.withdraw(number=campaign.number, by=here.author, now=now)
        drafts.edit_draft(
            number=campaign.number,
            by=here.author,
            fields={"text": "Something else"},
            version=campaign.version,
            now=now,
        )
    assert decide(here, campaign, "approve", seen=old).status_code == 409
    assert here.fresh(campaign).state == State.DRAFT


def test_the_second_moderator_is_told_that_it_is_decided(here: Stage) -> None:
    campaign = here.made("in_review")
    decide(here, campaign, "approve")
    page = decide(here, campaign, "reject", words="No", who=here.person(Role.MODERATOR))
    assert page.status_code == 409
    assert "waits for no decision any more" in text(page)
    assert here.fresh(campaign).state == State.APPROVED


def test_without_script_the_question_is_a_page(here: Stage) -> None:
    campaign = here.made("in_review", name="Weekend")
    page = text(here.client(here.moderator).get(item(here, campaign, "return")))
    assert "Return Weekend to its author?" in page
    assert seen(here, campaign) in page


def test_there_is_no_fourth_verdict(here: Stage) -> None:
    campaign = here.made("in_review")
    client = here.client(here.moderator)
    assert client.get(item(here, campaign, "publish")).status_code == 404
    assert client.post(item(here, campaign, "publish")).status_code == 404


def test_a_decision_asks_for_the_password_when_the_session_is_old(here: Stage) -> None:
    campaign = here.made("in_review")
    client = here.client(here.moderator)
    session = client.session
    session["started_at"] = (timezone.now() - timedelta(minutes=20)).isoformat()
    session.save()
    values = {"seen": seen(here, campaign), "words": "Fine"}
    page = client.post(item(here, campaign, "approve"), values)
    assert "password" in text(page).lower()
    assert here.fresh(campaign).state == State.IN_REVIEW
