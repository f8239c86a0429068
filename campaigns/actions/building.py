"""Building: each recipient gets a position and a segment count; then the audience is frozen and
hashed.

The work order is the campaign's row: `built_recipient_id` and `built_count` say where a killed
worker's successor goes on.
"""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection, transaction
from django.utils.translation import gettext as _

from audit.rules.events import Actor
from campaigns.actions.moves import WrongState, campaign_obj, lock, move, note_machine
from campaigns.actions.review import Blocked
from campaigns.actions.running import audience_digest
from campaigns.models import Campaign, Mode, Progress, Recipient
from campaigns.queries.alphabets import alphabet_now
from campaigns.queries.blockers import content_blockers
from campaigns.queries.plans import ceiling_of
from campaigns.rules.campaign_states import State
from campaigns.rules.permutation import permutation
from campaigns.rules.text import Template, compile_text
from smpp_client.rules.pace import PlanRefused
from smpp_client.rules.segments import Alphabet, TextRefused, count
from workspaces.actions.noting import note
from workspaces.queries.me import Me

CHUNK = 5_000
BUILDER = Actor(kind="system", id="builder")
BUILDABLE = frozenset({State.DRAFT, State.RETURNED, State.FAILED, State.READY})


@dataclass(frozen=True)
class Built:
    """What one chunk did: rows written, and whether the audience is frozen (or failed) now."""

    row_count: int
    is_done: bool


class BuildFailed(ValueError):
    """The audience cannot be frozen; the sentence says why."""


def start_build(*, number: int, by: Me, now: datetime) -> Campaign:
    """Begin building; the sender's approved revision, the workspace's zone and what the route's
    connections take the text for are taken now.

    Raises Blocked, WrongState.
    """
    with transaction.atomic(durable=True):
        campaign = lock(by.here, number)
        if campaign.state not in BUILDABLE:
            raise WrongState(_("The campaign is past building. Look at it again."))
        found = content_blockers(campaign, now)
        if found:
            raise Blocked(found)
        if campaign.state == State.READY:
            move(campaign, State.DRAFT, allowed={State.READY}, now=now)
        move(campaign, State.BUILDING, allowed=BUILDABLE - {State.READY}, now=now)
        _discard(campaign)
        _reset(campaign, now)
        note(by, "campaign.build", campaign_obj(campaign.pk), now=now)
        if campaign.mode == Mode.TRIGGER:
            _freeze(campaign, now)
    return campaign


def stop_build(*, number: int, by: Me, now: datetime) -> Campaign:
    """Stop building and let the campaign be edited again. Raises WrongState."""
    with transaction.atomic(durable=True):
        campaign = lock(by.here, number)
        move(campaign, State.DRAFT, allowed={State.BUILDING}, now=now)
        note(by, "campaign.build", campaign_obj(campaign.pk), now=now, why="stopped")
    return campaign


def _discard(campaign: Campaign) -> None:
    """Take an earlier build's audience away; the database allows it only in this state."""
    Progress.objects.filter(campaign=campaign).delete()
    if campaign.frozen_on is not None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT discard_audience(%s)", [campaign.pk])


def _reset(campaign: Campaign, now: datetime) -> None:
    sender = campaign.sender
    Campaign.objects.filter(pk=campaign.pk, workspace_id=campaign.workspace_id).update(
        sender_revision_id=sender.approved_revision_id if sender else None,
        zone=campaign.workspace.zone,
        alphabet=alphabet_now(campaign).value,
        frozen_on=now.astimezone(UTC).date(),
        permutation_key=os.urandom(16),
        audience_digest=None,
        built_recipient_id=0,
        built_count=0,
        total=0,
        segment_total=0,
        segment_histogram={},
    )
    campaign.refresh_from_db()


def build_chunk(campaign_id: int, now: datetime) -> Built:
    """Write the next rows of a campaign that is being built; the last chunk freezes it.

    Does nothing (and says done) when the campaign is not being built or another worker has it in
    hand.
    """
    with transaction.atomic(durable=True):
        campaign = (
            Campaign.objects.select_for_update(of=("self",), skip_locked=True)
            .select_related("workspace", "recipient_list")
            .filter(pk=campaign_id, state=State.BUILDING)
            .first()
        )
        if campaign is None or campaign.recipient_list is None:
            return Built(0, is_done=True)
        try:
            return _take_chunk(campaign, now)
        except (BuildFailed, TextRefused, PlanRefused) as refused:
            _fail(campaign, str(refused), now)
            return Built(0, is_done=True)


def _take_chunk(campaign: Campaign, now: datetime) -> Built:
    """Write the next rows; refused before anything of the chunk is written, or at the freeze."""
    rows = _next_rows(campaign)
    _write(campaign, rows)
    is_last = len(rows) < CHUNK
    if is_last:
        _must_be_whole(campaign)
        _freeze(campaign, now)
    return Built(len(rows), is_done=is_last)


