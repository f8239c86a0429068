"""The one checker: the product's database against the simulator's ledger.

It has its own connection and asks the tables, not the product. I1 to I4 and I6 after every fault
and at the end; I5 where an act asks for it; I7 at the end; I8 by the clock of each fault.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg

from campaigns.rules.message_states import MessageState
from tests.chaos.ledger import Ledger
from workspaces.queries.keys import keys

STATES = tuple(state.value for state in MessageState)
SUM = " + ".join(f"p.{state}" for state in STATES)
# One statement is one snapshot: the counters and the rows they count are of the same instant.
DERIVED = f"""
SELECT p.campaign_id, jsonb_build_object({", ".join(f"'{s}', p.{s}" for s in STATES)}),
    (SELECT jsonb_object_agg(s.message_state, s.n) FROM (
        SELECT message_state, count(*) AS n FROM message_states(p.campaign_id,
            (SELECT array_agg(g) FROM generate_series(0, p.total - 1) AS g)) GROUP BY 1) s)
FROM progress p WHERE p.total > 0 AND p.campaign_id = ANY (%s)
"""  # noqa: S608 - the names are the product's own
CONSERVED = f"SELECT p.campaign_id, p.total, {SUM}, p.unknown FROM progress p"  # noqa: S608
SUBMITTED = """
SELECT s.batch_id, s.position, s.smsc_id, m.fingerprint
FROM batch b JOIN submission s ON s.batch_on = b.opened_on AND s.batch_id = b.id
JOIN message m ON m.campaign_id = s.campaign_id AND m.position = s.position
WHERE s.kind = 'submitted' AND b.id >= %s
"""
UNKNOWN = """
SELECT count(*) FROM batch b JOIN submission s ON s.batch_on = b.opened_on AND s.batch_id = b.id
WHERE (s.kind = 'unknown' OR s.evidence <> '') AND b.id >= %s
"""
CLAIMED_AFTER = "SELECT count(*) FROM batch WHERE opened_at > to_timestamp(%s)"
OPEN_FROM = """
SELECT coalesce((SELECT min(id) FROM batch WHERE closed_at IS NULL),
                (SELECT max(id) FROM batch), 0)
