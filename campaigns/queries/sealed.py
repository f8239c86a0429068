"""What is sealed of one message: its lines in all segments, with their paths and salts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from audit.rules.segments import line_salt
from campaigns.models import Campaign, MessageSegment, Sealing
from campaigns.queries.segment_files import Line, lines_of, path_of, paths_of
from campaigns.rules.outcome_lines import read_line
from workspaces.models import Workspace
from workspaces.queries.keys import keys
from workspaces.rules.sealing import SealBroken

FIRST_AND_LAST = """
SELECT min(happened_at), max(greatest(happened_at, receipt_at)) FROM submission
WHERE campaign_id = %s AND position = %s AND batch_on >= %s
"""
# The sender's clock may be ahead of the worker's that sealed.
CLOCKS_APART = timedelta(hours=1)


class KeyDoesNotOpen(RuntimeError):
    """A segment's key is sealed with another installation's keys."""


@dataclass(frozen=True)
class SealedLine:
    """A line of one message with its path to the segment's root (hex); `salt` opens its
    commitments.
    """

    segment: MessageSegment
    n: int
    data: bytes
    path: tuple[str, ...]
    salt: bytes

    @property
    def says(self) -> Mapping[str, Any]:
        """Return what the line says."""
        return read_line(self.data)


@dataclass(frozen=True)
class Times:
    """When a message was first tried, and when something about it changed last."""

    first_at: datetime | None
    last_at: datetime | None


def times_of(campaign: Campaign, position: int) -> Times:
    """Return the times of one message; None where no attempt has an outcome."""
    with connection.cursor() as cursor:
        cursor.execute(FIRST_AND_LAST, [campaign.pk, position, campaign.frozen_on])
        return Times(*cursor.fetchone())


def last_sealed_at() -> datetime | None:
    """Return until when everything is sealed; None before the first pass.

    A pass whose horizon is that of the pass before sealed nothing: one transaction, open since
    then, holds both back.
    """
    last = Sealing.objects.order_by("-number").first()
    if last is None:
        return None
    held = Sealing.objects.filter(cluster=last.cluster, horizon=last.horizon)
    return held.order_by("number").values_list("sealed_at", flat=True).first()


def sealed_lines(workspace: Workspace, campaign: Campaign, position: int) -> list[SealedLine]:
    """Return the lines of one message in the order in which they were sealed.

    Looks into every kept segment from its first attempt on. Raises SegmentDamaged, KeyDoesNotOpen.
    """
    times = times_of(campaign, position)
    if times.first_at is None:
        return []
    found: list[SealedLine] = []
    segments = MessageSegment.objects.filter(
        workspace=workspace, pruned_at=None, until_at__gte=times.first_at - CLOCKS_APART
    )
    for segment in segments.order_by("number"):
        lines = lines_of(path_of(workspace, segment), campaign.pk, position)
        if lines:
            found.extend(_proved(workspace, segment, lines))
    return found


def _proved(workspace: Workspace, segment: MessageSegment, lines: list[Line]) -> list[SealedLine]:
    paths = paths_of(path_of(workspace, segment), segment, [line.n for line in lines])
    key = _key_of(segment)
    return [
        SealedLine(segment, line.n, line.data, tuple(paths[line.n]), line_salt(key, line.n))
        for line in lines
    ]


def _key_of(segment: MessageSegment) -> bytes:
    context = key_context(segment.workspace_id, segment.number)
    try:
        return bytes.fromhex(keys().open(bytes(segment.key_sealed or b""), context))
    except SealBroken as broken:
        raise KeyDoesNotOpen(f"The key of segment {segment.number} does not open.") from broken


def key_context(workspace_id: int, number: int) -> str:
    """Return what a segment's key is bound to."""
    return f"message_segment.key:{workspace_id}:{number}"
