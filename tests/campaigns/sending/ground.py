"""What the desk's tests stand on: one workspace, one connection with a lease, and a desk."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection as database
from django.utils import timezone

from campaigns.actions.sending.desk import CampaignDesk
from campaigns.models import Campaign, Progress
from campaigns.rules.message_states import MessageState
from smpp_client.carrier import Bound, Kind, LeaseKey, Outcome, Receipt, Room, Segment
from smpp_client.engine.leases import Held, Leases
from smpp_client.models import Connection, Route
from tests import make
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role


@dataclass
class Ground:
    """A workspace's author, its route, the connection's lease and the desk."""

    author: Me
    connection: Connection
    route: Route
    leases: Leases
    held: Held
    desk: CampaignDesk

    @property
    def lease(self) -> LeaseKey:
        return self.held.key

    def claim(self, room: int = 100, now: datetime | None = None) -> Sequence[Segment]:
        """Claim at most `room` segments."""
        wanted = Room(room, Bound.RATE, 100)
        return self.desk.claim(self.lease, room=wanted, now=now or timezone.now()).segments

    def record(self, segments: Sequence[Segment], kind: Kind, status: int = 0) -> None:
        """Record one outcome for each segment; submitted ones get the id
        `id-<batch>-<position>-<part>`.
        """
        self.desk.record(self.lease, [outcome(segment, kind, status) for segment in segments])

    def receipts(self, segments: Sequence[Segment], state: str) -> None:
        """Receive and apply a receipt for each segment."""
        self.desk.receive(self.connection.pk, [receipt(segment, state) for segment in segments])
        self.desk.tidy()

    def close(self) -> None:
        """Close every connection."""
        self.desk.close()
        self.leases.close()


def ground() -> Ground:
    """Make the ground in the test's own database; the caller opens a scope."""
    author = make.person_in(make.workspace(), Role.ADMIN)
    wire = make.connection()
    through = make.route(author.here, wire)
    leases = Leases("test", 60, 1)
    held = leases.take(wire.pk)
    assert held is not None
    return Ground(author, wire, through, leases, held, CampaignDesk())


def outcome(segment: Segment, kind: Kind, status: int = 0) -> Outcome:
    """Return an outcome of a segment, now."""
    is_submitted = kind is Kind.SUBMITTED
    return Outcome(
        key=segment.key,
        part_count=segment.part_count,
        kind=kind,
        at=timezone.now(),
        status=status,
        smsc_id=smsc_id(segment) if is_submitted else "",
    )


def smsc_id(segment: Segment) -> str:
    """Return the id that the peer gave a segment."""
    key = segment.key
    return f"id-{key.batch_id}-{key.position}-{key.part}"


def receipt(segment: Segment, state: str) -> Receipt:
    """Return a receipt for a segment."""
    return Receipt(smsc_id(segment), state, "000", timezone.now(), b"raw")


def counts(campaign: Campaign) -> dict[str, int]:
    """Return the counters that are not zero."""
    row = Progress.objects.get(campaign=campaign)
    found = {state.value: getattr(row, state.value) for state in MessageState}
    return {name: value for name, value in found.items() if value}


def derived(campaign: Campaign) -> dict[str, int]:
    """Return the same counts, derived from the rows of every message."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT s.message_state, count(*) FROM message_states(%s,"
            " (SELECT array_agg(position) FROM message WHERE campaign_id = %s)) s GROUP BY 1",
            [campaign.pk, campaign.pk],
        )
        return dict(cursor.fetchall())
