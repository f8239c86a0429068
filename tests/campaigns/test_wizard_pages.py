"""The wizard without script: each step is a form, nothing typed is lost, nothing is overwritten."""

from datetime import UTC, datetime, time, timedelta
from html import unescape
from typing import Any

import pytest
from django.utils import timezone

from campaigns.actions import building, drafts, review
from campaigns.models import Campaign, Mode
from campaigns.rules.campaign_states import State
from smpp_client.models import Connection
from tests import make
from tests.campaigns.pages import Stage, stage, text
from workspaces.rules.permissions import Role
from workspaces.scope import scope

FANCY = "Narxi 35 000 so\u02bbm, {{name}}"


@pytest.fixture
def here(db: None) -> Stage:
    """The workspace."""
    return stage()


def post(here: Stage, campaign: Campaign, step: str, **fields: Any) -> Any:
    """Post a step as its author's browser does without script, from the newest version."""
    values = {"version": here.fresh(campaign).version, "go": "stay", **fields}
    return here.client(here.author).post(here.url(campaign, f"edit/{step}/"), values)


def autosave(here: Stage, campaign: Campaign, step: str, **fields: Any) -> str:
    """Post a step as the script does and return what it gets."""
    values = {"version": here.fresh(campaign).version, **fields}
    response = here.client(here.author).post(
        here.url(campaign, f"edit/{step}/"), values, headers={"HX-Request": "true"}
    )
    assert response.status_code == 200
    return text(response)


def plan(**fields: Any) -> dict[str, Any]:
    """Return the plan's form as a browser posts it, spread over two hours of a day far ahead."""
    return {
        "mode": "spread",
        "start_date": "2036-01-15",
        "start_time": "10:00",
        "end_date": "2036-01-15",
        "end_time": "12:00",
        "unknown": "rate",
        "start_by": "itself",
        "priority": "operational",
        **fields,
    }


def test_a_new_campaign_is_a_draft_at_its_first_step(here: Stage) -> None:
    response = here.client(here.author).post(here.url(None, "campaigns/new/"))
    assert response.headers["Location"] == here.url(None, "campaigns/C-1/edit/purpose/")


def test_looking_at_the_page_for_a_new_campaign_makes_none(here: Stage) -> None:
    client = here.client(here.author)
    assert "Begin the draft" in text(client.get(here.url(None, "campaigns/new/")))
    assert "No campaigns yet" in text(client.get(here.url(None, "campaigns/")))


@pytest.mark.parametrize("step", ["purpose", "message", "recipients", "plan", "check"])
def test_every_step_of_an_empty_draft_opens(here: Stage, step: str) -> None:
    with scope(here.place):
        campaign = drafts.create_draft(by=here.author, fields={}, now=timezone.now())
    page = text(here.client(here.author).get(here.url(campaign, f"edit/{step}/")))
    assert "not chosen yet" in page
    assert "7 things are missing" in page


@pytest.mark.parametrize("step", ["purpose", "message", "recipients", "plan", "check"])
def test_every_step_of_a_whole_draft_opens(here: Stage, step: str) -> None:
    campaign = here.made()
    page = text(here.client(here.author).get(here.url(campaign, f"edit/{step}/")))
    assert "Nothing is missing" in page


def test_there_is_no_sixth_step(here: Stage) -> None:
    campaign = here.made()
    client = here.client(here.author)
    assert client.get(here.url(campaign, "edit/send/")).status_code == 404
    assert client.post(here.url(campaign, "edit/send/")).status_code == 404


def test_save_and_next_goes_on(here: Stage) -> None:
    campaign = here.made(name="Old")
    response = post(here, campaign, "purpose", name="New", go="next")
    assert response.headers["Location"] == here.url(campaign, "edit/message/")
    assert here.fresh(campaign).name == "New"


def test_a_draft_may_lack_everything_and_is_saved(here: Stage) -> None:
    campaign = here.made()
    assert post(here, campaign, "purpose", name="", purpose="").status_code == 302
    saved = here.fresh(campaign)
    assert (saved.name, saved.sender_id) == ("", None)


