"""Seal what became of messages: each hour, one file for each workspace, its root in the chain.

What is new is told by the transaction that wrote a row's present version, so nothing marks rows
while messages are sent. A horizon is the oldest transaction that has not ended; a pass takes what
transactions from the last horizon up to its own wrote. Each version of a row is in exactly one
pass, however late its transaction committed; a row that a receipt changes later is sealed again,
as it is then, in a later segment.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from math import ceil
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction

from audit.actions.record import record
from audit.rules.events import Actor, Obj
from campaigns.actions.segment_writing import SegmentWriter, Written
from campaigns.models import MessageSegment, Sealing
from campaigns.queries.sealed import key_context
from campaigns.queries.segment_files import segments_folder
from campaigns.rules.outcome_lines import Attempt
from workspaces.models import Workspace
from workspaces.queries.keys import keys
from workspaces.rules.sealing import new_key
from workspaces.scope import scope_everywhere

Clock = Callable[[], datetime]

SEALER: Final = Actor(kind="system", id="sealer")
OPERATION = "messages.sealed"
ROWS_AT_ONCE = 2_000
# Transaction ids in rows have 32 bits; a quarter is left for what is newer than the horizon.
EVERYTHING = 3 * 2**30
# A pass over ten million rows sorts for longer than a page may take.
STATEMENT_MINUTES = 30

HORIZON = """
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
       (SELECT system_identifier FROM pg_control_system()) || '/' ||
       (SELECT oid FROM pg_database WHERE datname = current_database())
"""
# A row's version is new when its transaction id (32 bits) is less than `span` behind `top`.
ATTEMPTS = """
WITH new AS MATERIALIZED (
    SELECT s.* FROM submission s
    WHERE ((%(top)s - s.xmin::text::bigint) & 4294967295)
        < CASE WHEN s.batch_on >= %(fresh_from)s THEN %(span)s ELSE %(aged_span)s END
      AND s.batch_on >= %(first)s)
SELECT n.workspace_id, n.campaign_id, n.position, n.part, n.batch_id, n.part_count, n.kind,
       n.status, n.cause, n.smsc_id, n.happened_at, n.receipt_state, n.receipt_error, n.receipt_at,
       n.evidence, r.number_sealed, CASE WHEN strpos(c.text, '{{') > 0 THEN r."values" END
FROM new n JOIN campaign c ON c.id = n.campaign_id
LEFT JOIN message m ON m.frozen_on = c.frozen_on AND m.campaign_id = n.campaign_id
    AND m.position = n.position
