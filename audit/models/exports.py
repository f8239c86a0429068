"""Exports of evidence that somebody asked for on a page."""

from datetime import datetime

from django.db import models

from audit.rules.export_states import State


class Export(models.Model):
    """One export: who asked for what and why, who released it, and what became of it.

    `since` and `until` are the period, None for the beginning and for the moment of the export.
    `shows_values` discloses personal values: then another person must release it. `forced_by` is
    the event after which an epoch is fixed at once: the bundle waits for that one. `touched_at`
    shows that its worker lives; `done` of `total` entries and epochs are written. `file` is the
    archive's name in the private folder, until `expires_at`. People are ids of the log (`usr_6`)
    and, to compare two eyes with two others, numbers of persons.
    """

    ws = models.UUIDField()
    state = models.CharField(
        max_length=8,
        choices=[(state.value, state.value) for state in State],
        default=State.QUEUED.value,
    )
    since = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    shows_values = models.BooleanField(default=False)
    reason = models.CharField(max_length=500)
    asked_by = models.CharField(max_length=40)
    asked_person = models.BigIntegerField()
    asked_at = models.DateTimeField()
    decided_by = models.CharField(max_length=40, blank=True)
    decided_person = models.BigIntegerField(null=True)
    decided_at = models.DateTimeField(null=True)
    decision_note = models.CharField(max_length=500, blank=True)
    forced_by = models.UUIDField()
    touched_at = models.DateTimeField()
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    ended_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    file = models.CharField(max_length=120, blank=True)
    size = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    manifest_sha256 = models.CharField(max_length=64, blank=True)
    entry_count = models.BigIntegerField(default=0)
    problem = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "audit_export"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(decided_person=None)
                | ~models.Q(decided_person=models.F("asked_person")),
                name="audit_export_four_eyes",
            ),
            models.CheckConstraint(
                condition=models.Q(shows_values=False)
                | models.Q(state__in=[State.WAITING.value, State.REFUSED.value])
                | models.Q(decided_person__isnull=False),
                name="audit_export_values_released",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in State]),
                name="audit_export_state_known",
            ),
        ]
        indexes = [
            models.Index(fields=["ws", "-id"], name="audit_export_newest"),
            models.Index(
                fields=["state"],
                condition=models.Q(
                    state__in=[State.QUEUED.value, State.RUNNING.value, State.READY.value]
                ),
                name="audit_export_at_work",
            ),
        ]

    @property
    def began_at(self) -> datetime:
        """Return since when it may be written: when it was asked for, or released."""
        return self.decided_at or self.asked_at
