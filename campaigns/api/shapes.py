"""What goes in and out, as serializers: they read, write, and document."""

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from rest_framework import serializers

from campaigns.api.reading import Strict, Text
from campaigns.models import Mode
from campaigns.queries.senders import Standing
from campaigns.rules.api_answers import CAMPAIGN, LONGEST_REFERENCE
from campaigns.rules.campaign_states import State
from campaigns.rules.message_states import MessageState
from campaigns.rules.stop_words import Wish
from campaigns.rules.text import SLOT_TYPES
from workspaces.rules.permissions import ALL_SCOPES

LONGEST_NUMBER = 100
LONGEST_VALUE = 4_000
LONGEST_CURSOR = 300
LONGEST_EMAIL = 254
MOST_ON_A_PAGE = 500
USUAL_PAGE = 100

is_campaign = RegexValidator(rf"^{CAMPAIGN}\Z", "Name a campaign as C-12.", "not_a_campaign")
is_printable = RegexValidator(
    r"^[^\x00-\x1f\x7f]*\Z", "Control characters are not allowed.", "control_character"
)


# --- what callers send -------------------------------------------------------------------------


class PushBody(Strict):
    """A message for one number."""

    campaign = Text(validators=[is_campaign], help_text="The trigger campaign: C-12.")
    to = Text(
        min_length=1,
        max_length=LONGEST_NUMBER,
        help_text="The number with its country code, as +447700900123. It is stored sealed.",
    )
    values = serializers.DictField(
        child=Text(max_length=LONGEST_VALUE, allow_blank=True),
        help_text="A value for each of the campaign's slots, as text; see the campaign's `slots`.",
    )
    client_reference = Text(
        required=False,
        min_length=1,
        max_length=LONGEST_REFERENCE,
        validators=[is_printable],
        help_text="Your own name for the message; once in a workspace.",
    )


class AssignBody(Strict):
    """Who is to look after a message."""

    email = Text(
        allow_null=True,
        min_length=1,
        max_length=LONGEST_EMAIL,
        help_text="The e-mail address of a person of the workspace; null is nobody.",
    )
    instead_of = Text(
        required=False,
        allow_null=True,
        min_length=1,
        max_length=LONGEST_EMAIL,
        help_text="Who looks after it now, as you know it from `assigned_to_email`. Left out or"
        " null: nobody.",
    )


class PageQuery(Strict):
    """Which page is wanted."""

    limit = serializers.IntegerField(
        default=USUAL_PAGE,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_ON_A_PAGE)],
        help_text="The most items of a page.",
    )
    cursor = Text(
        required=False,
        min_length=1,
        max_length=LONGEST_CURSOR,
        help_text="From `next` of the page before; it belongs to the same filters.",
    )


class MessagesQuery(PageQuery):
    """Which messages are wanted."""

    state = serializers.ChoiceField(
        required=False,
        choices=[state.value for state in MessageState],
        help_text="Only messages in this state. Such a page may be short and still have a `next`.",
    )
    campaign = Text(
        required=False, validators=[is_campaign], help_text="Only messages of this campaign: C-12."
    )


class InboundQuery(PageQuery):
    """Which messages of subscribers are wanted."""

    asks_for = serializers.ChoiceField(
        required=False,
        choices=[wish.value for wish in Wish if wish],
        help_text="Only messages that ask to stop, or to start again.",
    )
    assigned_to = serializers.ChoiceField(
        required=False, choices=["nobody"], help_text="Only messages that nobody looks after."
    )


# --- what they get -----------------------------------------------------------------------------


class Links(serializers.Serializer[Any]):
    """Addresses."""

    self = serializers.CharField()


class Accepted(serializers.Serializer[Any]):
    """A message that was taken."""

    id = serializers.UUIDField()
    campaign = serializers.CharField()
    state = serializers.ChoiceField(choices=[MessageState.QUEUED.value])
    segments = serializers.IntegerField(min_value=1)
    client_reference = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    links = Links()


