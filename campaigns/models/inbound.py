"""What subscribers write to us, and the words by which they stop."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.rules.stop_words import LONGEST_WORD, Wish
from smpp_client.models import Connection
from smpp_client.rules.codings import Coding
from workspaces.models import User, Workspace

LONGEST_DESTINATION = 40


class InboundMessage(models.Model):
    """A subscriber's message, or one part of it.

    A plain table, not one by month: replies are few beside what is sent, each workspace erases its
    own after its own time, and a message's parts and a number's conversation are found by keys that
    no month divides.

    `workspace` is None for an address that no workspace or more than one has. `number_sealed` and
    `content_sealed` (the octets without their header) are sealed for the workspace and None once
    erased, with `fingerprint`. Parts of one message point to the part that came first: their
    `head`. `digest` is a keyed hash of the whole deliver_sm; a second one with the same digest is
    the same message until the answer to the first has surely been read (`is_settled`). `holder` is
    who of the workspace looks after it.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    workspace = models.ForeignKey(
        Workspace, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    digest = models.BinaryField()
    is_settled = models.BooleanField(default=False)
    received_at = models.DateTimeField()
    fingerprint = models.BinaryField(null=True)
    number_sealed = models.BinaryField(null=True)
    destination = models.CharField(max_length=LONGEST_DESTINATION)
    content_sealed = models.BinaryField(null=True)
    coding = models.CharField(max_length=10, choices=[(one.value, one.value) for one in Coding])
    reference = models.PositiveIntegerField(default=0)
    part = models.PositiveSmallIntegerField(default=1)
    part_count = models.PositiveSmallIntegerField(default=1)
    head = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="parts", db_index=False
    )
    wish = models.CharField(
        max_length=5, blank=True, choices=[(one.value, one.value) for one in Wish if one]
    )

    holder = models.ForeignKey(
        User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    class Meta:
        db_table = "inbound_message"
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "digest"],
                condition=models.Q(is_settled=False),
                name="inbound_message_once",
            ),
            models.CheckConstraint(
                condition=models.Q(part__gte=1, part__lte=models.F("part_count")),
                name="inbound_message_part",
            ),
        ]
        indexes = [
            models.Index(
                fields=["workspace", "-id"],
                condition=models.Q(head=None),
                name="inbound_message_newest",
            ),
            models.Index(
                fields=["workspace", "-id"],
                condition=models.Q(head=None) & ~models.Q(wish=""),
                name="inbound_message_wishes",
            ),
            models.Index(
                fields=["workspace", "holder", "-id"],
                condition=~models.Q(holder=None),
                name="inbound_message_of_holder",
            ),
            models.Index(fields=["fingerprint", "-id"], name="inbound_message_of_number"),
            models.Index(
                fields=["head"], condition=~models.Q(head=None), name="inbound_message_of_head"
            ),
            models.Index(
                fields=["received_at"],
                condition=~models.Q(content_sealed=None),
                name="inbound_message_to_erase",
            ),
            models.Index(
                fields=["received_at"],
                condition=models.Q(is_settled=False),
                name="inbound_message_unsettled",
            ),
        ]


class WordKind(models.TextChoices):
    """What a word does."""

    STOP = "stop", _("Stops")
    START = "start", _("Starts again")


class StopWord(models.Model):
    """A word that stops, or starts again, in every workspace; `folded` is how it is compared.

    `language` is the ISO 639-1 code of the language it is a word of.
    """

    kind = models.CharField(max_length=5, choices=WordKind.choices)
    language = models.CharField(max_length=2)
    word = models.CharField(max_length=LONGEST_WORD)
    folded = models.CharField(max_length=LONGEST_WORD, unique=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        db_table = "stop_word"

    def __str__(self) -> str:
        return self.word


class WorkspaceStopWord(models.Model):
    """A word of one workspace's own, beside those of the platform."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="stop_words")
    kind = models.CharField(max_length=5, choices=WordKind.choices)
    word = models.CharField(max_length=LONGEST_WORD)
    folded = models.CharField(max_length=LONGEST_WORD)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        db_table = "workspace_stop_word"
        constraints = [
            models.UniqueConstraint(fields=["workspace", "folded"], name="workspace_stop_word_once")
        ]

    def __str__(self) -> str:
        return self.word