def test_only_approved_senders_are_offered(here: Stage) -> None:
    other = stage()
    with scope(other.place):
        foreign = make.sender(other.place, "Foreign")
    campaign = here.made()
    page = post(here, campaign, "purpose", name="Kept name", sender=foreign.pk)
    assert page.status_code == 200
    assert "Kept name" in text(page)
    assert here.fresh(campaign).sender_id == campaign.sender_id


@pytest.mark.parametrize(("step", "field"), [("recipients", "recipient_list"), ("plan", "route")])
def test_a_neighbours_list_or_route_is_not_taken(here: Stage, step: str, field: str) -> None:
    other = stage()
    with scope(other.place):
        foreign = {
            "recipient_list": make.recipient_list(other.place, other.author.user, [{}]).pk,
            "route": other.route.pk,
        }[field]
    campaign = here.made()
    fields = plan() if step == "plan" else {}
    assert post(here, campaign, step, **fields, **{field: foreign}).status_code == 200
    assert here.fresh(campaign).version == campaign.version


def test_a_campaign_of_another_workspace_is_not_there(here: Stage) -> None:
    other = stage()
    campaign = other.made()
    client = here.client(here.author)
    for path in ("edit/purpose/", "edit/check/", "build/progress/"):
        assert client.get(here.url(campaign, path)).status_code == 404
        assert client.get(other.url(campaign, path)).status_code == 404


def test_line_ends_count_as_one_character(here: Stage) -> None:
    campaign = here.made()
    post(here, campaign, "message", text="Two\r\nlines")
    assert here.fresh(campaign).text == "Two\nlines"


def test_spaces_at_the_ends_of_a_text_stay(here: Stage) -> None:
    campaign = here.made()
    post(here, campaign, "message", text=" Hi ")
    assert here.fresh(campaign).text == " Hi "


@pytest.mark.parametrize("words", ["Hi", " Hi ", "\nHi\n", "Hi <b> & “you”"])
def test_the_form_holds_the_text_exactly(here: Stage, words: str) -> None:
    campaign = here.made(text=words)
    page = here.client(here.author).get(here.url(campaign, "edit/message/")).content.decode()
    held = page.split("<textarea")[1].split(">", 1)[1].split("</textarea>")[0]
    assert unescape(held) == "\n" + words


def test_a_text_that_is_too_long_is_kept_in_the_form_and_not_saved(here: Stage) -> None:
    campaign = here.made()
    page = post(here, campaign, "message", text="y" * 4_001)
    assert "y" * 4_001 in text(page)
    assert here.fresh(campaign).text == campaign.text


# --- saving while one types


def test_autosave_says_when_and_renews_what_stands_beside(here: Stage) -> None:
    campaign = here.made()
    answer = autosave(here, campaign, "purpose", name="Typed", sender=campaign.sender_id)
    assert "Saved " in answer
    assert f'name="version" id="version" value="{campaign.version + 1}"' in answer
    for part in ("steps", "receipt", "short-receipt", "conflict"):
        assert f'id="{part}"' in answer
    assert here.fresh(campaign).name == "Typed"


def test_autosave_of_what_is_wrong_says_so_and_saves_nothing(here: Stage) -> None:
    campaign = here.made()
    answer = autosave(here, campaign, "plan", **plan(end_time=""))
    assert "Not saved: And when?" in answer
    assert here.fresh(campaign).version == campaign.version


def test_two_people_do_not_overwrite_each_other(here: Stage) -> None:
    campaign = here.made(name="Old")
    with scope(here.place):
        drafts.edit_draft(
            number=campaign.number,
            by=here.moderator,
            fields={"name": "Theirs"},
            version=campaign.version,
            now=timezone.now(),
        )
    page = post(here, campaign, "purpose", version=campaign.version, name="Mine")
    assert page.status_code == 409
    words = text(page)
    assert "saved another version" in words
    assert "Theirs" in words
    assert 'value="Mine"' in words
    assert here.fresh(campaign).name == "Theirs"


