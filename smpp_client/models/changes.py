"""Changes of how a connection's wire is secured: one person asks, another one makes them."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from smpp_client.models.connections import Connection
from workspaces.models import User


class ChangeState(models.TextChoices):
    """Where such a change stands."""

    ASKED = "asked", _("Waits for another person")
    MADE = "made", _("Made")
    DROPPED = "dropped", _("Dropped")


class ConnectionChange(models.Model):
    """Other settings of a connection, as one person asked for them.

    `diff` maps each setting to its value before and after, as JSON; `password_sealed` is a new
    password, empty where there is none. They are made only if the connection still is of version
    `seen`.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="changes")
    diff = models.JSONField()
    password_sealed = models.BinaryField(default=b"")
    seen = models.PositiveIntegerField()
    state = models.CharField(max_length=7, choices=ChangeState.choices, default=ChangeState.ASKED)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "connection_change"
        constraints = [
            models.UniqueConstraint(
                fields=["connection"],
                condition=models.Q(state="asked"),
                name="connection_change_one_waits",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="made") | ~models.Q(decided_by=models.F("asked_by")),
                name="connection_change_by_two",
            ),
        ]
