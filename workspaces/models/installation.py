"""The installation itself: its identity and the keys that seal numbers and secrets."""

import uuid

from django.db import models


class Installation(models.Model):
    """The one row that says which installation this database belongs to.

    `data_key` and `fingerprint_key` are 32 random bytes each, wrapped by the key file (KEY_FILE),
    which never enters the database.
    `epoch` is compared with the epoch file outside the database, so that a restored backup does not
    send by itself (rules/epochs.py); it was last raised at `epoch_at`. While there is a `doubt`
    nothing is claimed. What one person asked for stands in the `restore_` columns until another
    confirms it.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    data_key = models.BinaryField()
    fingerprint_key = models.BinaryField()
    epoch = models.PositiveIntegerField(default=1)
    epoch_at = models.DateTimeField(null=True)
    doubt = models.CharField(max_length=20, blank=True)
    doubted_at = models.DateTimeField(null=True)
    restore_choice = models.CharField(max_length=12, blank=True)
    restore_why = models.CharField(max_length=300, blank=True)
    restore_asked_by = models.ForeignKey(
        "workspaces.User", null=True, on_delete=models.PROTECT, related_name="+"
    )
    restore_asked_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "installation"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="installation_is_one")]
