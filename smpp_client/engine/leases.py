"""Leases: who may hold a bind slot. The fence is the epoch; the advisory lock makes a killed
owner's slot free at once.

All calls belong on the database thread. The lock lives as long as this process's connection does: a
kill frees it, a frozen
process keeps it, and then the lease's own end decides.
"""

import time
from dataclasses import dataclass

from smpp_client.carrier import LeaseKey
from smpp_client.engine.link import Link

LOCK_CLASS = 7_001

ENSURE = (
    "INSERT INTO lease (connection_id, slot, epoch, owner) VALUES (%s, %s, 0, '')"
    " ON CONFLICT (connection_id, slot) DO NOTHING"
)
# With the lock in hand the last owner's connection is gone. Right after a restart of the database
# every lock is gone
# although its owner lives, so then only the lease's end counts.
TAKE = """
WITH locked AS MATERIALIZED (SELECT pg_try_advisory_lock(%(class)s, %(lease)s) AS got)
UPDATE lease SET epoch = lease.epoch + 1, owner = %(owner)s,
    expires_at = clock_timestamp() + %(seconds)s * interval '1 second'
FROM locked
WHERE lease.id = %(lease)s AND (
    lease.expires_at IS NULL OR lease.expires_at < clock_timestamp()
    OR (locked.got AND pg_postmaster_start_time() < clock_timestamp() - %(seconds)s * interval '1
    second')
    OR (locked.got AND lease.owner = ''))
RETURNING lease.epoch
"""
RENEW = (
    "UPDATE lease SET expires_at = clock_timestamp() + %s * interval '1 second'"
    " WHERE id = %s AND epoch = %s"
)
# Advisory locks count; it is taken again only where the connection that held it is gone.
LOCK_AGAIN = """
SELECT EXISTS (
    SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()
        AND classid = %(class)s AND objid = %(lease)s AND granted)
    OR pg_try_advisory_lock(%(class)s, %(lease)s)
"""
UNLOCK = """
SELECT pg_advisory_unlock(classid::integer, objid::integer) FROM pg_locks
WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND classid = %s AND objid = %s
"""
RELEASE = "UPDATE lease SET expires_at = NULL, owner = '' WHERE id = %s AND epoch = %s"


@dataclass(frozen=True)
class Held:
    """A lease in hand. `deadline` is monotonic seconds: past it nothing may be written."""

    key: LeaseKey
    deadline: float


class Leases:
    """The leases of this process, over one connection of their own."""

    def __init__(self, owner: str, seconds: float) -> None:
        self.owner = owner
        self.seconds = seconds
        self._link = Link()

    def take(self, connection_id: int, slot: int = 0) -> Held | None:
        """Take a slot that nobody holds, or return None. A new epoch begins with it."""
        at = time.monotonic()
        self._link.run(ENSURE, [connection_id, slot])
        found = self._link.rows(
            "SELECT id FROM lease WHERE connection_id = %s AND slot = %s", [connection_id, slot]
        )
        lease_id = int(found[0][0])
        values = {
            "class": LOCK_CLASS,
            "lease": lease_id,
            "owner": self.owner,
            "seconds": self.seconds,
        }
        rows = self._link.rows(TAKE, values)
        if not rows:
            self._link.rows(UNLOCK, [LOCK_CLASS, lease_id])
            return None
        key = LeaseKey(lease_id=lease_id, connection_id=connection_id, epoch=int(rows[0][0]))
        return Held(key, at + self.seconds)

    def renew(self, held: Held) -> Held | None:
        """Prolong a lease, or return None when it has another owner.

        A lock lost with its connection is taken again.
        """
        at = time.monotonic()
        if not self._link.run(RENEW, [self.seconds, held.key.lease_id, held.key.epoch]):
            return None
        self._link.rows(LOCK_AGAIN, {"class": LOCK_CLASS, "lease": held.key.lease_id})
        return Held(held.key, at + self.seconds)

    def release(self, held: Held) -> None:
        """Give a lease back, so that a successor need not wait."""
        self._link.run(RELEASE, [held.key.lease_id, held.key.epoch])
        self._link.rows(UNLOCK, [LOCK_CLASS, held.key.lease_id])

    def close(self) -> None:
        """Close the connection; every lock goes with it."""
        self._link.close()
