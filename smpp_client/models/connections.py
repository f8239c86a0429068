"""Connections, routes and who may use them."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from workspaces.models import User, Workspace


class Alphabet(models.TextChoices):
    """What the SMSC takes data coding 0 for."""

    GSM = "gsm", _("GSM 03.38")
    LATIN_1 = "latin1", _("Latin-1")


class MessageIdRule(models.TextChoices):
    """How message ids of receipts relate to those of submit_sm_resp; never guessed."""

    AS_IS = "as_is", _("The same")
    HEX_TO_DECIMAL = "hex_to_decimal", _("Response hexadecimal, receipt decimal")
    DECIMAL_TO_HEX = "decimal_to_hex", _("Response decimal, receipt hexadecimal")
    HEX = "hex", _("Both hexadecimal, case and leading zeros differ")
    UNPADDED = "unpadded", _("Both decimal, leading zeros differ")


class BindForm(models.TextChoices):
    """What a connection's sessions are bound as."""

    TRANSCEIVER = "transceiver", _("Transceiver: one session sends and receives")
    PAIR = "pair", _("Transmitter and receiver: a pair of sessions")


class TlsVersion(models.TextChoices):
    """The oldest TLS that a connection speaks."""

    TLS_1_2 = "1.2", _("TLS 1.2 or newer")
    TLS_1_3 = "1.3", _("TLS 1.3 only")


class LongForm(models.TextChoices):
    """How a message longer than one segment travels."""

    UDH = "udh", _("A header in each segment (UDH)")
    SAR = "sar", _("Options beside each segment (sar_*)")
    PAYLOAD = "payload", _("One submit_sm with the whole text (message_payload)")


# Slots from here on are receivers of a pair: they hold no share of the rate and claim nothing.
FIRST_RECEIVER_SLOT = 100


class Connection(models.Model):
    """One SMPP account on one peer.

    `password_sealed` is AES-256-GCM; certificates are paths, so that keys never enter the database
    and files can be
    renewed in place. `rate` is in segments/s over all sessions, `window` and `intent_budget` in
    segments of each. `further_hosts` has one `host:port` a line, tried in their order after `host`.
    `pins` has one SHA-256 of a public key (SPKI) a line; with one, the name is not compared. The
    two tables of classes map a code as it is written to a word of `StatusClass`. `version` grows
    with each change, so that a running sender notices.
    """

    name = models.SlugField(max_length=40, unique=True)
    host = models.CharField(max_length=253)
    port = models.PositiveIntegerField()
    system_id = models.CharField(max_length=15)
    password_sealed = models.BinaryField()
    system_type = models.CharField(max_length=12, blank=True)
    server_name = models.CharField(max_length=253, blank=True)
    ca_file = models.CharField(max_length=400, blank=True)
    cert_file = models.CharField(max_length=400, blank=True)
    key_file = models.CharField(max_length=400, blank=True)
    plain_reason = models.CharField(max_length=200, blank=True)
    plain_until = models.DateField(null=True)
    rate = models.PositiveIntegerField(default=100)
    window = models.PositiveIntegerField(default=50)
    intent_budget = models.PositiveIntegerField(null=True)
    alphabet = models.CharField(max_length=6, choices=Alphabet.choices, default=Alphabet.GSM)
    message_id_rule = models.CharField(
        max_length=16, choices=MessageIdRule.choices, default=MessageIdRule.AS_IS
    )
    short_code_ton = models.PositiveSmallIntegerField(default=3)
    enquire_seconds = models.FloatField(default=30)
    response_seconds = models.FloatField(default=60)
    # The entry point of its carrier, and what that is told beside the columns above.
    carrier = models.SlugField(max_length=40, default="smpp")
    carrier_settings = models.JSONField(default=dict, blank=True)
    further_hosts = models.TextField(blank=True)
    bind_form = models.CharField(
        max_length=12, choices=BindForm.choices, default=BindForm.TRANSCEIVER
    )
    bind_count = models.PositiveSmallIntegerField(default=1)
    tls_minimum = models.CharField(
        max_length=4, choices=TlsVersion.choices, default=TlsVersion.TLS_1_2
    )
    pins = models.TextField(blank=True)
    long_form = models.CharField(max_length=8, choices=LongForm.choices, default=LongForm.UDH)
    status_classes = models.JSONField(default=dict)
    receipt_classes = models.JSONField(default=dict)
    is_enabled = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "connection"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(rate__gte=1, window__gte=1), name="connection_rate_window"
            ),
            models.CheckConstraint(
                condition=models.Q(plain_until=None)
                | (models.Q(plain_until__isnull=False) & ~models.Q(plain_reason="")),
                name="connection_plain_has_reason",
            ),
            models.CheckConstraint(
                condition=models.Q(bind_count__gte=1, bind_count__lt=FIRST_RECEIVER_SLOT),
                name="connection_bind_count",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def budget(self) -> int:
        """The intent budget in segments: the most that one killed session can leave unknown."""
        return self.intent_budget or self.window


class Route(models.Model):
    """A named set of weighted connections that workspaces are granted.

    `down_since_at` is when none of its connections was seen up for the first time; None while one
    is. `ranges_changed_at` is when its number ranges last changed; None again once what waited for
    the connections of the old ones goes by the new ones.
    """

    name = models.SlugField(max_length=40, unique=True)
    down_since_at = models.DateTimeField(null=True)
    ranges_changed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "route"

    def __str__(self) -> str:
        return self.name


class RouteConnection(models.Model):
    """A connection's weight in a route; 0 takes no new traffic but that of its own number ranges.

    `tier` 0 is primary. A higher one is a backup: it takes traffic while no connection of a lower
    tier is bound.
    """

    route = models.ForeignKey(Route, on_delete=models.CASCADE, related_name="route_connections")
    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="route_connections"
    )
    weight = models.PositiveIntegerField(default=1)
    tier = models.PositiveSmallIntegerField(default=0)

    class Meta:
        db_table = "route_connection"
        constraints = [
            models.UniqueConstraint(fields=["route", "connection"], name="route_connection_once")
        ]


