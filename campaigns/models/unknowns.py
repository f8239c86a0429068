"""What settles unknowns: call records that people bring, and decisions of two people."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaigns import Campaign
from smpp_client.models import Connection
from workspaces.models import Person, User, Workspace


class ResendState(models.TextChoices):
    """Where a request to send unknown messages again stands."""

    REQUESTED = "requested", _("Waits for a second person")
    APPROVED = "approved", _("Approved")
    REFUSED = "refused", _("Refused")


class ResendDecision(models.Model):
    """Two people decide that messages nobody knows about go out again, possibly a second time.

    `positions` are fixed by the request; what is settled before the approval is left out of it.
    `resent_count` messages were put into the queue. The CHECK refuses one person twice.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, related_name="resends", db_constraint=False
    )
    state = models.CharField(
        max_length=9, choices=ResendState.choices, default=ResendState.REQUESTED
    )
    positions = ArrayField(models.BigIntegerField())
    message_count = models.PositiveIntegerField()
    resent_count = models.PositiveIntegerField(default=0)
    note = models.CharField(max_length=1000)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    requested_person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    answer = models.CharField(max_length=1000, blank=True)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    decided_person = models.ForeignKey(
        Person, null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "resend_decision"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="refused")
                | models.Q(decided_person=None)
                | ~models.Q(decided_person=models.F("requested_person")),
                name="resend_decision_four_eyes",
            ),
            models.CheckConstraint(
                condition=models.Q(state="requested", decided_person=None)
                | (~models.Q(state="requested") & models.Q(decided_person__isnull=False)),
                name="resend_decision_decided_by_somebody",
            ),
            models.UniqueConstraint(
                fields=["campaign"],
                condition=models.Q(state="requested"),
                name="resend_decision_one_open",
            ),
        ]
        indexes = [models.Index(fields=["workspace", "-id"], name="resend_decision_newest")]


class RecordsState(models.TextChoices):
    """Where an import of call records stands."""

    UPLOADED = "uploaded", _("Waits for its columns")
    IMPORTING = "importing", _("Reading")
    SETTLING = "settling", _("Settling")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


class CallRecordImport(models.Model):
    """A file of the SMSC's call records, read against the unknown attempts of one connection.

    The file lies under UPLOAD_DIR as `<workspace uuid>/<file_key>` until the import is done or has
    failed; `next_byte` and `next_row` say where it goes on, `next_fingerprint` where settling does.
    `columns` maps a use (number, sender, at, state, smsc_id, reference) to its column from 0.
    `complete_from` and `complete_until`: somebody stated that nothing of that time is missing.
    Counts: `row_count` = `fault_count` + `other_count` (about nobody whose message is unknown) +
    `kept_count`, those with a row in call_record.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    connection = models.ForeignKey(
        Connection, null=True, on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(
        max_length=9, choices=RecordsState.choices, default=RecordsState.UPLOADED
    )
    file_key = models.CharField(max_length=64, blank=True)
    file_name = models.CharField(max_length=255)
    size_bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    encoding = models.CharField(max_length=20)
    delimiter = models.CharField(max_length=1)
    line_end = models.CharField(max_length=1)
    has_header = models.BooleanField()
    columns = models.JSONField(default=dict)
    country = models.CharField(max_length=2, blank=True)
    time_form = models.CharField(max_length=10, blank=True)
    zone = models.CharField(max_length=64, default="UTC")
    tolerance_seconds = models.PositiveIntegerField(default=300)
    complete_from = models.DateTimeField(null=True)
    complete_until = models.DateTimeField(null=True)
    next_byte = models.BigIntegerField(default=0)
    next_row = models.BigIntegerField(default=0)
    next_fingerprint = models.BinaryField(default=b"")
    row_count = models.BigIntegerField(default=0)
    fault_count = models.BigIntegerField(default=0)
    other_count = models.BigIntegerField(default=0)
    kept_count = models.BigIntegerField(default=0)
    accepted_count = models.BigIntegerField(default=0)
    absent_count = models.BigIntegerField(default=0)
    failure = models.CharField(max_length=300, blank=True)
    uploaded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    uploaded_person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    touched_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "call_record_import"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(complete_from=None, complete_until=None)
                | models.Q(complete_until__gt=models.F("complete_from")),
                name="call_record_import_range",
            )
        ]
        indexes = [models.Index(fields=["workspace", "-id"], name="call_record_import_newest")]


class CallRecord(models.Model):
    """A record that may tell what became of an unknown attempt, or a row that cannot be read.

    Only records about people whose message is unknown are kept, as fingerprints. `reason` says what
    came of it (rules/call_records.py); empty while it waits to be judged.
    """

    workspace = models.ForeignKey(
        Workspace, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    records = models.ForeignKey(
        CallRecordImport,
        on_delete=models.CASCADE,
        related_name="rows",
        db_constraint=False,
        db_index=False,
    )
    row_number = models.BigIntegerField()
    fingerprint = models.BinaryField(default=b"")
    sender = models.CharField(max_length=21, blank=True)
    at = models.DateTimeField(null=True)
    smsc_id = models.CharField(max_length=65, blank=True)
    reference = models.IntegerField(default=0)
    state = models.CharField(max_length=16, blank=True)
    reason = models.CharField(max_length=20, blank=True)

    class Meta:
        db_table = "call_record"
        constraints = [
            models.UniqueConstraint(fields=["records", "row_number"], name="call_record_once")
        ]
        indexes = [
            models.Index(fields=["records", "fingerprint"], name="call_record_of_person"),
        ]
