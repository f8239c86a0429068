"""POST /messages: what is taken, what it becomes, and what is refused."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns.actions import running
from campaigns.models import (
    ApiMessage,
    Campaign,
    Message,
    Mode,
    OptOut,
    Progress,
    QueuedSegment,
    Recipient,
)
from tests.campaigns.api.care import MESSAGES, VALUES, Care, make_care
from tests.workspaces.log import ops
from workspaces.queries.keys import keys
from workspaces.scope import scope

NUMBER = "447700900123"


def test_a_message_is_taken_and_its_answer_says_all(desk: Care) -> None:
    answer = desk.push(client_reference="case 4711")
    assert answer.status_code == 201
    told = answer.json()
    with scope(desk.place):
        row = ApiMessage.objects.get()
    assert told == {
        "id": str(row.uuid),
        "campaign": str(desk.campaign),
        "state": "queued",
        "segments": 1,
        "client_reference": "case 4711",
        "created_at": row.created_at.isoformat().replace("+00:00", "Z"),
        "links": {"self": f"{MESSAGES}/{row.uuid}"},
    }
    assert answer["Location"] == told["links"]["self"]


def test_everything_that_the_sender_needs_is_stored(desk: Care) -> None:
    desk.push()
    desk.push(to="+447700900124")
    with scope(desk.place):
        first, second = ApiMessage.objects.order_by("position")
        message = Message.objects.get(campaign=desk.campaign, position=0)
        recipient = Recipient.objects.get(pk=message.recipient_id)
        queued = QueuedSegment.objects.get(campaign=desk.campaign, position=0)
        progress = Progress.objects.get(campaign=desk.campaign)
    assert (first.position, second.position) == (0, 1)
    assert message.frozen_on == desk.campaign.frozen_on
    assert recipient.values == VALUES
    assert keys().open_number(bytes(recipient.number_sealed or b""), desk.place.pk) == NUMBER
    assert bytes(message.fingerprint) == keys().fingerprint(NUMBER)
    assert (queued.part, queued.part_count, queued.batch_id) == (0, 1, None)
    assert (progress.total, progress.queued) == (2, 2)


def test_a_number_may_come_again_with_other_values(desk: Care) -> None:
    answers = [desk.push(values={**VALUES, "amount": f"{amount} EUR"}) for amount in (1, 2, 3)]
    assert [answer.status_code for answer in answers] == [201, 201, 201]
    with scope(desk.place):
        found = Recipient.objects.filter(fingerprint=keys().fingerprint(NUMBER)).order_by("pk")
        assert [row.values["amount"] for row in found] == ["1 EUR", "2 EUR", "3 EUR"]


@pytest.mark.django_db
def test_segments_are_counted_by_the_encoder() -> None:
    desk = make_care(text="{{amount}} {{day}} " + "жить " * 30)
    assert desk.push().json()["segments"] == 3


@pytest.mark.parametrize(("alphabet", "segments"), [("gsm", 1), ("latin1", 2)])
@pytest.mark.django_db
def test_segments_are_counted_for_the_alphabet_that_the_campaign_was_built_for(
    alphabet: str, segments: int
) -> None:
    desk = make_care(text="{{amount}} {{day}} " + "x" * 80)
    with scope(desk.place):
        Campaign.objects.filter(pk=desk.campaign.pk).update(alphabet=alphabet)
    assert desk.push(values={**VALUES, "amount": "5 €"}).json()["segments"] == segments


def test_an_opted_out_number_is_taken_for_the_claim_to_judge(desk: Care) -> None:
    with scope(desk.place):
        OptOut.objects.create(
            workspace=desk.place,
            fingerprint=keys().fingerprint(NUMBER),
            number_sealed=keys().seal_number(NUMBER, desk.place.pk),
            source="page",
            added_at=timezone.now(),
        )
    assert desk.push().status_code == 201


def test_the_first_message_of_a_key_and_day_is_in_the_audit_log(desk: Care) -> None:
    desk.push()
    desk.push()
    found = [entry for entry in ops(desk.place) if entry[0] == "message.push"]
    assert len(found) == 1
    assert found[0][1] == f"cmp_{desk.campaign.pk}"


# --- faults in the call -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "at", "code"),
    [
        ({"to": None}, "/to", "required"),
        ({"to": "0770 0900"}, "/to", "unknown_country"),
        ({"to": "+442079460123"}, "/to", "fixed_line"),
        ({"to": "call me"}, "/to", "not_a_number"),
        ({"to": "\ud800"}, "/to", "surrogate_characters_not_allowed"),
        ({"to": "+447700900123\0"}, "/to", "null_characters_not_allowed"),
        ({"to": 447700900123}, "/to", "not_text"),
        ({"to": ""}, "/to", "blank"),
        ({"campaign": "12"}, "/campaign", "not_a_campaign"),
        ({"campaign": "C-1\n"}, "/campaign", "not_a_campaign"),
        ({"campaign": True}, "/campaign", "not_text"),
        ({"values": None}, "/values", "required"),
        ({"values": []}, "/values", "not_a_dict"),
        ({"values": {"amount": "1 EUR"}}, "/values/day", "missing"),
        ({"values": VALUES | {"name": "x"}}, "/values/name", "unknown_slot"),
        ({"values": VALUES | {"a/b~c": "x"}}, "/values/a~1b~0c", "unknown_slot"),
        ({"values": VALUES | {"amount": "much"}}, "/values/amount", "wrong_type"),
        ({"values": VALUES | {"amount": "1" * 17}}, "/values/amount", "too_long"),
        ({"values": VALUES | {"amount": 12}}, "/values/amount", "not_text"),
        ({"values": VALUES | {"amount": None}}, "/values/amount", "null"),
        ({"values": VALUES | {"day": "www.example"}}, "/values/day", "has_link"),
        ({"client_reference": "x" * 101}, "/client_reference", "max_length"),
        ({"client_reference": "a\tb"}, "/client_reference", "control_character"),
        ({"client_reference": ""}, "/client_reference", "blank"),
        ({"sender": "Bank"}, "/sender", "unknown_field"),
        ({"text": "Send money"}, "/text", "unknown_field"),
        ({"workspace": "vas"}, "/workspace", "unknown_field"),
    ],
)
def test_a_faulty_body_is_refused_at_its_place(
    desk: Care, changes: dict[str, Any], at: str, code: str
) -> None:
    answer = desk.push(**changes)
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [(at, code)]
    assert _stored(desk) == 0


def test_every_fault_is_named_at_once(desk: Care) -> None:
    answer = desk.push(to="nobody", values={"amount": "much", "name": "x"})
    found = {(error["pointer"], error["code"]) for error in answer.json()["errors"]}
    assert found == {
        ("/to", "not_a_number"),
        ("/values/name", "unknown_slot"),
        ("/values/amount", "wrong_type"),
        ("/values/day", "missing"),
    }


@pytest.mark.parametrize("body", [[], "text", 7, None, True])
def test_a_body_that_is_no_object_is_refused(desk: Care, body: Any) -> None:
    answer = desk.push_raw(json.dumps(body), {"Idempotency-Key": "k"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "")


def test_a_campaign_that_is_not_there_is_told_at_its_place(desk: Care) -> None:
    answer = desk.push(campaign="C-999999999")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer.json()["errors"][0]["pointer"] == "/campaign"


# --- the state of things ------------------------------------------------------------------------


def test_only_a_trigger_takes_messages(desk: Care) -> None:
    with scope(desk.place):
        Campaign.objects.filter(pk=desk.campaign.pk).update(mode=Mode.ON_DEMAND)
    assert _refused(desk) == (409, "not_a_trigger")


def test_a_paused_campaign_takes_nothing_and_takes_again_after_it(desk: Care) -> None:
    with scope(desk.place):
        running.pause(number=desk.campaign.number, by=desk.admin, now=timezone.now())
    answer = desk.push(key="one")
    assert (answer.status_code, answer.json()["code"]) == (409, "campaign_not_sending")
    assert answer.json()["campaign_state"] == "paused"
    with scope(desk.place):
        running.resume(number=desk.campaign.number, by=desk.admin, now=timezone.now())
    assert desk.push(key="one").status_code == 201


def test_a_campaign_whose_end_has_passed_takes_nothing(desk: Care) -> None:
    with scope(desk.place):
        Campaign.objects.filter(pk=desk.campaign.pk).update(ends_at=timezone.now())
    assert _refused(desk) == (409, "campaign_over")


def test_a_campaign_that_is_not_what_was_approved_takes_nothing(desk: Care) -> None:
    with scope(desk.place):
        Campaign.objects.filter(pk=desk.campaign.pk).update(priority="promotional")
    assert _refused(desk) == (409, "approval_void")


@pytest.mark.django_db
def test_outside_its_hours_a_campaign_says_when_they_begin() -> None:
    now = timezone.now()
    opens, closes = now + timedelta(hours=2), now + timedelta(hours=3)
    desk = make_care(daily_from=opens.time(), daily_until=closes.time())
    answer = desk.push()
    assert (answer.status_code, answer.json()["code"]) == (409, "closed_hours")
    assert 7100 < int(answer["Retry-After"]) <= 7200


@pytest.mark.django_db
def test_the_daily_cap_holds_until_midnight_of_the_campaigns_zone() -> None:
    desk = make_care(daily_cap=2)
    assert [desk.push().status_code for _ in range(2)] == [201, 201]
    answer = desk.push()
    assert (answer.status_code, answer.json()["code"]) == (429, "quota_exhausted")
    midnight = (timezone.now() + timedelta(days=1)).replace(hour=0, minute=0, second=0)
    left = (midnight - timezone.now()).total_seconds()
    assert abs(int(answer["Retry-After"]) - left) < 5
    with scope(desk.place):
        ApiMessage.objects.filter(position=0).update(created_at=timezone.now() - timedelta(days=1))
    assert desk.push().status_code == 201


def test_a_client_reference_is_used_once_and_leads_to_its_message(desk: Care) -> None:
    first = desk.push(client_reference="case 4711").json()
    answer = desk.push(client_reference="case 4711", to="+447700900200")
    assert (answer.status_code, answer.json()["code"]) == (409, "client_reference_taken")
    assert answer.json()["existing"] == {"id": first["id"], "links": first["links"]}
    assert answer.json()["errors"][0]["pointer"] == "/client_reference"


def test_another_workspace_may_use_the_same_reference(desk: Care) -> None:
    other = make_care()
    assert other.push(client_reference="case 4711").status_code == 201
    assert desk.push(client_reference="case 4711").status_code == 201


def test_messages_without_a_reference_do_not_meet(desk: Care) -> None:
    assert desk.push().json()["client_reference"] is None
    assert desk.push().status_code == 201


def _refused(desk: Care) -> tuple[int, str]:
    answer = desk.push()
    assert _stored(desk) == 0
    return answer.status_code, answer.json()["code"]


def _stored(desk: Care) -> int:
    with scope(desk.place):
        assert Progress.objects.get(campaign=desk.campaign).total == ApiMessage.objects.count()
        return ApiMessage.objects.count()


@pytest.mark.parametrize(("reason", "status"), [("route_down", 201), ("sender", 409)])
def test_a_route_that_is_down_refuses_no_message(desk: Care, reason: str, status: int) -> None:
    with scope(desk.place):
        Campaign.objects.filter(pk=desk.campaign.pk).update(state="held", hold_reason=reason)
    assert desk.push().status_code == status
