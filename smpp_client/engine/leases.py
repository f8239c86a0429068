"""Leases: who may hold a bind slot. The fence is the epoch; the advisory lock makes a killed
owner's slot free long before its lease ends.

All calls belong on the database thread. The lock lives as long as this process's connection does: a
kill frees it, a frozen process keeps it, and then the lease's own end decides. A living process can
lose its connection too, and takes the lock again when it renews: so a free lock counts only where
renewals have been missed as well.
"""

from dataclasses import dataclass
from datetime import datetime

import psycopg

from smpp_client.carrier import LeaseKey
from smpp_client.engine.clock import lease_now
from smpp_client.engine.link import Link

LOCK_CLASS = 7_001
# Who divides a connection's rate does so alone.
SHARE_CLASS = 7_002
# Every process that wants slots of a connection holds this one, shared: so all know how many they
# are.
WANT_CLASS = 7_004
# An owner whose connection is cut finds out when it renews, and renews at once over another one.
MISSED_RENEWALS = 3

ENSURE = (
    "INSERT INTO lease (connection_id, slot, epoch, owner) VALUES (%s, %s, 0, '')"
    " ON CONFLICT (connection_id, slot) DO NOTHING"
)
FIND = "SELECT id, expires_at FROM lease WHERE connection_id = %s AND slot = %s"
# With the lock in hand the last owner's connection is gone, and who has not renewed for `quiet`
# seconds is gone with it. Right after a restart of the database every lock is gone although its
# owner lives, so then only the lease's end counts. A clock that was put back leaves ends behind
# that it does not reach for long: so an end counts as reached too when it was `unmoved` for as long
# as a lease lasts by the clock of who waits. Its owner's deadline, by its own, has passed then.
TAKE = """
WITH locked AS MATERIALIZED (SELECT pg_try_advisory_lock(%(class)s, %(lease)s) AS got)
UPDATE lease SET epoch = lease.epoch + 1, owner = %(owner)s, share = NULL,
    expires_at = clock_timestamp() + %(seconds)s * interval '1 second'
FROM locked
WHERE lease.id = %(lease)s AND (
    lease.expires_at IS NULL OR lease.expires_at < clock_timestamp()
    OR (locked.got
        AND lease.expires_at < clock_timestamp() + (%(seconds)s - %(quiet)s) * interval '1 second'
        AND pg_postmaster_start_time() < clock_timestamp() - %(seconds)s * interval '1 second')
    OR (locked.got AND lease.owner = '')
    OR lease.expires_at = %(unmoved)s::timestamptz)
RETURNING lease.epoch
"""
RENEW = (
    "UPDATE lease SET expires_at = clock_timestamp() + %s * interval '1 second',"
    " slowed_at = coalesce(clock_timestamp() - %s::float8 * interval '1 second', slowed_at)"
    " WHERE id = %s AND epoch = %s"
)
# Advisory locks count; it is taken again only where the connection that held it is gone.
LOCK_AGAIN = """
SELECT EXISTS (
    SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()
        AND classid = %(class)s AND objid = %(lease)s AND granted)
    OR pg_try_advisory_lock(%(class)s, %(lease)s)
"""
WANT = """
SELECT EXISTS (
    SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()
        AND classid = %(class)s AND objid = %(connection)s AND granted)
    OR pg_try_advisory_lock_shared(%(class)s, %(connection)s)
"""
WANTING = """
SELECT count(DISTINCT pid) FROM pg_locks
WHERE locktype = 'advisory' AND classid = %(class)s AND objid = %(connection)s AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
UNLOCK = """
SELECT pg_advisory_unlock(classid::integer, objid::integer) FROM pg_locks
WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND classid = %s AND objid = %s
"""
RELEASE = (
    "UPDATE lease SET expires_at = NULL, owner = '', share = NULL WHERE id = %s AND epoch = %s"
)
# A row says what its owner may be using, so it falls only when the owner has used less for a while,
# and rises only by what no living lease may be using. Whole segments a second, so that they add up.
SHARE = """
WITH others AS (
    SELECT slot, share FROM lease
    WHERE connection_id = %(connection)s AND id <> %(lease)s AND share IS NOT NULL
        AND expires_at > clock_timestamp()
), whole AS (SELECT rate FROM connection WHERE id = %(connection)s), fair AS (
    SELECT least(
        whole.rate / (count(slot) + 1) + CASE
            WHEN count(slot) FILTER (WHERE slot < %(slot)s) < whole.rate %% (count(slot) + 1)
            THEN 1 ELSE 0 END,
        greatest(whole.rate - coalesce(sum(share), 0), 0)) AS share, whole.rate
    FROM whole LEFT JOIN others ON true GROUP BY whole.rate
)
UPDATE lease SET share = greatest(fair.share, %(using)s)
FROM fair WHERE lease.id = %(lease)s AND lease.epoch = %(epoch)s
RETURNING fair.share, fair.rate, (
    SELECT extract(epoch FROM clock_timestamp() - max(o.slowed_at))::float8 FROM lease o
    WHERE o.connection_id = %(connection)s AND o.owner <> lease.owner)
