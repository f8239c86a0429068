"""Connections that take Latin-1: what is counted is what is sent, whichever of them carries it."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns.actions.running import resume
from campaigns.actions.sending.desk import ACCOUNT_SECONDS, CampaignDesk
from campaigns.models import Campaign
from campaigns.queries.blockers import blockers
from campaigns.queries.counting import counted
from campaigns.queries.previews import preview_of
from campaigns.rules.campaign_states import State
from smpp_client.carrier import Bound, Kind, LeaseKey, Room, Segment
from smpp_client.models import Connection, RouteConnection
from smpp_client.rules.segments import DATA_CODING_UCS2
from tests import make
from tests.campaigns.sending.ground import Ground, counts, derived, outcome

# 114 characters: one segment of GSM-7, two of UCS-2, as Latin-1 has no euro sign.
EURO = "Data for 5 € a month, " + "more of it " * 8 + "now."
PLAIN = "Data for 5 EUR a month, é, @ and [ are in both tables."


@dataclass
class Side:
    """A connection whose sender is a process of its own."""

    lease: LeaseKey
    desk: CampaignDesk

    def turn(self, seconds: float = 0, room: int = 100) -> list[Segment]:
        """Claim and submit what may go so many seconds from now."""
        wanted = Room(room, Bound.RATE, room)
        now = timezone.now() + timedelta(seconds=seconds)
        segments = list(self.desk.claim(self.lease, room=wanted, now=now).segments)
        self.desk.record(self.lease, [outcome(one, Kind.SUBMITTED) for one in segments])
        return segments


def takes(one: Connection, alphabet: str) -> None:
    """Set what a connection takes data coding 0 for."""
    Connection.objects.filter(pk=one.pk).update(alphabet=alphabet)


def side(desk: Ground, weight: int) -> tuple[Connection, Side]:
    """Return another connection of the route, which takes Latin-1."""
    other = make.connection()
    takes(other, "latin1")
    RouteConnection.objects.create(route=desk.route, connection=other, weight=weight)
    held = desk.leases.take(other.pk)
    assert held is not None
    return other, Side(held.key, CampaignDesk())


def codings(segments: list[Segment]) -> set[int]:
    """Return the data codings of segments."""
    return {one.data_coding for one in segments}


def test_a_text_that_latin1_lacks_goes_out_as_it_was_counted(desk: Ground) -> None:
    assert len(EURO) == 114
    takes(desk.connection, "latin1")
    campaign = make.sending(desk.author, desk.route, rows=4, text=EURO)
    assert (campaign.segment_total, campaign.alphabet) == (8, "latin1")
    segments = Side(desk.lease, desk.desk).turn()
    assert len(segments) == 8
    assert codings(segments) == {DATA_CODING_UCS2}
    assert counts(campaign) == {"submitted": 4} == derived(campaign)


def test_both_connections_of_a_mixed_route_send_the_same_parts(desk: Ground) -> None:
    other, latin1 = side(desk, weight=0)
    campaign = make.sending(desk.author, desk.route, rows=8, text=EURO)
    assert campaign.segment_total == 16
    here = Side(desk.lease, desk.desk).turn(room=8)
    RouteConnection.objects.filter(connection=other).update(weight=1)
    RouteConnection.objects.filter(connection=desk.connection).update(weight=0)
    there = latin1.turn(10)
    assert (len(here), len(there)) == (8, 8)
    assert codings(here + there) == {DATA_CODING_UCS2}
    assert counts(campaign) == {"submitted": 8} == derived(campaign)


def test_what_both_tables_hold_goes_as_each_takes_it(desk: Ground) -> None:
    _other, latin1 = side(desk, weight=0)
    make.sending(desk.author, desk.route, rows=2, text=PLAIN)
    (gsm, *_rest) = Side(desk.lease, desk.desk).turn(room=1)
    RouteConnection.objects.update(weight=1)
    (one,) = latin1.turn(10)
    assert (gsm.data_coding, one.data_coding) == (0, 0)
    assert one.short_message == PLAIN.encode("latin-1") != gsm.short_message


def test_an_alphabet_that_changed_after_the_approval_holds_the_campaign(desk: Ground) -> None:
    campaign = make.sending(desk.author, desk.route, rows=3, text=EURO)
    takes(desk.connection, "latin1")
    sender = Side(desk.lease, desk.desk)
    assert sender.turn() == []
    campaign.refresh_from_db()
    assert (campaign.state, campaign.hold_reason) == (State.HELD, "alphabet")
    assert "more segments there than were approved" in campaign.hold_sentence
    assert counts(campaign) == {"queued": 3} == derived(campaign)
    takes(desk.connection, "gsm")
    resume(number=campaign.number, by=desk.author, now=timezone.now())
    assert len(sender.turn(ACCOUNT_SECONDS + 60)) == 3
    assert counts(campaign) == {"submitted": 3} == derived(campaign)


def test_an_alphabet_that_changed_holds_nothing_that_still_fits(desk: Ground) -> None:
    campaign = make.sending(desk.author, desk.route, rows=3, text="5 €, {{name}}")
    takes(desk.connection, "latin1")
    assert len(Side(desk.lease, desk.desk).turn()) == 3
    assert counts(campaign) == {"submitted": 3}


def draft(desk: Ground) -> Campaign:
    """Return a draft with the euro sign in its text."""
    return make.draft(desk.author, desk.route, rows=2, text=EURO)


def test_the_composer_counts_for_the_route_and_names_who_makes_it_longer(desk: Ground) -> None:
    campaign = draft(desk)
    before = counted(campaign, EURO)
    assert before.sentence == "1 part for all 2 recipients."
    assert (before.letters, before.route_hint, before.table) == ([], "", "GSM-7")
    other, _side = side(desk, weight=0)
    after = counted(campaign, EURO)
    assert after.sentence == "2 parts for all 2 recipients."
    assert [letter.character for letter in after.letters] == ["€"]
    assert other.name in after.route_hint
    assert len(preview_of(campaign, after).parts) == 2


def test_without_a_route_all_that_the_workspace_may_use_count(desk: Ground) -> None:
    takes(desk.connection, "latin1")
    campaign = draft(desk)
    Campaign.objects.filter(pk=campaign.pk).update(route=None)
    campaign.refresh_from_db()
    assert counted(campaign, EURO).sentence == "2 parts for all 2 recipients."


@pytest.mark.parametrize(("before", "after"), [("gsm", "latin1"), ("latin1", "gsm")])
def test_a_campaign_that_was_built_for_another_alphabet_is_built_again(
    desk: Ground, before: str, after: str
) -> None:
    takes(desk.connection, before)
    campaign = make.ready(desk.author, desk.route, rows=2, text=EURO)
    assert blockers(campaign, timezone.now()) == []
    takes(desk.connection, after)
    (blocker,) = blockers(campaign, timezone.now())
    assert (blocker.code, blocker.step) == ("alphabet_changed", "check")
