"""Conformance reports: what a partner was asked to show, and what it showed."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from smpp_client.models.connections import Connection
from workspaces.models import User


class ReportState(models.TextChoices):
    """How far a report is. One that broke off is never taken up again: its messages cost."""

    WAITING = "waiting", _("Waiting to begin")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    BROKEN = "broken", _("Broke off")


class ConnectionReport(models.Model):
    """One full check of a connection.

    `options` holds what the person chose (numbers masked), `steps` what came of each step so far.
    `numbers_sealed` are the test numbers, AES-256-GCM; they are erased when the report ends.
    `heard_at` is the last sign of life of whoever runs it.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="reports")
    state = models.CharField(max_length=8, choices=ReportState.choices, default=ReportState.WAITING)
    sentence = models.CharField(max_length=400, blank=True)
    options = models.JSONField(default=dict)
    numbers_sealed = models.BinaryField(default=b"")
    steps = models.JSONField(default=list)
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField(null=True)
    heard_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "connection_report"
        indexes = [models.Index(fields=["connection", "-id"], name="connection_report_newest")]
        constraints = [
            models.UniqueConstraint(
                fields=["connection"],
                condition=models.Q(state__in=["waiting", "running"]),
                name="connection_report_one_runs",
            )
        ]
