"""What divides a route's traffic beyond weights: number ranges, and shifts planned in steps."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from smpp_client.models.connections import Connection, Route
from workspaces.models import User


class RouteRange(models.Model):
    """Numbers that begin with these digits go out over this connection of the route alone.

    The longest prefix wins. While its connection is down they wait.
    """

    route = models.ForeignKey(Route, on_delete=models.CASCADE, related_name="ranges")
    prefix = models.CharField(max_length=15)
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="ranges")

    class Meta:
        db_table = "route_range"
        constraints = [
            models.UniqueConstraint(fields=["route", "prefix"], name="route_range_once"),
            models.CheckConstraint(
                condition=models.Q(prefix__regex=r"^[1-9][0-9]*$"), name="route_range_digits"
            ),
        ]


class ShiftState(models.TextChoices):
    """Where a planned shift of traffic stands."""

    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    STOPPED = "stopped", _("Stopped")
    UNDONE = "undone", _("Undone")


class RouteShift(models.Model):
    """A planned shift of a route's traffic: its weights go from `from_weights` to `to_weights`.

    Both are names of connections with their weights. `percents` are the steps, one every
    `step_seconds` from `begins_at` on; `applied_count` of them have been made.
    """

    route = models.ForeignKey(Route, on_delete=models.CASCADE, related_name="shifts")
    from_weights = models.JSONField()
    to_weights = models.JSONField()
    percents = models.JSONField()
    step_seconds = models.PositiveIntegerField()
    begins_at = models.DateTimeField()
    applied_count = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=10, choices=ShiftState.choices, default=ShiftState.RUNNING)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "route_shift"
        constraints = [
            models.UniqueConstraint(
                fields=["route"], condition=models.Q(state="running"), name="route_shift_one_runs"
            )
        ]
