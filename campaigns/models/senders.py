"""Sender names, their numbered revisions and what was decided about them."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from workspaces.models import Person, User, Workspace


class Category(models.TextChoices):
    """What a sender name is registered for."""

    SERVICE = "service", _("Service")
    TRANSACTIONAL = "transactional", _("Transactional")
    PROMOTIONAL = "promotional", _("Promotional")
    GOVERNMENT = "government", _("Government")


class RevisionState(models.TextChoices):
    """Where a revision stands."""

    IN_REVIEW = "in_review", _("In review")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    REPLACED = "replaced", _("Replaced")


class Sender(models.Model):
    """A sender name of a workspace.

    `skeleton` is the look-alike fold of `value`, unique over the installation.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="senders")
    value = models.CharField(max_length=15)
    skeleton = models.CharField(max_length=30, unique=True)
    approved_revision = models.ForeignKey(
        "SenderRevision", null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    is_archived = models.BooleanField(default=False)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        db_table = "sender"
        indexes = [models.Index(fields=["workspace", "value"], name="sender_in_workspace")]

    def __str__(self) -> str:
        return self.value


class SenderRevision(models.Model):
    """What was proposed about a sender name: written once; only its state changes (a trigger holds
    that).

    `resembles` names the protected name that it looks like; then two approvals are needed.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    sender = models.ForeignKey(
        Sender, on_delete=models.PROTECT, related_name="revisions", db_constraint=False
    )
    number = models.PositiveIntegerField()
    value = models.CharField(max_length=15)
    ton = models.PositiveSmallIntegerField()
    npi = models.PositiveSmallIntegerField()
    category = models.CharField(max_length=14, choices=Category.choices)
    legal_entity = models.CharField(max_length=200)
    purpose = models.CharField(max_length=500)
    sample_text = models.CharField(max_length=500)
    resembles = models.CharField(max_length=40, blank=True)
    needed_approvals = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(
        max_length=10, choices=RevisionState.choices, default=RevisionState.IN_REVIEW
    )
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    proposed_person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "sender_revision"
        constraints = [
            models.UniqueConstraint(fields=["sender", "number"], name="sender_revision_number"),
            models.UniqueConstraint(
                fields=["sender"],
                condition=models.Q(state="in_review"),
                name="sender_revision_one_in_review",
            ),
        ]
        indexes = [models.Index(fields=["workspace", "state"], name="sender_revision_state")]


class SenderDecision(models.Model):
    """One person's verdict on a revision.

    The proposer's person is copied by a trigger, and a CHECK refuses him as decider.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    revision = models.ForeignKey(
        SenderRevision, on_delete=models.PROTECT, related_name="decisions", db_constraint=False
    )
    is_approval = models.BooleanField()
    note = models.CharField(max_length=1000, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    decided_person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    proposed_person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()

    class Meta:
        db_table = "sender_decision"
        constraints = [
            models.UniqueConstraint(
                fields=["revision", "decided_person"], name="sender_decision_once_a_person"
            ),
            models.CheckConstraint(
                condition=~models.Q(decided_person=models.F("proposed_person")),
                name="sender_decision_four_eyes",
            ),
        ]


class ProtectedName(models.Model):
    """A name of a bank, an authority or a brand:

    what resembles it needs a second approval. Of the installation.
    """

    value = models.CharField(max_length=40)
    skeleton = models.CharField(max_length=60, unique=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        db_table = "protected_name"

    def __str__(self) -> str:
        return self.value
