"""Campaigns, approvals, and the hot row that counts."""

from decimal import Decimal

from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.models.recipients import RecipientList
from campaigns.models.senders import Sender, SenderRevision
from campaigns.rules.campaign_states import State
from smpp_client.models import Route
from smpp_client.rules.segments import Alphabet
from workspaces.models import ApiKey, Person, User, Workspace


class Mode(models.TextChoices):
    """How a campaign goes out."""

    ON_DEMAND = "on_demand", _("On demand")
    SCHEDULED = "scheduled", _("Scheduled")
    SPREAD = "spread", _("Spread")
    TRIGGER = "trigger", _("Trigger")


class Priority(models.TextChoices):
    """The class in which a campaign shares its route."""

    TRANSACTIONAL = "transactional", _("Transactional")
    OPERATIONAL = "operational", _("Operational")
    PROMOTIONAL = "promotional", _("Promotional")


class StartBy(models.TextChoices):
    """Whether an approved campaign starts at its time or waits for a person."""

    ITSELF = "itself", _("By itself at its time")
    HAND = "hand", _("When a person presses start")


STATE_CHOICES = [(state.value, state.value) for state in State]


class Campaign(models.Model):
    """A text to an audience by a plan. Rows of the plan are in UTC; `zone` is that of the daily
    window.

    `number` counts in the workspace and reads C-12. `rate_ceiling` (segments/s) and `ends_at` are
    what was approved; `runtime_rate`
    may only be lower. `slots` of a trigger: list of {"name","type","max_length"}. `audience_digest`
    is set at freeze.
    `version` grows with each edit, so that a stale form is noticed. `run_request_id` is the request
    by which a person last set it going; its batches carry it. `alphabet` is what its segments were
    counted for when it was built.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="campaigns")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=120, blank=True)
    purpose = models.CharField(max_length=500, blank=True)
    mode = models.CharField(max_length=10, choices=Mode.choices, default=Mode.SPREAD)
    priority = models.CharField(
        max_length=13, choices=Priority.choices, default=Priority.OPERATIONAL
    )
    state = models.CharField(max_length=10, choices=STATE_CHOICES, default=State.DRAFT.value)
    state_since_at = models.DateTimeField()
    hold_reason = models.CharField(max_length=40, blank=True)
    hold_sentence = models.CharField(max_length=300, blank=True)
    is_archived = models.BooleanField(default=False)
    deleted_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    text = models.TextField(blank=True, max_length=4000)
    sender = models.ForeignKey(
        Sender, null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    sender_revision = models.ForeignKey(
        SenderRevision, null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    recipient_list = models.ForeignKey(
        RecipientList, null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    route = models.ForeignKey(Route, null=True, on_delete=models.PROTECT, related_name="+")

    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    daily_from = models.TimeField(null=True)
    daily_until = models.TimeField(null=True)
    zone = models.CharField(max_length=64, default="UTC")
    rate_ceiling = models.DecimalField(max_digits=12, decimal_places=3, null=True)
    runtime_rate = models.DecimalField(max_digits=12, decimal_places=3, null=True)
    start_by = models.CharField(max_length=6, choices=StartBy.choices, default=StartBy.ITSELF)
    daily_cap = models.PositiveIntegerField(null=True)
    slots = models.JSONField(default=list)

    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    author_person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    editor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    editor_person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    submitter = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    submitter_person = models.ForeignKey(
        Person, null=True, on_delete=models.PROTECT, related_name="+"
    )
    cloned_from = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+")

    frozen_on = models.DateField(null=True)
    permutation_key = models.BinaryField(null=True)
    audience_digest = models.BinaryField(null=True)
    built_recipient_id = models.BigIntegerField(default=0)
    built_count = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    segment_total = models.BigIntegerField(default=0)
    segment_histogram = models.JSONField(default=dict)
    alphabet = models.CharField(
        max_length=10,
        choices=[(one.value, one.value) for one in Alphabet],
        default=Alphabet.GSM.value,
    )
    approval = models.ForeignKey(
        "Approval", null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )

    created_at = models.DateTimeField()
    edited_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    approved_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    run_request_id = models.CharField(max_length=64, blank=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "campaign"
        constraints = [
            models.UniqueConstraint(fields=["workspace", "number"], name="campaign_number"),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in State]),
                name="campaign_state_known",
            ),
            models.CheckConstraint(
                condition=models.Q(starts_at=None)
                | models.Q(ends_at=None)
                | models.Q(ends_at__gt=models.F("starts_at")),
                name="campaign_ends_after_start",
            ),
            models.CheckConstraint(
                condition=models.Q(runtime_rate=None)
                | (models.Q(runtime_rate__gt=Decimal(0)) & models.Q(rate_ceiling=None))
                | models.Q(runtime_rate__gt=Decimal(0), runtime_rate__lte=models.F("rate_ceiling")),
                name="campaign_rate_below_ceiling",
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "-number"], name="campaign_newest"),
            models.Index(
                fields=["state"],
                condition=models.Q(
                    state__in=["building", "approved", "scheduled", "sending", "paused", "held"]
                ),
                name="campaign_at_work",
            ),
        ]

    def __str__(self) -> str:
        return f"C-{self.number}"


class Verdict(models.TextChoices):
    """What a moderator decided."""

    APPROVE = "approve", _("Approved")
    RETURN = "return", _("Returned")
    REJECT = "reject", _("Rejected")


class Approval(models.Model):
    """A verdict on exactly what the digest covers. Written once; the runtime role may only insert
    and read.

    A trigger copies author, uploader, last editor and submitter from the rows they belong to; the
    CHECK refuses the
    decider among them, whatever his role. `signature` is an HMAC over digest and decider by a key
    that is not in the
    database, checked by the sender: an approval made by SQL alone sends nothing.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, related_name="approvals", db_constraint=False
    )
    verdict = models.CharField(max_length=7, choices=Verdict.choices)
    note = models.CharField(max_length=1000, blank=True)
    digest = models.BinaryField()
    signature = models.BinaryField()
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    decided_person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    author_person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    uploader_person = models.ForeignKey(
        Person, null=True, on_delete=models.PROTECT, related_name="+"
    )
    editor_person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    submitter_person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()

    class Meta:
        db_table = "approval"
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(decided_person=models.F("author_person"))
                & ~models.Q(decided_person=models.F("editor_person"))
                & ~models.Q(decided_person=models.F("submitter_person"))
                & (
                    models.Q(uploader_person=None)
                    | ~models.Q(decided_person=models.F("uploader_person"))
                ),
                name="approval_four_eyes",
            )
        ]
        indexes = [models.Index(fields=["workspace", "campaign", "-id"], name="approval_newest")]


