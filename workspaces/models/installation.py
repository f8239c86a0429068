"""The installation itself: its identity and the keys that seal numbers and secrets."""

import uuid

from django.db import models


class Installation(models.Model):
    """The one row that says which installation this database belongs to.

    `data_key` and `fingerprint_key` are 32 random bytes each, wrapped by the key file (KEY_FILE),
    which never enters the database.
    `epoch` is compared with the epoch file outside the database, so that a restored backup does not
    send by itself.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    data_key = models.BinaryField()
    fingerprint_key = models.BinaryField()
    epoch = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "installation"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="installation_is_one")]
