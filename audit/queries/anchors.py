"""What left the machine, how long ago, and what should go next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from audit.models import Anchor, AnchorReceipt, Epoch
from audit.rules.anchoring import Expected, Last, SignedCheckpoint
from audit.rules.canonical import read_stamp
from audit.rules.clock import is_late
from audit.rules.consistency import consistency_proof
from audit.rules.epochs import read_epoch
from audit.rules.hashes import leaf_hash


@dataclass(frozen=True)
class AnchorState:
    """An anchor at a glance. `epoch` and `last_at` are the last receipt's, None before the first.

    `attested_at` is the other side's time. `failure` is what the last try met, empty when all is
    well; `is_refused` says that the other side said no.
    """

    name: str
    kind: str
    now: datetime
    epoch: int | None = None
    last_at: datetime | None = None
    attested_at: datetime | None = None
    failure: str = ""
    is_refused: bool = False
    is_late: bool = False
    next_try_at: datetime | None = None

    @property
    def age(self) -> timedelta | None:
        """Return how old the last receipt is."""
        return self.now - self.last_at if self.last_at else None

    @property
    def is_alarming(self) -> bool:
        """Say whether a person must look."""
        return self.is_refused or self.is_late


def newest_checkpoint() -> SignedCheckpoint | None:
    """Return the newest signed checkpoint, None before the first."""
    found = Epoch.objects.filter(note__isnull=False).order_by("-epoch").first()
    if found is None or found.note is None:
        return None
    at = read_stamp(read_epoch(found.body.encode()).at)

    def proof(old_size: int) -> Sequence[bytes]:
        # Before it follows anything, a witness needs no proof, and we need not read all epochs.
        return consistency_proof(_leaves(found.epoch), old_size) if old_size else []

    return SignedCheckpoint(epoch=found.epoch, at=at, note=found.note, proof=proof)


def last_receipt(name: str) -> Last | None:
    """Return an anchor's last receipt, None before the first."""
    found = AnchorReceipt.objects.filter(anchor=name).order_by("-epoch").first()
    return Last(found.epoch, bytes(found.content), found.made_at) if found else None


def anchor_states(wanted: Sequence[Expected], *, now: datetime) -> list[AnchorState]:
    """Return the state of the anchors that are set up, in their order."""
    rows = {row.name: row for row in Anchor.objects.filter(name__in=[one.name for one in wanted])}
    return [_state(one, rows.get(one.name), now) for one in wanted]


def _state(one: Expected, row: Anchor | None, now: datetime) -> AnchorState:
    last = AnchorReceipt.objects.filter(anchor=one.name).order_by("-epoch").first()
    begun = last.made_at if last else row.since if row else now
    return AnchorState(
        name=one.name,
        kind=one.kind,
        now=now,
        epoch=last.epoch if last else None,
        last_at=last.made_at if last else None,
        attested_at=last.attested_at if last else None,
        failure=row.failure if row else "",
        is_refused=bool(row and row.is_refused),
        is_late=is_late(begun, patience=one.patience, now=now),
        next_try_at=row.next_try_at if row and row.try_count else None,
    )


def _leaves(until: int) -> list[bytes]:
    bodies = Epoch.objects.filter(epoch__lte=until).order_by("epoch").values_list("body", flat=True)
    return [leaf_hash(body.encode()) for body in bodies.iterator()]
