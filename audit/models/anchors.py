"""What left the machine: the anchors, their receipts, and the public keys of the log.

Receipts and keys only grow, as the log does. An anchor's row is its state and no evidence.
"""

from django.db import models


class Anchor(models.Model):
    """Somebody outside who keeps our checkpoints, as the settings name him.

    `try_count` are the tries since the last receipt. A try is counted when it begins, so that one
    that dies was a failure; `next_try_at` is when the next may begin. `failure` is the last one's
    sentence, `is_refused` says that the other side said no. `told_at` is when the alarm was raised.
    """

    name = models.TextField(primary_key=True)
    since = models.DateTimeField()
    try_count = models.IntegerField(default=0)
    next_try_at = models.DateTimeField()
    failure = models.TextField(default="", blank=True)
    is_refused = models.BooleanField(default=False)
    told_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "audit_anchor"


class AnchorReceipt(models.Model):
    """What an anchor gave for the checkpoint of `epoch`, and with it for all epochs before.

    `kind` says what `content` is (rules/receipts.py). `note_digest` is SHA-256 of the note as it
    was handed over. `attested_at` is the other side's time, None when it gives none; `made_at` is
    ours. `eid` is the event of the system chain that names the digest of `content`.
    """

    pk = models.CompositePrimaryKey("anchor", "epoch")
    anchor = models.TextField()
    epoch = models.BigIntegerField()
    kind = models.TextField()
    note_digest = models.BinaryField()
    content = models.BinaryField()
    attested_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField()
    eid = models.UUIDField(unique=True)

    class Meta:
        db_table = "audit_anchor_receipt"
        indexes = [models.Index(fields=["epoch"], name="audit_receipt_by_epoch")]


class LogKey(models.Model):
    """A verifier key that signs checkpoints from `first_epoch` on, as the signer published it.

    `note` is the rotation note that the key before it and this one signed; empty for the first.
    """

    key = models.TextField(primary_key=True)
    first_epoch = models.BigIntegerField(unique=True)
    note = models.TextField()
    published_at = models.DateTimeField()

    class Meta:
        db_table = "audit_log_key"
