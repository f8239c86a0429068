"""What is observed, written where people look: session status about once a second, events as
sentences.
"""

from dataclasses import dataclass, field
from datetime import datetime

from smpp_client.engine.leases import ENSURE
from smpp_client.engine.link import Link

# Whether somebody is up is told by how old this is, to machines whose clocks differ: so the
# database's clock dates it.
STATUS = """
INSERT INTO session_status (lease_id, state, sentence, stands_still, since_at, observed_at,
    in_flight, rate_now, rate_allowed, response_ms, throttled_count, submitted_count,
    certificate_ends_at, host)
VALUES (%(lease)s, %(state)s, %(sentence)s, %(stands_still)s, %(since)s, clock_timestamp(),
    %(in_flight)s, %(rate_now)s, %(rate_allowed)s, %(response_ms)s, %(throttled)s, %(submitted)s,
    %(certificate_ends_at)s, %(host)s)
ON CONFLICT (lease_id) DO UPDATE SET
    state = excluded.state, sentence = excluded.sentence, stands_still = excluded.stands_still,
    since_at = excluded.since_at,
    observed_at = excluded.observed_at, in_flight = excluded.in_flight, rate_now =
    excluded.rate_now,
    rate_allowed = excluded.rate_allowed, response_ms = excluded.response_ms,
    throttled_count = session_status.throttled_count + excluded.throttled_count,
    submitted_count = session_status.submitted_count + excluded.submitted_count,
    certificate_ends_at = excluded.certificate_ends_at, host = excluded.host
"""
EVENT = (
    "INSERT INTO connection_event (connection_id, kind, sentence, happened_at)"
    " VALUES (%s, %s, %s, %s)"
)
# Another sender may hold the slot and use what this one cannot: it says more.
FREE_LEASE = (
    "SELECT id FROM lease WHERE connection_id = %s AND slot = 0"
    " AND (expires_at IS NULL OR expires_at < clock_timestamp())"
)


@dataclass
class Observed:
    """What one slot sees of its session since the last time it was written down."""

    state: str = "down"
    sentence: str = ""
    since: datetime | None = None
    host: str = ""
    stands_still: bool = False
    submitted: int = 0
    throttled: int = 0
    response_seconds: list[float] = field(default_factory=list)

    def now_in(self, state: str, sentence: str, now: datetime, *, stands_still: bool) -> None:
        """Note a state; its time starts when it changes."""
        if state != self.state or self.since is None:
            self.since = now
        self.state, self.sentence, self.stands_still = state, sentence, stands_still

    def p95_ms(self) -> float | None:
        """Return the 95th percentile of response times in milliseconds, None without answers."""
        ordered = sorted(self.response_seconds)
        return 1000 * ordered[int(0.95 * (len(ordered) - 1))] if ordered else None


class Board:
    """Writes what slots observe. Every call belongs on a database thread."""

    def __init__(self) -> None:
        self._link = Link()

    def show(self, values: dict[str, object]) -> None:
        """Write a slot's status."""
        self._link.run(STATUS, values)

    def show_without_slot(
        self, connection_id: int, sentence: str, since: datetime, now: datetime
    ) -> None:
        """Write that a connection is down for which there is no slot, unless somebody holds one."""
        self._link.run(ENSURE, [connection_id, 0])
        for (lease_id,) in self._link.rows(FREE_LEASE, [connection_id]):
            values: dict[str, object] = {"lease": lease_id, "state": "down"}
            values |= {"sentence": sentence[:400], "since": since, "now": now, "host": ""}
            values["stands_still"] = False
            values |= dict.fromkeys(("in_flight", "throttled", "submitted"), 0)
            values |= dict.fromkeys(("rate_now", "rate_allowed"), 0.0)
            values |= dict.fromkeys(("response_ms", "certificate_ends_at"))
            self.show(values)

    def tell(self, connection_id: int, kind: str, sentence: str, now: datetime) -> None:
        """Write an event."""
        self._link.run(EVENT, [connection_id, kind, sentence[:400], now])

    def close(self) -> None:
        """Close the connection."""
        self._link.close()