"""


class Broken(AssertionError):
    """An invariant does not hold."""


@dataclass
class Checker:
    """Judges one installation. `url` is the superuser's, who passes row-level security."""

    url: str
    ledger: Ledger
    checked_to: int = 0
    fingerprints: dict[int, bytes] = field(default_factory=dict)

    def rows(self, statement: str, values: list[Any] | None = None) -> list[Any]:
        """Ask the database once, on a connection of its own."""
        with psycopg.connect(self.url, autocommit=True, connect_timeout=5) as link:
            return link.execute(statement, values or []).fetchall()

    def after_fault(self) -> None:
        """I1, I2 and I3 as far as they can have changed since the last call."""
        floor = self.oldest_open()
        self.nothing_twice()
        self.submitted_is_in_the_ledger(self.checked_to)
        self.conserved()
        self.checked_to = floor

    def oldest_open(self) -> int:
        """Return the first batch that may still change: what was closed before it stays."""
        return int(self.rows(OPEN_FROM)[0][0])

    def nothing_twice(self) -> None:
        """I1: no segment was accepted twice."""
        self.ledger.read_on()
        if self.ledger.twice:
            raise Broken(f"I1: accepted twice: {self.ledger.twice[:5]}")

    def submitted_is_in_the_ledger(self, from_batch: int = 0) -> int:
        """I2: each `submitted` was accepted, under that id and for that person; return how many.

        One without an id cannot be looked up; it is counted.
        """
        count = 0
        for batch, position, smsc_id, fingerprint in self._submitted(from_batch):
            count += 1
            if not smsc_id:
                continue
            number = self.ledger.destinations.get(smsc_id)
            if number is None:
                raise Broken(f"I2: batch {batch} position {position}: {smsc_id} was never accepted")
            if self._fingerprint(number) != bytes(fingerprint):
                raise Broken(f"I2: batch {batch} position {position} went to somebody else")
        return count

    def _submitted(self, from_batch: int) -> Iterator[Any]:
        with (
            psycopg.connect(self.url, connect_timeout=5) as link,
            link.cursor("submitted") as cursor,
        ):
            cursor.itersize = 10_000
            cursor.execute(SUBMITTED, [from_batch])
            # What was submitted before this snapshot is in the ledger before this read.
            self.ledger.read_on()
            yield from cursor

    def _fingerprint(self, number: int) -> bytes:
        found = self.fingerprints.get(number)
        if found is None:
            found = self.fingerprints[number] = keys().fingerprint(str(number))
        return found

    def conserved(self) -> None:
        """I3, the cheap half: the counts of every campaign add up to its total."""
        for campaign, total, added, _unknown in self.rows(CONSERVED):
            if total != added:
                raise Broken(f"I3: campaign {campaign} has {total}, its counts add up to {added}")

    def counted(self, campaigns: list[int]) -> None:
        """I3, the dear half: the counters are what the rows of every message say."""
        for campaign, counts, derived in self.rows(DERIVED, [campaigns]):
            kept = {name: count for name, count in counts.items() if count}
            if kept != (derived or {}):
                raise Broken(f"I3: campaign {campaign} counts {kept}, its rows say {derived}")

    def unknown(self, from_batch: int = 0) -> int:
        """Return how many segments are unknown, or were until a receipt told what became of them.

        So a fault cannot hide its unknowns behind those of another that were just settled; only an
        answer that comes late on a living session leaves no trace.
        """
        return int(self.rows(UNKNOWN, [from_batch])[0][0])

    def epochs(self) -> int:
        """Return how often a lease has changed hands: each time a session ended for good."""
        return int(self.rows("SELECT coalesce(sum(epoch), 0) FROM lease")[0][0])

    def leases_of_others(self, pid: int) -> int:
        """Return how many leases are held by other senders than this process."""
        statement = (
            "SELECT count(*) FROM lease WHERE expires_at > clock_timestamp()"
            " AND split_part(owner, ':', 2) <> %s"
        )
        return int(self.rows(statement, [str(pid)])[0][0])

    def claimed_after(self, at: float) -> int:
        """I5: return how many batches were claimed after this Unix time, by the database's clock.

        Unlike an arrival at a busy SMSC this is not late because the machine is.
        """
        return int(self.rows(CLAIMED_AFTER, [at])[0][0])

    def causes(self) -> dict[str, int]:
        """I4: return how many unknown segments have which cause; none may have no cause."""
        rows = self.rows("SELECT cause, count(*) FROM submission WHERE kind = 'unknown' GROUP BY 1")
        causes = {str(cause): int(count) for cause, count in rows}
        if "" in causes:
            raise Broken(f"I4: {causes['']} unknown segments have no cause")
        return causes

    def busiest_claims(self) -> int:
        """I6: return the most segments that were claimed in one second of the clock."""
        rows = self.rows(
            "SELECT coalesce(max(n), 0) FROM"
            " (SELECT sum(claimed) AS n FROM rate_sample GROUP BY second) s"
        )
        return int(rows[0][0])

    def nothing_stuck(self) -> None:
        """At the end: no open batch, nothing in the queue, nothing on its way."""
        (batches, queued, moving), *_ = self.rows(
            "SELECT (SELECT count(*) FROM batch WHERE closed_at IS NULL),"
            " (SELECT count(*) FROM queued_segment),"
            " (SELECT coalesce(sum(queued + sending + deferred), 0) FROM progress)"
        )
        if batches or queued or moving:
            raise Broken(f"stuck: {batches} batches, {queued} queued segments, {moving} messages")

    def nothing_lost(self) -> dict[str, int]:
        """At the end: every message has its fate, and what is not unknown was truly accepted.

        Returns the counts over all campaigns.
        """
        sums = ", ".join(f"sum({state})::bigint" for state in STATES)
        total, *counts = self.rows(f"SELECT sum(total)::bigint, {sums} FROM progress")[0]  # noqa: S608
        found = {state: int(count) for state, count in zip(STATES, counts, strict=True) if count}
        if sum(found.values()) != total:
            raise Broken(f"lost: {total} messages, {found}")
        return found
