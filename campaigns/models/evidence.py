"""What was sealed of the messages: one row for each pass, one for each file of a workspace."""

from django.db import models

from workspaces.models import Workspace


class Sealing(models.Model):
    """One pass over the outcomes of all workspaces: what was recorded before `horizon` and after
    the horizon of the pass before.

    A horizon is a transaction id: every transaction below it had ended. Outcomes of batches before
    `fresh_from` are looked at once a day only; they were read up to `aged_horizon`. `cluster` says
    in which database these ids count. `number` is one more than the last: of two passes one wins.
    """

    number = models.BigIntegerField(primary_key=True)
    sealed_at = models.DateTimeField()
    horizon = models.BigIntegerField()
    aged_horizon = models.BigIntegerField()
    fresh_from = models.DateField()
    cluster = models.CharField(max_length=60)
    line_count = models.BigIntegerField()

    class Meta:
        db_table = "sealing"


class MessageSegment(models.Model):
    """A sealed file of outcomes of one workspace, recorded from `since_at` to `until_at`.

    It lies under `segments/<workspace uuid>/<file_name>` in the data folder. `key_sealed` is the
    key of its lines' salts; it and the file are kept for the evidence's term, and `pruned_at` says
    when they went. `eid` is the event that holds `root`, `sha256` and the counts in the workspace's
    chain.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    number = models.BigIntegerField()
    sealing = models.ForeignKey(Sealing, on_delete=models.PROTECT, related_name="+", db_index=False)
    since_at = models.DateTimeField(null=True)
    until_at = models.DateTimeField()
    line_count = models.BigIntegerField()
    size_bytes = models.BigIntegerField()
    sha256 = models.BinaryField()
    root = models.BinaryField()
    file_name = models.CharField(max_length=80)
    key_sealed = models.BinaryField(null=True)
    eid = models.UUIDField(unique=True)
    pruned_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "message_segment"
        constraints = [
            models.UniqueConstraint(fields=["workspace", "number"], name="message_segment_number")
        ]
        indexes = [models.Index(fields=["workspace", "until_at"], name="message_segment_in_time")]