def test_the_script_gets_the_comparison_too(here: Stage) -> None:
    campaign = here.made(name="Old")
    answer = autosave(here, campaign, "purpose", version=99, name="Mine")
    assert "Your change was not saved" in answer
    assert "<td" in answer
    assert "Mine" in answer


def test_a_person_may_keep_his_own_after_comparing(here: Stage) -> None:
    campaign = here.made(name="Theirs")
    seen = here.fresh(campaign).version
    response = post(here, campaign, "purpose", version=0, overwrite=seen, name="Mine")
    assert response.status_code == 302
    assert here.fresh(campaign).name == "Mine"


def test_a_version_that_is_no_number_is_no_version(here: Stage) -> None:
    campaign = here.made()
    assert post(here, campaign, "purpose", version="x" * 50, name="Mine").status_code == 409


# --- the counter


def counter(here: Stage, campaign: Campaign, words: str, **fields: Any) -> str:
    """Return what the counter says about a text that is being typed."""
    client = here.client(here.author)
    return text(client.post(here.url(campaign, "edit/message/count/"), {"text": words, **fields}))


def test_the_counter_counts_every_row_of_a_short_list(here: Stage) -> None:
    with scope(here.place):
        people = [{"name": "Ann"}] * 4 + [{"name": "x" * 158}]
        lst = make.recipient_list(here.place, here.author.user, people)
    campaign = here.made(recipient_list_id=lst.pk)
    answer = counter(here, campaign, "Hello {{name}}")
    assert "1 part for most recipients, 2 for 1 of them." in answer
    assert "GSM-7, 160 in a part" in answer


def test_the_counter_says_when_it_looked_at_a_sample(here: Stage) -> None:
    with scope(here.place):
        lst = make.recipient_list(
            here.place, here.author.user, [{"name": f"N{i}"} for i in range(1_200)]
        )
    campaign = here.made(recipient_list_id=lst.pk)
    answer = counter(here, campaign, "Hello {{name}}")
    assert "Looked at a sample of 1,000 of 1,200 rows." in answer


def test_the_counter_names_an_unknown_placeholder(here: Stage) -> None:
    answer = counter(here, here.made(), "Hello {{surname}}")
    assert "There is no column “surname”." in answer
    assert "You can use:" in answer


def test_without_a_list_a_placeholder_is_no_fault_yet(here: Stage) -> None:
    answer = counter(here, here.made(recipient_list_id=None), "Hello {{surname}}")
    assert "“surname” needs a list with a column of that name." in answer
    assert "There is no column" not in answer


def test_a_trigger_has_slots_and_no_columns(here: Stage) -> None:
    campaign = here.made(mode=Mode.TRIGGER, recipient_list_id=None, slots=[])
    assert "There is no slot “surname”." in counter(here, campaign, "Hello {{surname}}")


def test_letters_that_cost_no_part_are_not_said_to(here: Stage) -> None:
    answer = counter(here, here.made(), FANCY)
    assert "One letter is outside GSM-7, so less fits into each part" in answer
    assert "It does not change the number of parts." in answer


def test_the_counter_names_letters_and_what_replacing_them_saves(here: Stage) -> None:
    answer = counter(here, here.made(rows=3), FANCY * 3)
    assert "modifier letter turned comma, 3 times" in answer
    assert "<del>\u02bb</del>" in answer
    assert "<ins>&#x27;</ins>" in answer
    assert "1 part instead of 2, 3 segments fewer." in answer


def test_the_counter_names_the_connections_that_take_no_euro_sign(here: Stage) -> None:
    words = "5 € for {{name}}" + " and more" * 12
    campaign = here.made(rows=3)
    assert "1 part for all 3 recipients." in counter(here, campaign, words)
    Connection.objects.update(alphabet="latin1")
    answer = counter(here, campaign, words)
    assert "2 parts for all 3 recipients." in answer
    assert "One letter is outside GSM-7 or Latin-1" in answer
    assert f"The connection {Connection.objects.get().name} takes Latin-1" in answer