class Progress(models.Model):
    """Where a campaign stands: the cursor of the claim and one count per message state, which
    always add up to the total.

    Changed only in the transaction that moves the messages. `cursor` is the next position to claim
    (positions from 0);
    `resent` counts messages that two people had sent again: no state of its own, each is one
    message still. `paced_from_at` and `paced_from_segments` anchor the plan's curve after a pause
    or an outage.
    """

    campaign = models.OneToOneField(
        Campaign,
        on_delete=models.PROTECT,
        primary_key=True,
        related_name="progress",
        db_constraint=False,
    )
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    cursor = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    claimed_segments = models.BigIntegerField(default=0)
    submitted_segments = models.BigIntegerField(default=0)
    paced_from_at = models.DateTimeField(null=True)
    paced_from_segments = models.BigIntegerField(default=0)
    queued = models.BigIntegerField(default=0)
    suppressed = models.BigIntegerField(default=0)
    sending = models.BigIntegerField(default=0)
    submitted = models.BigIntegerField(default=0)
    deferred = models.BigIntegerField(default=0)
    refused = models.BigIntegerField(default=0)
    unknown = models.BigIntegerField(default=0)
    delivered = models.BigIntegerField(default=0)
    undelivered = models.BigIntegerField(default=0)
    expired = models.BigIntegerField(default=0)
    cancelled = models.BigIntegerField(default=0)
    no_receipt = models.BigIntegerField(default=0)
    resent = models.BigIntegerField(default=0)
    reason = models.CharField(max_length=300, blank=True)
    reason_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "progress"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    total=models.F("queued")
                    + models.F("suppressed")
                    + models.F("sending")
                    + models.F("submitted")
                    + models.F("deferred")
                    + models.F("refused")
                    + models.F("unknown")
                    + models.F("delivered")
                    + models.F("undelivered")
                    + models.F("expired")
                    + models.F("cancelled")
                    + models.F("no_receipt")
                ),
                name="progress_adds_up",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    queued__gte=0, sending__gte=0, submitted__gte=0, deferred__gte=0, unknown__gte=0
                ),
                name="progress_not_negative",
            ),
        ]


class ApiMessage(models.Model):
    """A message that was pushed through the API: its public id and the caller's own reference."""

    uuid = models.UUIDField(unique=True)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    position = models.BigIntegerField()
    client_reference = models.CharField(max_length=100, blank=True)
    api_key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="+", db_index=False)
    request_id = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "api_message"
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "client_reference"],
                condition=~models.Q(client_reference=""),
                name="api_message_reference",
            ),
            models.UniqueConstraint(fields=["campaign", "position"], name="api_message_position"),
        ]
        indexes = [
            models.Index(fields=["workspace", "-id"], name="api_message_newest"),
            models.Index(fields=["api_key", "campaign", "created_at"], name="api_message_of_key"),
        ]