class RouteGrant(models.Model):
    """A workspace may use a route."""

    route = models.ForeignKey(Route, on_delete=models.CASCADE, related_name="grants")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="route_grants")
    created_at = models.DateTimeField()

    class Meta:
        db_table = "route_grant"
        constraints = [
            models.UniqueConstraint(fields=["workspace", "route"], name="route_grant_once")
        ]


class Lease(models.Model):
    """The right to hold one bind slot of a connection. `epoch` is the fence: it grows with each
    owner.

    `share` is the part of the connection's rate, in segments/s, that its owner may be using, None
    without a session that sends: the shares of leases that live add up to the rate at most.
    `slowed_at` is when the owner last read a receipt that asks all sessions to slow down.
    Timestamps come from the database's clock. A row is updated every few seconds: fillfactor 20.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="leases")
    slot = models.PositiveSmallIntegerField(default=0)
    epoch = models.BigIntegerField(default=0)
    owner = models.CharField(max_length=120, blank=True)
    expires_at = models.DateTimeField(null=True)
    share = models.PositiveIntegerField(null=True)
    slowed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "lease"
        constraints = [models.UniqueConstraint(fields=["connection", "slot"], name="lease_once")]


class SessionState(models.TextChoices):
    """What the sender observed last; never what was configured."""

    DOWN = "down", _("Down")
    CONNECTING = "connecting", _("Connecting")
    BOUND = "bound", _("Up")
    UNBINDING = "unbinding", _("Closing")


class SessionStatus(models.Model):
    """What the owner of a lease observes, written about once a second.

    `sentence` is for people: why it is down, or what it waits for. `stands_still` says that the
    peer of a session that is bound takes no segments: only single ones are tried. `response_ms` is
    the p95 of the last second.
    """

    lease = models.OneToOneField(
        Lease, on_delete=models.CASCADE, primary_key=True, related_name="status"
    )
    state = models.CharField(max_length=12, choices=SessionState.choices, default=SessionState.DOWN)
    sentence = models.CharField(max_length=400, blank=True)
    stands_still = models.BooleanField(default=False, db_default=False)
    since_at = models.DateTimeField()
    observed_at = models.DateTimeField()
    in_flight = models.PositiveIntegerField(default=0)
    rate_now = models.FloatField(default=0)
    rate_allowed = models.FloatField(default=0)
    response_ms = models.FloatField(null=True)
    throttled_count = models.PositiveBigIntegerField(default=0)
    submitted_count = models.PositiveBigIntegerField(default=0)
    certificate_ends_at = models.DateTimeField(null=True)
    host = models.CharField(max_length=270, blank=True, default="", db_default="")

    class Meta:
        db_table = "session_status"


class CertificateAlarm(models.Model):
    """One certificate's coming end, told once at each of its days before; `days` is 30, 14, 7 or 1.

    `fingerprint` is SHA-256 in hex with colons.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="alarms")
    fingerprint = models.CharField(max_length=95)
    days = models.PositiveSmallIntegerField()
    told_at = models.DateTimeField()

    class Meta:
        db_table = "certificate_alarm"
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "fingerprint", "days"], name="certificate_alarm_once"
            )
        ]


class ConnectionEvent(models.Model):
    """Something that happened on a connection, as a sentence for its page."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=20)
    sentence = models.CharField(max_length=400)
    happened_at = models.DateTimeField()

    class Meta:
        db_table = "connection_event"
        indexes = [models.Index(fields=["connection", "-id"], name="connection_event_newest")]
