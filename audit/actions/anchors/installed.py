"""Which anchors there are: ours as the settings name them, and those that other packages bring."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from django.conf import settings

from audit.actions.anchors.file import FileAnchor
from audit.actions.anchors.interface import GROUP, Anchor
from audit.actions.anchors.mail import MailAnchor
from audit.actions.anchors.syslog import SyslogAnchor
from audit.actions.anchors.time_stamp import TimeStampAnchor
from audit.actions.anchors.witness import WitnessAnchor
from audit.rules.anchoring import AnchorRefused, Expected, Given, Last, SignedCheckpoint


@dataclass(frozen=True)
class Installed:
    """An anchor that is set up, and how old its receipts may become."""

    expected: Expected
    anchor: Anchor


@dataclass(frozen=True)
class Unusable:
    """Stands for an anchor that another package brings and that cannot be had."""

    name: str
    trouble: str
    kind: str = "none"
    period: timedelta = timedelta(0)

    def send(self, checkpoint: SignedCheckpoint, last: Last | None) -> Given:
        """Say why there is none."""
        raise AnchorRefused(self.trouble)


def installed() -> list[Installed]:
    """Return all anchors that are set up, ours first; each name once."""
    found: dict[str, Anchor] = {}
    for anchor in (*_ours(), *_plugged()):
        found.setdefault(anchor.name, anchor)
    return [Installed(_expected(anchor), anchor) for anchor in found.values()]


def _expected(anchor: Anchor) -> Expected:
    """There is nothing new to hand over before the next epoch."""
    cadence = max(anchor.period, timedelta(seconds=settings.AUDIT_EPOCH_SECONDS))
    patience = cadence + timedelta(seconds=settings.AUDIT_ANCHOR_LATE_SECONDS)
    return Expected(anchor.name, anchor.kind, anchor.period, patience)


def _ours() -> Iterator[Anchor]:
    if settings.AUDIT_ANCHOR_FILE:
        # Who tries the product out on one machine owns all of it.
        yield FileAnchor(settings.AUDIT_ANCHOR_FILE, may_be_own=settings.DEBUG)
    if settings.AUDIT_TSA_URL:
        period = timedelta(seconds=settings.AUDIT_TSA_SECONDS)
        yield TimeStampAnchor(settings.AUDIT_TSA_URL, settings.AUDIT_TSA_CA, period)
    if settings.AUDIT_ANCHOR_MAIL:
        period = timedelta(seconds=settings.AUDIT_ANCHOR_MAIL_SECONDS)
        yield MailAnchor(tuple(settings.AUDIT_ANCHOR_MAIL), period)
    if settings.AUDIT_ANCHOR_SYSLOG:
        yield SyslogAnchor(settings.AUDIT_ANCHOR_SYSLOG)
    if settings.AUDIT_WITNESS_URL:
        yield WitnessAnchor(settings.AUDIT_WITNESS_URL, settings.AUDIT_WITNESS_KEY)


@cache
def _plugged() -> tuple[Anchor, ...]:
    """Packages do not come and go while a process lives."""
    made = (_made(point) for point in sorted(entry_points(group=GROUP), key=lambda one: one.name))
    return tuple(anchor for anchor in made if anchor is not None)


def _made(point: EntryPoint) -> Anchor | None:
    try:
        made: Anchor | None = point.load()()
    # Foreign code may fail in any way; that must show where anchors show, and stop nothing else.
    except Exception as failure:
        said = f"The anchor {point.value} cannot be used: {type(failure).__name__}: {failure}"
        return Unusable(point.name, said)
    return made
