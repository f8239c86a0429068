"""The tables of the audit log. Nothing here is ever written through the ORM.

Events enter by the database's function `audit_append`; only the sequencer writes entries, heads and
epochs. Rows name workspaces by UUID and have no foreign keys, so that the log outlives what it
names (a cascade would even let somebody delete an entry by deleting its parent).
"""

from django.db import models


class Event(models.Model):
    """What happened: `body` is the canonical text whose RFC 6962 leaf hash is `leaf`.

    `op`, `result`, `actor_id`, `obj_type` and `obj_id` are generated from the body, to search by;
    they are no part of what is hashed. `created` is the database's clock.
    """

    id = models.BigIntegerField(primary_key=True)
    ws = models.UUIDField()
    eid = models.UUIDField(unique=True)
    created = models.DateTimeField()
    leaf = models.BinaryField()
    body = models.TextField()
    op = models.TextField()
    result = models.TextField()
    actor_id = models.TextField()
    obj_type = models.TextField()
    obj_id = models.TextField()

    class Meta:
        db_table = "audit_event"


class Pending(models.Model):
    """An event that waits for its number. A queue and no cursor: a late commit is never skipped."""

    event_id = models.BigIntegerField(primary_key=True)

    class Meta:
        db_table = "audit_pending"


class Entry(models.Model):
    """An event's place in its workspace's chain; `seq` is dense from 1, `at` never goes back."""

    pk = models.CompositePrimaryKey("ws", "seq")
    ws = models.UUIDField()
    seq = models.BigIntegerField()
    at = models.DateTimeField()
    prev = models.BinaryField()
    hash = models.BinaryField()
    event = models.OneToOneField(Event, on_delete=models.DO_NOTHING, db_constraint=False)

    class Meta:
        db_table = "audit_entry"
        constraints = [
            # Two sequencers could not fork a chain even if both ran.
            models.UniqueConstraint(fields=["ws", "prev"], name="audit_entry_no_fork"),
        ]


class Head(models.Model):
    """Where a chain stands. Slots are dense from 0 in order of creation and never reused."""

    ws = models.UUIDField(primary_key=True)
    slot = models.IntegerField(unique=True)
    seq = models.BigIntegerField()
    hash = models.BinaryField()
    created = models.DateTimeField()

    class Meta:
        db_table = "audit_head"


class Epoch(models.Model):
    """One line that fixes all heads; `note` is its signed checkpoint, once there is one."""

    epoch = models.BigIntegerField(primary_key=True)
    body = models.TextField()
    note = models.TextField(null=True)

    class Meta:
        db_table = "audit_epoch"


class EpochChange(models.Model):
    """A chain's length at an epoch, kept only where it differs from the epoch before."""

    pk = models.CompositePrimaryKey("epoch", "slot")
    epoch = models.BigIntegerField()
    slot = models.IntegerField()
    seq = models.BigIntegerField()

    class Meta:
        db_table = "audit_epoch_change"


class Disclosure(models.Model):
    """A personal value and the salt of its commitment: erasable, and in a schema of its own.

    A schema of its own lets backups of the log leave it out, so that erased values age out of them.
    """

    pk = models.CompositePrimaryKey("eid", "field")
    ws = models.UUIDField()
    eid = models.UUIDField()
    field = models.TextField()
    salt = models.BinaryField()
    value = models.TextField()

    class Meta:
        db_table = 'audit_private"."audit_disclosure'
