"""Recipient lists, their rows and faults, and the people who opted out."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from workspaces.models import Person, User, Workspace


class ListState(models.TextChoices):
    """Where a list stands.

    `uploaded` waits for its columns to be named; `ready` never changes again.
    """

    UPLOADING = "uploading", _("Uploading")
    UPLOADED = "uploaded", _("Uploaded")
    IMPORTING = "importing", _("Importing")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Failed")


class RecipientList(models.Model):
    """A list of recipients. Its file lies under UPLOAD_DIR as `<workspace uuid>/<file_key>` until
    the list is ready or has failed; `next_byte` and `next_row` say where an import goes on.

    `header` has a title for each column of the file; `columns` are the placeholder names that were
    taken from it, `positions` their columns counted from 0. Counts are of data rows (the header is
    row 1 of the file and none of them): `row_count = valid_count + fault_count + duplicate_count`.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="lists")
    name = models.CharField(max_length=120)
    state = models.CharField(max_length=10, choices=ListState.choices, default=ListState.UPLOADING)
    is_archived = models.BooleanField(default=False)
    is_internal = models.BooleanField(default=False)
    file_key = models.CharField(max_length=64, blank=True)
    file_name = models.CharField(max_length=255, blank=True)
    size_bytes = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    encoding = models.CharField(max_length=20, blank=True)
    delimiter = models.CharField(max_length=1, blank=True)
    line_end = models.CharField(max_length=1, default="\n")
    has_header = models.BooleanField(default=True)
    header = models.JSONField(default=list)
    columns = models.JSONField(default=list)
    positions = models.JSONField(default=list)
    number_column = models.PositiveIntegerField(null=True)
    country = models.CharField(max_length=2, blank=True)
    next_byte = models.BigIntegerField(default=0)
    next_row = models.BigIntegerField(default=0)
    row_count = models.BigIntegerField(default=0)
    valid_count = models.BigIntegerField(default=0)
    fault_count = models.BigIntegerField(default=0)
    duplicate_count = models.BigIntegerField(default=0)
    failure = models.CharField(max_length=300, blank=True)
    uploaded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    uploaded_person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    touched_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "recipient_list"
        indexes = [
            models.Index(fields=["workspace", "-created_at"], name="recipient_list_newest"),
            models.Index(
                fields=["touched_at"],
                condition=models.Q(state="importing"),
                name="recipient_list_importing",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Recipient(models.Model):
    """One valid row. `number_sealed` is the only place where the clear number is (AES-256-GCM,
    bound to workspace and fingerprint);
    `fingerprint` is 16 bytes; `values` maps column names to text. Where they were erased with the
    number, `values_digest` stands for them, because the approval of the audience hashes it: the
    SHA-256 of the sealed number and of their own SHA-256. The number is gone with its random nonce,
    so that nobody can confirm a guess by what stays.

    A number that came through the API belongs to no list: it may come again with other values, and
    a list holds a number once.
    """

    # Millions come at a time: the key to the list holds the workspace too, and each index here is
    # one that something reads.
    workspace = models.ForeignKey(
        Workspace, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    recipient_list = models.ForeignKey(
        RecipientList,
        null=True,
        on_delete=models.PROTECT,
        related_name="recipients",
        db_constraint=False,
        db_index=False,
    )
    row_number = models.BigIntegerField()
    fingerprint = models.BinaryField()
    number_sealed = models.BinaryField(null=True)
    values = models.JSONField(default=dict)
    values_digest = models.BinaryField(null=True)

    class Meta:
        db_table = "recipient"
        constraints = [
            models.UniqueConstraint(
                fields=["recipient_list", "fingerprint"], name="recipient_once_in_list"
            )
        ]
        indexes = [models.Index(fields=["recipient_list", "id"], name="recipient_of_list")]


class RecipientFault(models.Model):
    """A row that is not sent to.

    `value_sealed` is the faulty cell as it was (a number nearly always), sealed; `row_sealed` the
    line.
    """

    workspace = models.ForeignKey(
        Workspace, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    recipient_list = models.ForeignKey(
        RecipientList,
        on_delete=models.CASCADE,
        related_name="faults",
        db_constraint=False,
        db_index=False,
    )
    row_number = models.BigIntegerField()
    code = models.CharField(max_length=30)
    value_sealed = models.BinaryField()
    row_sealed = models.BinaryField()

    class Meta:
        db_table = "recipient_fault"
        constraints = [
            models.UniqueConstraint(
                fields=["recipient_list", "row_number"], name="recipient_fault_once"
            )
        ]


class OptOut(models.Model):
    """A person who wants no messages of a workspace.

    Lifting keeps the row; only rows without `lifted_at` suppress. `inbound_message` is the text
    message by which he said so, where it was one.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="opt_outs")
    fingerprint = models.BinaryField()
    number_sealed = models.BinaryField()
    source = models.CharField(max_length=20)
    note = models.CharField(max_length=200, blank=True)
    inbound_message = models.ForeignKey(
        "InboundMessage",
        null=True,
        on_delete=models.PROTECT,
        related_name="opt_outs",
        db_index=False,
    )
    added_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()
    lifted_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "opt_out"
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "fingerprint"],
                condition=models.Q(lifted_at=None),
                name="opt_out_once",
            )
        ]
        indexes = [models.Index(fields=["workspace", "-id"], name="opt_out_newest")]