LEFT JOIN recipient r ON r.id = m.recipient_id
ORDER BY n.workspace_id, n.campaign_id, n.position, n.part, n.batch_id
"""


@dataclass(frozen=True)
class _Pass:
    """What one pass reads: rows of `fresh_from` and later from `span` transactions below `top` on,
    older ones from `aged_span` on; and what the next pass has to know of it.
    """

    number: int
    horizon: int
    cluster: str
    fresh_from: date
    span: int
    aged_span: int
    next_fresh_from: date
    next_aged_horizon: int


def seal_messages(now: datetime, *, clock: Clock | None = None) -> int:
    """Seal what was recorded since the last pass, if an hour has begun since; return the lines.

    A pass is of the time at which it begins; `clock` tells when its entries are made, which after a
    long outage is much later.
    Doing it twice at once, or dying at any point, seals nothing twice and leaves nothing out: the
    rows, the audit entries and the pass itself are one transaction, and a file without its row
    counts for nothing. Raises OSError when the disk is full; then nothing was sealed.
    """
    with scope_everywhere("what became of messages is sealed in one pass for all workspaces"):
        if not _is_due(now):
            return 0
        with transaction.atomic(durable=True):
            return _seal(now, clock or (lambda: now)) if _is_alone() and _is_due(now) else 0


def _is_due(now: datetime) -> bool:
    """Say whether another hour runs than that of the last pass: an earlier one, too, since a clock
    that was ahead may have been put back.
    """
    last = Sealing.objects.order_by("-number").first()
    return last is None or _hour(last.sealed_at) != _hour(now)


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _is_alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('seal_messages'))")
        return bool(cursor.fetchone()[0])


def _seal(now: datetime, clock: Clock) -> int:
    one = _next_pass(now)
    segments = _segments(one)
    sealing = Sealing.objects.create(
        number=one.number,
        sealed_at=now,
        horizon=one.horizon,
        aged_horizon=one.next_aged_horizon,
        fresh_from=one.next_fresh_from,
        cluster=one.cluster,
        line_count=sum(draft.done.line_count for _, draft in segments),
    )
    for workspace, draft in segments:
        _enter(workspace, draft, sealing, clock())
    return sealing.line_count


def _segments(one: _Pass) -> "list[tuple[Workspace, _Draft]]":
    """Write a file for each workspace. Where one cannot be written the others go, too: a full disk
    would fill with those of every try.
    """
    found: list[tuple[Workspace, _Draft]] = []
    try:
        for workspace, rows in _by_workspace(_attempts(one)):
            found.append((workspace, _write(workspace, rows)))
    except OSError:
        for _workspace, draft in found:
            draft.done.path.unlink(missing_ok=True)
        raise
    return found


def _next_pass(now: datetime) -> _Pass:
    """Decide what this pass reads: days for which receipts still come, and once a day all days."""
    with connection.cursor() as cursor:
        cursor.execute(HORIZON)
        horizon, cluster = cursor.fetchone()
    last = Sealing.objects.order_by("-number").first()
    fresh = now.date() - timedelta(days=ceil(settings.RECEIPT_WAIT_HOURS / 24) + 2)
    if last is None or last.cluster != cluster or last.horizon > horizon:
        # Other transaction ids count here: all is read again. Lines may repeat; none is missing.
        number = last.number + 1 if last else 1
        return _Pass(number, horizon, cluster, fresh, EVERYTHING, EVERYTHING, fresh, horizon)
    is_first_of_day = last.sealed_at.date() != now.date()
    return _Pass(
        number=last.number + 1,
        horizon=horizon,
        cluster=cluster,
        fresh_from=last.fresh_from,
        span=min(horizon - last.horizon, EVERYTHING),
        aged_span=min(horizon - last.aged_horizon, EVERYTHING) if is_first_of_day else 0,
        next_fresh_from=fresh if is_first_of_day else last.fresh_from,
        next_aged_horizon=horizon if is_first_of_day else last.aged_horizon,
    )


def _attempts(one: _Pass) -> Iterator[tuple[Any, ...]]:
    """Yield the new rows in the order of lines, by a cursor of the server's."""
    values: dict[str, Any] = {
        "fresh_from": one.fresh_from,
        # Days that are not read at all are left out by their index and their partitions.
        "first": date.min if one.aged_span else one.fresh_from,
        "top": one.horizon - 1,
        "span": one.span,
        "aged_span": one.aged_span,
    }
    with connection.cursor() as plain:
        plain.execute(f"SET LOCAL statement_timeout = '{STATEMENT_MINUTES}min'")
    with connection.chunked_cursor() as cursor:
        cursor.execute(ATTEMPTS, values)
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            yield from rows


def _by_workspace(
    rows: Iterable[tuple[Any, ...]],
) -> Iterator[tuple[Workspace, Iterator[tuple[Any, ...]]]]:
    for workspace_id, group in groupby(rows, key=lambda row: row[0]):
        yield Workspace.objects.get(pk=workspace_id), group


@dataclass(frozen=True)
class _Draft:
    """A segment whose file is in its place and whose row is not."""

    number: int
    since: datetime | None
    key: bytes
    done: Written


def _write(workspace: Workspace, rows: Iterable[tuple[Any, ...]]) -> _Draft:
    before = MessageSegment.objects.filter(workspace=workspace).order_by("-number").first()
    number = before.number + 1 if before else 1
    key = new_key()
    writer = SegmentWriter(
        segments_folder() / str(workspace.uuid),
        number,
        key=key,
        opener=keys().number_opener(workspace.pk),
    )
    with writer:
        for *fields, number_sealed, values in rows:
            writer.add(Attempt(*fields), number_sealed, values)
        return _Draft(number, before.until_at if before else None, key, writer.finish())


def _enter(workspace: Workspace, draft: _Draft, sealing: Sealing, now: datetime) -> None:
    """Enter the segment into the workspace's chain, and its row beside."""
    done = draft.done
    facts = {
        "number": draft.number,
        "lines": done.line_count,
        "root": done.root,
        "sha256": done.sha256,
        "bytes": done.size_bytes,
        "since": draft.since,
        "until": sealing.sealed_at,
    }
    eid = record(
        OPERATION,
        workspace=workspace.uuid,
        actor=SEALER,
        obj=Obj("segment", f"seg_{draft.number}"),
        now=now,
        diff={name: (None, value) for name, value in facts.items()},
    )
    MessageSegment.objects.create(
        workspace=workspace,
        number=draft.number,
        sealing=sealing,
        since_at=draft.since,
        until_at=sealing.sealed_at,
        line_count=done.line_count,
        size_bytes=done.size_bytes,
        sha256=done.sha256,
        root=done.root,
        file_name=done.path.name,
        key_sealed=keys().seal(draft.key.hex(), key_context(workspace.pk, draft.number)),
        eid=eid,
    )
