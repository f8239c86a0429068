"""Subscribers' messages: stored once, given to whom they are for, and obeyed."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.utils import timezone

from campaigns.actions import inbound, reply_upkeep
from campaigns.actions.opt_outs import add_opt_out, lift_opt_out
from campaigns.models import InboundMessage, OptOut, WorkspaceStopWord
from campaigns.rules.stop_words import fold
from smpp_client import carrier
from smpp_client.models import Connection
from smpp_client.rules.codings import Coding
from tests import make as nouns
from tests.campaigns.inbound import came, short_code, wrote
from tests.make import number
from tests.workspaces import make
from tests.workspaces.log import entries
from workspaces.models import Workspace
from workspaces.queries.keys import keys
from workspaces.rules.permissions import Role
from workspaces.scope import scope, scope_everywhere

pytestmark = pytest.mark.django_db

CODE = "2020"


@dataclass
class Site:
    """One connection that two workspaces send over; `care` has the short code 2020."""

    care: Workspace
    offers: Workspace
    wire: Connection

    def opted_out(self) -> set[str]:
        """The workspaces in which subscriber 0 is opted out now."""
        fingerprint = keys().fingerprint(number(0))
        with scope_everywhere("the test looks at everything"):
            rows = OptOut.objects.filter(fingerprint=fingerprint, lifted_at=None)
            return set(rows.values_list("workspace__slug", flat=True))


@pytest.fixture
def site(db: None) -> Site:
    care, offers, wire = make.workspace("care"), make.workspace("offers"), nouns.connection()
    with scope_everywhere("the test makes rows of two workspaces"):
        short_code(care, CODE)
        for place in (care, offers):
            nouns.route(place, wire)
    return Site(care, offers, wire)


def sent_to(place: Workspace, wire: Connection, days_ago: float = 1) -> None:
    """Let a workspace have sent to subscriber 0 over a connection."""
    at = timezone.now() - timedelta(days=days_ago)
    with scope_everywhere("the test makes rows"), database.cursor() as cursor:
        cursor.execute(
            "INSERT INTO message (frozen_on, workspace_id, campaign_id, position, recipient_id,"
            " fingerprint, segment_count) VALUES (%s, %s, %s, 0, 1, %s, 1)",
            [at.date(), place.pk, 900 + place.pk, keys().fingerprint(number(0))],
        )
        cursor.execute(
            "INSERT INTO submission (batch_on, batch_id, workspace_id, campaign_id, position, part,"
            " part_count, connection_id, kind, happened_at)"
            " VALUES (%s, %s, %s, %s, 0, 1, 1, %s, 'submitted', %s)",
            [at.date(), place.pk, place.pk, 900 + place.pk, wire.pk, at],
        )


# Whose it is


def test_a_message_is_for_the_workspace_that_has_its_address(site: Site) -> None:
    (row,) = came(site.wire, wrote(0, "When do you open?", CODE))
    assert (row.workspace_id, row.wish, row.destination) == (site.care.pk, "", CODE)


def test_number_and_text_are_sealed_for_the_workspace(site: Site) -> None:
    (row,) = came(site.wire, wrote(0, "When?", CODE))
    assert row.number_sealed
    assert row.content_sealed
    assert row.fingerprint
    assert keys().open_number(bytes(row.number_sealed), site.care.pk) == number(0)
    assert bytes(row.fingerprint) == keys().fingerprint(number(0))
    assert number(0).encode() not in bytes(row.content_sealed) + bytes(row.digest)


def test_a_number_without_its_country_code_is_the_same_number(site: Site) -> None:
    national = carrier.Address(2, 1, "0" + number(0)[2:])
    rows = came(site.wire, wrote(0, "a", CODE), wrote(0, "b", CODE, source=national))
    assert len({bytes(row.fingerprint or b"") for row in rows}) == 1


def test_an_address_that_nobody_has_is_nobodys(site: Site) -> None:
    (row,) = came(site.wire, wrote(0, "Hello", "7777"))
    assert row.workspace_id is None


def test_an_address_is_nobodys_where_its_workspace_does_not_use_the_connection(
    site: Site,
) -> None:
    (row,) = came(nouns.connection(), wrote(0, "Hello", CODE))
    assert row.workspace_id is None


def test_a_workspace_does_not_see_nobodys_messages(site: Site) -> None:
    came(site.wire, wrote(0, "a", CODE), wrote(0, "b", "7777"))
    for place, count in ((site.care, 1), (site.offers, 0)):
        with scope(place):
            assert InboundMessage.objects.count() == count
    assert InboundMessage.objects.count() == 0


# Once


def test_the_same_octets_are_one_message_until_the_answer_was_read(site: Site) -> None:
    stop = wrote(0, "STOP", CODE)
    assert len(came(site.wire, stop)) == 1
    again = replace(stop, received_at=stop.received_at + timedelta(hours=9))
    assert len(came(site.wire, again, again)) == 1
    inbound.settle(site.wire.pk, [stop])
    assert len(came(site.wire, again)) == 2


def test_the_same_octets_over_another_connection_are_another_message(site: Site) -> None:
    hello = wrote(0, "Hello", CODE)
    came(site.wire, hello)
    assert len(came(nouns.connection(), hello)) == 2


def test_what_no_peer_brings_back_any_more_is_settled(site: Site) -> None:
    old = wrote(0, "a", CODE, at=timezone.now() - timedelta(hours=25))
    came(site.wire, old, wrote(0, "b", CODE))
    assert reply_upkeep.forget_redeliveries(timezone.now()) == 1
    assert len(came(site.wire, old)) == 3


# In parts


def part(which: int, octets: bytes, of: int = 2, **fields: Any) -> carrier.InboundMessage:
    """Return a part of a message with the reference 7."""
    values: dict[str, Any] = {"octets": octets, "reference": 7, "part": which, "part_count": of}
    return wrote(0, "", CODE, **values | fields)


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_parts_are_put_together_whichever_comes_first(site: Site, order: tuple[int, int]) -> None:
    rows = [came(site.wire, part(which, b"\0a"))[-1] for which in order]
    assert [row.head_id for row in rows] == [None, rows[0].pk]


def test_parts_of_one_group_are_put_together(site: Site) -> None:
    rows = came(site.wire, *(part(which, b"\0a", 3) for which in (3, 1, 2)))
    assert [row.head_id for row in rows] == [None, rows[0].pk, rows[0].pk]


@pytest.mark.parametrize(
    "fields",
    [
        {"reference": 8},
        {"part_count": 3},
        {"source": carrier.Address(1, 1, number(1))},
        {"destination": carrier.Address(3, 0, "7777")},
        {"received_at": timezone.now() + timedelta(hours=25)},
    ],
)
def test_a_part_that_differs_begins_another_message(site: Site, fields: dict[str, Any]) -> None:
    came(site.wire, part(1, b"\0a"))
    assert came(site.wire, replace(part(2, b"\0b"), **fields))[-1].head_id is None


def test_a_reference_that_is_used_again_begins_another_message(site: Site) -> None:
    came(site.wire, part(1, b"\0a"), part(2, b"\0b"))
    rows = came(site.wire, part(1, b"\0c"), part(2, b"\0d"))
    assert [row.head_id for row in rows] == [None, rows[0].pk, None, rows[2].pk]


# STOP and START


@pytest.mark.parametrize(
    ("octets", "coding"),
    [
        ("STOP".encode("utf-16-be"), Coding.UCS2),
        (b"Stop.", Coding.GSM),
        ("Отписаться".encode("iso8859-5"), Coding.CYRILLIC),
    ],
)
def test_stop_opts_out_in_the_workspace_that_has_the_address(
    site: Site, octets: bytes, coding: Coding
) -> None:
    sent_to(site.offers, site.wire)
    (row,) = came(site.wire, wrote(0, "", CODE, octets=octets, coding=coding))
    assert site.opted_out() == {"care"}
    assert row.wish == "stop"
    with scope(site.care):
        opt_out = OptOut.objects.get()
    assert (opt_out.source, opt_out.inbound_message_id) == ("sms", row.pk)
    assert opt_out.added_by is None
    assert keys().open_number(bytes(opt_out.number_sealed), site.care.pk) == number(0)


def test_stop_is_recorded_without_the_number_and_the_text(site: Site) -> None:
    came(site.wire, wrote(0, "Stop it, says Ann", CODE))
    entry = entries(site.care)[-1]
    assert (entry["op"], entry["act"]) == ("optout.add", {"kind": "system", "id": "sender"})
    assert (list(entry["pd"]), entry["why"]) == (["number"], f"SMS “STOP” to {CODE}")
    assert "Ann" not in str(entry)
    assert number(0) not in str(entry)


def test_a_second_stop_changes_nothing(site: Site) -> None:
    came(site.wire, wrote(0, "STOP", CODE), wrote(0, "stop", CODE))
    with scope(site.care):
        assert OptOut.objects.count() == 1
    assert [entry["op"] for entry in entries(site.care)].count("optout.add") == 1


@pytest.mark.parametrize("address", ["7777", "Bank"])
def test_stop_to_an_address_of_nobody_opts_out_where_the_number_was_sent_to(
    site: Site, address: str
) -> None:
    sent_to(site.offers, site.wire)
    (row,) = came(site.wire, wrote(0, "STOP", address))
    assert (row.workspace_id, row.wish) == (None, "stop")
    assert site.opted_out() == {"offers"}


def test_stop_to_an_address_of_nobody_does_not_count_where_nothing_was_sent_lately(
    site: Site,
) -> None:
    sent_to(site.offers, site.wire, days_ago=31)
    sent_to(site.care, nouns.connection())
    (row,) = came(site.wire, wrote(0, "STOP", "7777"))
    assert (row.wish, site.opted_out()) == ("stop", set())


def test_stop_over_a_connection_that_the_address_is_not_used_on_counts_for_its_workspace_too(
    site: Site,
) -> None:
    elsewhere = nouns.connection()
    sent_to(site.offers, elsewhere)
    came(elsewhere, wrote(0, "STOP", CODE))
    assert site.opted_out() == {"care", "offers"}


def test_stop_in_the_first_part_counts_whenever_it_comes(site: Site) -> None:
    came(site.wire, part(2, "STOP".encode("utf-16-be")))
    assert site.opted_out() == set()
    rows = came(site.wire, part(1, "STOP it ".encode("utf-16-be")))
    assert site.opted_out() == {"care"}
    assert [row.wish for row in rows] == ["stop", ""]


def test_a_word_of_one_workspace_stops_there_only(site: Site) -> None:
    with scope(site.care):
        WorkspaceStopWord.objects.create(
            workspace=site.care,
            kind="stop",
            word="Basta",
            folded=fold("Basta"),
            created_at=timezone.now(),
        )
    came(site.wire, wrote(0, "basta!", "7777"))
    assert site.opted_out() == set()
    came(site.wire, wrote(0, "basta!", CODE))
    assert site.opted_out() == {"care"}


def test_a_stop_from_an_address_that_is_no_number_is_kept_and_opts_nobody_out(
    site: Site,
) -> None:
    (row,) = came(site.wire, wrote(0, "STOP", CODE, source=carrier.Address(5, 0, "Shop")))
    with scope(site.care):
        assert (row.wish, OptOut.objects.count()) == ("stop", 0)


def test_start_lifts_what_a_stop_by_sms_made(site: Site) -> None:
    came(site.wire, wrote(0, "STOP", CODE), wrote(0, "START", CODE))
    assert site.opted_out() == set()
    assert entries(site.care)[-1]["op"] == "optout.lift"


def test_a_stop_that_comes_again_opts_out_again_though_its_octets_are_the_first_ones(
    site: Site,
) -> None:
    stop = wrote(0, "STOP", CODE)
    assert len(came(site.wire, stop, wrote(0, "START", CODE))) == 2
    assert site.opted_out() == set()
    assert len(came(site.wire, stop)) == 2
    assert site.opted_out() == {"care"}
    assert [entry["op"] for entry in entries(site.care)][-3:] == [
        "optout.add",
        "optout.lift",
        "optout.add",
    ]


def test_a_stop_in_parts_that_comes_again_opts_out_again(site: Site) -> None:
    head = part(1, "STOP it ".encode("utf-16-be"))
    first, _second = came(site.wire, part(2, b"\0a"), head)
    came(site.wire, wrote(0, "START", CODE), head)
    assert site.opted_out() == {"care"}
    with scope(site.care):
        assert OptOut.objects.get(lifted_at=None).inbound_message_id == first.pk


def test_a_stop_after_a_person_lifted_the_opt_out_opts_out_again(site: Site) -> None:
    author, stop = make.me_in(site.care, Role.AUTHOR), wrote(0, "STOP", CODE)
    came(site.wire, stop)
    with scope(site.care):
        made = OptOut.objects.get()
        lift_opt_out(by=author, opt_out_id=made.pk, reason="asked at the desk", now=timezone.now())
    assert site.opted_out() == set()
    came(site.wire, stop)
    assert site.opted_out() == {"care"}


def test_a_start_that_is_brought_back_does_not_undo_the_stop_after_it(site: Site) -> None:
    start = wrote(0, "START", CODE)
    came(site.wire, start, wrote(0, "STOP", CODE), start)
    assert site.opted_out() == {"care"}


def test_start_does_not_lift_what_a_person_entered(site: Site) -> None:
    author = make.me_in(site.care, Role.AUTHOR)
    with scope(site.care):
        add_opt_out(by=author, text=f"+{number(0)}", country="GB", words="call", now=timezone.now())
    came(site.wire, wrote(0, "STOP", CODE), wrote(0, "START", CODE))
    assert site.opted_out() == {"care"}


def test_start_to_an_address_of_nobody_lifts_what_a_stop_to_it_made_and_nothing_else(
    site: Site,
) -> None:
    sent_to(site.care, site.wire)
    sent_to(site.offers, site.wire)
    came(site.wire, wrote(0, "STOP", CODE), wrote(0, "STOP", "7777"))
    assert site.opted_out() == {"care", "offers"}
    came(site.wire, wrote(0, "START", "7777"))
    assert site.opted_out() == {"care"}


def test_anything_that_a_peer_can_send_is_stored(site: Site) -> None:
    long = carrier.Address(1, 1, "x" * 5_000)
    odd = carrier.Address(0, 0, "\0\xff'; --")
    empty = carrier.Address(0, 0, "")
    rows = came(
        site.wire,
        *(
            wrote(0, "", CODE, source=source, destination=destination, octets=bytes(range(256)))
            for source in (long, odd, empty)
            for destination in (long, odd, empty)
        ),
    )
    assert len(rows) == 9


# Erased


def test_text_and_number_are_erased_after_the_workspaces_time(site: Site) -> None:
    now = timezone.now()
    Workspace.objects.filter(pk=site.care.pk).update(reply_days=30)
    came(
        site.wire,
        wrote(0, "old", CODE, at=now - timedelta(days=31)),
        wrote(0, "young", CODE, at=now - timedelta(days=29)),
        wrote(0, "of nobody", "7777", at=now - timedelta(days=31)),
    )
    assert reply_upkeep.erase_replies(now) == 1
    assert reply_upkeep.erase_replies(now) == 0
    with scope_everywhere("the test looks at everything"):
        old, *others = InboundMessage.objects.order_by("pk")
    assert (old.fingerprint, old.number_sealed, old.content_sealed) == (None, None, None)
    assert bytes(old.digest) == b""
    assert all(row.content_sealed for row in others)
    entry = entries(site.care)[-1]
    assert (entry["op"], entry["diff"]) == ("replies.erase", {"erased": [None, 1]})


def test_an_opt_out_stays_when_the_message_that_made_it_is_erased(site: Site) -> None:
    came(site.wire, wrote(0, "STOP", CODE, at=timezone.now() - timedelta(days=200)))
    reply_upkeep.erase_replies(timezone.now())
    assert site.opted_out() == {"care"}


def test_what_is_for_no_workspace_is_erased_too(site: Site) -> None:
    came(site.wire, wrote(0, "of nobody", "7777", at=timezone.now() - timedelta(days=181)))
    assert reply_upkeep.erase_replies(timezone.now()) == 1