def _must_be_whole(campaign: Campaign) -> None:
    """Every position from 0 is there only if the list had as many rows as it says."""
    wanted = campaign.recipient_list.valid_count if campaign.recipient_list else 0
    if campaign.built_count != wanted:
        raise BuildFailed(
            _("the list has %(found)s rows, not %(wanted)s as it says. Import it again.")
            % {"found": f"{campaign.built_count:,}", "wanted": f"{wanted:,}"}
        )


Row = tuple[int, bytes, dict[str, str]]


def _next_rows(campaign: Campaign) -> list[Row]:
    rows = (
        Recipient.objects.filter(
            workspace_id=campaign.workspace_id,
            recipient_list_id=campaign.recipient_list_id,
            pk__gt=campaign.built_recipient_id,
        )
        .order_by("pk")
        .values_list("pk", "fingerprint", "values")[:CHUNK]
    )
    return [(pk, bytes(fingerprint), values) for pk, fingerprint, values in rows]


def _write(campaign: Campaign, rows: Sequence[Row]) -> None:
    if not rows or campaign.recipient_list is None:
        return
    if campaign.built_count + len(rows) > campaign.recipient_list.valid_count:
        raise BuildFailed(_("the list has more rows than it says. Import it again."))
    places = permutation(
        bytes(campaign.permutation_key or b""), campaign.recipient_list.valid_count
    )
    counts = segment_counts(
        compile_text(campaign.text),
        [values for _pk, _print, values in rows],
        Alphabet(campaign.alphabet),
    )
    positions = [places.position(campaign.built_count + index) for index in range(len(rows))]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO message (frozen_on, workspace_id, campaign_id, position, recipient_id,"
            " fingerprint, segment_count)"
            " SELECT %s, %s, %s, *"
            " FROM unnest(%s::bigint[], %s::bigint[], %s::bytea[], %s::smallint[])",
            [
                campaign.frozen_on,
                campaign.workspace_id,
                campaign.pk,
                positions,
                [row[0] for row in rows],
                [row[1] for row in rows],
                counts,
            ],
        )
    histogram = Counter({int(k): v for k, v in campaign.segment_histogram.items()}) + Counter(
        counts
    )
    campaign.segment_histogram = {str(k): v for k, v in sorted(histogram.items())}
    campaign.built_recipient_id = rows[-1][0]
    campaign.built_count += len(rows)
    campaign.segment_total += sum(counts)
    campaign.save(
        update_fields=[
            "segment_histogram",
            "built_recipient_id",
            "built_count",
            "segment_total",
        ]
    )


def segment_counts(
    template: Template, values: Sequence[dict[str, str]], alphabet: Alphabet
) -> list[int]:
    """Return how many segments each person's text takes, by the encoder that sends.

    Raises TextRefused.
    """
    if not template.is_personal:
        return [max(1, count(template.render({}), alphabet=alphabet).segments)] * len(values)
    return [max(1, count(template.render(row), alphabet=alphabet).segments) for row in values]


def _freeze(campaign: Campaign, now: datetime) -> None:
    """Close the audience: hash it, count it, and say how fast it may go. Raises PlanRefused."""
    campaign.rate_ceiling = ceiling_of(campaign)
    campaign.total = campaign.built_count
    if campaign.mode != Mode.TRIGGER:
        campaign.audience_digest = audience_digest(campaign.pk)
    campaign.save(update_fields=["total", "rate_ceiling", "audience_digest"])
    Progress.objects.create(
        campaign=campaign,
        workspace_id=campaign.workspace_id,
        total=campaign.total,
        queued=campaign.total,
    )
    move(campaign, State.READY, allowed={State.BUILDING}, now=now)
    why = f"{campaign.total} messages"
    note_machine(campaign, "campaign.freeze", BUILDER, now=now, why=why)


def _fail(campaign: Campaign, sentence: str, now: datetime) -> None:
    move(campaign, State.FAILED, allowed={State.BUILDING}, now=now)
    why = _("Building stopped: %(reason)s") % {"reason": sentence}
    Campaign.objects.filter(pk=campaign.pk, workspace_id=campaign.workspace_id).update(
        hold_sentence=why[:300]
    )
    note_machine(campaign, "campaign.fail", BUILDER, now=now, why=why)


def builds_under_way() -> list[int]:
    """Return the campaigns that are being built, oldest first; the sweep nudges their tasks."""
    rows = Campaign.objects.filter(state=State.BUILDING, deleted_at=None)
    return list(rows.order_by("state_since_at").values_list("pk", flat=True))
