"""Several binds and hosts of a connection, how it speaks TLS and SMPP, and its alarms."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("smpp_client", "0001_connections"),
    ]

    operations = [
        migrations.CreateModel(
            name="CertificateAlarm",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("fingerprint", models.CharField(max_length=95)),
                ("days", models.PositiveSmallIntegerField()),
                ("told_at", models.DateTimeField()),
            ],
            options={
                "db_table": "certificate_alarm",
            },
        ),
        migrations.AddField(
            model_name="connection",
            name="bind_count",
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.AddField(
            model_name="connection",
            name="bind_form",
            field=models.CharField(
                choices=[
                    ("transceiver", "Transceiver: one session sends and receives"),
                    ("pair", "Transmitter and receiver: a pair of sessions"),
                ],
                default="transceiver",
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="connection",
            name="further_hosts",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="connection",
            name="long_form",
            field=models.CharField(
                choices=[
                    ("udh", "A header in each segment (UDH)"),
                    ("sar", "Options beside each segment (sar_*)"),
                    ("payload", "One submit_sm with the whole text (message_payload)"),
                ],
                default="udh",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="connection",
            name="pins",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="connection",
            name="receipt_classes",
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name="connection",
            name="status_classes",
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name="connection",
            name="tls_minimum",
            field=models.CharField(
                choices=[("1.2", "TLS 1.2 or newer"), ("1.3", "TLS 1.3 only")],
                default="1.2",
                max_length=4,
            ),
        ),
        migrations.AddField(
            model_name="lease",
            name="share",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="sessionstatus",
            name="host",
            field=models.CharField(blank=True, db_default="", default="", max_length=270),
        ),
        migrations.AlterField(
            model_name="connection",
            name="message_id_rule",
            field=models.CharField(
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
        migrations.AddConstraint(
            model_name="connection",
            constraint=models.CheckConstraint(
                condition=models.Q(("bind_count__gte", 1), ("bind_count__lt", 100)),
                name="connection_bind_count",
            ),
        ),
        migrations.AddField(
            model_name="certificatealarm",
            name="connection",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="alarms",
                to="smpp_client.connection",
            ),
        ),
        migrations.AddConstraint(
            model_name="certificatealarm",
            constraint=models.UniqueConstraint(
                fields=("connection", "fingerprint", "days"), name="certificate_alarm_once"
            ),
        ),
    ]