class ReasonSerializer(serializers.Serializer[Any]):
    """Why a message is in its state. The code is stable, the message is for people."""

    code = serializers.CharField()
    message = serializers.CharField()


class PartSerializer(serializers.Serializer[Any]):
    """One part (segment) that was handed over, by its last attempt."""

    part = serializers.IntegerField(min_value=1)
    state = serializers.ChoiceField(choices=[state.value for state in MessageState])
    at = serializers.DateTimeField()
    receipt_at = serializers.DateTimeField(allow_null=True)


class MessageSerializer(serializers.Serializer[Any]):
    """A message. `to` is masked, and null once the number is erased."""

    id = serializers.UUIDField()
    campaign = serializers.CharField()
    sender = serializers.CharField()
    to = serializers.CharField(allow_null=True)
    state = serializers.ChoiceField(choices=[state.value for state in MessageState])
    reason = ReasonSerializer(allow_null=True)
    segments = serializers.IntegerField(min_value=1)
    client_reference = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    parts = PartSerializer(many=True)
    links = Links()


class PlanSerializer(serializers.Serializer[Any]):
    """When and how fast. Times of day are in `zone`, rates in segments a second."""

    starts_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)
    daily_from = serializers.CharField(allow_null=True)
    daily_until = serializers.CharField(allow_null=True)
    zone = serializers.CharField()
    rate_ceiling = serializers.FloatField(allow_null=True)
    rate = serializers.FloatField(allow_null=True)
    daily_cap = serializers.IntegerField(allow_null=True)


class SlotSerializer(serializers.Serializer[Any]):
    """A typed slot of a trigger's text."""

    name = serializers.CharField()
    type = serializers.ChoiceField(choices=list(SLOT_TYPES))
    max_length = serializers.IntegerField(min_value=1)


class CountsSerializer(serializers.Serializer[Any]):
    """Messages by state. They add up to the campaign's total."""

    def get_fields(self) -> dict[str, Any]:
        """Return one count for each state."""
        return {state.value: serializers.IntegerField(min_value=0) for state in MessageState}


class CampaignLineSerializer(serializers.Serializer[Any]):
    """A campaign on a page."""

    id = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    mode = serializers.ChoiceField(choices=[mode.value for mode in Mode])
    state = serializers.ChoiceField(choices=[state.value for state in State])
    state_since_at = serializers.DateTimeField()
    is_archived = serializers.BooleanField()
    sender = serializers.CharField(allow_null=True)
    total = serializers.IntegerField(min_value=0)
    counts = CountsSerializer()
    plan = PlanSerializer()
    slots = SlotSerializer(many=True)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    links = Links()


class CampaignSerializer(CampaignLineSerializer):
    """A campaign. `why` is one sentence about what it does or waits for now."""

    why = serializers.CharField()


class SenderSerializer(serializers.Serializer[Any]):
    """A sender name. `revision` is the one in use, or null."""

    name = serializers.CharField()
    state = serializers.ChoiceField(choices=[standing.value for standing in Standing])
    category = serializers.CharField(allow_null=True)
    revision = serializers.IntegerField(allow_null=True)


class InboundSerializer(serializers.Serializer[Any]):
    """A message of a subscriber. `number` is masked; it and `text` are null once erased, and a
    message that is no text has none. `is_opted_out` tells how it is now, `assigned_to` who looks
    after it, `assigned_to_email` by which address.
    """

    id = serializers.UUIDField()
    number = serializers.CharField(allow_null=True)
    to = serializers.CharField()
    text = serializers.CharField(allow_null=True, allow_blank=True)
    asks_for = serializers.ChoiceField(
        choices=[wish.value for wish in Wish if wish], allow_null=True
    )
    is_opted_out = serializers.BooleanField()
    assigned_to = serializers.CharField(allow_null=True)
    assigned_to_email = serializers.CharField(allow_null=True)
    parts = serializers.IntegerField(min_value=1)
    missing_parts = serializers.IntegerField(min_value=0)
    received_at = serializers.DateTimeField()
    links = Links()


