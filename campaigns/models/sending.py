"""Messages and what became of them.

Partitioned tables are made by SQL in the migrations; their models only read and write.
"""

from django.db import models

from campaigns.models.campaigns import Campaign
from smpp_client.models import Connection, Lease
from workspaces.models import Workspace


class Message(models.Model):
    """One recipient of one campaign, written once when the audience is frozen; never updated, never
    deleted by the application.

    Partitioned by month of `frozen_on`. `position` (from 0) comes from a keyed permutation, so that
    every slice of a
    spread is a fair sample of the list.
    """

    pk = models.CompositePrimaryKey("frozen_on", "campaign_id", "position")
    frozen_on = models.DateField()
    workspace = models.ForeignKey(Workspace, on_delete=models.DO_NOTHING, related_name="+")
    campaign = models.ForeignKey(Campaign, on_delete=models.DO_NOTHING, related_name="+")
    position = models.BigIntegerField()
    recipient_id = models.BigIntegerField()
    fingerprint = models.BinaryField()
    segment_count = models.PositiveSmallIntegerField()

    class Meta:
        db_table = "message"
        managed = False


class Batch(models.Model):
    """The durable intent to submit: the positions `first_position` to `last_position` of a
    campaign, or, where those are null,
    the queued segments that carry its id. Committed before any byte leaves; closed when every
    segment has its outcome."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+")
    lease = models.ForeignKey(Lease, on_delete=models.PROTECT, related_name="+")
    epoch = models.BigIntegerField()
    first_position = models.BigIntegerField(null=True)
    last_position = models.BigIntegerField(null=True)
    segment_count = models.IntegerField()
    open_count = models.IntegerField()
    opened_on = models.DateField()
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        db_table = "batch"
        indexes = [
            models.Index(
                fields=["lease", "epoch"],
                condition=models.Q(closed_at=None),
                name="batch_open",
            )
        ]


class Submission(models.Model):
    """The outcome of one attempt to submit one segment: inserted once, updated at most by the
    answer or receipt that settles it.

    Partitioned by month of `batch_on`. `kind`: submitted, refused, deferred, released, unknown,
    suppressed (part 0).
    `receipt_state`: empty, or delivered, undeliverable, expired, rejected, deleted, none (waited in
    vain). `evidence` says what settled an attempt that was unknown (rules/improvements.py).
    """

    pk = models.CompositePrimaryKey("batch_on", "batch_id", "position", "part")
    batch_on = models.DateField()
    batch_id = models.BigIntegerField()
    workspace = models.ForeignKey(Workspace, on_delete=models.DO_NOTHING, related_name="+")
    campaign = models.ForeignKey(Campaign, on_delete=models.DO_NOTHING, related_name="+")
    position = models.BigIntegerField()
    part = models.PositiveSmallIntegerField()
    part_count = models.PositiveSmallIntegerField()
    connection_id = models.BigIntegerField()
    kind = models.CharField(max_length=10)
    status = models.IntegerField()
    cause = models.CharField(max_length=60)
    smsc_id = models.CharField(max_length=65)
    happened_at = models.DateTimeField()
    receipt_state = models.CharField(max_length=16)
    receipt_error = models.CharField(max_length=20)
    receipt_at = models.DateTimeField(null=True)
    evidence = models.CharField(max_length=10, blank=True)

    class Meta:
        db_table = "submission"
        managed = False


class NonDelivery(models.Model):
    """That a receipt said of a part of this message that it was not delivered (`is_reported`), or
    that its receipt was waited for in vain.

    Where the pages look for such messages: a trigger of `submission` writes it, and takes it away
    when no part is in that state any more.
    """

    pk = models.CompositePrimaryKey("campaign_id", "is_reported", "position")
    workspace = models.ForeignKey(
        Workspace,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    campaign = models.ForeignKey(
        Campaign, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    is_reported = models.BooleanField()
    position = models.BigIntegerField()

    class Meta:
        db_table = "non_delivery"


class QueuedSegment(models.Model):
    """Work outside the cursor: deferred and released segments, and messages pushed through the API
    (part 0 is all parts).

    `batch_id` is set while a batch intends it; the outcome deletes the row, or gives it back with a
    later time. `lane_id` is the connection that its number's range belongs to: nobody else claims
    it until the route's ranges change (actions/lanes.py).
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    position = models.BigIntegerField()
    part = models.PositiveSmallIntegerField()
    part_count = models.PositiveSmallIntegerField()
    is_deferred = models.BooleanField(default=False)
    attempt_count = models.PositiveSmallIntegerField(default=0)
    not_before_at = models.DateTimeField()
    batch_id = models.BigIntegerField(null=True)
    lane_id = models.BigIntegerField(null=True)

    class Meta:
        db_table = "queued_segment"
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "position", "part"], name="queued_segment_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["campaign", "not_before_at"],
                condition=models.Q(batch_id=None),
                name="queued_segment_waiting",
            ),
            models.Index(
                fields=["batch_id"],
                condition=models.Q(batch_id__isnull=False),
                name="queued_segment_in_batch",
            ),
            models.Index(
                fields=["campaign", "lane_id", "not_before_at"],
                condition=models.Q(batch_id=None, lane_id__isnull=False),
                name="queued_segment_in_lane",
            ),
        ]


class Receipt(models.Model):
    """A delivery receipt as it came, durable before it is answered. Belongs to a connection, not to
    a workspace; holds no number.

    `fingerprint` and `sender` are the subscriber and the sender name it is about; one that is
    unmarked came as an ordinary message. Partitioned by month of `received_on`. `result`: empty
    while it waits, then applied, repeated, interim, orphan (fits nothing; `look_at` is when it is
    looked at again), settled (told what became of an unknown attempt).
    """

    pk = models.CompositePrimaryKey("received_on", "id")
    received_on = models.DateField()
    id = models.BigIntegerField()
    connection_id = models.BigIntegerField()
    smsc_id = models.CharField(max_length=65)
    state = models.CharField(max_length=16)
    error = models.CharField(max_length=20)
    reference = models.IntegerField()
    raw = models.BinaryField()
    received_at = models.DateTimeField()
    result = models.CharField(max_length=10)
    fingerprint = models.BinaryField(null=True)
    sender = models.CharField(max_length=21)
    is_unmarked = models.BooleanField(default=False)
    look_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "receipt"
        managed = False


class ReceiptsAwaited(models.Model):
    """One row: what was accepted before `since_at` has its receipt, or waits for it no more."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    since_at = models.DateTimeField()

    class Meta:
        db_table = "receipts_awaited"


class RateSample(models.Model):
    """One second of a running campaign:

    segments claimed in it, the plan's rate, and what bound it.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    second = models.BigIntegerField()
    claimed = models.IntegerField(default=0)
    planned = models.FloatField(default=0)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        db_table = "rate_sample"
        constraints = [
            models.UniqueConstraint(fields=["campaign", "second"], name="rate_sample_once")
        ]
