"""How far a workspace's chain is signed, for the head of its page, and whether signing goes on."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from audit.models import Epoch, Event, Head, Pending
from audit.rules.canonical import read_stamp
from audit.rules.clock import is_late
from audit.rules.epochs import read_epoch
from audit.rules.notes import read_checkpoint, read_note

SHOWN = 5
# An epoch comes every hour and its checkpoint a second later.
STALE = timedelta(minutes=70)
# The signer needs a second.
UNSIGNED = timedelta(minutes=2)

_LAST_SIGNED = """
SELECT p.epoch, p.body, p.note, coalesce((
    SELECT c.seq FROM audit_epoch_change c
    WHERE c.slot = %s AND c.epoch <= p.epoch ORDER BY c.epoch DESC LIMIT 1), 0)
FROM audit_epoch p WHERE p.note IS NOT NULL ORDER BY p.epoch DESC LIMIT %s
"""


@dataclass(frozen=True)
class Signed:
    """A checkpoint: at `at` the chain had `entry_count` entries; `root` is the signed root, hex."""

    epoch: int
    at: datetime
    entry_count: int
    origin: str
    root: str


@dataclass(frozen=True)
class Silence:
    """No checkpoint since `since`: an epoch stays unsigned, or there is no new epoch at all."""

    since: datetime
    is_unsigned: bool

    @property
    def sentence(self) -> str:
        """Return what is missing and who should have done it."""
        if self.is_unsigned:
            return (
                f"The epoch of {self.since:%Y-%m-%d %H:%M} UTC has no signature: the signer does "
                "not run, or it refuses to sign. Its log says why."
            )
        return f"No epoch since {self.since:%Y-%m-%d %H:%M} UTC: the sequencer does not run."


@dataclass(frozen=True)
class ChainStatus:
    """`entry_count` entries are numbered, of which `signed_count` are under a checkpoint.

    The signer recomputes every entry before it signs. `checkpoints` are the last few, oldest first.
    """

    entry_count: int
    waiting_count: int
    checkpoints: tuple[Signed, ...]
    now: datetime
    silence: Silence | None = None

    @property
    def last(self) -> Signed | None:
        """Return the newest checkpoint."""
        return self.checkpoints[-1] if self.checkpoints else None

    @property
    def signed_count(self) -> int:
        """Return how many entries are recomputed and under a signature."""
        return self.last.entry_count if self.last else 0

    @property
    def open_count(self) -> int:
        """Return how many numbered entries wait for the next checkpoint."""
        return self.entry_count - self.signed_count

    @property
    def age(self) -> timedelta | None:
        """Return how long ago the last checkpoint was."""
        return self.now - self.last.at if self.last else None

    @property
    def is_stale(self) -> bool:
        """Say whether the next checkpoint is overdue: the sequencer or the signer does not run."""
        return self.age is None or self.age > STALE or self.silence is not None


def chain_status(workspace: UUID, *, now: datetime) -> ChainStatus:
    """Return how far a workspace's chain is numbered and signed."""
    head = Head.objects.filter(ws=workspace).first()
    waiting = Event.objects.filter(ws=workspace, pk__in=Pending.objects.values("event_id"))
    return ChainStatus(
        entry_count=head.seq if head else 0,
        waiting_count=waiting.count(),
        checkpoints=tuple(reversed(_signed(head.slot))) if head else (),
        now=now,
        silence=silence(now=now),
    )


def silence(*, now: datetime, patience: timedelta = STALE) -> Silence | None:
    """Return what has stopped, None when all goes on or nothing has begun yet.

    `patience` is how old the newest epoch may become.
    """
    unsigned = Epoch.objects.filter(note=None).order_by("epoch").first()
    if unsigned and is_late(_at(unsigned), patience=UNSIGNED, now=now):
        return Silence(_at(unsigned), is_unsigned=True)
    newest = Epoch.objects.order_by("-epoch").first()
    if newest and is_late(_at(newest), patience=patience, now=now):
        return Silence(_at(newest), is_unsigned=False)
    return None


def _at(epoch: Epoch) -> datetime:
    return read_stamp(read_epoch(epoch.body.encode()).at)


def _signed(slot: int) -> list[Signed]:
    with connection.cursor() as cursor:
        cursor.execute(_LAST_SIGNED, [slot, SHOWN])
        rows = cursor.fetchall()
    signed = []
    for number, body, note, count in rows:
        checkpoint = read_checkpoint(read_note(note).body)
        at = read_stamp(read_epoch(body.encode()).at)
        signed.append(Signed(number, at, count, checkpoint.origin, checkpoint.root.hex()))
    return signed