"""
NO_SHARE = "UPDATE lease SET share = NULL WHERE id = %s AND epoch = %s AND share IS NOT NULL"


@dataclass(frozen=True)
class Held:
    """A lease in hand. `deadline` is of lease_now: past it nothing may be written."""

    key: LeaseKey
    deadline: float


@dataclass(frozen=True)
class Share:
    """What a slot may send in a second, in segments, of the connection's whole `rate`; and how many
    seconds ago another process heard by a receipt that all should slow down.
    """

    segments: int
    rate: int
    heard_ago: float | None = None


NOTHING = Share(0, 0)


class Leases:
    """The leases of this process, over one connection of their own.

    Shares are divided over another one: it may be lost inside a transaction, the locks may not.
    """

    def __init__(self, owner: str, seconds: float, renew_seconds: float) -> None:
        self.owner = owner
        self.seconds = seconds
        self._quiet_seconds = MISSED_RENEWALS * renew_seconds
        self._link = Link()
        self._shares = Link()
        # The end of each lease waited for, by the lease's id, and since when it has been that one.
        self._ends: dict[int, tuple[datetime | None, float]] = {}

    def take(self, connection_id: int, slot: int = 0) -> Held | None:
        """Take a slot that nobody holds, or return None. A new epoch begins with it."""
        at = lease_now()
        self.want(connection_id)
        self._link.run(ENSURE, [connection_id, slot])
        lease_id, ends_at = self._link.rows(FIND, [connection_id, slot])[0]
        values = {
            "class": LOCK_CLASS,
            "lease": lease_id,
            "owner": self.owner,
            "seconds": self.seconds,
            "quiet": self._quiet_seconds,
            "unmoved": self._unmoved(lease_id, ends_at),
        }
        rows = self._link.rows(TAKE, values)
        if not rows:
            self._link.rows(UNLOCK, [LOCK_CLASS, lease_id])
            return None
        del self._ends[lease_id]
        key = LeaseKey(lease_id=lease_id, connection_id=connection_id, epoch=int(rows[0][0]))
        return Held(key, at + self.seconds)

    def _unmoved(self, lease_id: int, ends_at: datetime | None) -> datetime | None:
        """Return a lease's end when it was the same at each look for as long as a lease lasts."""
        now = lease_now()
        seen, since = self._ends.get(lease_id, (None, now))
        if seen != ends_at:
            since = now
        self._ends[lease_id] = (ends_at, since)
        return ends_at if now - since >= self.seconds else None

    def want(self, connection_id: int) -> None:
        """Let the other processes know that this one wants slots of a connection."""
        self._link.rows(WANT, {"class": WANT_CLASS, "connection": connection_id})

    def wanting(self, connection_id: int) -> int:
        """Return how many processes want slots of a connection, this one among them."""
        self.want(connection_id)
        rows = self._link.rows(WANTING, {"class": WANT_CLASS, "connection": connection_id})
        return int(rows[0][0])

    def renew(self, held: Held, heard_ago: float | None = None) -> Held | None:
        """Prolong a lease, or return None when it has another owner. Other processes are told that
        a receipt asked all to slow down, `heard_ago` seconds ago.

        A lock lost with its connection is taken again at once, for another sender may wait for it.
        """
        try:
            return self._renew(held, heard_ago)
        except psycopg.OperationalError:
            return self._renew(held, heard_ago)

    def _renew(self, held: Held, heard_ago: float | None) -> Held | None:
        at = lease_now()
        values = [self.seconds, heard_ago, held.key.lease_id, held.key.epoch]
        if not self._link.run(RENEW, values):
            return None
        self._link.rows(LOCK_AGAIN, {"class": LOCK_CLASS, "lease": held.key.lease_id})
        return Held(held.key, at + self.seconds)

    def release(self, held: Held) -> None:
        """Give a lease back, so that a successor need not wait."""
        self._link.run(RELEASE, [held.key.lease_id, held.key.epoch])
        self._link.rows(UNLOCK, [LOCK_CLASS, held.key.lease_id])

    def share(self, held: Held, *, slot: int, using: int) -> Share:
        """Return the slot's part of the connection's rate; `using` is what it may be using now.

        It may use the answer at once. Over all processes the parts never add up to more than the
        rate; what a living session gives up is another's with the next call of each.
        """
        values = {
            "connection": held.key.connection_id,
            "lease": held.key.lease_id,
            "epoch": held.key.epoch,
            "slot": slot,
            "using": using,
        }
        with self._shares.open.transaction():
            self._shares.rows(
                "SELECT pg_advisory_xact_lock(%s, %s)", [SHARE_CLASS, held.key.connection_id]
            )
            rows = self._shares.rows(SHARE, values)
        if not rows:
            return NOTHING
        segments, rate, heard_ago = rows[0]
        return Share(int(segments), int(rate), heard_ago)

    def leave_share(self, held: Held) -> None:
        """Give a slot's part back: its session is over and nothing more is written."""
        self._shares.run(NO_SHARE, [held.key.lease_id, held.key.epoch])

    def close(self) -> None:
        """Close both connections; every lock goes with the first."""
        self._link.close()
        self._shares.close()
