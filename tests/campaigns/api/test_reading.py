"""GET: a message and what became of it, pages by cursor, campaigns, sender names, the key."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from campaigns.actions.sending.desk import CampaignDesk
from campaigns.models import Campaign, OptOut, Recipient
from smpp_client.carrier import Bound, Kind, Outcome, Receipt, Room, Segment
from smpp_client.engine.leases import Held, Leases
from smpp_client.models import Connection
from tests import make
from tests.campaigns.api.care import (
    CAMPAIGNS,
    ME,
    MESSAGES,
    SENDERS,
    SLOTS,
    TEXT,
    Care,
    make_care,
    trigger,
)
from tests.conftest import Database
from workspaces.models import Membership
from workspaces.queries import keys as key_queries
from workspaces.queries.keys import keys
from workspaces.rules.permissions import SCOPES, Role
from workspaces.scope import scope, scope_everywhere

LONG = f"{TEXT} " + "This text takes two segments. " * 6


def test_a_message_is_seen_as_it_was_taken(desk: Care) -> None:
    taken = desk.push(client_reference="case 4711").json()
    found = desk.get(taken["links"]["self"])
    assert found.status_code == 200
    with scope(desk.place):
        sender = Campaign.objects.select_related("sender").get(pk=desk.campaign.pk).sender
    assert sender is not None
    assert found.json() == taken | {
        "sender": sender.value,
        "to": "+44 77 ••• ••• 23",
        "reason": None,
        "parts": [],
    }


def test_a_number_that_was_erased_is_null(desk: Care) -> None:
    taken = desk.push().json()
    with scope(desk.place):
        Recipient.objects.filter(recipient_list=None).update(number_sealed=None)
    assert desk.get(taken["links"]["self"]).json()["to"] is None


# --- what became of it --------------------------------------------------------------------------


class Wire:
    """The sender's desk over the test's own database, without a sender."""

    def __init__(self, desk: Care) -> None:
        self.care = desk
        with scope_everywhere("the test plays the sender"):
            self.connection = Connection.objects.get()
            self.leases = Leases("test", 60, 1)
            held = self.leases.take(self.connection.pk)
        assert isinstance(held, Held)
        self.held, self.desk = held, CampaignDesk()

    def claim(self) -> Sequence[Segment]:
        """Claim all that waits."""
        room = Room(100, Bound.RATE, 100)
        return self.desk.claim(self.held.key, room=room, now=timezone.now()).segments

    def record(self, segments: Sequence[Segment], kind: Kind, **more: Any) -> None:
        """Record one outcome for each segment."""
        for n, segment in enumerate(segments):
            smsc_id = f"id-{segment.key.position}-{n}" if kind is Kind.SUBMITTED else ""
            outcome = Outcome(
                segment.key, segment.part_count, kind, timezone.now(), smsc_id=smsc_id, **more
            )
            self.desk.record(self.held.key, [outcome])

    def receipts(self, segments: Sequence[Segment], state: str, error: str = "000") -> None:
        """Receive a receipt for each segment, as recorded in one call."""
        found = [
            Receipt(f"id-{segment.key.position}-{n}", state, error, timezone.now(), b"raw")
            for n, segment in enumerate(segments)
        ]
        self.desk.receive(self.connection.pk, found)
        self.desk.tidy()

    def close(self) -> None:
        """Close every connection."""
        self.desk.close()
        self.leases.close()


@pytest.fixture
def wire(database: Database) -> Any:
    """A workspace whose messages the test itself sends."""
    key_queries.keys.cache_clear()
    made = Wire(make_care(text=LONG))
    yield made
    made.close()
    key_queries.keys.cache_clear()


def _seen(wire: Wire) -> dict[str, Any]:
    """Return the only message."""
    (found,) = wire.care.get(MESSAGES).json()["items"]
    alone: dict[str, Any] = wire.care.get(found["links"]["self"]).json()
    assert alone == found
    return alone


def test_a_message_of_two_parts_tells_each_of_them(wire: Wire) -> None:
    assert wire.care.push().json()["segments"] == 2
    segments = wire.claim()
    assert _seen(wire)["state"] == "sending"
    wire.record(segments, Kind.SUBMITTED)
    assert [part["state"] for part in _seen(wire)["parts"]] == ["submitted", "submitted"]
    wire.receipts(segments[:1], "delivered")
    assert [part["state"] for part in _seen(wire)["parts"]] == ["delivered", "submitted"]
    wire.receipts(segments, "delivered")
    found = _seen(wire)
    assert (found["state"], found["reason"]) == ("delivered", None)
    assert all(part["receipt_at"] >= part["at"] for part in found["parts"])


@pytest.mark.parametrize(
    ("kind", "more", "state", "code", "words"),
    [
        (Kind.REFUSED, {"status": 0x0B}, "refused", "rinvdstadr", "bad number (0x0B)"),
        (Kind.REFUSED, {"cause": "Not encoded."}, "refused", "not_encoded", "Not encoded."),
        (Kind.DEFERRED, {"status": 0x58}, "deferred", "rthrottled", "throttled (0x58)"),
        (Kind.UNKNOWN, {"cause": "lost"}, "unknown", "no_answer", "not sent again"),
    ],
)
def test_what_the_smsc_said_is_told_in_words(
    wire: Wire, kind: Kind, more: dict[str, Any], state: str, code: str, words: str
) -> None:
    wire.care.push()
    wire.record(wire.claim(), kind, **more)
    found = _seen(wire)
    assert (found["state"], found["reason"]["code"]) == (state, code)
    assert words in found["reason"]["message"]


def test_a_bad_receipt_is_told_in_words(wire: Wire) -> None:
    wire.care.push()
    segments = wire.claim()
    wire.record(segments, Kind.SUBMITTED)
    wire.receipts(segments, "undeliverable", "001")
    found = _seen(wire)
    assert found["state"] == "undelivered"
    assert found["reason"] == {
        "code": "undeliverable",
        "message": "The number is not in use. (001)",
    }


def test_an_opted_out_number_is_suppressed_and_says_so(wire: Wire) -> None:
    care = wire.care
    with scope(care.place):
        OptOut.objects.create(
            workspace=care.place,
            fingerprint=keys().fingerprint("447700900123"),
            number_sealed=keys().seal_number("447700900123", care.place.pk),
            source="page",
            added_at=timezone.now(),
        )
    care.push()
    assert list(wire.claim()) == []
    found = _seen(wire)
    assert (found["state"], found["reason"]["code"]) == ("suppressed", "opted_out")
    assert found["parts"] == []


def test_messages_of_one_state_are_found_among_others(wire: Wire) -> None:
    care = wire.care
    for n in range(4):
        care.push(to=f"+44770090020{n}", client_reference=f"r{n}")
    segments = [segment for _ in range(4) for segment in wire.claim()]
    wire.record([one for one in segments if one.key.position < 2], Kind.SUBMITTED)
    wire.record([one for one in segments if one.key.position >= 2], Kind.REFUSED, status=0x0B)
    first = care.get(f"{MESSAGES}?state=refused&limit=1").json()
    assert [item["client_reference"] for item in first["items"]] == ["r3"]
    second = care.get(first["next"]).json()
    assert [item["client_reference"] for item in second["items"]] == ["r2"]
    assert second["next"] is None
    assert care.get(f"{MESSAGES}?state=delivered").json() == {"items": [], "next": None}


# --- pages --------------------------------------------------------------------------------------


def test_pages_show_every_message_once_newest_first(desk: Care) -> None:
    for n in range(7):
        desk.push(client_reference=f"r{n}")
    assert _all(desk, f"{MESSAGES}?limit=3") == [["r6", "r5", "r4"], ["r3", "r2", "r1"], ["r0"]]


def test_a_page_is_not_moved_by_what_comes_meanwhile(desk: Care) -> None:
    for n in range(4):
        desk.push(client_reference=f"r{n}")
    first = desk.get(f"{MESSAGES}?limit=2").json()
    desk.push(client_reference="new")
    second = desk.get(first["next"]).json()
    assert [item["client_reference"] for item in second["items"]] == ["r1", "r0"]


def test_a_full_last_page_has_no_next_one(desk: Care) -> None:
    for n in range(4):
        desk.push(client_reference=f"r{n}")
    assert [len(page) for page in _all(desk, f"{MESSAGES}?limit=2")] == [2, 2]


def test_pages_of_one_campaign_hold_its_messages_only(desk: Care) -> None:
    other = _another_trigger(desk)
    for n in range(3):
        desk.push(client_reference=f"a{n}")
        desk.push(client_reference=f"b{n}", campaign=str(other))
    assert _all(desk, f"{MESSAGES}?limit=2&campaign={other}") == [["b2", "b1"], ["b0"]]
    assert _all(desk, f"{MESSAGES}?limit=2&campaign={desk.campaign}") == [["a2", "a1"], ["a0"]]


def test_a_page_of_a_campaign_that_is_not_there_is_not_found(desk: Care) -> None:
    answer = desk.get(f"{MESSAGES}?campaign=C-77")
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (404, "campaign")


def test_a_cursor_belongs_to_its_question(desk: Care) -> None:
    for _ in range(3):
        desk.push()
    following = desk.get(f"{MESSAGES}?limit=1").json()["next"]
    answer = desk.get(f"{following}&state=queued")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")


@pytest.mark.parametrize(
    ("query", "name", "code"),
    [
        ("limit=0", "limit", "min_value"),
        ("limit=501", "limit", "max_value"),
        ("limit=all", "limit", "invalid"),
        (f"limit={'9' * 2000}", "limit", "max_string_length"),
        ("limit=1&limit=2", "limit", "repeated"),
        ("state=lost", "state", "invalid_choice"),
        ("campaign=12", "campaign", "not_a_campaign"),
        ("campaign=C-1%00", "campaign", "not_a_campaign"),
        ("cursor=abc", "cursor", "bad_cursor"),
        ("cursor=%ff%fe", "cursor", "bad_cursor"),
        ("cursor=", "cursor", "blank"),
        ("offset=100", "offset", "unknown_field"),
        ("format=xml", "format", "unknown_field"),
    ],
)
def test_a_faulty_query_is_refused_at_its_parameter(
    desk: Care, query: str, name: str, code: str
) -> None:
    answer = desk.get(f"{MESSAGES}?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0] | {"message": ""} == {
        "parameter": name,
        "code": code,
        "message": "",
    }


def _all(desk: Care, path: str) -> list[list[str]]:
    """Return the references of each page."""
    pages: list[list[str]] = []
    following: str | None = path
    while following:
        page = desk.get(following).json()
        pages.append([item["client_reference"] for item in page["items"]])
        following = page["next"]
    return pages


def _another_trigger(desk: Care) -> Campaign:
    with scope(desk.place):
        route = Campaign.objects.select_related("route").get(pk=desk.campaign.pk).route
        return trigger(desk.admin, route)


# --- campaigns ----------------------------------------------------------------------------------


def test_a_campaign_tells_its_state_plan_slots_and_counts_that_add_up(desk: Care) -> None:
    desk.push()
    found = desk.get(f"{CAMPAIGNS}/{desk.campaign}").json()
    assert (found["id"], found["mode"], found["state"]) == ("C-1", "trigger", "sending")
    assert found["slots"] == SLOTS
    assert (found["plan"]["daily_cap"], found["plan"]["zone"]) == (1000, "UTC")
    assert found["why"].startswith("The sender process does not run")
    assert (found["total"], found["counts"]["queued"]) == (1, 1)
    assert sum(found["counts"].values()) == found["total"]


def test_a_held_campaign_tells_why(desk: Care) -> None:
    with scope(desk.place):
        Campaign.objects.update(state="held", hold_sentence="The sender name has no approval.")
    found = desk.get(f"{CAMPAIGNS}/{desk.campaign}").json()
    assert (found["state"], found["why"]) == ("held", "The sender name has no approval.")


def test_a_draft_is_shown_with_counts_of_nothing(desk: Care) -> None:
    with scope(desk.place):
        route = make.route(desk.place, Connection.objects.get())
        draft = make.draft(desk.admin, route, daily_from="08:00", daily_until="20:30")
    found = desk.get(f"{CAMPAIGNS}/{draft}").json()
    assert (found["state"], found["total"], set(found["counts"].values())) == ("draft", 0, {0})
    assert (found["plan"]["daily_from"], found["plan"]["daily_until"]) == ("08:00", "20:30")


def test_campaigns_come_in_pages_newest_first_without_deleted_ones(desk: Care) -> None:
    with scope(desk.place):
        route = make.route(desk.place, Connection.objects.get())
        made = [make.draft(desk.admin, route, rows=1) for _ in range(4)]
        Campaign.objects.filter(pk=made[1].pk).update(deleted_at=timezone.now())
    first = desk.get(f"{CAMPAIGNS}?limit=2").json()
    assert [item["id"] for item in first["items"]] == ["C-5", "C-4"]
    second = desk.get(first["next"]).json()
    assert [item["id"] for item in second["items"]] == ["C-2", "C-1"]
    assert second["next"] is None
    assert desk.get(f"{CAMPAIGNS}/C-3").status_code == 404


# --- sender names, the key ----------------------------------------------------------------------


def test_sender_names_come_in_pages_by_name(desk: Care) -> None:
    with scope(desk.place):
        for name in ("Anna", "Zoe"):
            make.sender(desk.place, name)
    first = desk.get(f"{SENDERS}?limit=2").json()
    assert first["items"][0] == {
        "name": "Anna",
        "state": "in_use",
        "category": "service",
        "revision": 1,
    }
    second = desk.get(first["next"]).json()
    assert [item["name"] for item in second["items"]] == ["Zoe"]


def test_a_key_sees_itself(desk: Care) -> None:
    found = desk.get(ME).json()
    key = desk.key.key
    assert found["key"]["prefix"] == key.prefix
    assert found["key"]["scopes"] == sorted(SCOPES) == found["key"]["permissions"]
    assert found["key"]["expires_at"] == key.expires_at.isoformat().replace("+00:00", "Z")
    assert found["workspace"]["slug"] == desk.place.slug


def test_a_scope_that_its_maker_lost_is_no_permission(desk: Care) -> None:
    with scope(desk.place):
        Membership.objects.filter(user=desk.admin.user).update(role=Role.VIEWER)
    key = desk.get(ME).json()["key"]
    assert "message.send" in key["scopes"]
    assert "message.send" not in key["permissions"]


# --- another workspace --------------------------------------------------------------------------


def test_a_key_of_another_workspace_sees_nothing(desk: Care) -> None:
    taken = desk.push().json()
    other = make_care()
    empty: dict[str, Any] = {"items": [], "next": None}
    assert other.get(MESSAGES).json() == empty
    assert desk.place.slug not in other.get(ME).content.decode()
    mine = {item["name"] for item in other.get(SENDERS).json()["items"]}
    theirs = {item["name"] for item in desk.get(SENDERS).json()["items"]}
    assert mine.isdisjoint(theirs)
    assert other.get(taken["links"]["self"]).status_code == 404


def test_a_neighbours_message_is_not_there_in_the_same_words(desk: Care) -> None:
    taken, other = desk.push().json(), make_care()
    theirs = other.get(taken["links"]["self"]).json()
    nobodys = other.get(f"{MESSAGES}/{uuid4()}").json()
    assert theirs | {"request_id": ""} == nobodys | {"request_id": ""}


def test_a_neighbours_campaign_takes_no_message_in_the_same_words(desk: Care) -> None:
    with scope(desk.place):
        route = make.route(desk.place, Connection.objects.get())
        make.draft(desk.admin, route, rows=1)
    other = make_care()
    theirs = other.push(campaign="C-2").json()
    nobodys = other.push(campaign="C-3").json()
    assert theirs | {"request_id": ""} == nobodys | {"request_id": ""}
    assert other.get(f"{CAMPAIGNS}/C-2").status_code == 404
