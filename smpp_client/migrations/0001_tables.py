"""Connections, their bind slots and sessions, and the routes over them."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("smpp_client", "0001_connections"),
        ("smpp_client", "0002_bind_slots_and_dialects"),
        ("smpp_client", "0003_route_tiers_ranges_shifts"),
        ("smpp_client", "0004_carriers_and_reports"),
        ("smpp_client", "0006_changes_by_two_people"),
        ("smpp_client", "0007_watch_routes"),
    ]
    initial = True
    dependencies = [("workspaces", "0001_tables")]

    operations = [
        migrations.CreateModel(
            name="Connection",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.SlugField(max_length=40, unique=True)),
                ("host", models.CharField(max_length=253)),
                ("port", models.PositiveIntegerField()),
                ("system_id", models.CharField(max_length=15)),
                ("password_sealed", models.BinaryField()),
                ("system_type", models.CharField(blank=True, max_length=12)),
                ("server_name", models.CharField(blank=True, max_length=253)),
                ("ca_file", models.CharField(blank=True, max_length=400)),
                ("cert_file", models.CharField(blank=True, max_length=400)),
                ("key_file", models.CharField(blank=True, max_length=400)),
                ("plain_reason", models.CharField(blank=True, max_length=200)),
                ("plain_until", models.DateField(null=True)),
                ("rate", models.PositiveIntegerField(default=100)),
                ("window", models.PositiveIntegerField(default=50)),
                ("intent_budget", models.PositiveIntegerField(null=True)),
                (
                    "alphabet",
                    models.CharField(
                        choices=[("gsm", "GSM 03.38"), ("latin1", "Latin-1")],
                        default="gsm",
                        max_length=6,
                    ),
                ),
                (
                    "message_id_rule",
                    models.CharField(
                        choices=[
                            ("as_is", "The same"),
                            ("hex_to_decimal", "Response hexadecimal, receipt decimal"),
                            ("decimal_to_hex", "Response decimal, receipt hexadecimal"),
                            ("hex", "Both hexadecimal, case and leading zeros differ"),
                            ("unpadded", "Both decimal, leading zeros differ"),
                        ],
                        default="as_is",
                        max_length=16,
                    ),
                ),
                ("short_code_ton", models.PositiveSmallIntegerField(default=3)),
                ("enquire_seconds", models.FloatField(default=30)),
                ("response_seconds", models.FloatField(default=60)),
                ("carrier", models.SlugField(default="smpp", max_length=40)),
                ("carrier_settings", models.JSONField(blank=True, default=dict)),
                ("further_hosts", models.TextField(blank=True)),
                (
                    "bind_form",
                    models.CharField(
                        choices=[
                            ("transceiver", "Transceiver: one session sends and receives"),
                            ("pair", "Transmitter and receiver: a pair of sessions"),
                        ],
                        default="transceiver",
                        max_length=12,
                    ),
                ),
                ("bind_count", models.PositiveSmallIntegerField(default=1)),
                (
                    "tls_minimum",
                    models.CharField(
                        choices=[("1.2", "TLS 1.2 or newer"), ("1.3", "TLS 1.3 only")],
                        default="1.2",
                        max_length=4,
                    ),
                ),
                ("pins", models.TextField(blank=True)),
                (
                    "long_form",
                    models.CharField(
                        choices=[
                            ("udh", "A header in each segment (UDH)"),
                            ("sar", "Options beside each segment (sar_*)"),
                            ("payload", "One submit_sm with the whole text (message_payload)"),
                        ],
                        default="udh",
                        max_length=8,
                    ),
                ),
                ("status_classes", models.JSONField(default=dict)),
                ("receipt_classes", models.JSONField(default=dict)),
                ("is_enabled", models.BooleanField(default=True)),
                ("version", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField()),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "connection",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("rate__gte", 1), ("window__gte", 1)),
                        name="connection_rate_window",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("plain_until", None),
                            models.Q(
                                ("plain_until__isnull", False),
                                models.Q(("plain_reason", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="connection_plain_has_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("bind_count__gte", 1), ("bind_count__lt", 100)),
                        name="connection_bind_count",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ConnectionChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="changes",
                        to="smpp_client.connection",
                    ),
                ),
                ("diff", models.JSONField()),
                ("password_sealed", models.BinaryField(default=b"")),
                ("seen", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "Waits for another person"),
                            ("made", "Made"),
                            ("dropped", "Dropped"),
                        ],
                        default="asked",
                        max_length=7,
                    ),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "connection_change",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "asked")),
                        fields=("connection",),
                        name="connection_change_one_waits",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "made"), _negated=True),
                            models.Q(("decided_by", models.F("asked_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="connection_change_by_two",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ConnectionEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="smpp_client.connection",
                    ),
                ),
                ("kind", models.CharField(max_length=20)),
                ("sentence", models.CharField(max_length=400)),
                ("happened_at", models.DateTimeField()),
            ],
            options={
                "db_table": "connection_event",
                "indexes": [
                    models.Index(fields=["connection", "-id"], name="connection_event_newest")
                ],
            },
        ),
        migrations.CreateModel(
            name="ConnectionReport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reports",
                        to="smpp_client.connection",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting to begin"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("broken", "Broke off"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("sentence", models.CharField(blank=True, max_length=400)),
                ("options", models.JSONField(default=dict)),
                ("numbers_sealed", models.BinaryField(default=b"")),
                ("steps", models.JSONField(default=list)),
                ("asked_at", models.DateTimeField()),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("started_at", models.DateTimeField(null=True)),
                ("heard_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "connection_report",
                "indexes": [
                    models.Index(fields=["connection", "-id"], name="connection_report_newest")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["waiting", "running"])),
                        fields=("connection",),
                        name="connection_report_one_runs",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CertificateAlarm",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="alarms",
                        to="smpp_client.connection",
                    ),
                ),
                ("fingerprint", models.CharField(max_length=95)),
                ("days", models.PositiveSmallIntegerField()),
                ("told_at", models.DateTimeField()),
            ],
            options={
                "db_table": "certificate_alarm",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("connection", "fingerprint", "days"), name="certificate_alarm_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Lease",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="leases",
                        to="smpp_client.connection",
                    ),
                ),
                ("slot", models.PositiveSmallIntegerField(default=0)),
                ("epoch", models.BigIntegerField(default=0)),
                ("owner", models.CharField(blank=True, max_length=120)),
                ("expires_at", models.DateTimeField(null=True)),
                ("share", models.PositiveIntegerField(null=True)),
            ],
            options={
                "db_table": "lease",
                "constraints": [
                    models.UniqueConstraint(fields=("connection", "slot"), name="lease_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="SessionStatus",
            fields=[
                (
                    "lease",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="status",
                        serialize=False,
                        to="smpp_client.lease",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("down", "Down"),
                            ("connecting", "Connecting"),
                            ("bound", "Up"),
                            ("unbinding", "Closing"),
                        ],
                        default="down",
                        max_length=12,
                    ),
                ),
                ("sentence", models.CharField(blank=True, max_length=400)),
                ("since_at", models.DateTimeField()),
                ("observed_at", models.DateTimeField()),
                ("in_flight", models.PositiveIntegerField(default=0)),
                ("rate_now", models.FloatField(default=0)),
                ("rate_allowed", models.FloatField(default=0)),
                ("response_ms", models.FloatField(null=True)),
                ("throttled_count", models.PositiveBigIntegerField(default=0)),
                ("submitted_count", models.PositiveBigIntegerField(default=0)),
                ("certificate_ends_at", models.DateTimeField(null=True)),
                ("host", models.CharField(blank=True, db_default="", default="", max_length=270)),
            ],
            options={
                "db_table": "session_status",
            },
        ),
        migrations.CreateModel(
            name="Route",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.SlugField(max_length=40, unique=True)),
                ("down_since_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "route",
            },
        ),
        migrations.CreateModel(
            name="RouteConnection",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "route",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="route_connections",
                        to="smpp_client.route",
                    ),
                ),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="route_connections",
                        to="smpp_client.connection",
                    ),
                ),
                ("weight", models.PositiveIntegerField(default=1)),
                ("tier", models.PositiveSmallIntegerField(default=0)),
            ],
            options={
                "db_table": "route_connection",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("route", "connection"), name="route_connection_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RouteRange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "route",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="ranges",
                        to="smpp_client.route",
                    ),
                ),
                ("prefix", models.CharField(max_length=15)),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ranges",
                        to="smpp_client.connection",
                    ),
                ),
            ],
            options={
                "db_table": "route_range",
                "constraints": [
                    models.UniqueConstraint(fields=("route", "prefix"), name="route_range_once"),
                    models.CheckConstraint(
                        condition=models.Q(("prefix__regex", "^[1-9][0-9]*$")),
                        name="route_range_digits",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RouteShift",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "route",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="shifts",
                        to="smpp_client.route",
                    ),
                ),
                ("from_weights", models.JSONField()),
                ("to_weights", models.JSONField()),
                ("percents", models.JSONField()),
                ("step_seconds", models.PositiveIntegerField()),
                ("begins_at", models.DateTimeField()),
                ("applied_count", models.PositiveSmallIntegerField(default=0)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("done", "Done"),
                            ("stopped", "Stopped"),
                            ("undone", "Undone"),
                        ],
                        default="running",
                        max_length=10,
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "route_shift",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "running")),
                        fields=("route",),
                        name="route_shift_one_runs",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RouteGrant",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "route",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="grants",
                        to="smpp_client.route",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="route_grants",
                        to="workspaces.workspace",
                    ),
                ),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "route_grant",
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "route"), name="route_grant_once")
                ],
            },
        ),
        # Rows that change many times a second are rewritten in place when their page has room.
        migrations.RunSQL(
            "ALTER TABLE lease SET (fillfactor = 20);"
            "ALTER TABLE session_status SET (fillfactor = 20);"
        ),
    ]
