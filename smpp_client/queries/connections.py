"""Connections as they were seen on the wire, never as they were configured."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Prefetch, QuerySet

from smpp_client.carrier.adapters import BUILT_IN
from smpp_client.models import (
    FIRST_RECEIVER_SLOT,
    BindForm,
    ChangeState,
    Connection,
    ConnectionChange,
    ConnectionEvent,
    Lease,
    RouteConnection,
    SessionState,
    SessionStatus,
)
from smpp_client.queries.certificates import (
    CertificateFiles,
    Certificates,
    CertificatesRefused,
    read_certificates,
)

# The owner of a session writes about once a second; after this nobody knows.
FRESH = timedelta(seconds=15)
ENDING_SOON = timedelta(days=30)
URGENT = timedelta(days=7)
EVENTS_SHOWN = 50


class Observed(StrEnum):
    """What is known about a connection, worst first."""

    DOWN = "down"
    NOT_KNOWN = "not_known"
    CONNECTING = "connecting"
    STANDS_STILL = "stands_still"
    RECOVERING = "recovering"
    UP = "up"
    DISABLED = "disabled"


@dataclass(frozen=True)
class Certificate:
    """Our certificate of a connection as its files are now; `trouble` says why it cannot be used.

    `days_left` counts whole days.
    """

    connection: Connection
    read: Certificates | None
    trouble: str
    days_left: int | None

    @property
    def is_ending(self) -> bool:
        """Whether it needs somebody: it ends within 30 days, or cannot be used."""
        return self.days_left is None or self.days_left < ENDING_SOON.days

    @property
    def is_urgent(self) -> bool:
        """Whether it needs somebody this week."""
        return self.days_left is None or self.days_left < URGENT.days


@dataclass(frozen=True)
class SlotSight:
    """One session of a connection as it was seen; `status` is None where nothing fresh is known.

    `number` counts from 1 among those that send, or among the receivers of pairs. `share` is its
    part of the rate in segments/s, None without a session that sends.
    """

    number: int
    is_receiver: bool
    status: SessionStatus | None
    share: int | None
    owner: str


@dataclass(frozen=True)
class Sight:
    """A connection and what was seen of its sessions.

    Counts are None where nothing fresh is known. `rate_now` is in segments/s; `in_flight` in
    segments. `sentence` says why it is not up.
    """

    connection: Connection
    observed: Observed
    sentence: str
    observed_at: datetime | None
    since_at: datetime | None
    session_count: int
    bound_count: int
    in_flight: int | None
    rate_now: float | None
    rate_allowed: float | None
    response_ms: float | None
    throttled_count: int | None
    newest_event: ConnectionEvent | None
    slots: tuple["SlotSight", ...] = ()

    @property
    def window(self) -> int:
        """The windows of all sessions that send, in segments."""
        return self.connection.window * self.connection.bind_count

    @property
    def is_up(self) -> bool:
        """Whether segments go out, and not only single ones that are tried."""
        return self.observed in {Observed.UP, Observed.RECOVERING}

    @property
    def needs_somebody(self) -> bool:
        """Whether it should be up and is not."""
        return self.observed not in {Observed.UP, Observed.RECOVERING, Observed.DISABLED}


def connection_by(name: str) -> Connection | None:
    """Return a connection, or None."""
    return Connection.objects.filter(name=name).first()


def sights(now: datetime) -> list[Sight]:
    """Return every connection as it was seen, by name."""
    return [_sight(one, now) for one in _with_sessions(Connection.objects.all())]


def sight_of(connection: Connection, now: datetime) -> Sight:
    """Return one connection as it was seen."""
    (found,) = _with_sessions(Connection.objects.filter(pk=connection.pk))
    return _sight(found, now)


def sights_of(connections: Iterable[int], now: datetime) -> dict[int, Sight]:
    """Return the sights of connections by their id."""
    wanted = Connection.objects.filter(pk__in=list(connections))
    return {one.pk: _sight(one, now) for one in _with_sessions(wanted)}


def _with_sessions(connections: QuerySet[Connection]) -> list[Connection]:
    newest = (
        ConnectionEvent.objects.order_by("connection_id", "-id")
        .distinct("connection_id")
        .values("pk")
    )
    return list(
        connections.order_by("name").prefetch_related(
            Prefetch("leases", Lease.objects.select_related("status").order_by("slot")),
            Prefetch("events", ConnectionEvent.objects.filter(pk__in=newest), to_attr="newest"),
        )
    )


def _sight(connection: Connection, now: datetime) -> Sight:
    statuses = [lease.status for lease in connection.leases.all() if hasattr(lease, "status")]
    fresh = [status for status in statuses if now - status.observed_at <= FRESH]
    sending = [one for one in fresh if one.lease.slot < FIRST_RECEIVER_SLOT]
    newest: list[ConnectionEvent] = connection.newest  # type: ignore[attr-defined]
    speaking = fresh or statuses
    return Sight(
        connection=connection,
        observed=_observed(connection, fresh, sending),
        sentence=next((one.sentence for one in speaking if one.sentence), ""),
        observed_at=max((one.observed_at for one in statuses), default=None),
        since_at=max((one.since_at for one in fresh), default=None),
        session_count=len(statuses),
        bound_count=sum(one.state == SessionState.BOUND for one in fresh),
        in_flight=sum(one.in_flight for one in fresh) if fresh else None,
        rate_now=sum(one.rate_now for one in fresh) if fresh else None,
        rate_allowed=sum(one.rate_allowed for one in fresh) if fresh else None,
        response_ms=max((one.response_ms for one in fresh if one.response_ms), default=None),
        throttled_count=sum(one.throttled_count for one in fresh) if fresh else None,
        newest_event=newest[0] if newest else None,
        slots=_slots(connection, now),
    )


def _slots(connection: Connection, now: datetime) -> tuple[SlotSight, ...]:
    """Return what is known of each slot that the connection has by its settings."""
    count = connection.bind_count
    wanted = list(range(count))
    if connection.bind_form == BindForm.PAIR:
        wanted += range(FIRST_RECEIVER_SLOT, FIRST_RECEIVER_SLOT + count)
    leases = {lease.slot: lease for lease in connection.leases.all()}
    return tuple(_slot(slot, leases.get(slot), now) for slot in wanted)


def _slot(slot: int, lease: Lease | None, now: datetime) -> SlotSight:
    is_receiver = slot >= FIRST_RECEIVER_SLOT
    number = slot % FIRST_RECEIVER_SLOT + 1
    if lease is None:
        return SlotSight(number, is_receiver, None, None, "")
    status = lease.status if hasattr(lease, "status") else None
    is_fresh = status is not None and now - status.observed_at <= FRESH
    owner = lease.owner.rpartition(":")[0]
    return SlotSight(number, is_receiver, status if is_fresh else None, lease.share, owner)


def _observed(
    connection: Connection, fresh: list[SessionStatus], sending: list[SessionStatus]
) -> Observed:
    """Judge by the sessions that send: over a receiver nothing goes out."""
    states = {status.state for status in sending}
    if not connection.is_enabled and SessionState.BOUND not in states:
        return Observed.DISABLED
    if not fresh:
        return Observed.NOT_KNOWN
    if SessionState.BOUND in states:
        return _bound(connection, sending)
    return Observed.CONNECTING if SessionState.CONNECTING in states else Observed.DOWN


def _bound(connection: Connection, sending: list[SessionStatus]) -> Observed:
    if all(one.stands_still for one in sending if one.state == SessionState.BOUND):
        return Observed.STANDS_STILL
    allowed = sum(status.rate_allowed for status in sending)
    return Observed.RECOVERING if 0 < allowed < connection.rate * 0.99 else Observed.UP


def certificate_of(connection: Connection, now: datetime) -> Certificate | None:
    """Return our certificate of a connection; None where there is an exception from TLS, where a
    new one waits for it, or where a carrier of its own needs none.
    """
    is_needed = connection.carrier == BUILT_IN and connection.is_enabled
    if connection.plain_until is not None or not (is_needed or connection.cert_file):
        return None
    files = CertificateFiles(connection.ca_file, connection.cert_file, connection.key_file)
    try:
        read = read_certificates(files, now)
    except CertificatesRefused as refused:
        return Certificate(connection, None, refused.sentence, None)
    return Certificate(connection, read, "", (read.ends_at - now).days)


def certificates(now: datetime) -> list[Certificate]:
    """Return all our certificates, those that need somebody first."""
    found = [certificate_of(one, now) for one in Connection.objects.order_by("name")]
    known = [one for one in found if one is not None]
    return sorted(known, key=lambda one: -1 if one.days_left is None else one.days_left)


def change_of(connection: Connection) -> ConnectionChange | None:
    """Return the change that waits for another person."""
    asked = connection.changes.filter(state=ChangeState.ASKED).select_related("asked_by")
    return asked.first()


def events_of(connection: Connection, limit: int = EVENTS_SHOWN) -> list[ConnectionEvent]:
    """Return what happened on a connection, newest first."""
    return list(connection.events.order_by("-id")[:limit])


def newest_events(limit: int = 8) -> list[ConnectionEvent]:
    """Return what happened on any connection, newest first."""
    return list(ConnectionEvent.objects.select_related("connection").order_by("-id")[:limit])


def route_parts_of(connection: Connection) -> list[RouteConnection]:
    """Return where a connection takes part, with its weight, by route."""
    return list(
        RouteConnection.objects.filter(connection=connection)
        .select_related("route")
        .order_by("route__name")
    )