def test_one_press_replaces_them_and_saves(here: Stage) -> None:
    campaign = here.made()
    response = post(here, campaign, "message", text=FANCY, replace="1")
    assert response.headers["Location"] == here.url(campaign, "edit/message/")
    assert here.fresh(campaign).text == "Narxi 35 000 so'm, {{name}}"


def test_the_phone_draws_the_parts_of_a_real_row_with_its_number_masked(here: Stage) -> None:
    campaign = here.made(rows=2)
    answer = counter(here, campaign, "{{name}} " + "x" * 160)
    assert "Name0 " in answer
    assert "part 2" in answer
    assert "+44 77 ••• ••• 00" in answer
    assert make.number(0) not in answer


def test_the_phone_shows_the_row_that_was_picked(here: Stage) -> None:
    with scope(here.place):
        people = [{"name": "Ann"}, {"name": "Bartholomew"}, {"name": "Al"}]
        lst = make.recipient_list(here.place, here.author.user, people)
    campaign = here.made(recipient_list_id=lst.pk)
    assert "Hello Bartholomew" in counter(here, campaign, "Hello {{name}}", row="3")
    assert "Hello Ann" in counter(here, campaign, "Hello {{name}}", row="9" * 99)


def test_a_trigger_is_counted_at_its_longest(here: Stage) -> None:
    campaign = here.made(
        mode=Mode.TRIGGER,
        text="{{code}}",
        slots=[{"name": "code", "type": "text", "max_length": 200}],
    )
    assert "At most 2 parts." in counter(here, campaign, "{{code}}")


def test_a_text_nobody_could_send_is_refused_in_words(here: Stage) -> None:
    assert "at most 4000 characters" in counter(here, here.made(), "x" * 4_001)


# --- the plan


@pytest.fixture
def tashkent(db: None) -> Stage:
    """A workspace five hours ahead of UTC."""
    return stage("Asia/Tashkent")


def test_times_are_those_of_the_workspace_and_stored_in_utc(tashkent: Stage) -> None:
    campaign = tashkent.made()
    assert post(tashkent, campaign, "plan", **plan()).status_code == 302
    saved = tashkent.fresh(campaign)
    assert saved.starts_at == datetime(2036, 1, 15, 5, 0, tzinfo=UTC)
    page = text(tashkent.client(tashkent.author).get(tashkent.url(campaign, "edit/plan/")))
    assert 'value="10:00"' in page


def test_a_time_that_the_clocks_leave_out_is_refused(db: None) -> None:
    berlin = stage("Europe/Berlin")
    campaign = berlin.made()
    fields = plan(start_date="2036-03-30", start_time="02:30", end_date="2036-03-30")
    page = post(berlin, campaign, "plan", **fields)
    assert "the clocks go forward" in text(page)
    assert 'value="02:30"' in text(page)
    assert berlin.fresh(campaign).starts_at is None


def test_start_and_finish_make_the_rate_in_words(here: Stage) -> None:
    campaign = here.made(rows=20)
    answer = autosave(here, campaign, "plan", **plan(), route=here.route.pk, changed="end_time")
    assert "20 segments in 7,200 s is 0.003 each second" in answer
    assert "worked out" in answer
    assert "It fits." in answer


def test_a_typed_rate_makes_the_finish(here: Stage) -> None:
    campaign = here.made(rows=20)
    answer = autosave(here, campaign, "plan", **plan(rate="0.01"), changed="rate")
    saved = here.fresh(campaign)
    assert saved.ends_at is not None
    assert saved.starts_at is not None
    assert timedelta(minutes=33) < saved.ends_at - saved.starts_at < timedelta(minutes=35)
    assert 'value="10:34"' in answer
    assert 'id="calc-rate"' not in answer