class KeySerializer(serializers.Serializer[Any]):
    """The key of this call. `permissions` are the scopes that count now."""

    name = serializers.CharField()
    prefix = serializers.CharField()
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=list(ALL_SCOPES)))
    permissions = serializers.ListField(child=serializers.ChoiceField(choices=list(ALL_SCOPES)))
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()


class FindingSerializer(serializers.Serializer[Any]):
    """One check. `bad` needs somebody now, `warn` soon; `code` is stable, texts may change."""

    code = serializers.CharField()
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=["ok", "warn", "bad"])
    detail = serializers.CharField()


class FallbackFileSerializer(serializers.Serializer[Any]):
    """A file that is not in the audit log yet, or was refused. `head` is its last line's hash."""

    name = serializers.CharField()
    room = serializers.ChoiceField(choices=["open", "waiting", "refused"])
    size_bytes = serializers.IntegerField(min_value=0)
    lines = serializers.IntegerField(min_value=0, allow_null=True)
    head = serializers.CharField(allow_null=True)
    changed_at = serializers.DateTimeField()


class FallbackSerializer(serializers.Serializer[Any]):
    """What was written while the database was away. `lost` counts what was refused because it
    could be recorded nowhere.
    """

    state = serializers.ChoiceField(choices=["ok", "warn", "bad"])
    detail = serializers.CharField()
    size_bytes = serializers.IntegerField(min_value=0)
    cap_bytes = serializers.IntegerField(min_value=0)
    lines = serializers.IntegerField(min_value=0)
    lost = serializers.IntegerField(min_value=0)
    free_bytes = serializers.IntegerField(min_value=0, allow_null=True)
    kept_files = serializers.IntegerField(min_value=0)
    last_ingest_at = serializers.DateTimeField(allow_null=True)
    swept_at = serializers.DateTimeField(allow_null=True)
    alarms = serializers.ListField(child=serializers.CharField())
    files = FallbackFileSerializer(many=True)


class DiagnosticsSerializer(serializers.Serializer[Any]):
    """How the installation is. `state` is that of the worst check."""

    state = serializers.ChoiceField(choices=["ok", "warn", "bad"])
    looked_at = serializers.DateTimeField()
    checks = FindingSerializer(many=True)
    fallback = FallbackSerializer()


class WorkspaceSerializer(serializers.Serializer[Any]):
    """The workspace that a key belongs to."""

    slug = serializers.CharField()
    name = serializers.CharField()
    zone = serializers.CharField()


class MeSerializer(serializers.Serializer[Any]):
    """Who calls."""

    key = KeySerializer()
    workspace = WorkspaceSerializer()


class _Page(serializers.Serializer[Any]):
    next = serializers.CharField(allow_null=True)


class MessagePage(_Page):
    """Messages, newest first."""

    items = MessageSerializer(many=True)


class CampaignPage(_Page):
    """Campaigns, newest first."""

    items = CampaignLineSerializer(many=True)


class SenderPage(_Page):
    """Sender names, by name."""

    items = SenderSerializer(many=True)


class InboundPage(_Page):
    """Messages of subscribers, newest first."""

    items = InboundSerializer(many=True)


class FaultSerializer(serializers.Serializer[Any]):
    """One fault: at a JSON pointer into the body, in a query parameter, or in a header."""

    pointer = serializers.CharField(required=False, allow_blank=True)
    parameter = serializers.CharField(required=False)
    header = serializers.CharField(required=False)
    code = serializers.CharField()
    message = serializers.CharField()


class Problem(serializers.Serializer[Any]):
    """Why a call was refused (RFC 9457). `code` is stable; texts may change."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    request_id = serializers.CharField()
    errors = FaultSerializer(many=True, required=False)  # type: ignore[assignment]  # a field, not ours