def test_a_typed_duration_moves_the_finish(here: Stage) -> None:
    campaign = here.made(rows=20)
    autosave(here, campaign, "plan", **plan(duration="4 h"), changed="duration")
    saved = here.fresh(campaign)
    assert saved.ends_at == datetime(2036, 1, 15, 14, 0, tzinfo=UTC)


def test_a_rate_and_a_finish_make_the_start(here: Stage) -> None:
    campaign = here.made(rows=20)
    autosave(here, campaign, "plan", **plan(unknown="start", rate="0.01"), changed="end_time")
    saved = here.fresh(campaign)
    assert saved.ends_at == datetime(2036, 1, 15, 12, 0, tzinfo=UTC)
    assert saved.starts_at is not None
    assert saved.starts_at < datetime(2036, 1, 15, 11, 27, tzinfo=UTC)


def test_a_plan_faster_than_its_route_says_so_and_when_it_would_end(here: Stage) -> None:
    campaign = here.made(rows=20)
    fields = plan(end_time="10:01")
    with scope(here.place):
        Connection.objects.filter(route_connections__route=here.route).update(rate=1)
        lst = make.recipient_list(here.place, here.author.user, [{"name": "x"}] * 200)
        Campaign.objects.filter(pk=campaign.pk).update(recipient_list=lst)
    answer = autosave(here, campaign, "plan", **fields, route=here.route.pk)
    assert "It does not fit." in answer
    assert "At 1.0/s it would end at 15 Jan 10:04." in answer
    assert "Does not fit the route" in answer


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"end_time": "09:00"}, "The end is not after the start."),
        ({"daily_from": "20:00", "daily_until": "20:00"}, "opens and closes at the same time"),
        ({"daily_from": "20:00"}, "Type both times, or neither."),
        ({"daily_from": "20:00", "daily_until": "21:00"}, "never opens between start and end"),
        ({"start_time": ""}, "And when?"),
        ({"start_date": ""}, "Type the day too."),
        ({"start_date": "soon"}, "Enter a valid date."),
        ({"duration": "long", "changed": "duration"}, "is no duration"),
        ({"mode": "someday"}, "Select a valid choice"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_and_kept_in_the_form(
    here: Stage, changed: dict[str, str], sentence: str
) -> None:
    campaign = here.made()
    page = post(here, campaign, "plan", **plan(**changed))
    assert page.status_code == 200
    assert sentence in text(page).replace("&#x27;", "'")
    assert 'value="2036-01-15"' in text(page)
    assert here.fresh(campaign).version == campaign.version


def test_saving_a_ready_spread_unchanged_keeps_its_audience(here: Stage) -> None:
    window = {
        "starts_at": datetime(2036, 1, 15, 10, 0, 7, tzinfo=UTC),
        "ends_at": datetime(2036, 1, 15, 12, 0, tzinfo=UTC),
    }
    campaign = here.made("ready", mode=Mode.SPREAD, **window)
    assert post(here, campaign, "plan", **plan(), route=here.route.pk).status_code == 302
    saved = here.fresh(campaign)
    assert saved.state == State.READY
    assert saved.starts_at == window["starts_at"]


def test_what_other_modes_need_is_left_out(here: Stage) -> None:
    campaign = here.made(mode=Mode.SPREAD, **make.window())
    fields = plan(mode="on_demand", ceiling="12.5")
    post(here, campaign, "plan", **fields)
    saved = here.fresh(campaign)
    assert (saved.mode, saved.starts_at, saved.ends_at) == (Mode.ON_DEMAND, None, None)
    assert float(saved.rate_ceiling or 0) == 12.5


def test_hours_are_kept_for_every_mode(here: Stage) -> None:
    campaign = here.made()
    post(here, campaign, "plan", **plan(mode="on_demand", daily_from="08:00", daily_until="20:00"))
    saved = here.fresh(campaign)
    assert (saved.daily_from, saved.daily_until) == (time(8), time(20))


def test_a_triggers_slots_are_typed(here: Stage) -> None:
    campaign = here.made()
    fields = plan(
        mode="trigger",
        daily_cap="500",
        stop_date="2036-01-15",
        stop_time="12:00",
        slot_name=["code", "", "shop"],
        slot_type=["code", "text", "text"],
        slot_max_length=["8", "30", "40"],
    )
    assert post(here, campaign, "plan", **fields).status_code == 302
    saved = here.fresh(campaign)
    assert saved.slots == [
        {"name": "code", "type": "code", "max_length": 8},
        {"name": "shop", "type": "text", "max_length": 40},
    ]
    assert (saved.daily_cap, saved.mode) == (500, Mode.TRIGGER)


@pytest.mark.parametrize(
    ("name", "kind", "length", "sentence"),
    [
        ("Code", "code", "8", "Small letters"),
        ("code", "link", "8", "Choose a type"),
        ("code", "code", "0", "Type a length from 1 to 300"),
        ("code", "code", "9" * 50, "Type a length from 1 to 300"),
    ],
)
def test_a_slot_that_cannot_be_is_named_in_its_row(
    here: Stage, name: str, kind: str, length: str, sentence: str
) -> None:
    fields = plan(mode="trigger", slot_name=name, slot_type=kind, slot_max_length=length)
    page = text(post(here, here.made(), "plan", **fields))
    assert sentence in page
    assert f'name="slot_name" value="{name}"' in page


def test_placeholders_without_a_slot_are_proposed_as_slots(here: Stage) -> None:
    campaign = here.made(mode=Mode.TRIGGER, text="Hi {{code}}", slots=[])
    page = text(here.client(here.author).get(here.url(campaign, "edit/plan/")))
    assert 'name="slot_name" value="code"' in page


# --- check, build, submit


def test_the_check_names_every_blocker_with_a_link_to_its_step(here: Stage) -> None:
    campaign = here.made(sender_id=None, text="")
    page = text(here.client(here.author).get(here.url(campaign, "edit/check/")))
    assert "2 things stop you from submitting" in page
    assert here.url(campaign, "edit/message/") + '">Write the text.' in page
    assert "disabled" in page


def test_the_check_says_who_may_approve_and_who_cannot_and_why(here: Stage) -> None:
    admin = here.person(Role.ADMIN)
    with scope(here.place):
        lst = make.recipient_list(here.place, admin.user, [{"name": "Ann"}])
    campaign = here.made(recipient_list_id=lst.pk)
    page = text(here.client(here.author).get(here.url(campaign, "edit/check/")))
    assert f">{here.moderator.user.name}</b>" in page
    assert f"{admin.user.name} cannot: {admin.user.name} uploaded its list." in page


def test_an_author_who_reviews_is_told_that_he_cannot(here: Stage) -> None:
    both = here.person(Role.AUTHOR_MODERATOR)
    campaign = here.made()
    page = text(here.client(both).get(here.url(campaign, "edit/check/")))
    assert "You cannot: you submit it." in page


def test_building_is_watched_until_it_is_over(here: Stage) -> None:
    campaign = here.made(rows=3)
    client = here.client(here.author)
    client.post(here.url(campaign, "build/"))
    progress = here.url(campaign, "build/progress/")
    page = client.get(progress)
    assert "0 of 3 people" in text(page)
    assert "every 1s" in text(page)
    with scope(here.place):
        building.build_chunk(campaign.pk, timezone.now())
    done = client.get(progress)
    assert done.headers["HX-Refresh"] == "true"
    assert "every 1s" not in text(done)


def test_every_step_leads_to_the_progress_while_building(here: Stage) -> None:
    campaign = here.made()
    client = here.client(here.author)
    client.post(here.url(campaign, "build/"))
    response = client.get(here.url(campaign, "edit/message/"))
    assert response.headers["Location"] == here.url(campaign, "edit/check/")
    assert post(here, campaign, "message", text="Other").status_code == 200


def test_building_can_be_stopped_from_the_page(here: Stage) -> None:
    campaign = here.made()
    client = here.client(here.author)
    client.post(here.url(campaign, "build/"))
    client.post(here.url(campaign, "build/stop/"))
    assert here.fresh(campaign).state == State.DRAFT


def test_a_build_that_is_refused_says_why(here: Stage) -> None:
    campaign = here.made(text="")
    response = here.client(here.author).post(here.url(campaign, "build/"), follow=True)
    assert "Write the text." in text(response)
    assert here.fresh(campaign).state == State.DRAFT


def test_a_ready_campaign_shows_its_fingerprint_and_the_number_to_type(here: Stage) -> None:
    campaign = here.made("ready", rows=7)
    page = text(here.client(here.author).get(here.url(campaign, "edit/check/")))
    assert "Fingerprint of all of this" in page
    assert 'data-confirm="7"' in page
    assert "Submit 7 messages for approval" in page
    assert "Hello Name" in page


@pytest.mark.parametrize("typed", ["7", "7 ", "0007", "7."])
def test_the_right_number_submits(here: Stage, typed: str) -> None:
    campaign = here.made("ready", rows=7)
    client = here.client(here.author)
    response = client.post(here.url(campaign, "submit/"), {"typed_count": typed})
    assert response.headers["Location"] == here.url(campaign, "")
    assert here.fresh(campaign).state == State.IN_REVIEW


@pytest.mark.parametrize("typed", ["8", "", "seven", "7x", "٧"])
def test_another_number_submits_nothing_and_stays_in_the_form(here: Stage, typed: str) -> None:
    campaign = here.made("ready", rows=7)
    page = here.client(here.author).post(here.url(campaign, "submit/"), {"typed_count": typed})
    assert page.status_code == 200
    assert f'value="{typed}"' in text(page)
    assert here.fresh(campaign).state == State.READY


def test_a_draft_is_not_submitted_and_its_blockers_are_shown(here: Stage) -> None:
    page = here.client(here.author).post(here.url(here.made(), "submit/"), {"typed_count": "5"})
    assert page.status_code == 409


def test_a_trigger_is_submitted_with_how_many_a_day(here: Stage) -> None:
    campaign = here.made(
        "ready",
        mode=Mode.TRIGGER,
        text="Hi",
        daily_cap=1_500,
        ends_at=timezone.now() + timedelta(days=5),
    )
    client = here.client(here.author)
    page = text(client.get(here.url(campaign, "edit/check/")))
    assert "type how many messages a day it may send" in page
    client.post(here.url(campaign, "submit/"), {"typed_count": "1,500"})
    assert here.fresh(campaign).state == State.IN_REVIEW


@pytest.mark.parametrize("how", ["in_review", "approved", "sending"])
def test_past_editing_the_wizard_leads_to_the_campaigns_page(here: Stage, how: str) -> None:
    campaign = here.made(how)
    client = here.client(here.author)
    for path in ("edit/message/", "edit/check/"):
        assert client.get(here.url(campaign, path)).headers["Location"] == here.url(campaign, "")


def test_a_returned_campaign_says_why(here: Stage) -> None:
    campaign = here.made("in_review")
    with scope(here.place):
        review.return_(
            number=campaign.number,
            by=here.moderator,
            seen=review.digest_of(campaign.pk).hex(),
            words="The price is last month's.",
            now=timezone.now(),
        )
    page = text(here.client(here.author).get(here.url(campaign, "edit/message/")))
    assert "The price is last month&#x27;s." in page


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MODERATOR])
def test_who_does_not_write_does_not_open_the_wizard(here: Stage, role: Role) -> None:
    campaign = here.made()
    client = here.client(here.person(role))
    assert client.get(here.url(campaign, "edit/purpose/")).status_code == 403
    assert client.post(here.url(campaign, "build/")).status_code == 403
